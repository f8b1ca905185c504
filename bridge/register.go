package bridge

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
)

// A Register keeps small states on the bus, such as which check run belongs to a run. Safe for concurrent use by several
// processes.
type Register interface {
	// Load returns a state and its revision; of a key that is not there, nil and 0.
	Load(ctx context.Context, key string) (state []byte, revision uint64, err error)
	// Store writes a state if its revision is still the one that was loaded; otherwise the error is ErrStale.
	Store(ctx context.Context, key string, state []byte, revision uint64) error
}

// ErrStale says that a state was changed by another since it was loaded.
var ErrStale = errors.New("another has changed it meanwhile")

// maxConflicts bounds how often a state that others change is tried.
const maxConflicts = 200

// Change lets change alter a state, kept as JSON, until no other has altered it meanwhile. change may be called several
// times; the state is stored if it returns true. It is passed a new T where there is none. A state that cannot be read is a
// Permanent error.
func Change[T any](ctx context.Context, r Register, key string, change func(state *T) bool) error {
	for range maxConflicts {
		data, revision, err := r.Load(ctx, key)
		if err != nil {
			return fmt.Errorf("load %s: %w", key, err)
		}
		state := new(T)
		if data != nil {
			if err := json.Unmarshal(data, state); err != nil {
				return Permanent(fmt.Errorf("%s cannot be read: %w", key, err))
			}
		}
		if !change(state) {
			return nil
		}
		if data, err = json.Marshal(state); err != nil {
			return Permanent(fmt.Errorf("encode %s: %w", key, err))
		}
		if err = r.Store(ctx, key, data, revision); !errors.Is(err, ErrStale) {
			if err != nil {
				err = fmt.Errorf("store %s: %w", key, err)
			}
			return err
		}
	}
	return fmt.Errorf("store %s: %w", key, ErrStale)
}
