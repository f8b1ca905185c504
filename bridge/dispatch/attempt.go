package dispatch

import (
	"context"
	"errors"
	"time"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/expression"
	"github.com/argo-bridge/argo-bridge/bridge/inflight"
	"github.com/argo-bridge/argo-bridge/bridge/waiting"
)

// An attempt is one try to make the Workflow of one rule and event.
type attempt struct {
	event  bridge.Event
	facts  bridge.Facts
	scope  *expression.Scope
	rule   *bridge.Rule
	replay string
	stored time.Time
	// queue says that the rule has not waited yet: it queues up where others wait, and leaves the last
	// part of a limit to the leader.
	queue bool
	// approved is who has let the event of somebody who is not trusted start the rule; empty: nobody had to.
	approved string
	// turn is the one that is taken, of a rule that has waited.
	turn waiting.Turn
}

var (
	errBehind  = errors.New("earlier events of the template wait for a limit")
	errFailing = errors.New("the template's submissions fail at the moment")
	errDeposed = errors.New("another replica leads by now")
)

// start makes the Workflow of a rule that fits. The result's verdict is matched, skipped, rejected, or, with the
// error that is to pass, waiting.
func (d *Dispatcher) start(ctx context.Context, a attempt) (bridge.Result, error) {
	result := a.result()
	s, reason, err := d.plan(a)
	switch {
	case err != nil:
		return become(result, bridge.Rejected, reason, err.Error()), nil
	case d.Gate.Seen(s):
		// Made by a process that died before it could record that; it may be gone already.
		return matched(result, s), nil
	case a.queue && d.Room.Taken(a.rule.Template):
		return become(result, bridge.Waiting, bridge.ReasonLimit, errBehind.Error()), errBehind
	case a.queue && d.failing.is(a.rule.Template, d.Now()):
		return become(result, bridge.Waiting, bridge.ReasonRetry, errFailing.Error()), errFailing
	}
	if skipped, is, err := d.outdated(ctx, a); err != nil || is {
		return skipped, err
	}
	if denial := d.Gate.Enter(s, !a.queue); denial != nil {
		return d.denied(ctx, a, denial)
	}
	return d.make(ctx, a, s)
}

// make makes the Workflow, for which the gate has kept a place.
func (d *Dispatcher) make(ctx context.Context, a attempt, s bridge.Submission) (bridge.Result, error) {
	result := a.result()
	if err := d.rates.take(ctx, d.State, a.rule, d.Now()); err != nil {
		d.Gate.Leave(s)
		return become(result, bridge.Waiting, bridge.ReasonRate, "rate: "+err.Error()), err
	}
	if err := d.submit(ctx, a, s); err != nil {
		d.leave(s, err)
		d.failing.set(a.rule.Template, d.Now(), !bridge.IsPermanent(err))
		if bridge.IsPermanent(err) {
			return become(result, bridge.Rejected, bridge.ReasonSubmit, err.Error()), nil
		}
		return become(result, bridge.Waiting, bridge.ReasonRetry, err.Error()), err
	}
	d.Gate.Made(s)
	d.failing.set(a.rule.Template, d.Now(), false)
	return matched(result, s), nil
}

// leave gives the place back. After a failure that may be none, such as an answer that never came, a rule with
// bounds of its own keeps it: the Workflow may be there.
func (d *Dispatcher) leave(s bridge.Submission, err error) {
	if len(s.Bounds) == 0 || bridge.IsPermanent(err) {
		d.Gate.Leave(s)
	}
}

// denied says what becomes of an event that finds a limit reached.
func (d *Dispatcher) denied(ctx context.Context, a attempt, denial *inflight.Denial) (bridge.Result, error) {
	result, policy := a.result(), bridge.Queue
	if denial.Reason == bridge.ReasonConcurrency {
		policy = a.rule.Flow.Concurrency.Policy
	}
	switch {
	case policy == bridge.Skip:
		return become(result, bridge.Skipped, denial.Reason, denial.Detail), nil
	case policy == bridge.ReplacePending && a.turn.Behind > 0:
		return superseded(result, a.turn), nil
	case policy == bridge.CancelInProgress:
		if err := d.stop(ctx, a, denial); err != nil {
			return become(result, bridge.Waiting, bridge.ReasonRetry, err.Error()), err
		}
	}
	return become(result, bridge.Waiting, denial.Reason, denial.Detail), waiting.Full{On: denial.On}
}

func (d *Dispatcher) plan(a attempt) (s bridge.Submission, reason bridge.Reason, err error) {
	if err := tooDeep(a.facts, d.MaxDepth); err != nil {
		return s, bridge.ReasonDepth, err
	}
	variables, err := a.scope.Variables()
	if err != nil {
		return s, bridge.ReasonPayload, err
	}
	s, err = Plan(Start{
		Event: a.event, Facts: a.facts, Rule: a.rule, Variables: variables, Replay: a.replay, Approved: a.approved, ClusterNamespace: d.ClusterNamespace,
	})
	return s, bridge.ReasonParameter, err
}

// submit makes the Workflow and counts how that went.
func (d *Dispatcher) submit(ctx context.Context, a attempt, s bridge.Submission) error {
	if !a.queue && !d.Leads() {
		return errDeposed
	}
	began, source := time.Now(), s.Labels[bridge.LabelSource]
	err := d.Submitter.Submit(ctx, s)
	switch {
	case err == nil:
		d.Observer.Submitted(source, time.Since(began), time.Since(a.stored))
	case bridge.IsPermanent(err):
		d.Observer.SubmitFailed(source, "permanent")
	case bridge.IsRefusal(err):
		d.Observer.SubmitFailed(source, "refused")
	default:
		d.Observer.SubmitFailed(source, "transient")
	}
	return err
}

// result is the attempt's, without a verdict.
func (a attempt) result() bridge.Result {
	return bridge.Result{Template: a.rule.Template.String(), Rule: a.rule.Name, Replay: a.replay}
}

func matched(r bridge.Result, s bridge.Submission) bridge.Result {
	r.Workflow = s.Namespace + "/" + s.Name
	return become(r, bridge.Matched, bridge.ReasonMatched, "")
}

func become(r bridge.Result, v bridge.Verdict, reason bridge.Reason, detail string) bridge.Result {
	r.Verdict, r.Reason, r.Detail = v, reason, detail
	return r
}
