package client_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/admin"
	"github.com/argo-bridge/argo-bridge/bridge/admin/client"
)

// A fake is a bridge's history and replayer.
type fake struct {
	records func(ctx context.Context, q bridge.Query, each func(bridge.Record) bool) error
	story   func(ctx context.Context, id string) (bridge.Story, error)
	follow  func(ctx context.Context, q bridge.Query, each func(bridge.Record)) error
	replay  func(ctx context.Context, r bridge.Replay, each func(bridge.Replayed)) error

	silences bridge.Silences
}

func (f fake) Records(ctx context.Context, q bridge.Query, each func(bridge.Record) bool) error {
	return f.records(ctx, q, each)
}
func (f fake) Story(ctx context.Context, id string) (bridge.Story, error) { return f.story(ctx, id) }
func (f fake) Follow(ctx context.Context, q bridge.Query, each func(bridge.Record)) error {
	return f.follow(ctx, q, each)
}
func (f fake) Replay(ctx context.Context, r bridge.Replay, each func(bridge.Replayed)) error {
	return f.replay(ctx, r, each)
}

type everybody struct{}

func (everybody) Authorize(_ context.Context, token string, access admin.Access) (string, error) {
	return token + " " + string(access), nil
}

func token(context.Context) (string, error) { return "alice", nil }

// serve starts a real server, with the bridge's own time limits in small, and returns a client of it.
func serve(t *testing.T, f fake) *client.Client {
	t.Helper()
	handler := admin.New(f, f, f.silences, everybody{}, zap.NewNop())
	server := httptest.NewUnstartedServer(handler)
	server.Config.ReadTimeout, server.Config.WriteTimeout = 50*time.Millisecond, 50*time.Millisecond
	server.Start()
	t.Cleanup(func() { handler.Close(); server.Close() })
	return connect(t, server.URL)
}

func connect(t *testing.T, url string) *client.Client {
	t.Helper()
	c, err := client.New(url, token)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

var noon = time.Date(2026, 3, 1, 12, 0, 0, 123456789, time.UTC)

func record(id string) bridge.Record {
	return bridge.Record{
		Event: id, Source: "https://github.com/acme/app", Type: "com.github.push", Name: "github.push", Subject: "refs/heads/main", Done: true,
		Attempt: 2, Sequence: 7, Stored: noon, Updated: noon.Add(time.Second),
		Results: []bridge.Result{{
			Template: "argo/ci", Rule: "default", Verdict: bridge.Matched, Reason: bridge.ReasonMatched, Detail: "<a&b>",
			Workflow: "argo/ci-x", Replay: "r1", Attempts: 3, At: noon,
		}},
	}
}

func TestEveryFieldOfAQueryAndARecordArrives(t *testing.T) {
	t.Parallel()
	want := bridge.Query{
		Source: "git&hub", Type: "com.github.push", Template: "argo/ci", Rule: "nightly", Outcome: bridge.Parked,
		Since: noon, Until: noon.Add(time.Hour), Limit: 3,
	}
	var asked bridge.Query
	c := serve(t, fake{records: func(_ context.Context, q bridge.Query, each func(bridge.Record) bool) error {
		asked = q
		each(record("a"))
		each(record("b"))
		return nil
	}})
	var got []bridge.Record
	if err := c.Records(t.Context(), want, func(r bridge.Record) bool { got = append(got, r); return true }); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, asked); diff != "" {
		t.Errorf("query: %s", diff)
	}
	if diff := cmp.Diff([]bridge.Record{record("a"), record("b")}, got); diff != "" {
		t.Errorf("records: %s", diff)
	}
}

func TestTheClientStopsWhenItHasEnough(t *testing.T) {
	t.Parallel()
	stopped := make(chan struct{})
	c := serve(t, fake{records: func(_ context.Context, _ bridge.Query, each func(bridge.Record) bool) error {
		defer close(stopped)
		for each(record("a")) {
		}
		return nil
	}})
	seen := 0
	if err := c.Records(t.Context(), bridge.Query{}, func(bridge.Record) bool { seen++; return seen < 3 }); err != nil || seen != 3 {
		t.Fatalf("%d records, %v", seen, err)
	}
	<-stopped
}

func TestEveryFieldOfAStoryArrives(t *testing.T) {
	t.Parallel()
	for name, id := range map[string]string{
		"a GUID":               "72d3162e-cc78-11e3-81ab-4c9367dc0958",
		"an object":            "landing/exports/a b/ü.json#1700000000000000#OBJECT_FINALIZE",
		"an address's signs":   "a?b&c=d%2Fe+f;g",
		"a path that leads up": "landing/../../x#1",
		"two dots":             "..",
		"a dot":                ".",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := bridge.Story{
				Record: record(id), Hash: "0123",
				Event: &bridge.Event{
					ID: id, Source: "s", Type: "t", Subject: "u", Time: noon, Extensions: map[string]string{"a": "b"},
					Data: json.RawMessage(`{"a":"<&>"}`),
				},
				Runs: []bridge.RunState{{
					Workflow: "argo/ci-x", UID: "1", Template: "argo/ci", Rule: "default", Phase: "Failed", Message: "m",
					Started: noon, Finished: noon.Add(time.Minute),
				}},
				Notifications: []bridge.SentRecord{{
					Key: "k", Outcome: bridge.Failed, To: "slack:#a", Workflow: "argo/ci-x", State: "failed", Error: "e", At: noon,
				}},
			}
			c := serve(t, fake{story: func(_ context.Context, asked string) (bridge.Story, error) {
				if asked != id {
					t.Errorf("asked for %q", asked)
				}
				return want, nil
			}})
			got, err := c.Story(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestEveryFieldOfAReplayArrives(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bridge.Replay{
		"of an event": {ID: "r-1", Event: "a/b#1", Template: "argo/ci", Rule: "default", DryRun: true},
		"of many": {ID: "r-2", Template: "argo/ci", Query: bridge.Query{
			Source: "github", Type: "t", Template: "argo/ci", Rule: "r", Outcome: bridge.Rejected, Since: noon, Until: noon.Add(time.Hour), Limit: 5,
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			decisions := []bridge.Replayed{
				{Event: "a", Template: "argo/ci", Rule: "default", Verdict: bridge.Matched, Reason: bridge.ReasonMatched,
					Workflow: "argo/ci-y", Object: map[string]any{"kind": "Workflow"}, Refused: "no"},
				{Event: "b", Template: "argo/ci", Rule: "default", Verdict: bridge.Filtered, Reason: "branches", Detail: "got dev"},
			}
			var asked bridge.Replay
			c := serve(t, fake{replay: func(_ context.Context, r bridge.Replay, each func(bridge.Replayed)) error {
				asked = r
				for _, d := range decisions {
					each(d)
				}
				return nil
			}})
			var got []bridge.Replayed
			if err := c.Replay(t.Context(), want, func(r bridge.Replayed) { got = append(got, r) }); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, asked); diff != "" {
				t.Errorf("request: %s", diff)
			}
			if diff := cmp.Diff(decisions, got); diff != "" {
				t.Errorf("decisions: %s", diff)
			}
		})
	}
}

func TestARequestForAReplayWithoutAnIDGetsOne(t *testing.T) {
	t.Parallel()
	var id string
	c := serve(t, fake{replay: func(_ context.Context, r bridge.Replay, _ func(bridge.Replayed)) error { id = r.ID; return nil }})
	if err := c.Replay(t.Context(), bridge.Replay{Event: "a"}, func(bridge.Replayed) {}); err != nil || id == "" {
		t.Errorf("id %q, %v", id, err)
	}
}

// The server's time limits are those of webhooks (here 50 ms); a stream outlives them.
func TestFollowingOutlivesTheServersTimeLimitsAndEndsWithTheClient(t *testing.T) {
	t.Parallel()
	ended := make(chan struct{})
	c := serve(t, fake{follow: func(ctx context.Context, _ bridge.Query, each func(bridge.Record)) error {
		defer close(ended)
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-tick.C:
				each(record("a"))
			}
		}
	}})
	ctx, stop := context.WithCancel(t.Context())
	seen := 0
	err := c.Follow(ctx, bridge.Query{}, func(bridge.Record) {
		if seen++; seen == 10 {
			stop()
		}
	})
	if err != nil || seen < 10 {
		t.Errorf("%d records, %v", seen, err)
	}
	<-ended
}

func TestErrorsArriveWithTheirKind(t *testing.T) {
	t.Parallel()
	list := func(before int, err error) fake {
		return fake{records: func(_ context.Context, _ bridge.Query, each func(bridge.Record) bool) error {
			for range before {
				each(record("a"))
			}
			return err
		}}
	}
	for name, c := range map[string]struct {
		fake      fake
		reason    string
		permanent bool
	}{
		"before the first line":        {list(0, errors.New("bus: down")), admin.ReasonUnavailable, false},
		"after some lines":             {list(2, errors.New("bus: down")), admin.ReasonUnavailable, false},
		"the request's fault":          {list(0, bridge.Permanent(errors.New("bus: down"))), admin.ReasonMalformed, true},
		"the request's fault, late":    {list(1, bridge.Permanent(errors.New("bus: down"))), admin.ReasonMalformed, true},
		"a fault with a hint survives": {list(1, &admin.Fault{Reason: admin.ReasonForbidden, Text: "bus: down"}), admin.ReasonForbidden, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := serve(t, c.fake).Records(t.Context(), bridge.Query{}, func(bridge.Record) bool { return true })
			var f *admin.Fault
			if !errors.As(err, &f) || f.Reason != c.reason || f.Text != "bus: down" || bridge.IsPermanent(err) != c.permanent {
				t.Errorf("got %#v", err)
			}
		})
	}
	_, err := serve(t, fake{story: func(context.Context, string) (bridge.Story, error) {
		return bridge.Story{}, fmt.Errorf("ledger: %w", bridge.ErrUnknownEvent)
	}}).Story(t.Context(), "a")
	if !errors.Is(err, bridge.ErrUnknownEvent) {
		t.Errorf("got %v", err)
	}
}

func TestAnswersThatAreNotWholeAreErrors(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		want   string
	}{
		"nothing": {func(http.ResponseWriter, *http.Request) {}, "cut off"},
		"a line without an end": {func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprintln(w, `{"record":{"event":"a"}}`)
		}, "cut off"},
		"half a line": {func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, `{"record":{"eve`) }, "cut off"},
		"a connection that breaks": {func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprintln(w, `{"record":{"event":"a"}}`)
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}, "cut off"},
		"a page of something else": {func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, "<html>") }, "invalid character"},
		"another program's 404":    {http.NotFound, "does the address lead to it"},
		"a redirect": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://127.0.0.1:1/steal", http.StatusFound)
		}, "302 Found"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(c.answer)
			t.Cleanup(server.Close)
			err := connect(t, server.URL).Replay(t.Context(), bridge.Replay{Event: "a"}, func(bridge.Replayed) {})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func TestAnAddressMustBeOne(t *testing.T) {
	t.Parallel()
	for _, server := range []string{"", "bridge", "localhost:8080", "ftp://a", "http://", "http://a?b", "http://a#b", "http://%"} {
		if _, err := client.New(server, token); err == nil {
			t.Errorf("%q is taken", server)
		}
	}
}
