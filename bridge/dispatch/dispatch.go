// Package dispatch is the spine: one event is matched against the rules, mapped to parameters,
// submitted as one Workflow per rule that fits, and recorded. Only then is it acknowledged. A rule whose
// Workflow cannot be made yet waits on the bus (package waiting) and holds up no other.
//
// Everything before the submission is pure, and the Workflow's name is derived from the event, so that
// a process that dies at any point is followed by one that does the same again and finds what is
// already there.
package dispatch

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/bus"
	"github.com/argo-bridge/argo-bridge/bridge/inflight"
	"github.com/argo-bridge/argo-bridge/bridge/match"
	"github.com/argo-bridge/argo-bridge/bridge/waiting"
)

// Rules decides which rules an event starts. Each call answers from one state of the templates.
type Rules interface {
	// Match decides the rules that may fit. A faulty rule that would fit is parked.
	Match(f bridge.Facts, variables match.Variables) []bridge.Decision
	// Rule returns a rule as it is now; when it is gone or faulty, nil and a decision that says so.
	Rule(t bridge.Template, name string) (*bridge.Rule, bridge.Decision)
}

// A Ledger keeps the outcome per event.
type Ledger interface {
	// Done says, at no cost, that the event is known to be settled.
	Done(e bridge.Event) bool
	Lookup(ctx context.Context, e bridge.Event) (bridge.Record, bool, error)
	Find(ctx context.Context, hash string) (bridge.Record, bool, error)
	// Put fails with bus.ErrConflict when the record has changed since it was read.
	Put(ctx context.Context, r bridge.Record) error
}

// Events reads events again. WithEvent calls use with the event of a sequence, which may be large: its
// memory is given back when use has returned. found is false when the event is no longer there.
type Events interface {
	WithEvent(ctx context.Context, sequence uint64, use func(e bridge.Event)) (found bool, err error)
	// Handled is the sequence up to which every event has been handled: settled, or put into the waiting room.
	Handled(ctx context.Context) (sequence uint64, err error)
}

// A Room is where rules wait; *waiting.Room is one.
type Room interface {
	Taken(template bridge.Template) bool
	Add(ctx context.Context, t waiting.Task) error
	// Last is the last change of the table of those that wait, see waiting.Turn.
	Last(ctx context.Context) (revision uint64, err error)
}

// A Gate bounds the Workflows in flight; *inflight.Gate is one.
type Gate interface {
	Enter(s bridge.Submission, leader bool) *inflight.Denial
	Leave(s bridge.Submission)
	Seen(s bridge.Submission) bool
	Made(s bridge.Submission)
}

// A Herald tells who asked for it what became of an event, before there is a run to follow. It must be idempotent.
type Herald interface {
	// Settled tells of a rule's result; told says whether anybody wanted to know.
	Settled(ctx context.Context, e bridge.Event, f bridge.Facts, rule *bridge.Rule, result bridge.Result) (told bool, err error)
	// Answer answers a command or an order where it was given.
	Answer(ctx context.Context, e bridge.Event, f bridge.Facts, a bridge.Answer) error
}

// Threads keeps which events there were about the same thing, and who has approved them.
type Threads interface {
	// Join puts an event into threads, such as those of a pull request and of a commit.
	Join(ctx context.Context, threads []string, p bridge.Post) error
	// Approvers are who has approved a commit of a thread.
	Approvers(ctx context.Context, thread, commit string) ([]string, error)
}

// Orders carries out what people ask of the bridge itself.
type Orders interface {
	// Carry carries an event's order out, and says what became of it. Done again it changes nothing. An error is to be
	// tried again.
	Carry(ctx context.Context, e bridge.Event, f bridge.Facts) (bridge.Answer, error)
}

// An Observer counts decisions and submissions.
type Observer interface {
	Decided(d bridge.Decision)
	Submitted(source string, took, sinceReceived time.Duration)
	SubmitFailed(source, kind string)
	Duplicate()
}

// A Dispatcher handles events. All exported fields are needed.
type Dispatcher struct {
	Finders   []bridge.FactFinder
	Rules     Rules
	Ledger    Ledger
	Events    Events
	Room      Room
	Gate      Gate
	Submitter bridge.Submitter
	Stopper   Stopper
	Validator Validator
	Herald    Herald
	// Inquirers answer what payloads do not say, by source.
	Inquirers        map[string]bridge.Inquirer
	Threads          Threads
	Orders           Orders
	Observer         Observer
	ClusterNamespace string
	// MaxDepth is how many runs may start one another; see bridge.Facts.Depth.
	MaxDepth int
	// Leads says whether this process, and no other, leads at this moment: asked right before a Workflow of a rule
	// that has waited is made, and before a batch is written down.
	Leads func() bool
	// State holds the pace of rules and the batches that are closed, Latest the newest events of latest-only.
	State, Latest Table
	Log           *zap.Logger
	Now           func() time.Time

	failing    failing
	rates      rates
	horizon    horizon
	collecting sync.Mutex
}

// Handle is a bus.EventHandler. A nil error means that the outcome of every rule is recorded, or that the
// rule stands in the waiting room.
func (d *Dispatcher) Handle(ctx context.Context, e bridge.Event, delivery bus.Delivery) error {
	if d.Ledger.Done(e) {
		return d.duplicate(e)
	}
	record, known, err := d.Ledger.Lookup(ctx, e)
	if err != nil {
		return err
	}
	if record.Done {
		return d.duplicate(e)
	}
	if !known || lost(record) {
		record = bridge.Record{
			Event: e.ID, Source: e.Source, Type: e.Type, Subject: e.Subject, Results: settled(record.Results),
			Sequence: delivery.Sequence, Stored: delivery.Stored.UTC(), Revision: record.Revision,
		}
	}
	record.Attempt = delivery.Attempt
	if delivery.Unread != nil {
		return d.unread(ctx, e, record, delivery.Unread)
	}
	h := &handling{Dispatcher: d, event: e, delivery: delivery, record: &record}
	if err := h.run(ctx); err != nil {
		d.Log.Warn("event not settled yet, will be tried again",
			append(eventFields(e), zap.Int(bridge.LogAttempt, delivery.Attempt), zap.Error(err))...)
		return err
	}
	return nil
}

// unread records a message that cannot be read. Data that the bus has lost may come again from the source.
func (d *Dispatcher) unread(ctx context.Context, e bridge.Event, record bridge.Record, why error) error {
	reason := bridge.ReasonPayload
	if errors.Is(why, bus.ErrGone) {
		reason = bridge.ReasonLost
	}
	result := bridge.Result{Verdict: bridge.Rejected, Reason: reason, Detail: why.Error(), At: d.Now().UTC()}
	d.decided(e, &bridge.Rule{}, result)
	record.Set(result)
	return d.Ledger.Put(ctx, record)
}

func (d *Dispatcher) duplicate(e bridge.Event) error {
	d.Observer.Duplicate()
	d.Log.Info("event was handled before", eventFields(e)...)
	return nil
}

// lost says that the bus had lost the event before its turn came; now its source has sent it again.
func lost(r bridge.Record) bool {
	for _, res := range r.Results {
		if res.Reason == bridge.ReasonLost {
			return true
		}
	}
	return false
}

// settled are the results that stay when an event that was lost is handled anew.
func settled(results []bridge.Result) (kept []bridge.Result) {
	for _, res := range results {
		if res.Reason != bridge.ReasonLost {
			kept = append(kept, res)
		}
	}
	return kept
}

// Describe finds the facts of an event; an event of no known source has its type as its name.
func Describe(finders []bridge.FactFinder, e bridge.Event) (bridge.Facts, error) {
	for _, finder := range finders {
		f, ok, err := finder.Facts(e)
		if err != nil {
			return f, fmt.Errorf("read the payload of %s: %w", e.Type, err)
		}
		if ok {
			return f, nil
		}
	}
	return bridge.Facts{Name: e.Type, Title: e.Type + " " + e.Subject}, nil
}

// update changes the record of an event that others may be changing as well, until it is stored.
func (d *Dispatcher) update(ctx context.Context, hash string, change func(r *bridge.Record, known bool) (write bool)) error {
	for {
		record, known, err := d.Ledger.Find(ctx, hash)
		if err != nil {
			return err
		}
		if !change(&record, known) {
			return nil
		}
		if err := d.Ledger.Put(ctx, record); !errors.Is(err, bus.ErrConflict) {
			return err
		}
	}
}

func eventFields(e bridge.Event) []zap.Field {
	return []zap.Field{
		zap.String(bridge.LogEventID, e.ID), zap.String(bridge.LogSource, e.Source),
		zap.String(bridge.LogEventType, e.Type), zap.String(bridge.LogSubject, e.Subject),
	}
}
