package workflowtemplates

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// DefaultNamespace is where [Load] puts a WorkflowTemplate that names no namespace, as kubectl does.
const DefaultNamespace = "default"

// Files are the templates of some files.
type Files struct {
	Inputs []Input
	// Faults are those of the files themselves, such as bad YAML.
	Faults []FileFault
}

// Load reads WorkflowTemplates and ClusterWorkflowTemplates from YAML and JSON files, from all *.yaml, *.yml and
// *.json below directories (hidden ones left out), and for "-" from stdin. Objects of other kinds are passed
// over. A file may hold several documents and Lists. The error says which path cannot be read.
func Load(paths []string, stdin io.Reader) (*Files, error) {
	files := &Files{}
	var errs []error
	for _, path := range paths {
		if err := files.load(path, stdin); err != nil {
			errs = append(errs, err)
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return files, nil
}

func (f *Files) load(path string, stdin io.Reader) error {
	if path == "-" {
		return f.read("stdin", stdin)
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return f.open(path)
	}
	return filepath.WalkDir(path, func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && name != path && strings.HasPrefix(entry.Name(), "."):
			return filepath.SkipDir
		case entry.IsDir() || !slices.Contains([]string{".yaml", ".yml", ".json"}, filepath.Ext(name)):
			return nil
		}
		return f.open(name)
	})
}

func (f *Files) open(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	return f.read(path, file)
}

// read reads the documents up to the first that is no YAML.
func (f *Files) read(name string, r io.Reader) error {
	content, err := io.ReadAll(r)
	if err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	decoder := yaml.NewDecoder(strings.NewReader(string(content)))
	for {
		var document yaml.Node
		err := decoder.Decode(&document)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			f.bad(name, 1, err)
			return nil
		}
		if len(document.Content) > 0 {
			f.object(name, document.Content[0])
		}
	}
}

var anyLine = regexp.MustCompile(`line ([0-9]+): `)

func (f *Files) bad(file string, line int, err error) {
	if m := anyLine.FindStringSubmatch(err.Error()); m != nil {
		line, _ = strconv.Atoi(m[1])
	}
	message := strings.TrimPrefix(strings.Join(strings.Fields(err.Error()), " "), "yaml: ")
	f.Faults = append(f.Faults, FileFault{File: file, Line: line, Severity: Error, Message: "bad YAML: " + anyLine.ReplaceAllString(message, "")})
}

// object reads one object, or the items of a List.
func (f *Files) object(file string, n *yaml.Node) {
	switch kindOf := textNode(child(n, "kind")); kindOf {
	case "List", "WorkflowTemplateList", "ClusterWorkflowTemplateList":
		if items := child(n, "items"); items != nil && items.Kind == yaml.SequenceNode {
			for _, item := range items.Content {
				f.object(file, resolve(item))
			}
		}
	case "WorkflowTemplate", "ClusterWorkflowTemplate":
		if strings.HasPrefix(textNode(child(n, "apiVersion")), "argoproj.io/") {
			f.template(file, n, kindOf == "ClusterWorkflowTemplate")
		}
	}
}

func (f *Files) template(file string, n *yaml.Node, cluster bool) {
	var object map[string]any
	if err := n.Decode(&object); err != nil {
		f.bad(file, n.Line, err)
		return
	}
	in := inputOf(object)
	in.object = object
	in.Position = &Position{File: file, Line: n.Line, annotations: map[string]annotationPosition{}}
	in.Position.namespaced = in.Ref.Namespace != ""
	switch {
	case cluster:
		in.Ref.Namespace = ""
	case in.Ref.Namespace == "":
		in.Ref.Namespace = DefaultNamespace
	}
	in.Annotations = f.annotations(in, child(child(n, "metadata"), "annotations"))
	f.Inputs = append(f.Inputs, in)
}

// annotations reads the bridge's annotations with their positions.
func (f *Files) annotations(in Input, n *yaml.Node) map[string]string {
	annotations := map[string]string{}
	if n == nil || n.Kind != yaml.MappingNode {
		return annotations
	}
	in.Position.Line = n.Line
	for i := 0; i+1 < len(n.Content); i += 2 {
		name, value := n.Content[i], resolve(n.Content[i+1])
		key, ok := strings.CutPrefix(name.Value, bridge.Prefix)
		if !ok {
			continue
		}
		in.Position.annotations[key] = positionOf(value)
		if value.Kind != yaml.ScalarNode || value.Tag != "!!str" {
			f.Faults = append(f.Faults, FileFault{
				File: in.Position.File, Line: value.Line, Template: in.Position.name(in.Ref), Key: key, Severity: Error,
				Message:    "the value of an annotation must be a text, got " + typeOf(value),
				Suggestion: "put it into quotes, or into a block that begins with |",
			})
			continue
		}
		annotations[name.Value] = value.Value
	}
	return annotations
}

func typeOf(n *yaml.Node) string {
	switch n.Tag {
	case "!!int", "!!float":
		return "a number"
	case "!!bool":
		return "a boolean"
	}
	return kind(n)
}

func child(n *yaml.Node, name string) *yaml.Node {
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == name {
			return resolve(n.Content[i+1])
		}
	}
	return nil
}

func resolve(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

func textNode(n *yaml.Node) string {
	if n == nil || n.Kind != yaml.ScalarNode {
		return ""
	}
	return n.Value
}
