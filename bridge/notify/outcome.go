package notify

import (
	"context"
	"slices"
	"time"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// A judgement is what a run's state means.
type judgement struct {
	// outcomes are the most telling first.
	outcomes []bridge.Outcome
	// again: the run had failed, and was retried.
	again bool
	usual time.Duration
}

func (j judgement) is(o bridge.Outcome) bool { return slices.Contains(j.outcomes, o) }

// judge remembers an end, for the recovery that may follow.
func (r *Reporter) judge(ctx context.Context, run bridge.Run, routes []bridge.Route) (j judgement, err error) {
	switch {
	case run.Phase == "Running":
		j.outcomes = []bridge.Outcome{bridge.Started}
		if slices.ContainsFunc(routes, keepsAlerts) { // only they ask
			j.again, err = r.History.Failed(ctx, run)
		}
		return j, err
	case !run.Completed():
		return j, nil
	case run.Stopped():
		j.outcomes = run.Outcomes()
		j.usual, err = r.History.Usual(ctx, run)
		return j, err
	}
	j.outcomes = run.Outcomes()
	past, err := r.History.Ended(ctx, run)
	if past.Recovered {
		j.outcomes = slices.Insert(j.outcomes, 0, bridge.Recovered)
	}
	j.again, j.usual = past.Again, past.Usual
	return j, err
}

// choose picks for each destination the route of the most telling outcome: who asked for failed and for
// completed hears of a failure once.
func choose(routes []bridge.Route, outcomes []bridge.Outcome) []bridge.Route {
	var chosen []bridge.Route
	told := map[string]bool{}
	for _, outcome := range outcomes {
		for _, route := range routes {
			if route.Outcome == outcome && !told[route.To.String()] {
				told[route.To.String()] = true
				chosen = append(chosen, route)
			}
		}
	}
	return chosen
}
