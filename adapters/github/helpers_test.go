package github

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/argo-bridge/argo-bridge/bridge"
)

var update = flag.Bool("update", false, "write the golden files and fields.json")

// payloads returns real webhook bodies by event/file, or skips the test where they are not at hand.
func payloads(t testing.TB) map[string][]byte {
	t.Helper()
	dir := os.Getenv("ARGO_BRIDGE_PAYLOADS")
	if dir == "" {
		dir = "../../../shared/payloads"
	}
	files, err := filepath.Glob(filepath.Join(dir, "github", "*", "*.json"))
	if err != nil || len(files) == 0 {
		t.Skipf("no real payloads in %s; set ARGO_BRIDGE_PAYLOADS to a checkout of them", dir)
	}
	all := map[string][]byte{}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		all[filepath.Base(filepath.Dir(f))+"/"+filepath.Base(f)] = b
	}
	return all
}

func eventOf(name string) string {
	event, _, _ := strings.Cut(name, "/")
	return event
}

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

// counts is an Observer.
type counts struct {
	mu       sync.Mutex
	received []string
	refused  []string
}

func (c *counts) Received(source, eventType string, _ time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.received = append(c.received, source+" "+eventType)
}

func (c *counts) Refused(source, reason string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.refused = append(c.refused, source+" "+reason)
}
