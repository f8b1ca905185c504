package sweep

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// stateKey is where the register keeps the state.
const stateKey = "github-sweep"

// A state is what the next sweep must know.
type state struct {
	// Read is the time, by GitHub's clock, up to which all deliveries have been looked at.
	Read time.Time `json:"read"`
	// Failed are the deliveries that had no attempt with success, by GUID.
	Failed map[string]*failure `json:"failed"`

	revision uint64
}

// A failure is a delivery that no attempt has brought.
type failure struct {
	// Attempt is the id of the newest attempt, and Status its answer; At is when it was made and First when the oldest known.
	Attempt int64     `json:"attempt"`
	Status  int       `json:"status"`
	At      time.Time `json:"at"`
	First   time.Time `json:"first"`
	Event   string    `json:"event"`
	// Asked is how often it was asked for, and Tried how many attempts were seen to fail after that. Since is the attempt
	// that was the newest when it was asked for the last time.
	Asked int   `json:"asked,omitempty"`
	Tried int   `json:"tried,omitempty"`
	Since int64 `json:"since,omitempty"`
	// Next is when it may be asked for again.
	Next time.Time `json:"next,omitzero"`
	// Settled says why it is not asked for any more; empty: it is.
	Settled string `json:"settled,omitempty"`
}

func (s *Sweeper) load(ctx context.Context) (*state, error) {
	b, revision, err := s.register.Load(ctx, stateKey)
	if err != nil {
		return nil, fmt.Errorf("load the state of the sweep: %w", err)
	}
	st := &state{}
	if len(b) > 0 {
		if err := json.Unmarshal(b, st); err != nil {
			return nil, fmt.Errorf("the state of the sweep: %w", err)
		}
	}
	if st.Failed == nil {
		st.Failed = map[string]*failure{}
	}
	st.revision = revision
	return st, nil
}

// store writes the state unless another has written it since, and reads its new revision.
func (s *Sweeper) store(ctx context.Context, st *state) error {
	b, err := json.Marshal(st)
	if err != nil {
		return fmt.Errorf("the state of the sweep: %w", err)
	}
	if err := s.register.Store(ctx, stateKey, b, st.revision); err != nil {
		return fmt.Errorf("store the state of the sweep: %w", err)
	}
	stored, revision, err := s.register.Load(ctx, stateKey)
	if err != nil {
		return fmt.Errorf("load the state of the sweep: %w", err)
	}
	if string(stored) != string(b) {
		return fmt.Errorf("the state of the sweep: %w", bridge.ErrStale)
	}
	st.revision = revision
	return nil
}

// oldest are the GUIDs of what is still asked for, the oldest first.
func (st *state) oldest() []string {
	open := slices.DeleteFunc(slices.Collect(maps.Keys(st.Failed)), func(guid string) bool { return st.Failed[guid].Settled != "" })
	slices.SortFunc(open, func(a, b string) int {
		return cmp.Or(st.Failed[a].First.Compare(st.Failed[b].First), cmp.Compare(a, b))
	})
	return open
}

// isStale says that another sweeper has been at work.
func isStale(err error) bool { return errors.Is(err, bridge.ErrStale) }
