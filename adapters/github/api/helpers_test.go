package api

import (
	"sync"
	"testing"
	"time"

	"github.com/argo-bridge/argo-bridge/adapters/github/githubtest"
)

// A clock stands still until it is moved.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func newClock() *clock { return &clock{t: time.Now()} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// seen is an Observer.
type seen struct {
	mu     sync.Mutex
	rates  map[int64]int // the last remaining
	beyond int
}

func (s *seen) RateLimit(installation int64, remaining, _ int, _ time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rates[installation] = remaining
}

func (s *seen) BeyondLimits() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.beyond++
}

func (s *seen) rate(installation int64) (int, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, ok := s.rates[installation]
	return n, ok
}

// world is a GitHub with the App installed on acme (7: acme/app, acme/web) and on other (8: other/app).
type world struct {
	*githubtest.Server
	app   *App
	clock *clock
	seen  *seen
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{clock: newClock(), seen: &seen{rates: map[int64]int{}}}
	w.Server = githubtest.New(t, githubtest.Options{AppID: 42, Now: w.clock.now})
	w.Install(githubtest.Installation{ID: 7, Account: "acme", Repositories: []string{"acme/app", "acme/web"}})
	w.Install(githubtest.Installation{ID: 8, Account: "other", Repositories: []string{"other/app"}})
	for _, r := range []string{"acme/app", "acme/web", "other/app"} {
		w.SetPull(r, githubtest.Pull{Number: 1, Author: "octocat"})
	}
	w.app = w.newApp(t, 42)
	return w
}

func (w *world) newApp(t *testing.T, id int64) *App {
	t.Helper()
	app, err := New(Options{AppID: id, Key: githubtest.KeyPEM(), BaseURL: w.URL, Now: w.clock.now, Observer: w.seen})
	if err != nil {
		t.Fatal(err)
	}
	return app
}

// tokens is how many were asked for.
func (w *world) tokens() int { return w.Count("POST /app/installations/") }
