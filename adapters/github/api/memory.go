package api

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sync/singleflight"
)

// A memory keeps answers, and lets those who want the same at once ask once. Safe for concurrent use.
type memory[V any] struct {
	kept    *cache[string, V]
	flights singleflight.Group
	// keep is for how long an answer holds.
	keep func(V) time.Duration
}

func newMemory[V any](size int, now func() time.Time, keep func(V) time.Duration) *memory[V] {
	return &memory[V]{kept: newCache[string, V](size, now), keep: keep}
}

// recall returns the answer that is kept, or asks. An error is not kept.
func (m *memory[V]) recall(ctx context.Context, key string, ask func(context.Context) (V, error)) (V, error) {
	for {
		if v, ok := m.kept.get(key); ok {
			return v, nil
		}
		v, err, shared := m.flights.Do(key, func() (any, error) {
			v, err := ask(ctx)
			if err == nil {
				m.kept.put(key, v, m.keep(v))
			}
			return v, err
		})
		ended := errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
		if !shared || !ended || ctx.Err() != nil { // else it was another whose time was up
			return v.(V), err
		}
	}
}
