package workflowtemplates

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// A Severity says what a fault does.
type Severity string

// The severities: an error keeps its rule from being started, a warning does nothing.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
)

// A Fault is one thing that is wrong with a template's annotations.
type Fault struct {
	Template bridge.Template `json:"template"`
	// Key is the annotation's key without the prefix: on.nightly.
	Key string `json:"key"`
	// Line is the line of the annotation's text, from 1.
	Line     int      `json:"line"`
	Severity Severity `json:"severity"`
	Message  string   `json:"message"`
	// Suggestion says what to write instead; empty when nothing better is known than the message.
	Suggestion string `json:"suggestion"`

	// rule is the rule that the fault stops: a name, "" for all of the template, or noRule.
	rule string
}

// noRule marks a fault that stops no rule.
const noRule = "-"

// String is the fault in one line.
func (f Fault) String() string {
	s := fmt.Sprintf("%s: line %d: %s: %s", f.Key, f.Line, f.Severity, f.Message)
	if f.Suggestion != "" {
		s += " (" + f.Suggestion + ")"
	}
	return s
}

// stops says whether the fault keeps the rule from being started.
func (f Fault) stops(rule string) bool {
	return f.Severity == Error && (f.rule == "" || f.rule == rule)
}

func sortFaults(faults []Fault) {
	slices.SortStableFunc(faults, func(a, b Fault) int {
		return cmp.Or(cmp.Compare(a.Key, b.Key), cmp.Compare(a.Line, b.Line))
	})
}
