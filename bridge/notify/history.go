package notify

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/bus"
)

// A Table is the part of a bus bucket that the history and the outbox need; *bus.Bucket is one.
type Table interface {
	Get(ctx context.Context, key string) (bus.Entry, bool, error)
	Put(ctx context.Context, key string, value []byte) error
	Update(ctx context.Context, key string, value []byte, revision uint64) error
}

const (
	// maxTook is how many durations of a template are kept, and maxFailed how many runs that have failed.
	maxTook   = 20
	maxFailed = 50
)

// A History remembers per template and concurrency group how the last run ended, to tell a recovery, and per template how
// long the last runs took and which have failed.
type History struct{ Table Table }

// A Past is what the history says of a run that has ended.
type Past struct {
	// Recovered: it succeeded, and the run of its group that ended before it had failed, or it itself had.
	Recovered bool
	// Again: it had failed before, and was retried.
	Again bool
	// Usual is the median duration of the template's last twenty runs that succeeded, without this one; 0: none did.
	Usual time.Duration
}

// memory is what is kept of a template, or of one of its groups, which has a last end alone.
type memory struct {
	lastEnd
	Took  []took      `json:"took,omitempty"`
	Fails []failedRun `json:"fails,omitempty"`
}

type lastEnd struct {
	UID       string    `json:"uid"`
	Finished  time.Time `json:"finished"`
	Failed    bool      `json:"failed"`
	Recovered bool      `json:"recovered"`
}

// A took is how long one run took that succeeded; of is a digest of its uid and end.
type took struct {
	Of string `json:"of"`
	MS int64  `json:"ms"`
}

// A failedRun is one that has failed, with the first time, if it was retried.
type failedRun struct {
	UID      string    `json:"uid"`
	Finished time.Time `json:"finished"`
}

// Ended records the end of a run. Asked again about the same end it says the same again, as long as no later one is known.
func (h *History) Ended(ctx context.Context, run bridge.Run) (past Past, err error) {
	group := run.Labels[bridge.LabelGroup]
	err = h.change(ctx, run, "", func(m *memory) {
		past = Past{Usual: m.usual(run), Again: m.hasFailed(run)}
		m.remember(run)
		if group == "" {
			past.Recovered = m.end(run)
		}
	})
	if err != nil || group == "" {
		return past, err
	}
	err = h.change(ctx, run, group, func(m *memory) { past.Recovered = m.end(run) })
	return past, err
}

// Failed says whether a run that goes on has failed before, and was retried.
func (h *History) Failed(ctx context.Context, run bridge.Run) (failed bool, err error) {
	err = h.change(ctx, run, "", func(m *memory) { failed = m.hasFailed(run) })
	return failed, err
}

// Usual is how long runs of the template take, see Past.
func (h *History) Usual(ctx context.Context, run bridge.Run) (usual time.Duration, err error) {
	err = h.change(ctx, run, "", func(m *memory) { usual = m.usual(run) })
	return usual, err
}

// change reads what is known, and writes what is new, until no other process has written meanwhile.
func (h *History) change(ctx context.Context, run bridge.Run, group string, change func(m *memory)) error {
	of := run.Namespace + "\n" + run.Template.String()
	if group != "" {
		of += "\n" + group
	}
	key := "template." + bridge.Digest(of)
	for {
		entry, found, err := h.Table.Get(ctx, key)
		if err != nil {
			return err
		}
		var m memory
		if found {
			if err := json.Unmarshal(entry.Value, &m); err != nil {
				return fmt.Errorf("history of %s: %w", run.Template, err)
			}
		}
		before, err := json.Marshal(m)
		if err != nil {
			return err
		}
		change(&m)
		after, err := json.Marshal(m)
		if err != nil || bytes.Equal(before, after) {
			return err
		}
		if err = h.Table.Update(ctx, key, after, entry.Revision); !errors.Is(err, bus.ErrConflict) {
			return err
		}
	}
}

// end says whether the run's end is a recovery.
func (m *memory) end(run bridge.Run) bool {
	switch {
	case m.UID == run.UID && m.Finished.Equal(run.Finished):
		return m.Recovered
	case run.Finished.Before(m.Finished):
		return false // a later end is known already
	}
	failed := run.Phase != "Succeeded"
	m.lastEnd = lastEnd{run.UID, run.Finished, failed, !failed && m.Failed}
	return m.Recovered
}

// remember keeps a duration, or a failure.
func (m *memory) remember(run bridge.Run) {
	if run.Phase != "Succeeded" {
		if !slices.ContainsFunc(m.Fails, func(e failedRun) bool { return e.UID == run.UID }) {
			m.Fails = append(m.Fails, failedRun{run.UID, run.Finished})
			m.Fails = m.Fails[max(0, len(m.Fails)-maxFailed):]
		}
		return
	}
	of := endOf(run)
	if run.Duration() > 0 && !slices.ContainsFunc(m.Took, func(t took) bool { return t.Of == of }) {
		m.Took = append(m.Took, took{of, run.Duration().Milliseconds()})
		m.Took = m.Took[max(0, len(m.Took)-maxTook):]
	}
}

// hasFailed says whether this attempt of the run is not its first.
func (m *memory) hasFailed(run bridge.Run) bool {
	return slices.ContainsFunc(m.Fails, func(e failedRun) bool { return e.UID == run.UID && !e.Finished.After(run.Started) })
}

func (m *memory) usual(run bridge.Run) time.Duration {
	var all []int64
	for _, t := range m.Took {
		if t.Of != endOf(run) {
			all = append(all, t.MS)
		}
	}
	if len(all) == 0 {
		return 0
	}
	slices.Sort(all)
	middle := len(all) / 2
	median := all[middle]
	if len(all)%2 == 0 {
		median = (all[middle-1] + all[middle]) / 2
	}
	return time.Duration(median) * time.Millisecond
}

func endOf(run bridge.Run) string {
	return bridge.Digest(run.UID + "\n" + run.Finished.UTC().Format(time.RFC3339))
}
