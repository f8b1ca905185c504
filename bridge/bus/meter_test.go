package bus

import "sync"

// A meter keeps the highest value of a sum.
type meter struct {
	mu       sync.Mutex
	now, top int
}

func (m *meter) add(n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.now += n
	m.top = max(m.top, m.now)
}

func (m *meter) highest() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.top
}
