package workflowtemplates

import (
	"reflect"
	"strings"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/expression"
)

// An Input is what the language reads of one template.
type Input struct {
	Ref bridge.Template
	UID string
	// Description is the author's, from the annotation workflows.argoproj.io/description.
	Description string
	// Annotations are the template's; those of others are passed over.
	Annotations map[string]string
	// Parameters are spec.arguments.parameters.
	Parameters []Parameter
	Entrypoint string
	// Templates are the names of spec.templates; nil when they are not known, as with a template
	// that refers to another one.
	Templates []string

	// Position is where the template stands in a file; nil for one from a cluster.
	Position *Position
	// object is the whole template, which only files give.
	object map[string]any
}

// A Parameter is one declared parameter of the template.
type Parameter struct {
	Name string
	// Default says that it has a value of its own: value, default or valueFrom.
	Default bool
	// Enum holds the allowed values; empty for any.
	Enum []string
	// Description is the declaration's own, and Value the text of value or default; nil: it has none, or takes it from
	// elsewhere.
	Description string
	Value       *string
}

// Language is what the parser knows of the sources and the notifiers.
type Language struct {
	Dialects []bridge.Dialect
	// Notifiers are the schemes of destinations that can be notified: slack.
	Notifiers []string
	// Programs shares the programs of equal expressions; nil: each is compiled anew.
	Programs *expression.Programs
}

// A Template is a template as the bridge understands it. It is immutable.
type Template struct {
	Ref bridge.Template
	UID string
	// Rules are the rules that can be started, by name, default first.
	Rules []*bridge.Rule
	// Faulty are the rules that are not started because of a fault, as far as they were understood.
	Faulty []*bridge.Rule
	// Faults are all faults, by key and line.
	Faults []Fault
	// Description is the author's; empty: there is none.
	Description string
	// Declared are the parameters that the template declares.
	Declared []bridge.Declared
	// Allow says who may do what with the template and its runs from Slack.
	Allow bridge.Allowances

	// routes by rule; those of "" hold for every other run.
	routes map[string][]bridge.Route
	// input is what a catalog made it of, to see whether an update changed anything.
	input Input
}

// of says whether the template was made of the same input, so that reading it again is idle.
func (t *Template) of(in Input) bool { return reflect.DeepEqual(t.input, in) }

// Routes returns who hears of a run: rule is the rule that started it, "" for a person or a schedule.
func (t *Template) Routes(rule string) []bridge.Route {
	if routes, ok := t.routes[rule]; ok {
		return routes
	}
	return t.routes[""]
}

// FaultOf returns the first error that keeps a rule from being started.
func (t *Template) FaultOf(rule string) (Fault, bool) {
	for _, f := range t.Faults {
		if f.stops(rule) {
			return f, true
		}
	}
	return Fault{}, false
}

// Speaks says whether any annotation is of the bridge.
func (in Input) Speaks() bool {
	for key := range in.Annotations {
		if strings.HasPrefix(key, bridge.Prefix) {
			return true
		}
	}
	return false
}
