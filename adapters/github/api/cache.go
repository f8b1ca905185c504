package api

import (
	"container/list"
	"sync"
	"time"
)

// A cache keeps the values that were used last, each until a time of its own. Safe for concurrent use.
type cache[K comparable, V any] struct {
	size int
	now  func() time.Time

	mu      sync.Mutex
	entries map[K]*list.Element
	order   *list.List // of entry[K, V], the one used last in front
}

type entry[K comparable, V any] struct {
	key   K
	value V
	until time.Time // zero: for ever
}

func newCache[K comparable, V any](size int, now func() time.Time) *cache[K, V] {
	return &cache[K, V]{size: size, now: now, entries: map[K]*list.Element{}, order: list.New()}
}

func (c *cache[K, V]) get(key K) (value V, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.find(key)
}

// getOr returns the value that is kept, or makes one and keeps it for ever. Who wants the same meanwhile waits.
func (c *cache[K, V]) getOr(key K, make func() V) V {
	c.mu.Lock()
	defer c.mu.Unlock()
	value, ok := c.find(key)
	if !ok {
		value = make()
		c.keep(entry[K, V]{key: key, value: value})
	}
	return value
}

func (c *cache[K, V]) find(key K) (value V, ok bool) {
	element := c.entries[key]
	if element == nil {
		return value, false
	}
	e := element.Value.(entry[K, V])
	if !e.until.IsZero() && !c.now().Before(e.until) {
		c.remove(element)
		return value, false
	}
	c.order.MoveToFront(element)
	return e.value, true
}

// put keeps a value for a while, for ever if 0, and gives up the one that was not used for longest where it is too many.
func (c *cache[K, V]) put(key K, value V, keep time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := entry[K, V]{key: key, value: value}
	if keep > 0 {
		e.until = c.now().Add(keep)
	}
	c.keep(e)
}

func (c *cache[K, V]) keep(e entry[K, V]) {
	if element := c.entries[e.key]; element != nil {
		c.remove(element)
	}
	c.entries[e.key] = c.order.PushFront(e)
	if c.order.Len() > c.size {
		c.remove(c.order.Back())
	}
}

// drop gives up all values whose key fits.
func (c *cache[K, V]) drop(fits func(K) bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for key, element := range c.entries {
		if fits(key) {
			c.remove(element)
		}
	}
}

func (c *cache[K, V]) remove(element *list.Element) {
	c.order.Remove(element)
	delete(c.entries, element.Value.(entry[K, V]).key)
}
