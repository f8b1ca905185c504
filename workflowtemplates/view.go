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

	faulty    *match.Matcher // the rules that cannot, as far as they were understood
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
	var faulty []*bridge.Rule
	for _, t := range v.ordered {
		rules = append(rules, t.Rules...)
		faulty = append(faulty, t.Faulty...)
	}
	v.Matcher, v.faulty = match.New(rules, access), match.New(faulty, access)
	return v
}

// Match decides the rules that may fit an event. A faulty rule that would fit, as far as it was
// understood, is parked.
func (v *View) Match(f bridge.Facts, variables match.Variables) []bridge.Decision {
	decisions := v.Matcher.Match(f, variables)
	for _, d := range v.faulty.Match(f, variables) {
		if d.Verdict == bridge.Matched || d.Verdict == bridge.Rejected {
			d.Verdict, d.Reason, d.Detail = bridge.Parked, bridge.ReasonAnnotation, v.fault(d.Rule)
		}
		decisions = append(decisions, d)
	}
	return decisions
}

// Wants says whether an event with these facts may start some rule, or would be parked for a faulty one.
func (v *View) Wants(f bridge.Facts) bool { return v.Matcher.Wants(f) || v.faulty.Wants(f) }

// Rule returns a rule that can be started; of one that is gone or faulty, nil and why.
func (v *View) Rule(ref bridge.Template, name string) (*bridge.Rule, bridge.Decision) {
	gone := bridge.Decision{Verdict: bridge.Parked, Reason: bridge.ReasonTemplate}
	t, ok := v.templates[ref]
	if !ok {
		gone.Detail = "there is no template " + ref.String() + " with annotations of the bridge any more"
		return nil, gone
	}
	named := func(r *bridge.Rule) bool { return r.Name == name }
	if i := slices.IndexFunc(t.Rules, named); i >= 0 {
		return t.Rules[i], bridge.Decision{Rule: t.Rules[i], Verdict: bridge.Matched, Reason: bridge.ReasonMatched}
	}
	if i := slices.IndexFunc(t.Faulty, named); i >= 0 {
		return nil, bridge.Decision{Rule: t.Faulty[i], Verdict: bridge.Parked, Reason: bridge.ReasonAnnotation, Detail: v.fault(t.Faulty[i])}
	}
	gone.Detail = "the template " + ref.String() + " has no rule " + name + " any more"
	return nil, gone
}

func (v *View) fault(r *bridge.Rule) string {
	fault, _ := v.templates[r.Template].FaultOf(r.Name)
	return fault.String()
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
			decisions = append(decisions, bridge.Decision{Rule: r, Verdict: bridge.Fault, Reason: bridge.ReasonAnnotation, Detail: v.fault(r)})
		}
	}
	return decisions
}
