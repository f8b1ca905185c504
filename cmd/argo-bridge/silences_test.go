package main

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/argo-bridge/argo-bridge/bridge/admin"
	"github.com/argo-bridge/argo-bridge/bridge/bus"
	"github.com/argo-bridge/argo-bridge/bridge/silences"
)

// silencer is a bridge with silences on a bus, and returns the flags that lead to it.
func silencer(t *testing.T) []string {
	t.Helper()
	b, err := bus.Open(t.Context(), bus.Config{DataDir: t.TempDir()}.Defaults(), zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	table, err := b.Bucket(t.Context(), "SILENCES", 0)
	if err != nil {
		t.Fatal(err)
	}
	f := world()
	tokens := &admin.TokenFile{Path: file(t, "tokens", adminToken+" # ann\n"+strings.ToUpper(adminToken)+" read # eve")}
	handler := admin.New(f, f, silences.Book{Table: table, Now: time.Now}, tokens, zap.NewNop())
	server := httptest.NewServer(handler)
	t.Cleanup(func() { handler.Close(); server.Close() })
	return []string{"--server", server.URL, "--token", adminToken}
}

func TestSilencesAreAddedListedAndRemoved(t *testing.T) {
	t.Parallel()
	flags := silencer(t)
	call := func(args ...string) (int, string) {
		return invoke(t, append(append([]string{"silences"}, args...), flags...)...)
	}
	if code, out := call("list"); code != 0 || !strings.Contains(out, "nothing is silenced") {
		t.Fatalf("%d %s", code, out)
	}
	code, out := call("add", "--template", "argo/nightly", "--for", "2h", "--reason", "known, see #4711")
	id, _, _ := strings.Cut(out, "\n")
	if code != 0 || len(id) != 8 || !strings.Contains(out, "silences remove "+id) {
		t.Fatalf("%d %s", code, out)
	}
	code, out = call("list")
	for _, part := range []string{id, "argo/nightly", "all", "ann", "known, see #4711"} {
		if code != 0 || !strings.Contains(out, part) {
			t.Errorf("%d, no %q in %s", code, part, out)
		}
	}
	if code, out = call("list", "-o", "json"); code != 0 || !strings.Contains(out, `"template":"argo/nightly"`) {
		t.Errorf("%d %s", code, out)
	}
	if code, out = call("remove", id); code != 0 {
		t.Errorf("%d %s", code, out)
	}
	if _, out = call("list"); !strings.Contains(out, "nothing is silenced") {
		t.Errorf("%s", out)
	}
	flags[3] = strings.ToUpper(adminToken)
	if code, out = call("add", "--destination", "slack:#a"); code == 0 || !strings.Contains(out, "only for reading") {
		t.Errorf("who may only read has silenced: %d %s", code, out)
	}
}

func TestWhatIsNoCallForSilence(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ args, says string }{
		"nothing to silence":   {"add", "name a --template, a --destination, or both"},
		"no destination":       {"add --destination data-alerts", "write slack:#channel"},
		"too long":             {"add --template a/b --for 900h", "longer than 30 days"},
		"over at once":         {"add --template a/b --for -1h", "ends before it begins"},
		"too much":             {"add --template a/b now", "everything is said by flags"},
		"which one to remove?": {"remove", "name its id"},
		"no command":           {"forget", "add, list, remove"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			code, out := invoke(t, append([]string{"silences"}, strings.Fields(tt.args)...)...)
			if code != 2 || !strings.Contains(out, tt.says) {
				t.Errorf("%d %s", code, out)
			}
		})
	}
}
