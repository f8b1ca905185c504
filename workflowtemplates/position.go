package workflowtemplates

import (
	"strings"

	"go.yaml.in/yaml/v3"
)

// A Position says where a template and its annotations stand in a file.
type Position struct {
	File string
	// Line is the line of the template's metadata, from 1.
	Line int
	// namespaced says that the file names the template's namespace.
	namespaced bool
	// annotations holds, by key without the prefix, where each annotation stands.
	annotations map[string]annotationPosition
}

// An annotationPosition leads from the lines of an annotation's text to those of the file.
type annotationPosition struct {
	first int  // the line of the first line of the text
	block bool // the text's lines are the file's lines
	lines int
}

func positionOf(value *yaml.Node) annotationPosition {
	return annotationPosition{
		first: firstLine(value),
		block: value.Style == yaml.LiteralStyle,
		lines: strings.Count(value.Value, "\n") + 1,
	}
}

// line is the line of the file for a line of an annotation's text. It is exact for literal blocks (|);
// for other scalars, whose line breaks are not those of the file, it is where the text begins.
func (p *Position) line(key string, line int) int {
	a, ok := p.annotations[key]
	switch {
	case !ok:
		return p.Line
	case !a.block:
		return a.first
	}
	return a.first + max(0, min(line, a.lines)-1)
}
