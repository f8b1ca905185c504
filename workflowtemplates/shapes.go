package workflowtemplates

import "github.com/argo-bridge/argo-bridge/bridge"

// A merger makes the union of shapes: what is a path in one of them is a path in it. It remembers
// what it made, because shapes of recursive types are cyclic.
type merger struct {
	done map[[2]*bridge.Shape]*bridge.Shape
}

func newMerger() *merger { return &merger{map[[2]*bridge.Shape]*bridge.Shape{}} }

func (m *merger) union(a, b *bridge.Shape) *bridge.Shape {
	if a == nil || b == nil {
		return nil
	}
	if a == b {
		return a
	}
	if made, ok := m.done[[2]*bridge.Shape{a, b}]; ok {
		return made
	}
	made := &bridge.Shape{}
	m.done[[2]*bridge.Shape{a, b}] = made
	switch {
	case a.Fields != nil && b.Fields != nil:
		made.Fields = m.fields(a.Fields, b.Fields)
	case a.Items != nil && b.Items != nil:
		made.Items = m.union(a.Items, b.Items)
	case a.Scalar && b.Scalar:
		made.Scalar = true
	}
	return made
}

func (m *merger) fields(a, b map[string]*bridge.Shape) map[string]*bridge.Shape {
	fields := make(map[string]*bridge.Shape, len(a)+len(b))
	for name, shape := range a {
		fields[name] = shape
	}
	for name, shape := range b {
		if old, ok := fields[name]; ok {
			shape = m.union(old, shape)
		}
		fields[name] = shape
	}
	return fields
}
