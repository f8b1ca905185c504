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

// Work is a waiting.Handler: it makes the Workflow of a rule whose turn has come, and records the result. The
// rule is the one of now; that it fits was decided when the event came.
func (d *Dispatcher) Work(ctx context.Context, t waiting.Task, try waiting.Try) error {
	record, known, err := d.Ledger.Find(ctx, t.Event)
	if err != nil {
		return err
	}
	before, _ := record.Result(t.Template, t.Rule, t.Replay)
	if known && before.Verdict != "" && before.Settled() {
		return nil // and died before the task was taken out
	}
	var ours bool
	var worked error
	_, err = d.Events.WithEvent(ctx, t.Sequence, func(e bridge.Event) {
		if ours = e.Hash() == t.Event; ours {
			if !known { // it has aged while the rule waited
				record = bridge.Record{Event: e.ID, Source: e.Source, Type: e.Type, Subject: e.Subject, Sequence: t.Sequence}
			}
			worked = d.workOn(ctx, t, try, e, record)
		}
	})
	if err != nil && !bridge.IsPermanent(err) {
		return err
	}
	if !ours {
		return d.conclude(ctx, t, record, become(before, bridge.Rejected, bridge.ReasonLost,
			"the event is no longer on the bus; if its source sends it again, it is handled anew"))
	}
	return worked
}

func (d *Dispatcher) workOn(ctx context.Context, t waiting.Task, try waiting.Try, e bridge.Event, record bridge.Record) error {
	before, _ := record.Result(t.Template, t.Rule, t.Replay)
	result, failed := d.turn(ctx, t, e, record)
	result.Attempts = try.Number
	if bridge.IsRefusal(failed) && !try.Failing.IsZero() && d.Now().Sub(try.Failing) > patience {
		result = become(result, bridge.Rejected, bridge.ReasonSubmit, fmt.Sprintf("given up after %s: %v", patience, failed))
		return d.reject(ctx, t, e, record, result, bridge.Permanent(failed))
	}
	if result.Verdict == bridge.Rejected {
		return d.reject(ctx, t, e, record, result, nil)
	}
	if failed != nil && result.Detail == before.Detail && result.Reason == before.Reason {
		return failed // the record says so already
	}
	if err := d.conclude(ctx, t, record, result); err != nil {
		return err
	}
	return failed
}

// turn is one attempt at a task.
func (d *Dispatcher) turn(ctx context.Context, t waiting.Task, e bridge.Event, record bridge.Record) (bridge.Result, error) {
	rule, decision := d.Rules.Rule(t.Template, t.Rule)
	if rule == nil {
		result := bridge.Result{Template: t.Template.String(), Rule: t.Rule, Replay: t.Replay}
		return become(result, decision.Verdict, decision.Reason, decision.Detail), nil
	}
	facts, err := Describe(d.Finders, e)
	if err != nil {
		result := bridge.Result{Template: t.Template.String(), Rule: t.Rule, Replay: t.Replay}
		return become(result, bridge.Rejected, bridge.ReasonPayload, err.Error()), nil
	}
	return d.start(ctx, attempt{
		event: e, facts: facts, scope: expression.NewScope(e, facts), rule: rule, replay: t.Replay, stored: record.Stored,
	})
}

// reject tells of a rejection and records it; settled is what the waiting room is to know of it.
func (d *Dispatcher) reject(ctx context.Context, t waiting.Task, e bridge.Event, record bridge.Record, result bridge.Result, settled error) error {
	facts, _ := Describe(d.Finders, e)
	rule := &bridge.Rule{Template: t.Template, Name: t.Rule}
	if err := d.Rejections.Rejected(ctx, e, facts, rule, result.Detail); err != nil {
		return err
	}
	if err := d.conclude(ctx, t, record, result); err != nil {
		return err
	}
	return settled
}

// conclude records the result of a task, and counts and logs it when it is settled.
func (d *Dispatcher) conclude(ctx context.Context, t waiting.Task, record bridge.Record, result bridge.Result) error {
	result.Template, result.Rule, result.Replay, result.At = t.Template.String(), t.Rule, t.Replay, d.Now().UTC()
	err := d.update(ctx, t.Event, func(r *bridge.Record, known bool) bool {
		if !known {
			*r = record
		}
		r.Set(result)
		return r.Event != "" // of an event that is lost like its record, nothing can be said
	})
	if err != nil {
		return err
	}
	if result.Verdict != bridge.Waiting {
		e := bridge.Event{ID: record.Event, Source: record.Source, Type: record.Type, Subject: record.Subject}
		d.decided(e, &bridge.Rule{Template: t.Template, Name: t.Rule}, result)
	}
	return nil
}
