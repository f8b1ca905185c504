package slack

import (
	"context"
	"sync"
	"time"
)

// remembered is how long what Slack says of groups and channels is taken to hold: who is taken out of a group can use its
// rights so much longer.
const remembered = 5 * time.Minute

// A memory keeps what was looked up for a while. One looks up at a time; the others find what it found.
type memory[T any] struct {
	mu      sync.Mutex
	turn    chan struct{}
	entries map[string]entry[T]
}

type entry[T any] struct {
	value T
	until time.Time
}

// maxEntries is how many entries there may be before those are dropped whose time is over.
const maxEntries = 1000

func (m *memory[T]) get(ctx context.Context, key string, now func() time.Time, look func() (T, error)) (T, error) {
	if value, known := m.known(key, now()); known {
		return value, nil
	}
	turn := m.turns()
	select {
	case turn <- struct{}{}:
		defer func() { <-turn }()
	case <-ctx.Done():
		var none T
		return none, ctx.Err()
	}
	if value, known := m.known(key, now()); known {
		return value, nil
	}
	value, err := look()
	if err != nil {
		return value, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.entries == nil {
		m.entries = map[string]entry[T]{}
	}
	if len(m.entries) >= maxEntries {
		for k, e := range m.entries {
			if !now().Before(e.until) {
				delete(m.entries, k)
			}
		}
	}
	m.entries[key] = entry[T]{value, now().Add(remembered)}
	return value, nil
}

func (m *memory[T]) known(key string, now time.Time) (value T, known bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e, known := m.entries[key]
	if !known || !now.Before(e.until) {
		return value, false
	}
	return e.value, true
}

func (m *memory[T]) turns() chan struct{} {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.turn == nil {
		m.turn = make(chan struct{}, 1)
	}
	return m.turn
}
