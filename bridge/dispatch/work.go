package dispatch

import (
	"context"
	"fmt"
	"time"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/expression"
	"github.com/argo-bridge/argo-bridge/bridge/match"
	"github.com/argo-bridge/argo-bridge/bridge/waiting"
)

// patience is how long a template may be refused (see bridge.Refusal) without a break before that is taken
// for permanent: an API server that starts answers so as well.
const patience = 3 * time.Minute

// Lead is called by the process that begins to lead, before it works: what it knows from an earlier time, others
// may have changed.
func (d *Dispatcher) Lead() {
	d.rates.reset()
	d.horizon.reset()
}

// Work is a waiting.Handler: it makes the Workflow of a rule whose turn has come, and records the result. The
// rule is the one of now; that it fits was decided when the event came.
func (d *Dispatcher) Work(ctx context.Context, t waiting.Turn) (settled int, err error) {
	first := t.Tasks[0]
	rule, decision := d.Rules.Rule(first.Template, first.Rule)
	w := &turn{Dispatcher: d, Turn: t, task: first, rule: rule, decision: decision}
	if t.Excess {
		return w.alone(ctx)
	}
	if first.Line != nil && first.Line.MaxItems > 0 {
		if done, err := d.resume(ctx, t); err != nil || done > 0 {
			return done, err
		}
	}
	if rule != nil && first.Line != nil {
		if err := d.ready(ctx, rule, t); err != nil {
			return 0, err
		}
		if rule.Flow.Batch != nil && first.Line.MaxItems > 0 {
			return d.batch(ctx, rule, t)
		}
	}
	return w.alone(ctx)
}

// alone settles the first task by itself.
func (t *turn) alone(ctx context.Context) (settled int, err error) {
	if err = t.run(ctx); err != nil && !bridge.IsPermanent(err) {
		return 0, err
	}
	return 1, err
}

// A turn is one attempt at a rule that waits.
type turn struct {
	*Dispatcher
	waiting.Turn
	task     waiting.Task
	rule     *bridge.Rule // as it is now; nil: gone or faulty, as the decision says
	decision bridge.Decision
	event    bridge.Event
	facts    bridge.Facts
	unread   error // of the facts
	record   bridge.Record
	before   bridge.Result // what the record says so far
}

func (t *turn) run(ctx context.Context) error {
	record, known, err := t.Ledger.Find(ctx, t.task.Event)
	if err != nil {
		return err
	}
	t.record = record
	var decided bool
	if t.before, decided = record.Result(t.task.Template, t.task.Rule, t.task.Replay); decided && t.before.Settled() {
		return nil // and died before the task was taken out
	}
	var ours bool
	var worked error
	_, err = t.Events.WithEvent(ctx, t.task.Sequence, func(e bridge.Event) {
		if ours = e.Hash() == t.task.Event; !ours {
			return
		}
		if t.event = e; !known { // it has aged while the rule waited
			t.record = aged(e, t.task)
		}
		worked = t.work(ctx)
	})
	if err != nil && !bridge.IsPermanent(err) {
		return err
	}
	if !ours {
		return t.conclude(ctx, become(t.before, bridge.Rejected, bridge.ReasonLost, lostDetail))
	}
	return worked
}

const lostDetail = "the event is no longer on the bus; if its source sends it again, it is handled anew"

// aged is the record of an event whose own has aged while it waited.
func aged(e bridge.Event, t waiting.Task) bridge.Record {
	return bridge.Record{Event: e.ID, Source: e.Source, Type: e.Type, Subject: e.Subject, Sequence: t.Sequence}
}

func (t *turn) work(ctx context.Context) error {
	if settled, err := t.learn(ctx); err != nil || settled {
		return err
	}
	if moved, err := t.move(ctx); err != nil || moved {
		return err
	}
	result, failed := t.start(ctx)
	result.Attempts, result.Approved = t.Number, t.before.Approved
	var settled error
	if t.refused(failed, t.Turn) {
		result = become(result, bridge.Rejected, bridge.ReasonSubmit, fmt.Sprintf("given up after %s: %v", patience, failed))
		failed, settled = nil, bridge.Permanent(failed)
	}
	if result.Settled() && result.Verdict != bridge.Matched {
		if err := t.tell(ctx, result); err != nil {
			return err
		}
	}
	if failed != nil && result.Detail == t.before.Detail && result.Reason == t.before.Reason {
		return failed // the record says so already
	}
	if err := t.conclude(ctx, result); err != nil {
		return err
	}
	if failed != nil {
		return failed
	}
	return settled
}

// learn finds the event's facts, with what the rule wants to know from the source. A rule that nobody could decide when
// the event came is decided now; settled says that it does not fit.
func (t *turn) learn(ctx context.Context) (settled bool, err error) {
	if t.facts, t.unread = t.describe(t.event, t.record); t.unread != nil || t.rule == nil {
		return false, nil //nolint:nilerr // start says so
	}
	if t.before.Reason != bridge.ReasonLookup {
		t.facts, err = t.supply(ctx, t.event, t.facts, match.Questions(t.rule, t.facts))
		return false, err
	}
	facts, decision, err := t.inquire(ctx, t.event, t.facts, t.rule)
	if err != nil {
		return false, err
	}
	if t.facts = facts; facts.Pinned != t.record.Pinned {
		if err := t.pin(ctx, facts); err != nil {
			return false, err
		}
	}
	result := become(t.before, decision.Verdict, decision.Reason, decision.Detail)
	if err := t.answer(ctx, result); err != nil {
		return false, err
	}
	if decision.Verdict == bridge.Matched {
		return false, nil
	}
	if err := t.tell(ctx, result); err != nil {
		return false, err
	}
	return true, t.conclude(ctx, result)
}

// pin writes down what the source has answered that may change later, before anything is made of it.
func (t *turn) pin(ctx context.Context, f bridge.Facts) error {
	t.record.Pinned, t.record.ReplyTo = f.Pinned, f.ReplyTo
	return t.update(ctx, t.task.Event, func(r *bridge.Record, known bool) bool {
		r.Pinned, r.ReplyTo = f.Pinned, f.ReplyTo
		return known
	})
}

// move puts a rule that has got flow control while it waited into its line: in the lane of its template it would hold
// up the other rules for as long as it has to wait.
func (t *turn) move(ctx context.Context) (moved bool, err error) {
	if t.task.Line != nil || t.rule == nil || t.rule.Flow.Free() || t.unread != nil {
		return false, nil //nolint:nilerr // start says so
	}
	variables, err := expression.NewScope(t.event, t.facts).Variables()
	if err != nil {
		return false, nil //nolint:nilerr // the turn says so
	}
	task := t.task
	if task.Line, err = lineOf(t.rule, variables); err != nil {
		return false, nil //nolint:nilerr // the turn says so
	}
	task.Limit = false
	if t.before.Reason == bridge.ReasonLookup { // which is answered
		reason := waitsFor(t.rule.Flow)
		if err := t.conclude(ctx, become(t.before, bridge.Waiting, reason, string(reason)+": its turn has not come")); err != nil {
			return false, err
		}
	}
	return true, t.Room.Add(ctx, task)
}

// refused says that a template has met nothing but refusals for too long.
func (d *Dispatcher) refused(err error, t waiting.Turn) bool {
	return bridge.IsRefusal(err) && !t.Failing.IsZero() && d.Now().Sub(t.Failing) > patience
}

// start tries to make the Workflow.
func (t *turn) start(ctx context.Context) (bridge.Result, error) {
	result := bridge.Result{Template: t.task.Template.String(), Rule: t.task.Rule, Replay: t.task.Replay}
	if t.rule == nil {
		return become(result, t.decision.Verdict, t.decision.Reason, t.decision.Detail), nil
	}
	if t.Excess {
		return tooMany(result, t.task.Line.MaxWaiting), nil
	}
	if t.unread != nil {
		return become(result, bridge.Rejected, bridge.ReasonPayload, t.unread.Error()), nil //nolint:nilerr // it is the result
	}
	return t.Dispatcher.start(ctx, attempt{
		event: t.event, facts: t.facts, scope: expression.NewScope(t.event, t.facts), rule: t.rule, replay: t.task.Replay,
		stored: t.record.Stored, approved: t.before.Approved, turn: t.Turn,
	})
}

// tell tells of a result without a Workflow.
func (t *turn) tell(ctx context.Context, result bridge.Result) error {
	result.Replay = t.task.Replay
	_, err := t.Herald.Settled(ctx, t.event, t.facts, named(t.task), result)
	return err
}

// named is as much of a task's rule as is known when the rule is gone.
func named(t waiting.Task) *bridge.Rule { return &bridge.Rule{Template: t.Template, Name: t.Rule} }

// conclude records the result, and counts and logs it when it is settled.
func (t *turn) conclude(ctx context.Context, result bridge.Result) error {
	return t.settle(ctx, t.task, t.record, result)
}

// settle records the result of a task, and counts and logs it when it is settled. The record is written if there is
// none any more.
func (d *Dispatcher) settle(ctx context.Context, task waiting.Task, record bridge.Record, result bridge.Result) error {
	result.Template, result.Rule, result.Replay, result.At = task.Template.String(), task.Rule, task.Replay, d.Now().UTC()
	err := d.update(ctx, task.Event, func(r *bridge.Record, known bool) bool {
		if !known {
			*r = record
			r.Revision = 0
		}
		r.Set(result)
		return r.Event != "" // of an event that is lost like its record, nothing can be said
	})
	if err != nil {
		return err
	}
	if result.Verdict != bridge.Waiting {
		e := bridge.Event{ID: record.Event, Source: record.Source, Type: record.Type, Subject: record.Subject}
		d.decided(e, named(task), result)
	}
	return nil
}
