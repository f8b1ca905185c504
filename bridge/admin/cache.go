package admin

import (
	"context"
	"crypto/sha256"
	"errors"
	"sync"
	"time"
)

// A right that was taken away holds for at most cacheTime longer, and strangers with ever new tokens
// fill cacheSize entries, no more.
const (
	cacheTime = 10 * time.Second
	cacheSize = 1024
)

// A Cache remembers the decisions of an Authenticator for ten seconds, so that a command of several
// requests is one question to the API server. It keeps no token, only a hash of it.
type Cache struct {
	of  Authenticator
	now func() time.Time

	mu      sync.Mutex
	entries map[cacheKey]decision
}

type cacheKey struct {
	token  [sha256.Size]byte
	access Access
}

type decision struct {
	user  string
	err   error
	until time.Time
}

// NewCache makes an empty cache before of; now is time.Now outside tests.
func NewCache(of Authenticator, now func() time.Time) *Cache {
	return &Cache{of: of, now: now, entries: map[cacheKey]decision{}}
}

// Authorize answers from the cache, or asks.
func (c *Cache) Authorize(ctx context.Context, token string, access Access) (string, error) {
	key := cacheKey{sha256.Sum256([]byte(token)), access}
	if d, ok := c.get(key); ok {
		return d.user, d.err
	}
	user, err := c.of.Authorize(ctx, token, access)
	if lasts(err) {
		c.put(key, decision{user, err, c.now().Add(cacheTime)})
	}
	return user, err
}

// lasts says whether the decision is one: that nobody could tell is asked again.
func lasts(err error) bool {
	var f *Fault
	return err == nil || errors.As(err, &f) && (f.Reason == ReasonForbidden || f.Reason == ReasonUnauthenticated)
}

func (c *Cache) get(key cacheKey) (decision, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	d, ok := c.entries[key]
	return d, ok && c.now().Before(d.until)
}

func (c *Cache) put(key cacheKey, d decision) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.entries) >= cacheSize {
		c.makeRoom()
	}
	c.entries[key] = d
}

// makeRoom drops what is over, or everything when nothing is.
func (c *Cache) makeRoom() {
	for k, d := range c.entries {
		if !c.now().Before(d.until) {
			delete(c.entries, k)
		}
	}
	if len(c.entries) >= cacheSize {
		clear(c.entries)
	}
}
