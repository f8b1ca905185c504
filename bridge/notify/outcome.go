package notify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/bus"
)

// outcomes are what a run's phase means, the most telling first.
func (r *Reporter) outcomes(ctx context.Context, run bridge.Run, routes []bridge.Route) ([]bridge.Outcome, error) {
	if !run.Completed() {
		if run.Phase == "Running" {
			return []bridge.Outcome{bridge.Started}, nil
		}
		return nil, nil
	}
	if run.Stopped() {
		return run.Outcomes(), nil
	}
	if run.Phase != "Succeeded" {
		return []bridge.Outcome{bridge.Failed, bridge.Completed}, r.remember(ctx, run, routes)
	}
	outcomes := []bridge.Outcome{bridge.Succeeded, bridge.Completed}
	if !wants(routes, bridge.Recovered) {
		return outcomes, nil
	}
	recovered, err := r.History.Ended(ctx, run)
	if recovered {
		outcomes = slices.Insert(outcomes, 0, bridge.Recovered)
	}
	return outcomes, err
}

// remember keeps a failure for the recovery that may follow.
func (r *Reporter) remember(ctx context.Context, run bridge.Run, routes []bridge.Route) error {
	if !wants(routes, bridge.Recovered) {
		return nil
	}
	_, err := r.History.Ended(ctx, run)
	return err
}

func wants(routes []bridge.Route, outcome bridge.Outcome) bool {
	return slices.ContainsFunc(routes, func(r bridge.Route) bool { return r.Outcome == outcome })
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

// A Table is the part of a bus bucket that the history and the outbox need; *bus.Bucket is one.
type Table interface {
	Get(ctx context.Context, key string) (bus.Entry, bool, error)
	Put(ctx context.Context, key string, value []byte) error
	Update(ctx context.Context, key string, value []byte, revision uint64) error
}

// A History remembers per template and concurrency group how the last run ended, to tell a recovery.
type History struct{ Table Table }

type lastEnd struct {
	UID       string    `json:"uid"`
	Finished  time.Time `json:"finished"`
	Failed    bool      `json:"failed"`
	Recovered bool      `json:"recovered"`
}

// Ended records the end of a run and says whether it is a recovery: it succeeded, and the run that ended
// before it had failed. Asked again about the same run it says the same again.
func (h *History) Ended(ctx context.Context, run bridge.Run) (recovered bool, err error) {
	of := run.Namespace + "\n" + run.Template.String()
	if group := run.Labels[bridge.LabelGroup]; group != "" {
		of += "\n" + group
	}
	key := "template." + bridge.Digest(of)
	for {
		entry, found, err := h.Table.Get(ctx, key)
		if err != nil {
			return false, err
		}
		var last lastEnd
		if found {
			if err := json.Unmarshal(entry.Value, &last); err != nil {
				return false, fmt.Errorf("history of %s: %w", run.Template, err)
			}
		}
		if last.UID == run.UID {
			return last.Recovered, nil
		}
		if run.Finished.Before(last.Finished) {
			return false, nil // a later end is known already
		}
		failed := run.Phase != "Succeeded"
		next := lastEnd{run.UID, run.Finished, failed, !failed && last.Failed}
		data, err := json.Marshal(next)
		if err != nil {
			return false, err
		}
		err = h.Table.Update(ctx, key, data, entry.Revision)
		if errors.Is(err, bus.ErrConflict) {
			continue
		}
		return next.Recovered, err
	}
}
