package workflow

import "github.com/argo-bridge/argo-bridge/bridge"

// Dialect is the ends' part of the annotation language. roots are the dialects of the sources whose events
// may begin a chain.
func Dialect(roots ...bridge.Dialect) bridge.Dialect {
	shapes := map[string]*bridge.Shape{"workflow": workflowShape(), "origin": originShape(), "chain": chainShape(roots), "data": nil}
	d := bridge.Dialect{
		Source:    source,
		Variables: func(string) map[string]*bridge.Shape { return shapes },
		Untrusted: untrusted(roots),
	}
	for _, outcome := range []bridge.Outcome{bridge.Succeeded, bridge.Failed, bridge.Completed} {
		d.Events = append(d.Events, source+"."+string(outcome))
	}
	return d
}

func workflowShape() *bridge.Shape {
	s := scalars("name", "namespace", "uid", "template", "rule", "status", "message", "failures",
		"creationTimestamp", "startedAt", "finishedAt", "duration")
	for _, name := range []string{"parameters", "outputs", "labels", "annotations"} {
		s.Fields[name] = nil // names of their authors' choice
	}
	return s
}

func originShape() *bridge.Shape {
	return scalars("id", "type", "source", "subject", "time", "url", "title", "actor")
}

func chainShape(roots []bridge.Dialect) *bridge.Shape {
	s := scalars("depth")
	s.Fields["path"] = &bridge.Shape{Items: &bridge.Shape{Scalar: true}}
	s.Fields["event"] = scalars("id", "type", "source", "subject", "time")
	s.Fields["data"] = nil
	for _, root := range roots {
		s.Fields[root.Source] = anyEvent(root)
	}
	return s
}

// anyEvent is the shape of a source's own variable when it is not known which of its events it was.
func anyEvent(root bridge.Dialect) *bridge.Shape {
	if root.Variables == nil || len(root.Events) == 0 {
		return nil
	}
	one := root.Variables(root.Events[0])[root.Source]
	if one == nil || one.Fields == nil {
		return nil
	}
	s := &bridge.Shape{Fields: map[string]*bridge.Shape{}}
	for name, field := range one.Fields {
		if field != nil && !field.Scalar {
			field = nil // a payload, which differs from event to event
		}
		s.Fields[name] = field
	}
	return s
}

// untrusted are the outsiders' texts of the first events, and what the bridge itself takes from them.
func untrusted(roots []bridge.Dialect) []string {
	paths := []string{"origin.title", "origin.subject", "data.origin", "data.chain"}
	for _, root := range roots {
		for _, path := range root.Untrusted {
			paths = append(paths, "chain."+path)
		}
	}
	return paths
}

func scalars(names ...string) *bridge.Shape {
	s := &bridge.Shape{Fields: map[string]*bridge.Shape{}}
	for _, name := range names {
		s.Fields[name] = &bridge.Shape{Scalar: true}
	}
	return s
}
