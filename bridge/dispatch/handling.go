package dispatch

import (
	"context"
	"errors"
	"slices"

	"go.uber.org/zap"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/bus"
	"github.com/argo-bridge/argo-bridge/bridge/expression"
	"github.com/argo-bridge/argo-bridge/bridge/waiting"
)

// A handling is one attempt at one event.
type handling struct {
	*Dispatcher
	event    bridge.Event
	facts    bridge.Facts
	scope    *expression.Scope
	delivery bus.Delivery
	record   *bridge.Record
	queue    []waiting.Task // rules that have to wait
}

// run settles what it can, records it, and puts the rest into the waiting room. The record comes first: who
// works on a task looks there.
func (h *handling) run(ctx context.Context) error {
	facts, err := Describe(h.Finders, h.event)
	if err != nil {
		h.Log.Warn("event rejected", append(eventFields(h.event), zap.Error(err))...)
		h.set(bridge.Result{Verdict: bridge.Rejected, Reason: bridge.ReasonPayload, Detail: err.Error()})
	} else {
		h.record.Name = facts.Name
		h.facts, h.scope = facts, expression.NewScope(h.event, facts)
		if err := h.decide(ctx); err != nil {
			return err
		}
	}
	h.record.Conclude()
	if err := h.Ledger.Put(ctx, *h.record); err != nil {
		return err
	}
	var errs []error
	for _, t := range h.queue {
		errs = append(errs, h.Room.Add(ctx, t))
	}
	return errors.Join(errs...)
}

// decide settles the rules that are not settled yet. Those that wait, by the record of an earlier attempt, are
// put into the waiting room again, also when they are gone by now.
func (h *handling) decide(ctx context.Context) error {
	for _, before := range h.record.Results {
		if before.Verdict == bridge.Waiting && before.Replay == "" {
			h.wait(bridge.ParseTemplate(before.Template), before.Rule, before.Reason, h.lineAgain(before))
		}
	}
	for _, decision := range h.Rules.Match(h.facts, h.scope.Variables) {
		before, known := h.record.Result(decision.Rule.Template, decision.Rule.Name, "")
		if known && before.Reason != bridge.ReasonLost {
			continue
		}
		if err := h.settle(ctx, decision); err != nil {
			return err
		}
	}
	return nil
}

// settle carries one decision out. An error means: not settled, try again.
func (h *handling) settle(ctx context.Context, decision bridge.Decision) error {
	result := resultOf(decision)
	var line *waiting.Line
	switch {
	case decision.Verdict != bridge.Matched:
	case !decision.Rule.Flow.Free():
		var err error
		if result, line, err = h.lineUp(ctx, decision.Rule); err != nil {
			return err
		}
	default:
		result, _ = h.start(ctx, attempt{
			event: h.event, facts: h.facts, scope: h.scope, rule: decision.Rule, stored: h.delivery.Stored, queue: true,
		})
	}
	switch result.Verdict {
	case bridge.Waiting:
		h.wait(decision.Rule.Template, decision.Rule.Name, result.Reason, line)
	case bridge.Rejected:
		if err := h.Rejections.Rejected(ctx, h.event, h.facts, decision.Rule, result.Detail); err != nil {
			return err
		}
	}
	h.decided(h.event, decision.Rule, result)
	h.set(result)
	return nil
}

func (h *handling) set(result bridge.Result) {
	result.At = h.Now().UTC()
	h.record.Set(result)
}

func (h *handling) wait(template bridge.Template, rule string, why bridge.Reason, line *waiting.Line) {
	h.queue = append(h.queue, waiting.Task{
		Event: h.event.Hash(), Sequence: h.record.Sequence, Template: template, Rule: rule, Since: h.Now().UTC(),
		Limit: why == bridge.ReasonLimit && line == nil, Line: line,
	})
}

// lineAgain is where a rule waits that was to wait by the record of an earlier attempt. If the rule has changed
// since, it may be another place than before: the second of two tasks finds the event settled.
func (h *handling) lineAgain(before bridge.Result) *waiting.Line {
	rule, _ := h.Rules.Rule(bridge.ParseTemplate(before.Template), before.Rule)
	variables, err := h.scope.Variables()
	if rule == nil || err != nil {
		return nil
	}
	line, err := lineOf(rule, variables)
	if err != nil {
		return nil // the turn says so
	}
	return line
}

func resultOf(d bridge.Decision) bridge.Result {
	return bridge.Result{
		Template: d.Rule.Template.String(), Rule: d.Rule.Name, Verdict: d.Verdict, Reason: d.Reason, Detail: d.Detail,
	}
}

// failures are the reasons to wait that are nobody's wish.
var failures = []bridge.Reason{bridge.ReasonLimit, bridge.ReasonRetry}

// decided counts and logs what became of a rule.
func (d *Dispatcher) decided(e bridge.Event, rule *bridge.Rule, result bridge.Result) {
	d.Observer.Decided(bridge.Decision{Rule: rule, Verdict: result.Verdict, Reason: result.Reason, Detail: result.Detail})
	level := zap.DebugLevel
	switch result.Verdict {
	case bridge.Matched, bridge.Skipped:
		level = zap.InfoLevel
	case bridge.Rejected, bridge.Parked:
		level = zap.WarnLevel
	case bridge.Waiting:
		if level = zap.WarnLevel; !slices.Contains(failures, result.Reason) {
			level = zap.InfoLevel
		}
	}
	if entry := d.Log.Check(level, "rule "+string(result.Verdict)); entry != nil {
		entry.Write(append(eventFields(e),
			zap.String(bridge.LogTemplate, result.Template), zap.String(bridge.LogRule, result.Rule),
			zap.String(bridge.LogReason, string(result.Reason)), zap.String(bridge.LogDetail, result.Detail),
			zap.String(bridge.LogWorkflow, result.Workflow))...)
	}
}
