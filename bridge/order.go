package bridge

import (
	"context"
	"slices"
	"strings"
	"time"
)

// An Act is what an Order wants done.
type Act string

// The acts.
const (
	// Approve lets the events of the Thread start what they could not for want of trust; only those of Order.Commit.
	Approve Act = "approve"
	// Retest starts anew what the newest event of the Thread has started, and what failed of it or never came to a Workflow.
	Retest Act = "retest"
	// Test starts a template anew, whatever became of it, for the newest event of the Thread.
	Test Act = "test"
	// Cancel stops the runs of the Thread, and lets nothing start that waits.
	Cancel Act = "cancel"
	// Rerun starts anew what the runs named by Order.Runs were started by.
	Rerun Act = "rerun"
	// Stop stops the runs named by Order.Runs, or the run Order.Run.
	Stop Act = "stop"
	// Start starts the template Order.Template, namespace/name, with Order.Parameters.
	Start Act = "run"
	// Retry lets Order.Run try its failed steps again, as `argo retry` does; Resubmit makes a new run like it.
	Retry    Act = "retry"
	Resubmit Act = "resubmit"
	// Resume lets Order.Run go on at its suspended step Order.Node with Order.Parameters; Reject fails that step.
	Resume Act = "resume"
	Reject Act = "reject"
	// Mute keeps the alerts of Order.Template quiet for Order.For; Unmute ends that.
	Mute   Act = "silence"
	Unmute Act = "unsilence"
)

// A RunID names one Workflow. Orders compare the UID, so that a later Workflow of the same name is safe.
type RunID struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	UID       string `json:"uid,omitempty"`
}

// String is namespace/name.
func (r RunID) String() string { return r.Namespace + "/" + r.Name }

// An Order is what a person asks of the bridge itself, with a comment or a button.
type Order struct {
	Act Act
	// Word is what the person wrote or pressed, for people: /retest.
	Word string
	// Template limits it to one template, by name; empty for all.
	Template string
	// Commit is the commit that Approve is for: at least seven digits of it.
	Commit string
	// Runs are the identities of what Rerun and Stop are about, see RunKey.
	Runs []string
	// Run is the Workflow that Retry, Resubmit, Stop, Resume and Reject are about.
	Run RunID
	// Node is the id of the suspended step that Resume and Reject are about.
	Node string
	// Parameters are the arguments of Start, or what Resume supplies.
	Parameters []Parameter
	// For is how long a Mute lasts, and Place the only destination that it is for; empty: all.
	For   time.Duration
	Place Destination
	// Reason is why somebody mutes, in their words. Silence is the ID of the Silence that Unmute ends; empty: those of
	// Template.
	Reason, Silence string
	// Fault says what is wrong with the order, such as a commit that is missing; empty: nothing.
	Fault string
}

// A Trust says whose code and commands a rule runs. The zero value trusts those who may write, in the words of the
// source.
type Trust struct {
	// Anyone trusts everybody.
	Anyone bool
	// Permission is what somebody must be allowed in the repository at least: write, maintain or admin. Empty: no
	// permission makes somebody trusted, unless Teams and Users are empty too.
	Permission string
	// Teams are teams whose members are trusted, as organization/team. Users are trusted logins.
	Teams, Users []string
}

// An Inquirer asks a source for what its payloads do not say. Errors are to be tried again unless they are Permanent.
// Safe for concurrent use.
type Inquirer interface {
	// Supply answers questions of f.Asks: it returns f with the answers in Values, Variables and Skip, and the
	// questions gone from Asks. What may change later is added to Pinned, and taken from there when it is asked again.
	Supply(ctx context.Context, e Event, f Facts, questions []string) (Facts, error)
	// Trusted says whether somebody is trusted, with the reason for people: `octocat has read permission in acme/app,
	// not write`. A nil trust is the bridge's own setting.
	Trusted(ctx context.Context, e Event, f Facts, who string, t *Trust) (ok bool, detail string, err error)
}

// A Warden says who may do what from a chat. Errors are to be tried again unless they are Permanent. Safe for concurrent
// use.
type Warden interface {
	// May says whether who has caused an event has a right over a template. said are the template's own allowances; of a
	// right that they do not name the bridge's config decides. detail is for people: `only @oncall may retry nightly`.
	May(ctx context.Context, f Facts, right Right, t Template, said Allowances) (ok bool, detail string, err error)
}

// A Stamp says on a Workflow who has acted on it.
type Stamp struct {
	// ID is the same however often the act is carried out, and another for each act. By is who has wanted it, for people.
	ID, By string
	// Labels and Annotations take the place of those that a new Workflow would take over; an empty value takes one away.
	Labels, Annotations map[string]string
}

// maxCarried is how many orders a run remembers.
const maxCarried = 8

// Carried says whether the order of that ID was carried out on the run with these annotations.
func Carried(annotations map[string]string, id string) bool {
	return slices.Contains(strings.Fields(annotations[AnnotationOrders]), id)
}

// WithCarried is the value of AnnotationOrders with one order more.
func WithCarried(annotations map[string]string, id string) string {
	all := append(strings.Fields(annotations[AnnotationOrders]), id)
	return strings.Join(all[max(0, len(all)-maxCarried):], " ")
}

// An Answer is what somebody hears who gave a command or an order.
type Answer struct {
	// Done says that something was started, stopped or approved.
	Done bool
	// Text says why not, or what more there is to say; empty: nothing.
	Text string
	// Made is the result of the Workflow that an order has made, for the record of its event; nil: it made none.
	Made *Result
}

// OrderTemplate stands in the ledger for the template of an order's result.
const OrderTemplate = "argo-bridge"

// A Post is one event of a thread.
type Post struct {
	Event    string `json:"event"` // its hash
	Sequence uint64 `json:"sequence"`
	Commit   string `json:"commit,omitempty"`
	// Command says that the event gave a command; the others are about the code.
	Command bool `json:"command,omitempty"`
}
