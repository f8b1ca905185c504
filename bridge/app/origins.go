package app

import (
	"context"
	"errors"
	"slices"
	"strings"

	"go.uber.org/zap"

	"github.com/argo-bridge/argo-bridge/adapters/workflow"
	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/bus"
	"github.com/argo-bridge/argo-bridge/bridge/dispatch"
	"github.com/argo-bridge/argo-bridge/bridge/expression"
	"github.com/argo-bridge/argo-bridge/bridge/ledger"
	"github.com/argo-bridge/argo-bridge/bridge/notify"
)

var (
	_ notify.Origins  = (*origins)(nil)
	_ workflow.Starts = (*origins)(nil)
)

// origins finds the event of a run by the hash on its label.
type origins struct {
	bus     *bus.Bus
	ledger  *ledger.Ledger
	finders []bridge.FactFinder
	rules   dispatch.Rules
	log     *zap.Logger
}

func (o *origins) Variables(ctx context.Context, run bridge.Run) map[string]any {
	hash := run.Labels[bridge.LabelEvent]
	if strings.TrimSpace(hash) == "" {
		return nil
	}
	variables, err := o.variables(ctx, hash)
	if err != nil {
		o.log.Warn("the event of a run cannot be read again; its message has no event variables",
			zap.String(bridge.LogWorkflow, run.Namespace+"/"+run.Name), zap.Error(err))
	}
	return variables
}

func (o *origins) variables(ctx context.Context, hash string) (map[string]any, error) {
	record, ok, err := o.ledger.Find(ctx, hash)
	if err != nil || !ok {
		return nil, err
	}
	var variables map[string]any
	var failed error
	if _, err := o.bus.WithEvent(ctx, record.Sequence, func(e bridge.Event) {
		if e.Hash() != hash {
			failed = errors.New("the event stream holds another event in its place")
			return
		}
		variables, failed = variablesOf(o.finders, e)
	}); err != nil {
		return nil, err
	}
	return variables, failed
}

// variablesOf are the expression variables of an event.
func variablesOf(finders []bridge.FactFinder, e bridge.Event) (map[string]any, error) {
	facts, err := dispatch.Describe(finders, e)
	if err != nil {
		return nil, err
	}
	return expression.NewScope(e, facts).Variables()
}

// Start implements workflow.Starts. A label is anybody's to write who may make a Workflow: the event is told only
// where it has started something in the run's namespace, or would by the rules of now.
func (o *origins) Start(ctx context.Context, run bridge.Run) (*bridge.Event, error) {
	hash := run.Labels[bridge.LabelEvent]
	if !bridge.IsHash(hash) {
		return nil, nil
	}
	if start, err := o.recorded(ctx, hash, run.Namespace); err != nil || start != nil {
		return start, err
	}
	// A process that died between making a Workflow and recording that leaves no record, until the event
	// is handled again.
	sequence, ok, err := o.bus.Unsettled(ctx, hash)
	if err != nil {
		return nil, err
	}
	if !ok { // it may have been recorded and acknowledged meanwhile
		return o.recorded(ctx, hash, run.Namespace)
	}
	start, err := o.read(ctx, sequence, hash)
	if err != nil || start == nil || !o.starts(*start, run.Template) {
		return nil, err
	}
	return start, nil
}

// recorded is an event of which the ledger knows that it has started something in the namespace.
func (o *origins) recorded(ctx context.Context, hash, namespace string) (*bridge.Event, error) {
	record, known, err := o.ledger.Find(ctx, hash)
	if err != nil || !known || !hasStarted(record, namespace) {
		return nil, err
	}
	return o.read(ctx, record.Sequence, hash)
}

func (o *origins) read(ctx context.Context, sequence uint64, hash string) (start *bridge.Event, err error) {
	_, err = o.bus.WithEvent(ctx, sequence, func(e bridge.Event) {
		if e.Hash() == hash {
			e.Data = slices.Clone(e.Data) // its memory is given back
			start = &e
		}
	})
	if bridge.IsPermanent(err) {
		return nil, nil //nolint:nilerr // it is no longer there to be read
	}
	return start, err
}

// starts says whether the event starts the template by the rules of now.
func (o *origins) starts(e bridge.Event, t bridge.Template) bool {
	facts, err := dispatch.Describe(o.finders, e)
	if err != nil {
		return false
	}
	return slices.ContainsFunc(o.rules.Match(facts, expression.NewScope(e, facts).Variables), func(d bridge.Decision) bool {
		return d.Verdict == bridge.Matched && d.Rule.Template == t
	})
}

// hasStarted says whether the event has made a Workflow in the namespace, or one of a template there is about to be
// made.
func hasStarted(r bridge.Record, namespace string) bool {
	return slices.ContainsFunc(r.Results, func(res bridge.Result) bool {
		return res.Verdict == bridge.Matched && strings.HasPrefix(res.Workflow, namespace+"/") ||
			res.Verdict == bridge.Waiting && bridge.ParseTemplate(res.Template).Namespace == namespace && namespace != ""
	})
}
