package dispatch

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/bus"
	"github.com/argo-bridge/argo-bridge/bridge/expression"
)

// refusalAttempts is how often a refusal (see bridge.Refusal) is tried again before it is taken for
// permanent: about three minutes with the bus's backoff.
const refusalAttempts = 12

// A handling is one attempt at one event.
type handling struct {
	*Dispatcher
	event    bridge.Event
	facts    bridge.Facts
	scope    *expression.Scope
	delivery bus.Delivery
	record   *bridge.Record
}

// run settles what it can and records it; its error joins what has to be tried again.
func (h *handling) run(ctx context.Context) error {
	facts, err := Describe(h.Finders, h.event)
	if err != nil {
		h.Log.Warn("event rejected", append(eventFields(h.event), zap.Error(err))...)
		h.record.Results = append(h.record.Results, bridge.Result{
			Verdict: bridge.Rejected, Reason: bridge.ReasonPayload, Detail: err.Error(),
		})
		return nil
	}
	h.facts, h.scope = facts, expression.NewScope(h.event, facts)
	var again []error
	for _, decision := range h.Rules.Match(facts, h.scope.Variables) {
		if _, settled := h.record.Result(decision.Rule.Template, decision.Rule.Name); settled {
			continue
		}
		if err := h.settle(ctx, decision); err != nil {
			again = append(again, err)
		}
	}
	return errors.Join(again...)
}

// settle carries one decision out and records its result. An error means: not settled, try again.
func (h *handling) settle(ctx context.Context, decision bridge.Decision) error {
	result := bridge.Result{
		Template: decision.Rule.Template.String(), Rule: decision.Rule.Name,
		Verdict: decision.Verdict, Reason: decision.Reason, Detail: decision.Detail,
	}
	if decision.Verdict == bridge.Matched {
		workflow, err := h.submit(ctx, &decision)
		if err != nil {
			return err
		}
		result.Workflow = workflow
		result.Verdict, result.Reason, result.Detail = decision.Verdict, decision.Reason, decision.Detail
	}
	if decision.Verdict == bridge.Rejected {
		if err := h.Rejections.Rejected(ctx, h.event, h.facts, decision.Rule, decision.Detail); err != nil {
			return err
		}
	}
	h.Observer.Decided(decision)
	h.logDecision(decision, result.Workflow)
	h.record.Results = append(h.record.Results, result)
	return nil
}

// submit makes the Workflow of a rule that matched. What cannot be made turns the decision into a
// rejection; an error is transient.
func (h *handling) submit(ctx context.Context, decision *bridge.Decision) (workflow string, err error) {
	variables, err := h.scope.Variables()
	if err != nil {
		reject(decision, bridge.ReasonPayload, err.Error())
		return "", nil
	}
	s, err := Plan(h.event, h.facts, decision.Rule, variables, h.ClusterNamespace)
	if err != nil {
		reject(decision, bridge.ReasonParameter, err.Error())
		return "", nil
	}
	began := time.Now()
	err = h.Submitter.Submit(ctx, s)
	source := s.Labels[bridge.LabelSource]
	switch {
	case err == nil:
		h.Observer.Submitted(source, time.Since(began), time.Since(h.delivery.Stored))
		return s.Namespace + "/" + s.Name, nil
	case bridge.IsPermanent(err):
		h.Observer.SubmitFailed(source, "permanent")
		reject(decision, bridge.ReasonSubmit, err.Error())
		return "", nil
	case bridge.IsRefusal(err) && h.delivery.Attempt >= refusalAttempts:
		h.Observer.SubmitFailed(source, "refused")
		reject(decision, bridge.ReasonSubmit, fmt.Sprintf("given up after %d attempts: %v", h.delivery.Attempt, err))
		return "", nil
	}
	h.Observer.SubmitFailed(source, "transient")
	return "", err
}

func reject(decision *bridge.Decision, reason bridge.Reason, detail string) {
	decision.Verdict, decision.Reason, decision.Detail = bridge.Rejected, reason, detail
}

func (h *handling) logDecision(decision bridge.Decision, workflow string) {
	level := zap.DebugLevel
	switch decision.Verdict {
	case bridge.Matched:
		level = zap.InfoLevel
	case bridge.Rejected:
		level = zap.WarnLevel
	}
	if entry := h.Log.Check(level, "rule "+string(decision.Verdict)); entry != nil {
		entry.Write(append(eventFields(h.event),
			zap.Stringer(bridge.LogTemplate, decision.Rule.Template), zap.String(bridge.LogRule, decision.Rule.Name),
			zap.String(bridge.LogReason, string(decision.Reason)), zap.String(bridge.LogDetail, decision.Detail),
			zap.String(bridge.LogWorkflow, workflow))...)
	}
}
