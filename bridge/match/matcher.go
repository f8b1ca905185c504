package match

import (
	"errors"
	"fmt"
	"strings"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// Variables returns the variables of the event for expressions; it is asked only when one runs, and
// should remember its answer (see package expression's Scope).
type Variables func() (map[string]any, error)

// A Matcher decides which rules an event starts.
type Matcher struct {
	rules  []*bridge.Rule
	access Access
	events map[string]*index
}

// New returns the matcher of the rules.
func New(rules []*bridge.Rule, access Access) *Matcher {
	m := &Matcher{rules: rules, access: access, events: map[string]*index{}}
	for i, r := range rules {
		for _, t := range r.Triggers {
			x := m.events[t.Event]
			if x == nil {
				x = newIndex()
				m.events[t.Event] = x
			}
			x.add(i, t)
		}
	}
	return m
}

// Match decides the rules that may fit the event: those for its name whose repository, bucket, command
// or channel is its own. The others do not fit; [Matcher.Explain] says why.
func (m *Matcher) Match(f bridge.Facts, variables Variables) []bridge.Decision {
	x := m.events[f.Name]
	if x == nil {
		return nil
	}
	candidates := x.candidates(f)
	if len(candidates) == 0 {
		return nil
	}
	decisions := make([]bridge.Decision, 0, len(candidates))
	access := m.access.forEvent(f)
	for _, i := range candidates {
		decisions = append(decisions, decide(m.rules[i], f, access, variables))
	}
	return decisions
}

// Wants says whether an event with these facts may start some rule, as far as that can be told without its
// variables.
func (m *Matcher) Wants(f bridge.Facts) bool {
	x := m.events[f.Name]
	if x == nil {
		return false
	}
	access := m.access.forEvent(f)
	for _, i := range x.candidates(f) {
		if key, _, _ := filter(m.rules[i], f); key != "" {
			continue
		}
		if ok, _ := access.allows(m.rules[i].Template); ok {
			return true
		}
	}
	return false
}

// Explain decides every rule, in the order in which they were given. It is for people: its cost
// grows with the number of rules.
func (m *Matcher) Explain(f bridge.Facts, variables Variables) []bridge.Decision {
	decisions := make([]bridge.Decision, 0, len(m.rules))
	access := m.access.forEvent(f)
	for _, r := range m.rules {
		decisions = append(decisions, decide(r, f, access, variables))
	}
	return decisions
}

// Rules are the rules of the matcher; nobody may change them.
func (m *Matcher) Rules() []*bridge.Rule { return m.rules }

// decide tests a rule in the order: event, access, filters, when.
func decide(r *bridge.Rule, f bridge.Facts, access eventAccess, variables Variables) bridge.Decision {
	if !hasEvent(r, f.Name) {
		return bridge.Decision{Rule: r, Verdict: bridge.OtherEvent, Reason: bridge.ReasonOtherEvent, Detail: otherEvent(r, f)}
	}
	if ok, detail := access.allows(r.Template); !ok {
		return bridge.Decision{Rule: r, Verdict: bridge.Filtered, Reason: bridge.ReasonAccess, Detail: "access: " + detail}
	}
	return Decide(r, f, variables)
}

// Decide tests the filters and the condition of a rule for events such as this one. It is undecided while a question
// to the source is open that the rule needs answered; see [Questions].
func Decide(r *bridge.Rule, f bridge.Facts, variables Variables) bridge.Decision {
	key, detail, open := filter(r, f)
	switch {
	case key != "":
		return bridge.Decision{Rule: r, Verdict: bridge.Filtered, Reason: bridge.Reason(key), Detail: key + ": " + detail}
	case open, len(read(r, f)) > 0:
		return bridge.Decision{
			Rule: r, Verdict: bridge.Undecided, Reason: bridge.ReasonLookup,
			Detail: "the source must be asked for " + strings.Join(asked(r, f), ", "),
		}
	case r.When != nil:
		return decideWhen(r, variables)
	}
	return bridge.Decision{Rule: r, Verdict: bridge.Matched, Reason: bridge.ReasonMatched}
}

func hasEvent(r *bridge.Rule, name string) bool {
	for _, t := range r.Triggers {
		if t.Event == name {
			return true
		}
	}
	return false
}

func otherEvent(r *bridge.Rule, f bridge.Facts) string {
	names := make([]string, len(r.Triggers))
	for i, t := range r.Triggers {
		names[i] = t.Event
	}
	return fmt.Sprintf("event: got %s, want %s", f.Name, list(names))
}

// filter returns the key of the first filter that fails and what it saw; "" when a trigger fits. open says that one
// may fit, and that the source must be asked for what a filter tests.
func filter(r *bridge.Rule, f bridge.Facts) (key, detail string, open bool) {
	for _, t := range r.Triggers {
		if t.Event != f.Name {
			continue
		}
		k, d, o := filterTrigger(t, f)
		switch {
		case k == "" && !o:
			return "", "", false
		case k == "":
			open = true
		case key == "":
			key, detail = k, d
		}
	}
	if open {
		return "", "", true
	}
	return key, detail, false
}

func filterTrigger(t bridge.Trigger, f bridge.Facts) (key, detail string, open bool) {
	for _, filter := range t.Filters {
		switch ok, detail := filter.Test(f); {
		case ok:
		case f.Asks[fact(filter)] != "":
			open = true
		default:
			return filter.Key(), detail, false
		}
	}
	return "", "", open
}

func decideWhen(r *bridge.Rule, variables Variables) bridge.Decision {
	vars, err := variables()
	if err != nil {
		return bridge.Decision{Rule: r, Verdict: bridge.Rejected, Reason: bridge.ReasonPayload, Detail: err.Error()}
	}
	value, err := r.When.Evaluate(vars)
	if err == nil {
		holds, ok := value.(bool)
		if ok && holds {
			return bridge.Decision{Rule: r, Verdict: bridge.Matched, Reason: bridge.ReasonMatched}
		}
		if ok {
			return bridge.Decision{Rule: r, Verdict: bridge.Filtered, Reason: bridge.ReasonWhen, Detail: fmt.Sprintf("when: %s is false", oneLine(r.When.String()))}
		}
		err = notBoolean(r.When, value)
	}
	return bridge.Decision{Rule: r, Verdict: bridge.Rejected, Reason: bridge.ReasonWhen, Detail: "when: " + err.Error()}
}

func notBoolean(when bridge.Expression, value any) error {
	if value == nil {
		return fmt.Errorf("%s is null, want true or false", oneLine(when.String()))
	}
	if s, ok := value.(string); ok {
		return fmt.Errorf("%s is the string %q, want true or false", oneLine(when.String()), abbreviate(s))
	}
	return errors.New(oneLine(when.String()) + " is neither true nor false")
}

func oneLine(s string) string { return abbreviate(strings.Join(strings.Fields(s), " ")) }
