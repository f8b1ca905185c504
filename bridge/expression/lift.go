package expression

import (
	"fmt"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"
)

// Names of the functions that the lifter puts into the tree. No author can write them: expr-lang has
// no identifiers with a space.
const (
	memberFunction = "member of"
	sliceFunction  = "slice of"
	sprigName      = "sprig"
)

// A lifter is the visitor that gives the language its null: every member access becomes a call of
// [member], and every sprig.name(...) a call of the function of that name. expr-lang visits children
// first, so that the callee of a call is lifted before the call is seen and is put back there.
type lifter struct {
	lifted   map[ast.Node]liftedMember
	problems []Problem
}

// A liftedMember is a member access as it was, with its text for messages.
type liftedMember struct {
	node *ast.MemberNode
	text string
}

// Visit implements [ast.Visitor].
func (l *lifter) Visit(node *ast.Node) {
	switch n := (*node).(type) {
	case *ast.MemberNode:
		l.liftMember(node, n)
	case *ast.SliceNode:
		l.liftSlice(node, n)
	case *ast.CallNode:
		l.callee(n)
	}
}

func (l *lifter) liftMember(node *ast.Node, n *ast.MemberNode) {
	base := l.text(n.Node)
	call := internalCall(memberFunction, n.Location(), n.Node, n.Property, &ast.StringNode{Value: base})
	if l.lifted == nil {
		l.lifted = map[ast.Node]liftedMember{}
	}
	l.lifted[call] = liftedMember{n, memberText(base, n.Property)}
	ast.Patch(node, call)
}

func (l *lifter) text(n ast.Node) string {
	if m, ok := l.lifted[n]; ok {
		return m.text
	}
	return n.String()
}

func memberText(base string, property ast.Node) string {
	if name, ok := property.(*ast.StringNode); ok {
		return base + "." + name.Value
	}
	return base + "[" + property.String() + "]"
}

func (l *lifter) liftSlice(node *ast.Node, n *ast.SliceNode) {
	ast.Patch(node, internalCall(sliceFunction, n.Location(), n.Node, orNil(n.From), orNil(n.To)))
}

func orNil(n ast.Node) ast.Node {
	if n == nil {
		return &ast.NilNode{}
	}
	return n
}

func internalCall(name string, at file.Location, arguments ...ast.Node) *ast.CallNode {
	callee := &ast.IdentifierNode{Value: name}
	callee.SetLocation(at)
	return &ast.CallNode{Callee: callee, Arguments: arguments}
}

// callee puts the member access back under a call (now().Year()), and names the functions that do
// not exist.
func (l *lifter) callee(n *ast.CallNode) {
	if name, ok := n.Callee.(*ast.IdentifierNode); ok {
		l.known(n, name.Value)
		return
	}
	m, ok := l.lifted[n.Callee]
	if !ok {
		return
	}
	n.Callee = m.node
	if name, ok := sprigCallee(m.node); ok {
		full := sprigName + "." + name
		l.known(n, full)
		function := &ast.IdentifierNode{Value: full}
		function.SetLocation(m.node.Location())
		n.Callee = function
	}
}

func (l *lifter) known(n ast.Node, name string) {
	if _, ok := functions()[name]; ok {
		return
	}
	l.problems = append(l.problems, Problem{
		offset:     n.Location().From,
		Message:    fmt.Sprintf("unknown function %s", name),
		Suggestion: Nearest(name, functionNames()),
	})
}

func sprigCallee(n ast.Node) (string, bool) {
	m, ok := n.(*ast.MemberNode)
	if !ok {
		return "", false
	}
	base, ok := m.Node.(*ast.IdentifierNode)
	if !ok || base.Value != sprigName {
		return "", false
	}
	name, ok := m.Property.(*ast.StringNode)
	if !ok {
		return "", false
	}
	return name.Value, true
}
