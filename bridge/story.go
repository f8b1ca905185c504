package bridge

import (
	"errors"
	"slices"
	"strings"
	"time"
)

// ErrUnknownEvent says that neither the bus nor the ledger holds the event that was asked for.
var ErrUnknownEvent = errors.New("no such event: it never arrived, or is older than what is kept")

// A Query selects records of the ledger; a zero field selects all.
type Query struct {
	Source   string    `json:"source,omitempty"`   // a part of the event's source, or a source's short name: github, gcs, slack
	Type     string    `json:"type,omitempty"`     // the CloudEvents type, or the name in `on`: github.push; or the beginning of one up to a dot
	Template string    `json:"template,omitempty"` // namespace/name, or a name in any namespace: it has a result
	Rule     string    `json:"rule,omitempty"`     // of that name
	Outcome  Verdict   `json:"outcome,omitempty"`  // some result has that verdict
	Since    time.Time `json:"since,omitzero"`     // stored at or after
	Until    time.Time `json:"until,omitzero"`     // stored before
	Limit    int       `json:"limit,omitempty"`    // at most so many, the newest; 0: all
}

// Fits says whether a record is one of those that are asked for.
func (q Query) Fits(r Record) bool {
	switch {
	case !q.Since.IsZero() && r.Stored.Before(q.Since), !q.Until.IsZero() && !r.Stored.Before(q.Until):
		return false
	case q.Source != "" && !strings.Contains(r.Source, q.Source) && !strings.HasPrefix(r.Name, q.Source+"."):
		return false
	case q.Type != "" && !beginsWith(r.Type, q.Type) && !beginsWith(r.Name, q.Type):
		return false
	case q.Template == "" && q.Rule == "" && q.Outcome == "":
		return true
	}
	return slices.ContainsFunc(r.Results, func(res Result) bool {
		return Named(q.Template, res.Template) && (q.Rule == "" || q.Rule == res.Rule) && (q.Outcome == "" || q.Outcome == res.Verdict)
	})
}

// Named says whether want names a template: namespace/name, or a name in any namespace; empty names all.
func Named(want, template string) bool {
	return want == "" || want == template || strings.HasSuffix(template, "/"+want)
}

func beginsWith(s, beginning string) bool {
	rest, ok := strings.CutPrefix(s, strings.TrimSuffix(beginning, "."))
	return ok && (rest == "" || rest[0] == '.')
}

// A Story is all that is known of one event.
type Story struct {
	Record Record `json:"record"`
	// Hash is the event's short identity, as on the label LabelEvent of its Workflows.
	Hash string `json:"hash"`
	// Event is nil when the bus no longer holds it: it can then not be replayed.
	Event         *Event       `json:"event"`
	Runs          []RunState   `json:"runs"`
	Notifications []SentRecord `json:"notifications"`
}

// A RunState is the last phase that was seen of one Workflow of an event.
type RunState struct {
	Workflow string    `json:"workflow"` // namespace/name
	UID      string    `json:"uid"`
	Template string    `json:"template"`
	Rule     string    `json:"rule"`
	Phase    string    `json:"phase"`
	Message  string    `json:"message,omitempty"`
	Started  time.Time `json:"started,omitzero"`
	Finished time.Time `json:"finished,omitzero"`
}

// A SentRecord is what became of one notification.
type SentRecord struct {
	Key      string  `json:"key"` // Notification.Key
	Outcome  Outcome `json:"outcome"`
	To       string  `json:"to"`
	Workflow string  `json:"workflow,omitempty"` // namespace/name
	// State is queued (not accepted yet), begun (handed to the service, no answer recorded), sent or
	// failed (refused for good).
	State string    `json:"state"`
	Error string    `json:"error,omitempty"`
	At    time.Time `json:"at,omitzero"`
}

// A Replay asks for events to be handled again, by the rules of now.
type Replay struct {
	// By is who has ordered it, when that is somebody who may not replay everything: rules that do not trust them start
	// nothing, and the code of others still needs its approval. Empty: somebody who may.
	By string `json:"-"`
	// ID makes the request idempotent, and is a part of the names of the Workflows of a replay of one
	// event. Empty: one is made.
	ID string `json:"id,omitempty"`
	// Event is an event's id or hash. It starts every rule that fits, under new names, also those that
	// it has started before.
	Event string `json:"event,omitempty"`
	// Query selects past events in place of Event. Template must be set, or Outcome rejected or parked.
	// Each starts the rules that fit it and that it has not started before, under the names that
	// it would have had: asking twice starts nothing twice.
	Query Query `json:"query,omitzero"`
	// Template and Rule restrict what is started; empty: all that fit.
	Template string `json:"template,omitempty"`
	Rule     string `json:"rule,omitempty"`
	// DryRun starts nothing: the answer holds the Workflows, as the API server would take them.
	DryRun bool `json:"dryRun,omitempty"`
}

// A Replayed is one decision of a replay.
type Replayed struct {
	Event    string  `json:"event"` // id
	Template string  `json:"template"`
	Rule     string  `json:"rule"`
	Verdict  Verdict `json:"decision"`
	Reason   Reason  `json:"reason"`
	Detail   string  `json:"detail,omitempty"`
	// Workflow is namespace/name of what is (to be) made.
	Workflow string `json:"workflow,omitempty"`
	// Object is the Workflow of a dry run as JSON, and Refused what the API server said against it.
	Object  any    `json:"object,omitempty"`
	Refused string `json:"refused,omitempty"`
}
