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
	told     bool           // somebody is told of a result
	answers  answers
}

// run settles what it can, records it, and puts the rest into the waiting room. The record comes first: who
// works on a task looks there.
func (h *handling) run(ctx context.Context) error {
	facts, err := Describe(h.Finders, h.event)
	if err != nil {
		h.Log.Warn("event rejected", append(eventFields(h.event), zap.Error(err))...)
		h.set(bridge.Result{Verdict: bridge.Rejected, Reason: bridge.ReasonPayload, Detail: err.Error()})
	} else {
		facts.Pinned = h.record.Pinned
		if h.record.Name = facts.Name; h.record.ReplyTo == "" {
			h.record.ReplyTo = facts.ReplyTo
		}
		h.facts, h.scope = facts, expression.NewScope(h.event, facts)
		if err := h.decide(ctx); err != nil {
			return err
		}
		if err := h.follow(ctx); err != nil {
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
	rule, facts, scope := decision.Rule, h.facts, h.scope
	result := resultOf(decision)
	if curious(decision, facts) {
		known, decided, err := h.inquire(ctx, h.event, facts, rule)
		switch {
		case err != nil:
			result = become(result, bridge.Waiting, bridge.ReasonLookup, err.Error())
			decision.Verdict = bridge.Waiting
		default:
			if err := h.pin(ctx, known); err != nil {
				return err
			}
			decision, result, facts, scope = decided, resultOf(decided), known, expression.NewScope(h.event, known)
		}
	}
	var line *waiting.Line
	if decision.Verdict == bridge.Matched {
		var err error
		if result, line, err = h.begin(ctx, rule, facts, scope); err != nil {
			return err
		}
	}
	if result.Verdict == bridge.Waiting {
		h.wait(rule.Template, rule.Name, result.Reason, line)
	}
	told, err := h.Herald.Settled(ctx, h.event, facts, rule, result)
	if err != nil {
		return err
	}
	h.told = h.told || told
	h.answer(rule, facts, result)
	h.decided(h.event, rule, result)
	h.set(result)
	return nil
}

// begin makes the Workflow of a rule that fits, or says where it has to wait.
func (h *handling) begin(ctx context.Context, rule *bridge.Rule, facts bridge.Facts, scope *expression.Scope) (bridge.Result, *waiting.Line, error) {
	if !rule.Flow.Free() {
		return h.lineUp(ctx, rule, scope)
	}
	result, _ := h.start(ctx, attempt{
		event: h.event, facts: facts, scope: scope, rule: rule, stored: h.delivery.Stored, queue: true,
	})
	return result, nil, nil
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
var failures = []bridge.Reason{bridge.ReasonLimit, bridge.ReasonRetry, bridge.ReasonLookup}

// decided counts and logs what became of a rule.
func (d *Dispatcher) decided(e bridge.Event, rule *bridge.Rule, result bridge.Result) {
	d.Observer.Decided(bridge.Decision{Rule: rule, Verdict: result.Verdict, Reason: result.Reason, Detail: result.Detail})
	level := zap.DebugLevel
	switch result.Verdict {
	case bridge.Matched, bridge.Skipped, bridge.Held:
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
