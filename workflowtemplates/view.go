package workflowtemplates

import (
	"cmp"
	"slices"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/match"
)

// A View is one state of all templates. It is immutable.
type View struct {
	// Matcher has the rules of all templates that can be started.
	Matcher *match.Matcher

	templates map[bridge.Template]*Template
	ordered   []*Template
}

// NewView returns the view of the templates. The last of two with the same name counts.
func NewView(templates []*Template, access match.Access) *View {
	v := &View{templates: make(map[bridge.Template]*Template, len(templates))}
	for _, t := range templates {
		v.templates[t.Ref] = t
	}
	v.ordered = make([]*Template, 0, len(v.templates))
	for _, t := range v.templates {
		v.ordered = append(v.ordered, t)
	}
	slices.SortFunc(v.ordered, func(a, b *Template) int {
		return cmp.Or(cmp.Compare(a.Ref.Namespace, b.Ref.Namespace), cmp.Compare(a.Ref.Name, b.Ref.Name))
	})
	rules := make([]*bridge.Rule, 0, len(v.ordered))
	for _, t := range v.ordered {
		rules = append(rules, t.Rules...)
	}
	v.Matcher = match.New(rules, access)
	return v
}

// Template returns a template by its name.
func (v *View) Template(ref bridge.Template) (*Template, bool) {
	t, ok := v.templates[ref]
	return t, ok
}

// Templates are all templates with annotations of the bridge, by name; nobody may change the slice.
func (v *View) Templates() []*Template { return v.ordered }

// Routes returns who hears of a run of the template; rule is the rule that started it, "" for a
// person or a schedule.
func (v *View) Routes(ref bridge.Template, rule string) []bridge.Route {
	t, ok := v.templates[ref]
	if !ok {
		return nil
	}
	return t.Routes(rule)
}

// Explain decides every rule of every template, the faulty ones too. It is for people.
func (v *View) Explain(f bridge.Facts, variables match.Variables) []bridge.Decision {
	decisions := v.Matcher.Explain(f, variables)
	for _, t := range v.ordered {
		for _, r := range t.Faulty {
			fault, _ := t.FaultOf(r.Name)
			decisions = append(decisions, bridge.Decision{Rule: r, Verdict: bridge.Fault, Reason: bridge.ReasonAnnotation, Detail: fault.String()})
		}
	}
	return decisions
}
