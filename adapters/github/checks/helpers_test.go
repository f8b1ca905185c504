package checks

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	adapter "github.com/argo-bridge/argo-bridge/adapters/github"
	"github.com/argo-bridge/argo-bridge/bridge"
)

type ctx = context.Context

func addressIn(t *testing.T) adapter.Address {
	t.Helper()
	a, err := adapter.ParseAddress(note(TargetCheck, bridge.Queued).Address)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// entryKey is the key of the only entry of a kind.
func entryKey(t *testing.T, w *world, prefix string) string {
	t.Helper()
	w.register.mu.Lock()
	defer w.register.mu.Unlock()
	for key := range w.register.states {
		if strings.HasPrefix(key, prefix) {
			return key
		}
	}
	t.Fatalf("no entry of %s", prefix)
	return ""
}

func entryOf(t *testing.T, w *world, prefix string) (e entry) {
	t.Helper()
	key := entryKey(t, w, prefix)
	w.register.mu.Lock()
	defer w.register.mu.Unlock()
	if err := json.Unmarshal(w.register.states[key], &e); err != nil {
		t.Fatal(err)
	}
	return e
}
