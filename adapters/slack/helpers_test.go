package slack

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files")

const secret = "signing-secret"

var sentAt = time.Unix(1700000100, 0).UTC()

// bus is a Publisher that remembers.
type bus struct {
	PublishFn func(context.Context, bridge.Event) error

	mu     sync.Mutex
	events []bridge.Event
}

func (b *bus) Publish(ctx context.Context, e bridge.Event) error {
	if b.PublishFn != nil {
		if err := b.PublishFn(ctx, e); err != nil {
			return err
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.events = append(b.events, e)
	return nil
}

func (b *bus) stored() []bridge.Event {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.events
}

// counts is an Observer.
type counts struct {
	mu                sync.Mutex
	received, refused []string
}

func (c *counts) Received(_, eventType string, _ time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.received = append(c.received, eventType)
}

func (c *counts) Refused(_, reason string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.refused = append(c.refused, reason)
}

// answers is an Answers.
type answers func(context.Context, bridge.Event) (bridge.Record, error)

func (a answers) Await(ctx context.Context, e bridge.Event) (bridge.Record, error) { return a(ctx, e) }

func fixture(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "requests", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// send posts a signed request to a handler.
func send(h http.Handler, body []byte, change ...func(*http.Request)) *httptest.ResponseRecorder {
	ts := strconv.FormatInt(sentAt.Unix(), 10)
	r := httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(body))
	r.Header.Set(HeaderTimestamp, ts)
	r.Header.Set(HeaderSignature, Sign(secret, ts, body))
	for _, c := range change {
		c(r)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func golden(t *testing.T, path, got string) {
	t.Helper()
	path = filepath.Join("testdata", path)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v; run with -update", err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (run with -update when it should change):\n%s", path, diff)
	}
}

func indent(t *testing.T, v any) string {
	t.Helper()
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		t.Fatal(err)
	}
	return b.String()
}
