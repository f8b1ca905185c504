package expression

import (
	"fmt"
	"maps"
	"slices"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/parser"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// Check reports all faults of an expression: those of its syntax, and names that the variables do
// not have. shapes holds every variable by name; what is below a nil shape is not checked.
func Check(source string, shapes map[string]*bridge.Shape) []Problem {
	if _, err := Compile(source); err != nil {
		return problems(err)
	}
	return analyse(source, shapes).problems
}

// Paths returns the member paths whose text can become part of the expression's value, such as
// [github event issue title]; an element of a list is the name *. What is only compared, counted or
// turned into a number or a boolean is left out. A source that does not compile has none.
func Paths(source string) [][]string {
	if _, err := Compile(source); err != nil {
		return nil
	}
	return analyse(source, nil).value.flows
}

// Reads are the variables that an expression looks at, by the first two names of each path, such as github.files: also
// those that are only compared. Of the events of a batch they are those of each event.
func Reads(source string) []string {
	if _, err := Compile(source); err != nil {
		return nil
	}
	return slices.Sorted(maps.Keys(analyse(source, nil).reads))
}

// TextReads is [Reads] for a text.
func TextReads(source string) []string {
	t, err := CompileText(source)
	if err != nil {
		return nil
	}
	all := map[string]bool{}
	for _, p := range t.parts {
		switch {
		case p.expression != nil:
			maps.Copy(all, analyse(p.expression.source, nil).reads)
		case len(p.path) > 1:
			all[p.path[0]+"."+p.path[1]] = true
		}
	}
	return slices.Sorted(maps.Keys(all))
}

// reading notes that a member of a variable is looked at.
func (a *analysis) reading(path []string) {
	path = slices.DeleteFunc(slices.Clone(path), func(name string) bool { return name == "*" })
	if len(path) > 0 && path[0] == "events" {
		path = path[1:]
	}
	if len(path) < 2 {
		return
	}
	if a.reads == nil {
		a.reads = map[string]bool{}
	}
	a.reads[path[0]+"."+path[1]] = true
}

// CheckText reports all faults of a text, with lines of the text. A {{path}} is checked where shapes
// knows its first name; others are left in the text as they are, so they are no fault.
func CheckText(source string, shapes map[string]*bridge.Shape) []Problem {
	t, err := CompileText(source)
	if err != nil {
		return problems(err)
	}
	var found []Problem
	for _, p := range t.parts {
		for _, problem := range p.check(shapes) {
			problem.Line += p.line - 1
			found = append(found, problem)
		}
	}
	return found
}

// TextPaths is [Paths] for a text.
func TextPaths(source string) [][]string {
	t, err := CompileText(source)
	if err != nil {
		return nil
	}
	var paths [][]string
	for _, p := range t.parts {
		if p.expression != nil {
			paths = append(paths, Paths(p.expression.source)...)
		} else if p.path != nil {
			paths = append(paths, p.path)
		}
	}
	return paths
}

func (p part) check(shapes map[string]*bridge.Shape) []Problem {
	if p.expression != nil {
		return analyse(p.expression.source, shapes).problems
	}
	if p.path == nil {
		return nil
	}
	shape, ok := shapes[p.path[0]]
	if !ok {
		return nil
	}
	a := &analysis{shapes: shapes}
	v := value{shape: shape, path: p.path[:1]}
	for _, name := range p.path[1:] {
		v = a.member(v, name, 0)
	}
	for i := range a.problems {
		a.problems[i].Line, a.problems[i].Column = 1, 1
	}
	return a.problems
}

// problems takes apart what [Compile] and [CompileText] return.
func problems(err error) []Problem {
	if p, ok := err.(Problem); ok { //nolint:errorlint // a joined error is taken apart below
		return []Problem{p}
	}
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []Problem{syntaxProblem(err)}
	}
	var all []Problem
	for _, e := range joined.Unwrap() {
		all = append(all, problems(e)...)
	}
	return all
}

// An analysis walks one tree and follows shapes and paths through it.
type analysis struct {
	shapes   map[string]*bridge.Shape // nil: anything goes
	locals   []local
	items    []value // what # stands for, innermost last
	problems []Problem
	value    value
	reads    map[string]bool // see Reads
}

type local struct {
	name  string
	value value
}

// A value is what is known of the value of a node.
type value struct {
	shape *bridge.Shape
	path  []string   // when the value is that of one path of a variable
	flows [][]string // the paths whose text may be in the value
}

// analyse expects a source that compiles.
func analyse(source string, shapes map[string]*bridge.Shape) *analysis {
	a := &analysis{shapes: shapes}
	tree, err := parser.ParseWithConfig(source, parserConfig())
	if err != nil {
		return a
	}
	a.value = a.visit(tree.Node)
	for i, p := range a.problems {
		a.problems[i] = p.locate(source)
	}
	return a
}

func (a *analysis) report(offset int, path []string, suggestion, format string, arguments ...any) {
	p := Problem{offset: offset, Path: slices.Clone(path), Message: fmt.Sprintf(format, arguments...), Suggestion: suggestion}
	if !slices.ContainsFunc(a.problems, func(other Problem) bool { return other.Message == p.Message && other.offset == p.offset }) {
		a.problems = append(a.problems, p)
	}
}

// merge is a value of no known shape into which the given ones flow.
func merge(values ...value) value {
	var v value
	for _, other := range values {
		v.flows = append(v.flows, other.flows...)
	}
	return v
}

func (a *analysis) visitAll(nodes ...ast.Node) []value {
	values := make([]value, 0, len(nodes))
	for _, n := range nodes {
		if n != nil {
			values = append(values, a.visit(n))
		}
	}
	return values
}
