package expression

import (
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// A Scope holds the variables of one event: event, data, and what its source adds. They are built
// when first asked for, once. Safe for concurrent use; nobody may change what it returns.
type Scope struct {
	variables func() (map[string]any, error)
}

// NewScope returns the scope of an event. When the source's own variables include one named data,
// it is taken for the payload, which is then not parsed again.
func NewScope(e bridge.Event, f bridge.Facts) *Scope {
	return &Scope{sync.OnceValues(func() (map[string]any, error) { return build(e, f) })}
}

// Variables returns the variables; an error means that the payload cannot be read.
func (s *Scope) Variables() (map[string]any, error) { return s.variables() }

func build(e bridge.Event, f bridge.Facts) (map[string]any, error) {
	variables := map[string]any{}
	if f.Variables != nil {
		own, err := f.Variables()
		if err != nil {
			return nil, fmt.Errorf("build the variables of %s: %w", f.Name, err)
		}
		for name, value := range own {
			variables[name] = value
		}
	}
	if _, ok := variables["data"]; !ok {
		data, err := parse(e.Data)
		if err != nil {
			return nil, err
		}
		variables["data"] = data
	}
	variables["event"] = attributes(e)
	return variables, nil
}

func parse(data json.RawMessage) (any, error) {
	if len(data) == 0 {
		return nil, nil
	}
	var value any
	if err := json.Unmarshal(data, &value); err != nil {
		return nil, fmt.Errorf("read the event's data: %w", err)
	}
	return value, nil
}

// attributes has no event.time when the source gives none, nor event.extensions.
func attributes(e bridge.Event) map[string]any {
	a := map[string]any{"id": e.ID, "type": e.Type, "source": e.Source, "subject": e.Subject}
	if !e.Time.IsZero() {
		a["time"] = e.Time.UTC().Format(time.RFC3339Nano)
	}
	if len(e.Extensions) > 0 {
		extensions := make(map[string]any, len(e.Extensions))
		for name, value := range e.Extensions {
			extensions[name] = value
		}
		a["extensions"] = extensions
	}
	return a
}

// Shapes are the variables that every event has, for [Check].
func Shapes() map[string]*bridge.Shape {
	text := &bridge.Shape{Scalar: true}
	return map[string]*bridge.Shape{
		"data": nil,
		"event": {Fields: map[string]*bridge.Shape{
			"id": text, "type": text, "source": text, "subject": text, "time": text,
			"extensions": nil, // of the sender's choice
		}},
	}
}
