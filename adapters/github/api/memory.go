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

// attempts is how often somebody asks whose companions' time was up.
const attempts = 3

// recall returns the answer that is kept, or asks. An error is not kept.
func (m *memory[V]) recall(ctx context.Context, key string, ask func(context.Context) (V, error)) (v V, err error) {
	for range attempts {
		if kept, ok := m.kept.get(key); ok {
			return kept, nil
		}
		asked := false
		v, err = m.flight(key, func() (V, error) {
			asked = true
			return ask(ctx)
		})
		ended := errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
		if asked || !ended || ctx.Err() != nil {
			return v, err
		}
	}
	return v, err
}

func (m *memory[V]) flight(key string, ask func() (V, error)) (V, error) {
	v, err, _ := m.flights.Do(key, func() (any, error) {
		v, err := ask()
		if err == nil {
			m.kept.put(key, v, m.keep(v))
		}
		return v, err
	})
	return v.(V), err
}
