package expression

import (
	"errors"
	"fmt"
	"strings"

	"github.com/expr-lang/expr/file"
)

// A Problem is one fault of an expression. It is also an error.
type Problem struct {
	// Line and Column are where it stands in the expression, both from 1; Column counts characters.
	Line, Column int
	Message      string
	// Suggestion is the name that was probably meant; empty when there is none.
	Suggestion string
	// Path is the unknown path, when it is a path of a variable that is unknown.
	Path []string
	// offset is the place in characters from the start, from 0.
	offset int
}

// Error implements error.
func (p Problem) Error() string {
	s := fmt.Sprintf("%d:%d: %s", p.Line, p.Column, p.Message)
	if p.Suggestion != "" {
		s += fmt.Sprintf(" (did you mean %s?)", p.Suggestion)
	}
	return s
}

func joinProblems(source string, problems []Problem) error {
	errs := make([]error, len(problems))
	for i, p := range problems {
		errs[i] = p.locate(source)
	}
	return errors.Join(errs...)
}

// syntaxProblem makes a Problem of whatever expr-lang says.
func syntaxProblem(err error) Problem {
	var f *file.Error
	if errors.As(err, &f) {
		return Problem{Line: max(1, f.Line), Column: f.Column + 1, Message: f.Message, offset: f.From}
	}
	message, _, _ := strings.Cut(err.Error(), "\n")
	return Problem{Line: 1, Column: 1, Message: message}
}

// locate sets line and column from the offset.
func (p Problem) locate(source string) Problem {
	p.Line, p.Column = 1, 1
	for i, r := range []rune(source) {
		if i == p.offset {
			break
		}
		p.Column++
		if r == '\n' {
			p.Line, p.Column = p.Line+1, 1
		}
	}
	return p
}

// pathText is a path as an author writes it: [github event labels * name] is github.event.labels[].name.
func pathText(path []string) string {
	if len(path) == 0 {
		return "this value"
	}
	return strings.ReplaceAll(strings.Join(path, "."), ".*", "[]")
}
