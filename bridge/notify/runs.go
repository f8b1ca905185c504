package notify

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/bus"
)

// RunsOf is the filter of the runs of the event with that hash.
func RunsOf(hash string) string { return hash + ".*" }

// DecodeRun reads an entry of the table of runs.
func DecodeRun(e bus.Entry) (r bridge.RunState, err error) {
	err = json.Unmarshal(e.Value, &r)
	return r, err
}

// keep records the phase of a run that an event has started, under the event's hash: the Workflow itself may
// be gone when somebody asks.
func (r *Reporter) keep(ctx context.Context, run bridge.Run) error {
	hash := run.Labels[bridge.LabelEvent]
	if !bridge.IsHash(hash) || run.UID == "" {
		return nil
	}
	data, err := json.Marshal(bridge.RunState{
		Workflow: run.Namespace + "/" + run.Name, UID: run.UID, Template: run.Template.String(), Rule: run.Rule,
		Phase: run.Phase, Message: run.Message, Started: run.Started, Finished: run.Finished,
	})
	if err != nil {
		return bridge.Permanent(err)
	}
	key := hash + "." + run.UID
	if run.Completed() {
		return r.Runs.Put(ctx, key, data)
	}
	// Another replica may be ahead, and know its end.
	if err := r.Runs.Update(ctx, key, data, 0); !errors.Is(err, bus.ErrConflict) {
		return err
	}
	return r.keepAttempt(ctx, key, data, run)
}

// keepAttempt records that a run goes on again which was known to have ended.
func (r *Reporter) keepAttempt(ctx context.Context, key string, data []byte, run bridge.Run) error {
	entry, found, err := r.Runs.Get(ctx, key)
	if err != nil || !found {
		return err
	}
	have, err := DecodeRun(entry)
	if err != nil || have.Finished.IsZero() || !have.Started.Before(run.Started) {
		return nil //nolint:nilerr // the run's end is written over whatever is there
	}
	if err := r.Runs.Update(ctx, key, data, entry.Revision); !errors.Is(err, bus.ErrConflict) {
		return err
	}
	return nil
}
