package workflowtemplates

import (
	"cmp"
	"io"
	"slices"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// A FileFault is a fault with its place in a file.
type FileFault struct {
	File string `json:"file"`
	// Line is the line of the file, from 1.
	Line int `json:"line"`
	// Template is the template's name, with its namespace if the file names one; empty for a fault of the file.
	Template   string   `json:"template,omitempty"`
	Key        string   `json:"key,omitempty"`
	Severity   Severity `json:"severity"`
	Message    string   `json:"message"`
	Suggestion string   `json:"suggestion,omitempty"`
}

// Lint reads the templates of the paths (see [Load]) and returns all faults by file and line. The error
// says which path cannot be read.
func Lint(paths []string, stdin io.Reader, language Language) ([]FileFault, error) {
	files, err := Load(paths, stdin)
	if err != nil {
		return nil, err
	}
	faults := files.Faults
	for _, in := range files.Inputs {
		for _, f := range Parse(in, language).Faults {
			faults = append(faults, in.Position.fault(f))
		}
	}
	slices.SortStableFunc(faults, func(a, b FileFault) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line))
	})
	return faults, nil
}

func (p *Position) fault(f Fault) FileFault {
	return FileFault{
		File: p.File, Line: p.line(f.Key, f.Line), Template: p.name(f.Template), Key: f.Key,
		Severity: f.Severity, Message: f.Message, Suggestion: f.Suggestion,
	}
}

// name is the template's name as the file has it.
func (p *Position) name(t bridge.Template) string {
	if p.namespaced {
		return t.String()
	}
	return t.Name
}
