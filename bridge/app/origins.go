package app

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

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
	log     *zap.Logger
	now     func() time.Time
	// keeps is how long the ledger keeps a record.
	keeps time.Duration
	// patience is how long a record is waited for. A process that died between making a Workflow and recording
	// that leaves none; whoever handles the event again writes it.
	patience time.Duration
}

// recordPatience is the usual patience: the watch waits meanwhile, and so do all alerts.
const recordPatience = 5 * time.Second

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
// where the ledger knows that it has started something in the run's namespace.
func (o *origins) Start(ctx context.Context, run bridge.Run) (*bridge.Event, error) {
	hash := run.Labels[bridge.LabelEvent]
	if !bridge.IsHash(hash) {
		return nil, nil
	}
	record, ok, err := o.started(ctx, hash, run)
	if err != nil || !ok {
		return nil, err
	}
	var start *bridge.Event
	_, err = o.bus.WithEvent(ctx, record.Sequence, func(e bridge.Event) {
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

func (o *origins) started(ctx context.Context, hash string, run bridge.Run) (r bridge.Record, ok bool, err error) {
	bound, cancel := context.WithTimeout(ctx, o.patience)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		r, known, err := o.ledger.Find(ctx, hash)
		if err != nil || known && hasStarted(r, run.Namespace) {
			return r, err == nil, err
		}
		if o.now().Sub(run.Created) > o.keeps {
			return r, false, nil
		}
		select {
		case <-bound.Done():
			return r, false, ctx.Err()
		case <-tick.C:
		}
	}
}

// hasStarted says whether the event has made a Workflow in the namespace.
func hasStarted(r bridge.Record, namespace string) bool {
	return slices.ContainsFunc(r.Results, func(res bridge.Result) bool {
		return res.Verdict == bridge.Matched && strings.HasPrefix(res.Workflow, namespace+"/")
	})
}
