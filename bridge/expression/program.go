package expression

import (
	"errors"
	"fmt"
	"strings"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/conf"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/vm"

	"github.com/argo-bridge/argo-bridge/bridge"
)

const (
	// maxSource is the longest expression in bytes; an annotation set has 256 KiB in all.
	maxSource = 16 << 10
	// maxNodes bounds the syntax tree of one expression.
	maxNodes = 2_000
	// memoryBudget bounds what one evaluation may allocate, in expr-lang's units (about one per
	// element of a list or byte of a repeated string).
	memoryBudget = 1_000_000
)

var _ bridge.Expression = (*Program)(nil)

// A Program is a compiled expression.
type Program struct {
	source  string
	program *vm.Program
}

// Compile compiles an expression. Its error is a [Problem] with line and column, or several joined.
// Names of variables are not checked here, see [Check].
func Compile(source string) (*Program, error) {
	if err := measure(source); err != nil {
		return nil, err
	}
	lift := &lifter{}
	program, err := compile(source, lift)
	if err != nil {
		return nil, syntaxProblem(err)
	}
	if len(lift.problems) > 0 {
		return nil, joinProblems(source, lift.problems)
	}
	return &Program{source: source, program: program}, nil
}

// compile turns expr-lang's panics on strange trees into errors.
func compile(source string, lift *lifter) (_ *vm.Program, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%v", r)
		}
	}()
	return expr.Compile(source,
		expr.Env(map[string]any{}),
		expr.AllowUndefinedVariables(),
		expr.MaxNodes(maxNodes),
		withFunctions,
		expr.Patch(lift),
	)
}

func withFunctions(c *conf.Config) { c.Functions = functions() }

func measure(source string) error {
	if strings.TrimSpace(source) == "" {
		return Problem{Line: 1, Column: 1, Message: "the expression is empty"}
	}
	if len(source) > maxSource {
		return Problem{Line: 1, Column: 1, Message: fmt.Sprintf("the expression has %d bytes, the limit is %d", len(source), maxSource)}
	}
	return nil
}

// Evaluate implements [bridge.Expression]. A panic in a function is an error.
func (p *Program) Evaluate(variables map[string]any) (any, error) {
	if variables == nil {
		variables = map[string]any{}
	}
	machine := vm.VM{MemoryBudget: memoryBudget}
	value, err := machine.Run(p.program, variables)
	if err != nil {
		return nil, fmt.Errorf("evaluate %s: %w", p.source, evaluationError(err))
	}
	return value, nil
}

// String is the expression as its author wrote it.
func (p *Program) String() string { return p.source }

// evaluationError drops expr-lang's picture of the source from the message, and says in words what
// reflection says in its own.
func evaluationError(err error) error {
	var f *file.Error
	if !errors.As(err, &f) {
		return err
	}
	message := f.Message
	if strings.Contains(message, "on zero Value") {
		message = "a list or text is null here"
	}
	return errors.New(message)
}
