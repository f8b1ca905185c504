package expression

import (
	"maps"
	"slices"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/conf"

	"github.com/argo-bridge/argo-bridge/bridge"
)

func parserConfig() *conf.Config {
	c := conf.CreateNew()
	withFunctions(c)
	c.MaxNodes = maxNodes
	return c
}

// visit has one case per kind of node; those without names have no case.
func (a *analysis) visit(node ast.Node) value {
	switch n := node.(type) {
	case *ast.IdentifierNode:
		return a.identifier(n)
	case *ast.MemberNode:
		return a.memberNode(n)
	case *ast.PointerNode:
		return a.pointer(n)
	case *ast.ChainNode:
		return a.visit(n.Node)
	case *ast.SliceNode:
		a.visitAll(n.From, n.To)
		return a.visit(n.Node)
	case *ast.UnaryNode:
		a.visit(n.Node)
	case *ast.BinaryNode:
		return a.binary(n)
	case *ast.ConditionalNode:
		a.visit(n.Cond)
		return merge(a.visitAll(n.Exp1, n.Exp2)...)
	case *ast.CallNode:
		return a.call(n)
	case *ast.BuiltinNode:
		return a.builtin(n)
	case *ast.PredicateNode:
		return a.visit(n.Node)
	case *ast.VariableDeclaratorNode:
		return a.declare(n)
	case *ast.SequenceNode:
		values := a.visitAll(n.Nodes...)
		return values[len(values)-1]
	case *ast.ArrayNode:
		return merge(a.visitAll(n.Nodes...)...)
	case *ast.MapNode:
		return merge(a.visitAll(n.Pairs...)...)
	case *ast.PairNode:
		return merge(a.visitAll(n.Key, n.Value)...)
	}
	return value{}
}

func (a *analysis) identifier(n *ast.IdentifierNode) value {
	for _, l := range slices.Backward(a.locals) {
		if l.name == n.Value {
			return l.value
		}
	}
	if n.Value == "$env" {
		return value{}
	}
	path := []string{n.Value}
	shape, ok := a.shapes[n.Value]
	if !ok && a.shapes != nil {
		near := Nearest(n.Value, slices.Sorted(maps.Keys(a.shapes)))
		a.report(n.Location().From, path, near, "unknown variable %s", n.Value)
	}
	return value{shape: shape, path: path, flows: [][]string{path}}
}

func (a *analysis) memberNode(n *ast.MemberNode) value {
	base := a.visit(n.Node)
	if name, ok := n.Property.(*ast.StringNode); ok {
		return a.member(base, name.Value, n.Property.Location().From)
	}
	a.visit(n.Property)
	if base.shape != nil && base.shape.Items != nil {
		return item(base)
	}
	if base.path == nil {
		return merge(base)
	}
	return step(base, nil, "*")
}

// member is base.name.
func (a *analysis) member(base value, name string, offset int) value {
	if base.path != nil {
		a.reading(append(slices.Clone(base.path), name))
	}
	shape := base.shape
	if base.path == nil && shape == nil {
		return merge(base)
	}
	if shape == nil {
		return step(base, nil, name)
	}
	text := pathText(append(slices.Clone(base.path), name))
	switch {
	case shape.Fields != nil:
		next, ok := shape.Fields[name]
		if !ok {
			near := Nearest(name, slices.Sorted(maps.Keys(shape.Fields)))
			a.report(offset, append(slices.Clone(base.path), name), near, "unknown field %s", text)
		}
		return step(base, next, name)
	case shape.Items != nil:
		a.report(offset, nil, "", "%s is a list, it has no member %s", pathText(base.path), name)
		return merge(base)
	case shape.Scalar:
		a.report(offset, nil, "", "%s has no members, so there is no %s", pathText(base.path), text)
		return merge(base)
	}
	return step(base, nil, name)
}

func step(base value, shape *bridge.Shape, name string) value {
	path := append(slices.Clone(base.path), name)
	return value{shape: shape, path: path, flows: [][]string{path}}
}

// item is one element of a list.
func item(list value) value {
	var shape *bridge.Shape
	if list.shape != nil {
		shape = list.shape.Items
	}
	if list.path == nil {
		return value{shape: shape, flows: list.flows}
	}
	return step(list, shape, "*")
}

func (a *analysis) pointer(n *ast.PointerNode) value {
	if n.Name != "" || len(a.items) == 0 {
		return value{}
	}
	return a.items[len(a.items)-1]
}

func (a *analysis) declare(n *ast.VariableDeclaratorNode) value {
	a.locals = append(a.locals, local{n.Name, a.visit(n.Value)})
	defer func() { a.locals = a.locals[:len(a.locals)-1] }()
	return a.visit(n.Expr)
}

func (a *analysis) binary(n *ast.BinaryNode) value {
	values := a.visitAll(n.Left, n.Right)
	switch n.Operator {
	case "+", "??":
		return merge(values...)
	}
	return value{}
}

// textless are the functions whose value has none of its arguments' text.
var textless = map[string]bool{
	"asInt": true, "asFloat": true, "int": true, "float": true, "len": true, "count": true, "sum": true,
	"all": true, "any": true, "none": true, "one": true, "findIndex": true, "findLastIndex": true,
	"abs": true, "ceil": true, "floor": true, "round": true, "indexOf": true, "lastIndexOf": true,
	"hasPrefix": true, "hasSuffix": true, "sprig.int": true, "sprig.int64": true, "sprig.float64": true,
	"sprig.len": true, "sprig.contains": true, "sprig.hasPrefix": true, "sprig.hasSuffix": true,
	"sprig.sha1sum": true, "sprig.sha256sum": true, "sprig.adler32sum": true, "sprig.b64enc": true,
	"sprig.b32enc": true, "toBase64": true, "sprig.empty": true,
}

func (a *analysis) call(n *ast.CallNode) value {
	name := ""
	switch callee := n.Callee.(type) {
	case *ast.IdentifierNode:
		name = callee.Value
	case *ast.MemberNode:
		if function, ok := sprigCallee(callee); ok {
			name = sprigName + "." + function
			break
		}
		a.visit(callee.Node)
	default:
		a.visit(n.Callee)
	}
	values := a.visitAll(n.Arguments...)
	if textless[name] {
		return value{}
	}
	return merge(values...)
}

func (a *analysis) builtin(n *ast.BuiltinNode) value {
	if len(n.Arguments) == 0 {
		return value{}
	}
	first := a.visit(n.Arguments[0])
	a.items = append(a.items, item(first))
	rest := a.visitAll(n.Arguments[1:]...)
	a.items = a.items[:len(a.items)-1]
	switch {
	case textless[n.Name]:
		return value{}
	case n.Name == "filter", n.Name == "sortBy", n.Name == "take", n.Name == "reverse", n.Name == "uniq", n.Name == "sort":
		return first
	case n.Name == "find", n.Name == "findLast", n.Name == "first", n.Name == "last":
		return item(first)
	case n.Name == "map" && len(rest) > 0:
		return merge(rest...)
	}
	return merge(append(rest, first)...)
}
