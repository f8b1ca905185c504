package workflow

import (
	"encoding/json"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// A FactFinder derives the facts of an end.
type FactFinder struct {
	// Root builds the variables of the event that a chain began with: event, data, and those of its own
	// source. It must be pure. Nil: `chain` has the event's attributes and data only.
	Root func(e bridge.Event) (map[string]any, error)
}

var _ bridge.FactFinder = FactFinder{}

// Facts implements bridge.FactFinder.
func (f FactFinder) Facts(e bridge.Event) (bridge.Facts, bool, error) {
	outcome, ok := strings.CutPrefix(e.Type, TypePrefix)
	if !ok {
		return bridge.Facts{}, false, nil
	}
	var d document
	if err := json.Unmarshal(e.Data, &d); err != nil {
		return bridge.Facts{}, true, fmt.Errorf("the data is no end of a workflow: %w", err)
	}
	depth, err := strconv.Atoi(e.Extensions[extDepth])
	if err != nil || depth < 1 {
		return bridge.Facts{}, true, fmt.Errorf("the extension %s is %q, want the length of the chain", extDepth, e.Extensions[extDepth])
	}
	facts := outline(outcome, e.Extensions[extNamespace], e.Extensions[extTemplate])
	facts.Depth, facts.Chain = depth, d.Chain.Path
	facts.Title = fmt.Sprintf("%s %s", e.Subject, outcome)
	if d.Origin != nil {
		facts.URL, facts.Actor = d.Origin.URL, d.Origin.Actor
		if title := d.Origin.first(); title != "" {
			facts.Title += ": " + title
		}
	}
	if annotations, ok := d.Workflow["annotations"].(map[string]any); ok {
		// Whoever began the chain by a command hears of its later runs as well.
		facts.ReplyTo, _ = annotations[bridge.AnnotationReplyTo].(string)
	}
	facts.Variables = sync.OnceValues(func() (map[string]any, error) { return f.variables(e, d) })
	return facts, true, nil
}

// first is what happened at the beginning of the chain, as far as the titles tell it.
func (o *origin) first() string {
	if !strings.HasPrefix(o.Type, TypePrefix) {
		return o.Title
	}
	_, title, _ := strings.Cut(o.Title, ": ")
	return title
}

// Outline are the facts of a run's end that say which rules may want it; ok is false for a run of no template.
func Outline(run bridge.Run, outcome bridge.Outcome) (f bridge.Facts, ok bool) {
	return outline(string(outcome), run.Namespace, run.Template.Name), run.Template.Name != ""
}

func outline(outcome, namespace, template string) bridge.Facts {
	return bridge.Facts{
		Name: source + "." + outcome, Source: source,
		Values: map[string][]string{"templates": {namespace + "/" + template}, "namespaces": {namespace}},
	}
}

// variables are `workflow`, `origin`, `chain` and the data itself.
func (f FactFinder) variables(e bridge.Event, d document) (map[string]any, error) {
	var data map[string]any
	if err := json.Unmarshal(e.Data, &data); err != nil {
		return nil, err
	}
	workflow := maps.Clone(d.Workflow)
	if workflow != nil {
		// As in messages, and as Argo's own workflow.failures: a JSON text.
		failures, err := json.Marshal(workflow["failures"])
		if err != nil {
			return nil, err
		}
		workflow["failures"] = string(failures)
	}
	began, err := f.chain(d.Chain)
	if err != nil {
		return nil, err
	}
	return map[string]any{"data": data, "workflow": workflow, "origin": data["origin"], "chain": began}, nil
}

// chain are the variables of the event that began it, with depth and path.
func (f FactFinder) chain(c chain) (map[string]any, error) {
	variables := map[string]any{}
	path := make([]any, len(c.Path))
	for i, template := range c.Path {
		path[i] = template
	}
	if c.Event != nil {
		first := bridge.Event{
			ID: c.Event.ID, Source: c.Event.Source, Type: c.Event.Type, Subject: c.Event.Subject, Time: c.Event.Time,
			Extensions: c.Event.Extensions, Data: c.Data,
		}
		var err error
		if variables, err = f.root(first); err != nil {
			return nil, fmt.Errorf("the event that the chain began with: %w", err)
		}
	}
	variables["depth"], variables["path"] = c.Depth, path
	return variables, nil
}

func (f FactFinder) root(first bridge.Event) (map[string]any, error) {
	// Without its data the event's own source cannot read it.
	if f.Root != nil && len(first.Data) > 0 {
		variables, err := f.Root(first)
		return maps.Clone(variables), err
	}
	attributes := map[string]any{"id": first.ID, "source": first.Source, "type": first.Type, "subject": first.Subject}
	if !first.Time.IsZero() {
		attributes["time"] = first.Time.UTC().Format(time.RFC3339Nano)
	}
	var data any
	if len(first.Data) > 0 {
		if err := json.Unmarshal(first.Data, &data); err != nil {
			return nil, err
		}
	}
	return map[string]any{"event": attributes, "data": data}, nil
}
