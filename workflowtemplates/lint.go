package workflowtemplates

import (
	"cmp"
	"fmt"
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
	Template   string   `json:"template"`
	Key        string   `json:"key"`
	Severity   Severity `json:"severity"`
	Message    string   `json:"message"`
	Suggestion string   `json:"suggestion"`
}

// String is the fault as compilers write theirs, and the suggestion on a line of its own.
func (f FileFault) String() string {
	s := fmt.Sprintf("%s:%d: %s: ", f.File, f.Line, f.Severity)
	if f.Template != "" {
		s += f.Template + ": "
	}
	if f.Key != "" {
		s += f.Key + ": "
	}
	s += f.Message
	if f.Suggestion != "" {
		s += "\n    " + f.Suggestion
	}
	return s
}

// A Report is what [Lint] found.
type Report struct {
	// Faults stand in the order of files and lines.
	Faults []FileFault
	// Templates and Rules count what was read, the faulty ones too.
	Templates, Rules int
}

// Count is the number of faults of a severity.
func (r *Report) Count(s Severity) int {
	n := 0
	for _, f := range r.Faults {
		if f.Severity == s {
			n++
		}
	}
	return n
}

// Lint reads the templates of the paths (see [Load]) and reports all faults. The error says which path
// cannot be read.
func Lint(paths []string, stdin io.Reader, language Language) (*Report, error) {
	files, err := Load(paths, stdin)
	if err != nil {
		return nil, err
	}
	r := &Report{Faults: files.Faults, Templates: len(files.Inputs)}
	templates := make([]*Template, len(files.Inputs))
	positions := map[bridge.Template]*Position{}
	for i, in := range files.Inputs {
		t := Parse(in, language)
		templates[i], positions[t.Ref] = t, in.Position
		r.Rules += len(t.Rules) + len(t.Faulty)
		for _, f := range t.Faults {
			r.Faults = append(r.Faults, in.Position.fault(f))
		}
	}
	for _, f := range loops(templates) {
		r.Faults = append(r.Faults, positions[f.Template].fault(f))
	}
	slices.SortStableFunc(r.Faults, func(a, b FileFault) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line))
	})
	return r, nil
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
