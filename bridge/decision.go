package bridge

import (
	"slices"
	"time"
)

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
	// Waiting: the rule fits, and its Workflow is still to be made: a limit is reached, or a failure
	// that may pass was met. The event stays on the bus until it is settled.
	Waiting Verdict = "waiting"
	// Skipped: the rule fits, and by its own word starts nothing: it was stale, or another event took its
	// place, or its concurrency group was full.
	Skipped Verdict = "skipped"
	// Held: the rule fits, and somebody whose code or command it would run is not trusted. Nothing more happens until
	// the event is approved, or replayed.
	Held Verdict = "held"
	// Undecided: whether the rule fits, only the source can tell, which was not asked.
	Undecided Verdict = "undecided"
	// Parked: the rule fitted, but its template was missing or faulty when its turn came. Nothing
	// more happens until somebody replays the event.
	Parked Verdict = "parked"
)

// Verdicts are all verdicts.
var Verdicts = []Verdict{Matched, Filtered, OtherEvent, Rejected, Fault, Waiting, Skipped, Held, Undecided, Parked}

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
	ReasonLimit      Reason = "limit"    // as many Workflows are in flight as may be
	ReasonRetry      Reason = "retry"    // a failure that may pass
	ReasonReplay     Reason = "replay"   // somebody asked for it; its turn has not come
	ReasonTemplate   Reason = "template" // the template or the rule is gone
	ReasonLost       Reason = "lost"     // the event is no longer on the bus
	ReasonDepth      Reason = "depth"    // a chain of runs that start one another is too long
	ReasonLookup     Reason = "lookup"   // the source has not answered a question yet
	ReasonTrust      Reason = "trust"    // somebody whose code or command would run is not trusted
	ReasonOwn        Reason = "own"      // the bridge itself has caused the event
	ReasonSkip       Reason = "skip"     // who caused the event wants nothing run: [skip ci]
	ReasonOrder      Reason = "order"    // by somebody's order, see Order
)

// Reasons that are annotations of a rule's Flow.
const (
	ReasonConcurrency Reason = "concurrency"
	ReasonOrdered     Reason = "ordered"
	ReasonLatestOnly  Reason = "latest-only"
	ReasonRate        Reason = "rate"
	ReasonBatch       Reason = "batch"
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
	// Batch is what the event went into, of a rule that batches; nil for none.
	Batch *BatchRef `json:"batch,omitempty"`
	// Approved is who has approved a result that was held; empty: nobody had to.
	Approved string `json:"approved,omitempty"`
	// Replay names the replay that the result belongs to; empty for the event's own.
	Replay string `json:"replay,omitempty"`
	// Attempts is how often the submission was tried.
	Attempts int `json:"attempts,omitempty"`
	// At is when the result was recorded; zero in records of bridges before v0.2.
	At time.Time `json:"at,omitzero"`
}

// Settled says that the result is final: no more is tried unless somebody replays the event, or, where
// the bus lost it, its source delivers it again.
func (r Result) Settled() bool { return r.Verdict != Waiting && r.Reason != ReasonLost }

// A Record is what became of one event. Done is false while some rule still waits.
type Record struct {
	Event   string   `json:"event"`  // the event's id
	Source  string   `json:"source"` // the event's source
	Type    string   `json:"type"`
	Name    string   `json:"name,omitempty"` // Facts.Name: github.push
	Subject string   `json:"subject,omitempty"`
	Done    bool     `json:"done"`
	Attempt int      `json:"attempt"`
	Results []Result `json:"results"`
	// ReplyTo is where the event's source answers, and Pinned what it was asked: see Facts.
	ReplyTo string `json:"replyTo,omitempty"`
	Pinned  string `json:"pinned,omitempty"`
	// Sequence is where the event stands in the bus's event stream.
	Sequence uint64 `json:"sequence"`
	// Stored is when the bus stored the event, Updated when this record was last written; both are
	// zero in records of bridges before v0.2.
	Stored  time.Time `json:"stored,omitzero"`
	Updated time.Time `json:"updated,omitzero"`
	// Revision is the one that was read, 0 for a new record; writing compares it.
	Revision uint64 `json:"-"`
}

// Set puts a result in the place of the one of the same rule and replay, or adds it.
func (r *Record) Set(result Result) {
	at := slices.IndexFunc(r.Results, func(have Result) bool {
		return have.Template == result.Template && have.Rule == result.Rule && have.Replay == result.Replay
	})
	if at < 0 {
		r.Results = append(r.Results, result)
	} else {
		r.Results[at] = result
	}
	r.Conclude()
}

// Conclude says in Done whether all rules are settled. Replays do not count: a redelivery of the event starts
// nothing while one waits.
func (r *Record) Conclude() {
	r.Done = !slices.ContainsFunc(r.Results, func(have Result) bool { return have.Replay == "" && !have.Settled() })
}

// Result returns the result of one rule, for a replay or, when that is empty, of the event itself.
func (r Record) Result(template Template, rule, replay string) (Result, bool) {
	for _, res := range r.Results {
		if res.Replay == replay && res.Rule == rule && res.Template == template.String() {
			return res, true
		}
	}
	return Result{}, false
}

// Hash is the Hash of the record's event.
func (r Record) Hash() string { return Event{ID: r.Event, Source: r.Source}.Hash() }
