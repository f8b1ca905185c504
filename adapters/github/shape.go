package github

import (
	"encoding/json"
	"maps"
	"reflect"
	"strings"
	"sync"
	"time"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/google/go-github/v60/github"
)

// maxDepth is how deep lint checks a path. Below it everything is allowed: a repository's owner's
// plan is deep enough, and a repository's parent has a parent of its own.
const maxDepth = 7

// A shapeCache makes the shape of each event's variables once.
type shapeCache struct {
	observed func() map[string][]string
	shapes   sync.Map // event name without the source → map[string]*bridge.Shape
}

func (c *shapeCache) variables(event string) map[string]*bridge.Shape {
	name := strings.TrimPrefix(event, source+".")
	if s, ok := c.shapes.Load(name); ok {
		return s.(map[string]*bridge.Shape)
	}
	payload := c.payload(name)
	context := &bridge.Shape{Fields: map[string]*bridge.Shape{}}
	for _, n := range contextNames {
		context.Fields[n] = &bridge.Shape{Scalar: true}
	}
	context.Fields["event"] = payload
	context.Fields["files"] = &bridge.Shape{Items: &bridge.Shape{Scalar: true}}
	context.Fields["pull_request"] = nil // the whole object of GitHub's API
	shapes := map[string]*bridge.Shape{source: context, "data": payload}
	c.shapes.Store(name, shapes)
	return shapes
}

// payload is what go-github and real payloads together know of an event's body; nil when it is
// neither's.
func (c *shapeCache) payload(name string) *bridge.Shape {
	shape := structShape(name)
	fields, seen := c.observed()[name]
	if shape == nil && !seen {
		return nil
	}
	if shape == nil {
		shape = &bridge.Shape{Fields: map[string]*bridge.Shape{}}
	}
	for _, f := range fields {
		shape = addField(shape, f)
	}
	// What an edit changed has a form for each action; the structs and samples know a few of them.
	if _, ok := shape.Fields["changes"]; ok {
		shape = &bridge.Shape{Fields: maps.Clone(shape.Fields)}
		shape.Fields["changes"] = nil
	}
	return shape
}

// structShape is the shape of go-github's struct for an event, nil where it has none.
func structShape(name string) *bridge.Shape {
	v := github.EventForType(name)
	if v == nil {
		return nil
	}
	return shaper{}.of(reflect.TypeOf(v), maxDepth)
}

var (
	timeType  = reflect.TypeFor[time.Time]()
	stampType = reflect.TypeFor[github.Timestamp]()
	rawType   = reflect.TypeFor[json.RawMessage]()
)

// A shaper remembers what it has made: the same few types (a user, a repository) stand in every
// corner of GitHub's payloads.
type shaper map[typeAt]*bridge.Shape

type typeAt struct {
	reflect.Type
	depth int
}

func (made shaper) of(t reflect.Type, depth int) *bridge.Shape {
	key := typeAt{t, depth}
	s, ok := made[key]
	if !ok {
		s = made.shape(t, depth)
		made[key] = s
	}
	return s
}

// shape is the shape that encoding/json gives a type. The depth bounds it, and so the types that
// hold themselves.
func (made shaper) shape(t reflect.Type, depth int) *bridge.Shape {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case depth == 0, t == rawType, t.Kind() == reflect.Interface, t.Kind() == reflect.Map:
		return nil
	case t == timeType, t == stampType:
		return &bridge.Shape{Scalar: true}
	case t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8:
		return &bridge.Shape{Scalar: true}
	case t.Kind() == reflect.Slice, t.Kind() == reflect.Array:
		item := made.of(t.Elem(), depth-1)
		if item == nil {
			return nil
		}
		return &bridge.Shape{Items: item}
	case t.Kind() == reflect.Struct:
		s := &bridge.Shape{Fields: map[string]*bridge.Shape{}}
		made.addStruct(s, t, depth)
		return s
	default:
		return &bridge.Shape{Scalar: true}
	}
}

func (made shaper) addStruct(s *bridge.Shape, t reflect.Type, depth int) {
	for f := range t.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		embedded := f.Type
		for embedded.Kind() == reflect.Pointer {
			embedded = embedded.Elem()
		}
		switch {
		case name == "-":
		case f.Anonymous && name == "" && embedded.Kind() == reflect.Struct:
			made.addStruct(s, embedded, depth)
		case !f.IsExported():
		case name == "":
			s.Fields[f.Name] = made.of(f.Type, depth-1)
		default:
			s.Fields[name] = made.of(f.Type, depth-1)
		}
	}
}

// addField adds one observed path to a shape. Names are joined by dots; [] after a name goes into a
// list; ? stands for a value of unknown structure (null or empty wherever it was seen); any other
// path ends at a text, number or boolean. The shape itself is not changed: parts of it stand in many
// places.
func addField(s *bridge.Shape, path string) *bridge.Shape {
	return merge(s, true, stepsOf(path))
}

func stepsOf(path string) []string {
	path = strings.NewReplacer("[]", ".[]", "?", ".?").Replace(path)
	return strings.Split(path, ".")
}

// merge returns the shape with what the steps say added. What was seen in two ways may be anything.
func merge(s *bridge.Shape, known bool, steps []string) *bridge.Shape {
	switch {
	case known && s == nil:
		return nil
	case len(steps) == 0 && !known:
		return &bridge.Shape{Scalar: true}
	case len(steps) == 0 && s.Scalar, len(steps) > 0 && steps[0] == "?":
		return s
	case len(steps) == 0, known && s.Scalar:
		return nil
	case steps[0] == "[]":
		return mergeItems(s, known, steps[1:])
	case known && s.Fields == nil:
		return nil
	}
	fields := map[string]*bridge.Shape{}
	if known {
		fields = maps.Clone(s.Fields)
	}
	member, has := fields[steps[0]]
	fields[steps[0]] = merge(member, has, steps[1:])
	return &bridge.Shape{Fields: fields}
}

func mergeItems(s *bridge.Shape, known bool, steps []string) *bridge.Shape {
	if known && s.Items == nil {
		return nil
	}
	var item *bridge.Shape
	if known {
		item = s.Items
	}
	if item = merge(item, known, steps); item == nil {
		return nil
	}
	return &bridge.Shape{Items: item}
}
