package dispatch

import (
	"context"
	"fmt"
	"time"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/expression"
	"github.com/argo-bridge/argo-bridge/bridge/waiting"
)

// patience is how long a template may be refused (see bridge.Refusal) without a break before that is taken
// for permanent: an API server that starts answers so as well.
const patience = 3 * time.Minute

// A turn is one attempt at a rule that waits.
type turn struct {
	*Dispatcher
	task   waiting.Task
	try    waiting.Try
	event  bridge.Event
	record bridge.Record
	before bridge.Result // what the record says so far
}

// Work is a waiting.Handler: it makes the Workflow of a rule whose turn has come, and records the result. The
// rule is the one of now; that it fits was decided when the event came.
func (d *Dispatcher) Work(ctx context.Context, task waiting.Task, try waiting.Try) error {
	record, known, err := d.Ledger.Find(ctx, task.Event)
	if err != nil {
		return err
	}
	t := &turn{Dispatcher: d, task: task, try: try, record: record}
	var decided bool
	if t.before, decided = record.Result(task.Template, task.Rule, task.Replay); decided && t.before.Settled() {
		return nil // and died before the task was taken out
	}
	var ours bool
	var worked error
	_, err = d.Events.WithEvent(ctx, task.Sequence, func(e bridge.Event) {
		if ours = e.Hash() == task.Event; !ours {
			return
		}
		if t.event = e; !known { // it has aged while the rule waited
			t.record = bridge.Record{Event: e.ID, Source: e.Source, Type: e.Type, Subject: e.Subject, Sequence: task.Sequence}
		}
		worked = t.work(ctx)
	})
	if err != nil && !bridge.IsPermanent(err) {
		return err
	}
	if !ours {
		return t.conclude(ctx, become(t.before, bridge.Rejected, bridge.ReasonLost,
			"the event is no longer on the bus; if its source sends it again, it is handled anew"))
	}
	return worked
}

func (t *turn) work(ctx context.Context) error {
	result, failed := t.start(ctx)
	result.Attempts = t.try.Number
	var settled error
	if bridge.IsRefusal(failed) && !t.try.Failing.IsZero() && t.Now().Sub(t.try.Failing) > patience {
		result = become(result, bridge.Rejected, bridge.ReasonSubmit, fmt.Sprintf("given up after %s: %v", patience, failed))
		failed, settled = nil, bridge.Permanent(failed)
	}
	if result.Verdict == bridge.Rejected {
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

// start tries to make the Workflow by the rule as it is now.
func (t *turn) start(ctx context.Context) (bridge.Result, error) {
	result := bridge.Result{Template: t.task.Template.String(), Rule: t.task.Rule, Replay: t.task.Replay}
	rule, decision := t.Rules.Rule(t.task.Template, t.task.Rule)
	if rule == nil {
		return become(result, decision.Verdict, decision.Reason, decision.Detail), nil
	}
	facts, err := Describe(t.Finders, t.event)
	if err != nil {
		return become(result, bridge.Rejected, bridge.ReasonPayload, err.Error()), nil
	}
	return t.Dispatcher.start(ctx, attempt{
		event: t.event, facts: facts, scope: expression.NewScope(t.event, facts), rule: rule, replay: t.task.Replay, stored: t.record.Stored,
	})
}

// tell tells of a rejection.
func (t *turn) tell(ctx context.Context, result bridge.Result) error {
	facts, _ := Describe(t.Finders, t.event) // without facts the message says less
	return t.Rejections.Rejected(ctx, t.event, facts, t.rule(), result.Detail)
}

func (t *turn) rule() *bridge.Rule { return &bridge.Rule{Template: t.task.Template, Name: t.task.Rule} }

// conclude records the result, and counts and logs it when it is settled.
func (t *turn) conclude(ctx context.Context, result bridge.Result) error {
	result.Template, result.Rule, result.Replay, result.At = t.task.Template.String(), t.task.Rule, t.task.Replay, t.Now().UTC()
	err := t.update(ctx, t.task.Event, func(r *bridge.Record, known bool) bool {
		if !known {
			*r = t.record
			r.Revision = 0
		}
		r.Set(result)
		return r.Event != "" // of an event that is lost like its record, nothing can be said
	})
	if err != nil {
		return err
	}
	if result.Verdict != bridge.Waiting {
		e := bridge.Event{ID: t.record.Event, Source: t.record.Source, Type: t.record.Type, Subject: t.record.Subject}
		t.decided(e, t.rule(), result)
	}
	return nil
}
