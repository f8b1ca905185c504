package bridge

// A Verdict is what became of one rule for one event, in the words of `argo-bridge explain`.
type Verdict string

// The verdicts.
const (
	// Matched: the rule fits, a Workflow is (to be) made.
	Matched Verdict = "matched"
	// Filtered: a rule for such events, but a condition does not hold.
	Filtered Verdict = "filtered"
	// OtherEvent: the rule is for other events.
	OtherEvent Verdict = "other-event"
	// Rejected: the rule fits, but no Workflow can be made.
	Rejected Verdict = "rejected"
	// Fault: the rule's annotations are faulty, so that it starts nothing.
	Fault Verdict = "fault"
)

// A Reason names the condition that decided: a filter's key, or one of the constants.
type Reason string

// Reasons that are not filters. A filter's reason is its key, such as branches.
const (
	ReasonMatched    Reason = "matched"
	ReasonOtherEvent Reason = "event"
	ReasonWhen       Reason = "when"
	ReasonAccess     Reason = "access"
	ReasonAnnotation Reason = "annotation"
	ReasonParameter  Reason = "parameter"
	ReasonSubmit     Reason = "submit"
	ReasonPayload    Reason = "payload"
)

// A Decision is why a rule starts a Workflow for an event, or why not. The same value feeds the
// log, the metrics, the ledger and explain.
type Decision struct {
	Rule    *Rule
	Verdict Verdict
	Reason  Reason
	// Detail names the first condition that failed with the value that it saw, for people:
	// `branches: got "refs/heads/dev"`.
	Detail string
}

// A Result is the recorded outcome of one rule for one event.
type Result struct {
	Template string  `json:"template"`
	Rule     string  `json:"rule"`
	Verdict  Verdict `json:"decision"`
	Reason   Reason  `json:"reason"`
	Detail   string  `json:"detail,omitempty"`
	// Workflow is namespace/name of what was submitted, empty if nothing was.
	Workflow string `json:"workflow,omitempty"`
}

// A Record is what became of one event. Done is false while some rule still waits for a transient
// failure to pass; Results then hold the rules that are settled.
type Record struct {
	Event   string   `json:"event"`  // the event's id
	Source  string   `json:"source"` // the event's source
	Type    string   `json:"type"`
	Subject string   `json:"subject,omitempty"`
	Done    bool     `json:"done"`
	Attempt int      `json:"attempt"`
	Results []Result `json:"results"`
	// Sequence is where the event stands in the bus's event stream.
	Sequence uint64 `json:"sequence"`
}

// Result returns the settled result of one rule.
func (r Record) Result(rule *Rule) (Result, bool) {
	for _, res := range r.Results {
		if res.Rule == rule.Name && res.Template == rule.Template.String() {
			return res, true
		}
	}
	return Result{}, false
}
