package expression

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/argo-bridge/argo-bridge/bridge"
)

var _ bridge.Text = (*Text)(nil)

// A Text is a compiled text. {{=expression}} stands for the value of the expression, {{a.b}} for the
// variable of that path. As in Argo, a path that names no variable is left in the text as it is; null
// is the empty text, a string is itself, and anything else is its JSON.
type Text struct {
	source string
	parts  []part
}

// A part is literal text, an expression, or a path with the tag's own text as its literal.
type part struct {
	literal    string
	expression *Program
	path       []string
	line       int // of the tag in the source, from 1
}

// CompileText compiles a text. Faults of all its expressions are joined, with the line in the text.
func CompileText(source string) (*Text, error) {
	t := &Text{source: source}
	var errs []error
	rest, line := source, 1
	for {
		before, tag, found := strings.Cut(rest, "{{")
		t.literal(before)
		line += strings.Count(before, "\n")
		if !found {
			break
		}
		p, size, err := compileTag(tag, line)
		if err != nil {
			errs = append(errs, err)
		}
		if size == 0 {
			break
		}
		t.parts = append(t.parts, p)
		line += strings.Count(tag[:size], "\n")
		rest = tag[size:]
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return t, nil
}

func (t *Text) literal(s string) {
	if s != "" {
		t.parts = append(t.parts, part{literal: s})
	}
}

// compileTag compiles what follows "{{" and returns the size of the tag with its "}}", 0 when it is not closed.
func compileTag(s string, line int) (part, int, error) {
	end := strings.Index(s, "}}")
	if end < 0 {
		return part{}, 0, Problem{Line: line, Column: 1, Message: `"{{" is not closed by "}}"`}
	}
	if !strings.HasPrefix(strings.TrimSpace(s[:end]), "=") {
		name := strings.TrimSpace(s[:end])
		return part{literal: "{{" + s[:end] + "}}", path: strings.Split(name, "."), line: line}, end + 2, nil
	}
	return compileExpressionTag(s, end, line)
}

// compileExpressionTag takes the shortest text that compiles: an expression may hold }} itself, as
// in {{={"a": {"b": 1}}}}.
func compileExpressionTag(s string, end, line int) (part, int, error) {
	first := end
	var firstErr error
	for {
		_, source, _ := strings.Cut(s[:end], "=")
		program, err := Compile(strings.TrimSpace(source))
		if err == nil {
			return part{expression: program, line: line}, end + 2, nil
		}
		if firstErr == nil {
			firstErr = err
		}
		next := nextClose(s, end+1)
		if next < 0 || next-first > maxSource {
			return part{}, first + 2, shift(firstErr, line-1)
		}
		end = next
	}
}

func nextClose(s string, from int) int {
	if from >= len(s) {
		return -1
	}
	i := strings.Index(s[from:], "}}")
	if i < 0 {
		return -1
	}
	return from + i
}

// shift moves a problem by whole lines.
func shift(err error, lines int) error {
	var p Problem
	if errors.As(err, &p) {
		p.Line += lines
		return p
	}
	return err
}

// Render implements [bridge.Text].
func (t *Text) Render(variables map[string]any) (string, error) {
	return t.RenderWith(variables, func(value string) string { return value })
}

// RenderWith is Render with every value, but not what the author wrote around it, as quote writes it.
func (t *Text) RenderWith(variables map[string]any, quote func(value string) string) (string, error) {
	var b strings.Builder
	for _, p := range t.parts {
		s, err := p.render(variables)
		if err != nil {
			return "", err
		}
		if p.value(s) {
			s = quote(s)
		}
		b.WriteString(s)
	}
	return b.String(), nil
}

// value says whether what the part has rendered is a value, and not the author's own text.
func (p part) value(rendered string) bool {
	return p.expression != nil || p.path != nil && rendered != p.literal
}

// String is the text as its author wrote it.
func (t *Text) String() string { return t.source }

func (p part) render(variables map[string]any) (string, error) {
	switch {
	case p.expression != nil:
		value, err := p.expression.Evaluate(variables)
		if err != nil {
			return "", err
		}
		return Format(value)
	case p.path != nil:
		value, ok := lookup(variables, p.path)
		if !ok {
			return p.literal, nil
		}
		return Format(value)
	}
	return p.literal, nil
}

func lookup(variables map[string]any, path []string) (any, bool) {
	var value any = variables
	for _, name := range path {
		switch v := value.(type) {
		case map[string]any:
			next, ok := v[name]
			if !ok {
				return nil, false
			}
			value = next
		case map[string]string:
			next, ok := v[name]
			if !ok {
				return nil, false
			}
			value = next
		default:
			return nil, false
		}
	}
	return value, true
}

// Format is a value as text: a string as it is, null as the empty text, anything else as JSON.
func Format(value any) (string, error) {
	switch v := value.(type) {
	case nil:
		return "", nil
	case string:
		return v, nil
	}
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return "", fmt.Errorf("write %s as JSON: %w", describe(value), err)
	}
	return strings.TrimSuffix(b.String(), "\n"), nil
}
