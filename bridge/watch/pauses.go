package watch

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// Bounds of what is told of pauses, so that a notification fits into a message of the bus (1 MiB).
const (
	maxPauses      = 50
	maxInputs      = 30       // of one pause
	maxDescription = 1 << 10  // bytes of an input's description
	maxInputsText  = 64 << 10 // bytes of all inputs' descriptions, defaults and choices
)

// pauses are the steps at which a run waits for somebody, or has waited, in the order of their starts. A step that only a
// time ends is none.
func pauses(nodes map[string]node, t timers) []bridge.Pause {
	var found []bridge.Pause
	var retries map[string]node
	for _, n := range nodes {
		if n.Type != "Suspend" {
			continue
		}
		inputs := supplied(n)
		if len(inputs) == 0 && t.ends(n) {
			continue
		}
		if retries == nil {
			retries = retriesOf(nodes)
		}
		found = append(found, bridge.Pause{
			Node: n.ID, Path: path(n, nodes, retries), Phase: n.Phase, Message: cut(n.Message, maxMessage), Started: utc(n.StartedAt), Inputs: inputs,
		})
	}
	return boundPauses(found)
}

// boundPauses keeps the pauses that are open, then the newest, and of their inputs as much as there is room for.
func boundPauses(all []bridge.Pause) []bridge.Pause {
	if len(all) > maxPauses {
		slices.SortFunc(all, func(a, b bridge.Pause) int {
			if a.Open() != b.Open() {
				if a.Open() {
					return -1
				}
				return 1
			}
			return cmp.Or(b.Started.Compare(a.Started), strings.Compare(a.Node, b.Node))
		})
		all = all[:maxPauses]
	}
	slices.SortFunc(all, func(a, b bridge.Pause) int {
		return cmp.Or(a.Started.Compare(b.Started), strings.Compare(a.Node, b.Node))
	})
	room := maxInputsText
	for _, p := range all {
		for i := range p.Inputs {
			room -= boundInput(&p.Inputs[i], room)
		}
	}
	return all
}

// boundInput cuts a description, and leaves out what there is no room for: whoever lets the run go on then writes a value
// without help. It returns the bytes that are left.
func boundInput(d *bridge.Declared, room int) (size int) {
	d.Description = cut(d.Description, min(maxDescription, room))
	size = len(d.Description)
	choices := 0
	for _, choice := range d.Enum {
		choices += len(choice)
	}
	if size+choices > room {
		d.Enum, choices = nil, 0
	}
	size += choices
	if d.Default != nil {
		size += len(*d.Default)
	}
	return size
}

// supplied are the parameters that somebody has to supply: outputs with valueFrom.supplied. What they mean, an input of the
// same name says: https://argo-workflows.readthedocs.io/en/latest/intermediate-inputs/
func supplied(n node) (inputs []bridge.Declared) {
	for _, output := range n.Outputs.Parameters {
		if output.ValueFrom == nil || output.ValueFrom.Supplied == nil || len(inputs) == maxInputs {
			continue
		}
		d := bridge.Declared{Name: output.Name, Default: textOf(output.ValueFrom.Default)}
		about := output
		if i := slices.IndexFunc(n.Inputs.Parameters, func(p parameter) bool { return p.Name == output.Name }); i >= 0 {
			about = n.Inputs.Parameters[i]
			if d.Default == nil {
				d.Default = cmp.Or(textOf(about.Value), textOf(about.Default))
			}
		}
		if about.Description != nil {
			d.Description = fmt.Sprint(about.Description)
		}
		for _, choice := range about.Enum {
			d.Enum = append(d.Enum, fmt.Sprint(choice))
		}
		inputs = append(inputs, d)
	}
	return inputs
}

// textOf is a value as text; nil stays nil.
func textOf(value any) *string {
	if value == nil {
		return nil
	}
	text := fmt.Sprint(value)
	return &text
}

// timers find which suspended steps a time ends. The templates are in a Workflow in several places, and are looked at only
// for such steps.
type timers struct{ workflow map[string]any }

// ends says whether the node's template suspends for a time.
func (t timers) ends(n node) bool {
	duration, _, _ := unstructured.NestedFieldNoCopy(t.template(n), "suspend", "duration")
	return duration != nil && duration != ""
}

// template finds a node's template; nil when it is not there.
func (t timers) template(n node) map[string]any {
	if n.TemplateRef != nil {
		for _, scope := range []string{"namespaced/", "cluster/"} {
			if found := t.stored(scope + n.TemplateRef.Name + "/" + n.TemplateRef.Template); found != nil {
				return found
			}
		}
		return nil
	}
	if found := t.stored(n.TemplateScope + "/" + n.TemplateName); found != nil {
		return found
	}
	for _, at := range [][]string{{"status", "storedWorkflowTemplateSpec", "templates"}, {"spec", "templates"}} {
		list, _, _ := unstructured.NestedFieldNoCopy(t.workflow, at...)
		templates, _ := list.([]any)
		for _, one := range templates {
			if found, ok := one.(map[string]any); ok && found["name"] == n.TemplateName {
				return found
			}
		}
	}
	return nil
}

// stored is a template that Argo has copied into the Workflow from another one.
func (t timers) stored(name string) map[string]any {
	found, _, _ := unstructured.NestedFieldNoCopy(t.workflow, "status", "storedTemplates", name)
	template, _ := found.(map[string]any)
	return template
}
