package sweep

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/argo-bridge/argo-bridge/bridge"
	"go.uber.org/zap"

	"github.com/argo-bridge/argo-bridge/adapters/github"
	"github.com/argo-bridge/argo-bridge/adapters/github/api"
	"github.com/argo-bridge/argo-bridge/adapters/github/githubtest"
)

const hookSecret = "a secret of the tests"

// memory is a Register.
type memory struct {
	mu       sync.Mutex
	state    []byte
	revision uint64
}

func (m *memory) Load(ctx context.Context, _ string) ([]byte, uint64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.state, m.revision, ctx.Err()
}

func (m *memory) Store(ctx context.Context, _ string, state []byte, revision uint64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if revision != m.revision {
		return bridge.ErrStale
	}
	m.state, m.revision = state, m.revision+1
	return nil
}

// bus is a Publisher that keeps what it got.
type bus struct {
	mu     sync.Mutex
	events map[string]int
}

func (b *bus) Publish(_ context.Context, e bridge.Event) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.events[e.Key()]++
	return nil
}

func (b *bus) known(_ context.Context, e bridge.Event) (bool, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.events[e.Key()] > 0, nil
}

// counts is an Observer.
type counts struct {
	mu        sync.Mutex
	recovered int
	gaveUp    map[string]int
}

func (c *counts) Recovered(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.recovered += n
}

func (c *counts) GaveUp(reason string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.gaveUp[reason]++
}

// A world is a GitHub, a bridge that may be down, and the time in both.
type world struct {
	t        *testing.T
	github   *githubtest.Server
	bus      *bus
	memory   *memory
	counts   *counts
	app      *api.App
	now      atomic.Int64
	answer   atomic.Int64 // what the bridge answers instead of taking a delivery; 0: it takes it
	swallow  atomic.Bool  // the bridge takes the delivery, and its answer is lost
	posts    sync.Map     // GUID → *atomic.Int64
	deadline func()       // is called before every request to GitHub
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, bus: &bus{events: map[string]int{}}, memory: &memory{}, counts: &counts{gaveUp: map[string]int{}}}
	w.now.Store(time.Now().Unix())
	w.github = githubtest.New(t, githubtest.Options{Now: w.clock})
	hook := github.NewWebhook([]string{hookSecret}, w.bus, github.WebhookOptions{App: w.github.AppID()})
	receiver := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		n, _ := w.posts.LoadOrStore(r.Header.Get("X-GitHub-Delivery"), &atomic.Int64{})
		n.(*atomic.Int64).Add(1)
		switch {
		case w.swallow.Load():
			hook.ServeHTTP(httptest.NewRecorder(), r)
			panic(http.ErrAbortHandler)
		case r.Header.Get("X-GitHub-Event") == "too_large":
			out.WriteHeader(http.StatusRequestEntityTooLarge)
		case w.answer.Load() != 0:
			out.WriteHeader(int(w.answer.Load()))
		default:
			hook.ServeHTTP(out, r)
		}
	}))
	receiver.Config.ErrorLog = nil
	t.Cleanup(receiver.Close)
	w.github.SetApp(githubtest.App{HookURL: receiver.URL, HookSecret: hookSecret, ContentType: "json"})
	var err error
	w.app, err = api.New(api.Options{AppID: w.github.AppID(), Key: githubtest.KeyPEM(), BaseURL: w.github.URL, Transport: w, Now: w.clock})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) clock() time.Time         { return time.Unix(w.now.Load(), 0) }
func (w *world) wait(d time.Duration)     { w.now.Add(int64(d / time.Second)) }
func (w *world) attempts(guid string) int { return int(w.counter(guid).Load()) }

func (w *world) counter(guid string) *atomic.Int64 {
	n, _ := w.posts.LoadOrStore(guid, &atomic.Int64{})
	return n.(*atomic.Int64)
}

func (w *world) RoundTrip(r *http.Request) (*http.Response, error) {
	if w.deadline != nil {
		w.deadline()
	}
	return http.DefaultTransport.RoundTrip(r)
}

// push is a push with its number as its commit.
func (w *world) push(n int) string {
	guid, _ := w.github.Deliver("push", fmt.Appendf(nil, `{"ref": "refs/heads/main", "after": "%040d", "repository": {"full_name": "acme/app", "url": "https://github.com/acme/app"}}`, n))
	return guid
}

func (w *world) has(guid string) bool {
	ok, _ := w.bus.known(w.t.Context(), bridge.Event{Source: "https://github.com/acme/app", ID: guid})
	return ok
}

func (w *world) sweeper() *Sweeper {
	return New(Options{Deliveries: w.app.JWT().Apps, Register: w.memory, Known: w.bus.known, Now: w.clock, Observer: w.counts, Log: zap.NewNop()})
}

// sweep sweeps once and lets the deliveries arrive.
func (w *world) sweep() int {
	w.t.Helper()
	pending, err := w.sweeper().Sweep(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	w.github.WaitForDeliveries()
	w.wait(time.Minute)
	return pending
}
