package dispatch

import (
	"context"
	"errors"
	"fmt"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/expression"
	"github.com/argo-bridge/argo-bridge/bridge/inflight"
	"github.com/argo-bridge/argo-bridge/bridge/mapping"
	"github.com/argo-bridge/argo-bridge/bridge/waiting"
)

// A Stopper stops runs.
type Stopper interface {
	// Stop asks Argo to stop a run, namespace/name, and stamps the reason on it. A run that is gone or has ended is
	// no error. Safe for concurrent use.
	Stop(ctx context.Context, workflow string, how bridge.Shutdown, reason string) error
}

// lineOf is where a rule with flow control waits; nil for one without.
func lineOf(rule *bridge.Rule, variables map[string]any) (*waiting.Line, error) {
	if rule.Flow.Free() {
		return nil, nil
	}
	keys, err := mapping.Keys(rule, variables)
	if err != nil {
		return nil, err
	}
	line := &waiting.Line{FlowKeys: keys}
	if c := rule.Flow.Concurrency; c != nil {
		line.Eager, line.MaxWaiting = c.Policy != bridge.Queue, c.MaxWaiting
	}
	if b := rule.Flow.Batch; b != nil {
		line.MaxItems, line.MaxWait = b.MaxItems, b.MaxWait
	}
	return line, nil
}

// waitsFor is the annotation for which a rule waits at first.
func waitsFor(f bridge.Flow) bridge.Reason {
	switch {
	case f.Batch != nil:
		return bridge.ReasonBatch
	case f.Ordered != nil:
		return bridge.ReasonOrdered
	case f.Concurrency != nil:
		return bridge.ReasonConcurrency
	case f.Rate != bridge.Rate{}:
		return bridge.ReasonRate
	}
	return bridge.ReasonLatestOnly
}

// lineUp lets a rule with flow control wait for its turn, which the leader gives it.
func (h *handling) lineUp(ctx context.Context, rule *bridge.Rule, scope *expression.Scope) (bridge.Result, *waiting.Line, error) {
	result := bridge.Result{Template: rule.Template.String(), Rule: rule.Name}
	variables, err := scope.Variables()
	if err != nil {
		return become(result, bridge.Rejected, bridge.ReasonPayload, err.Error()), nil, nil
	}
	line, err := lineOf(rule, variables)
	if err != nil {
		return become(result, bridge.Rejected, bridge.ReasonParameter, err.Error()), nil, nil
	}
	if err := h.latest(ctx, rule); err != nil {
		return result, nil, err
	}
	reason := waitsFor(rule.Flow)
	return become(result, bridge.Waiting, reason, string(reason)+": its turn has not come"), line, nil
}

// tooMany rejects an event that is one more than may wait for its group.
func tooMany(r bridge.Result, most int) bridge.Result {
	return become(r, bridge.Rejected, bridge.ReasonConcurrency,
		fmt.Sprintf("concurrency: as many events of the group wait already as may (max-waiting: %d)", most))
}

// outdated says that an event which has waited is not to start anything: it is stale, or others of its group came
// after it.
func (d *Dispatcher) outdated(ctx context.Context, a attempt) (bridge.Result, bool, error) {
	result, flow := a.result(), a.rule.Flow
	if flow.LatestOnly && !a.queue && a.replay == "" { // who replays an event wants it as it was
		switch newer, err := d.newer(ctx, a.rule, a.event, a.facts, a.turn.Tasks[0].Sequence); {
		case err != nil:
			return become(result, bridge.Waiting, bridge.ReasonRetry, err.Error()), false, err
		case newer != "":
			return become(result, bridge.Skipped, bridge.ReasonLatestOnly, "latest-only: "+newer), true, nil
		}
	}
	if c := flow.Concurrency; c != nil && c.Policy == bridge.CancelInProgress && a.turn.Behind >= c.Limit {
		return superseded(result, a.turn), true, nil
	}
	return result, false, nil
}

func superseded(r bridge.Result, t waiting.Turn) bridge.Result {
	return become(r, bridge.Skipped, bridge.ReasonConcurrency,
		"concurrency: a later event of its group took its place: "+t.Newest.Event)
}

// stop stops the runs that are in the way.
func (d *Dispatcher) stop(ctx context.Context, a attempt, denial *inflight.Denial) error {
	var errs []error
	for _, workflow := range denial.Stop {
		errs = append(errs, d.Stopper.Stop(ctx, workflow, a.rule.Flow.Concurrency.Shutdown,
			"concurrency: a later event of its group takes its place: "+a.event.ID))
	}
	return errors.Join(errs...)
}

// ready says whether a turn may be looked at: the rate allows it, and in a line every event that came before is
// known. A batch takes who is there, unless its rule is ordered.
func (d *Dispatcher) ready(ctx context.Context, rule *bridge.Rule, t waiting.Turn) error {
	if err := d.rates.next(ctx, d.State, rule, d.Now()); err != nil {
		return err
	}
	if t.Tasks[0].Line.MaxItems > 0 && t.Tasks[0].Line.Order == "" {
		return nil
	}
	t.Tasks = t.Tasks[len(t.Tasks)-1:]
	return d.horizon.reached(ctx, d.Events, d.Room, t, d.Now())
}
