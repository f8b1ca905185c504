package admin_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/admin"
)

// empty is a bridge without events, on which a replay makes one decision.
type empty struct{}

func (empty) Records(context.Context, bridge.Query, func(bridge.Record) bool) error { return nil }
func (empty) Story(context.Context, string) (bridge.Story, error) {
	return bridge.Story{}, bridge.ErrUnknownEvent
}
func (empty) Follow(ctx context.Context, _ bridge.Query, _ func(bridge.Record)) error {
	<-ctx.Done()
	return ctx.Err()
}
func (empty) Replay(_ context.Context, _ bridge.Replay, each func(bridge.Replayed)) error {
	each(bridge.Replayed{Verdict: bridge.Matched})
	return nil
}

type caller struct {
	server *httptest.Server
	admin  *admin.Server
	logs   *observer.ObservedLogs
}

func start(t *testing.T, auth admin.Authenticator) *caller {
	t.Helper()
	core, logs := observer.New(zapcore.DebugLevel)
	handler := admin.New(empty{}, empty{}, nil, auth, zap.New(core))
	server := httptest.NewServer(handler)
	t.Cleanup(func() { handler.Close(); server.Close() })
	return &caller{server, handler, logs}
}

func (c *caller) ask(t *testing.T, method, path, body string, header http.Header) (int, admin.Fault) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, c.server.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header = header
	answer, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	// To its end: before that the server may still be at work.
	data, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	var f admin.Fault
	if answer.StatusCode != http.StatusOK {
		if err := json.Unmarshal(data, &f); err != nil {
			t.Errorf("the error is no JSON: %v", err)
		}
	}
	return answer.StatusCode, f
}

func bearing(authorization ...string) http.Header {
	return http.Header{"Authorization": authorization, "Content-Type": {"application/json"}}
}

func TestOnlyAKnownTokenIsLetIn(t *testing.T) {
	t.Parallel()
	c := start(t, &admin.TokenFile{Path: tokens(t, full+"\n"+reading+" read")})
	for name, h := range map[string]http.Header{
		"no token":            bearing(),
		"an empty one":        bearing("Bearer "),
		"another scheme":      bearing("Basic " + full),
		"no scheme":           bearing(full),
		"a forged one":        bearing("Bearer " + full[:30] + "00"),
		"two":                 bearing("Bearer "+full, "Bearer "+full),
		"one behind the name": bearing("Bearer x " + full),
	} {
		for _, route := range []string{"GET /api/v1/events", "GET /api/v1/events/a", "GET /api/v1/events:tail", "POST /api/v1/replays", "GET /api/v1/nothing", "DELETE /"} {
			method, path, _ := strings.Cut(route, " ")
			if status, f := c.ask(t, method, path, `{"event":"a"}`, h); status != 401 || f.Reason != admin.ReasonUnauthenticated {
				t.Errorf("%s, %s: %d %v", name, route, status, f)
			}
		}
	}
	if n := c.logs.FilterMessage("request refused").Len(); n != 7*6 {
		t.Errorf("%d refusals are logged", n)
	}
	for _, entry := range c.logs.All() {
		if text, _ := json.Marshal(entry.ContextMap()); strings.Contains(string(text), full[:30]) {
			t.Errorf("a token is in the log: %s", text)
		}
	}
}

func TestRequestsAreAnswered(t *testing.T) {
	t.Parallel()
	c := start(t, &admin.TokenFile{Path: tokens(t, full+"# alice\n"+reading+" read")})
	all, some := bearing("Bearer "+full), bearing("bearer "+reading)
	noType := http.Header{"Authorization": {"Bearer " + full}}
	for name, r := range map[string]struct {
		route, body string
		header      http.Header
		status      int
		reason      string
	}{
		"a list":                          {"GET /api/v1/events?since=2h", "", some, 200, ""},
		"a list by a bad query":           {"GET /api/v1/events?sinze=2h", "", some, 400, admin.ReasonMalformed},
		"a tail by a bad query":           {"GET /api/v1/events:tail?limit=x", "", some, 400, admin.ReasonMalformed},
		"an event that there is not":      {"GET /api/v1/events/a", "", some, 404, admin.ReasonUnknownEvent},
		"a replay":                        {"POST /api/v1/replays", `{"event":"a"}`, all, 200, ""},
		"a replay by a reader":            {"POST /api/v1/replays", `{"event":"a"}`, some, 403, admin.ReasonForbidden},
		"a dry run by a reader":           {"POST /api/v1/replays", `{"event":"a","dryRun":true}`, some, 403, admin.ReasonForbidden},
		"a replay of nothing":             {"POST /api/v1/replays", `{}`, all, 400, admin.ReasonMalformed},
		"a replay by a form, as browsers": {"POST /api/v1/replays", `{"event":"a"}`, noType, 400, admin.ReasonMalformed},
		"a replay that is too large":      {"POST /api/v1/replays", `{"event":"` + strings.Repeat("a", 65<<10) + `"}`, all, 413, admin.ReasonTooLarge},
		"a method that there is not":      {"DELETE /api/v1/events/a", "", all, 404, admin.ReasonNoRoute},
		"a path that there is not":        {"GET /api/v2/events", "", all, 404, admin.ReasonNoRoute},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			method, path, _ := strings.Cut(r.route, " ")
			if status, f := c.ask(t, method, path, r.body, r.header); status != r.status || f.Reason != r.reason {
				t.Errorf("%d %v", status, f)
			}
		})
	}
}

func TestWithoutAnAuthenticatorNobodyIsLetIn(t *testing.T) {
	t.Parallel()
	c := start(t, nil)
	for _, path := range []string{"/api/v1/events", "/api/v1/events/a", "/api/v1/events:tail"} {
		status, f := c.ask(t, "GET", path, "", bearing("Bearer "+full))
		if status != 404 || f.Reason != admin.ReasonOff || !strings.Contains(f.Hint, "admin.tokenFile") {
			t.Errorf("%s: %d %v", path, status, f)
		}
	}
}

func TestWhatGoesWrongInAskingIsLoggedAndNotTold(t *testing.T) {
	t.Parallel()
	c := start(t, failing{errors.New("dial 10.0.0.1: refused")})
	status, f := c.ask(t, "GET", "/api/v1/events", "", bearing("Bearer x"))
	if status != 503 || strings.Contains(f.Error(), "10.0.0.1") {
		t.Errorf("%d %v", status, f)
	}
	if n := c.logs.FilterField(zap.Error(errors.New("dial 10.0.0.1: refused"))).Len(); n != 1 {
		t.Errorf("%d lines", n)
	}
}

type failing struct{ error }

func (f failing) Authorize(context.Context, string, admin.Access) (string, error) { return "", f.error }

func TestEveryReplayIsInTheLogWithItsUser(t *testing.T) {
	t.Parallel()
	c := start(t, &admin.TokenFile{Path: tokens(t, full+" # alice")})
	if status, f := c.ask(t, "POST", "/api/v1/replays", `{"id":"r-1","event":"a","template":"argo/ci"}`, bearing("Bearer "+full)); status != 200 {
		t.Fatal(f)
	}
	begun := c.logs.FilterMessage("replay").All()
	ended := c.logs.FilterMessage("replay ended").All()
	if len(begun) != 1 || len(ended) != 1 {
		t.Fatalf("%v", c.logs.All())
	}
	for key, want := range map[string]any{"user": "token file, alice", "event_id": "a", "replay": "r-1", "template": "argo/ci", "dry_run": false} {
		if got := begun[0].ContextMap()[key]; got != want {
			t.Errorf("%s: %v, want %v", key, got, want)
		}
	}
	if got := ended[0].ContextMap()["started"]; got != int64(1) {
		t.Errorf("started: %v", got)
	}
}

func TestClosingEndsTheStreams(t *testing.T) {
	t.Parallel()
	c := start(t, &admin.TokenFile{Path: tokens(t, full)})
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, c.server.URL+"/api/v1/events:tail", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header = bearing("Bearer " + full)
	answer, err := http.DefaultClient.Do(req) // the first heartbeat brings the header
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	c.admin.Close()
	var l admin.Line
	if err := json.NewDecoder(answer.Body).Decode(&l); err != nil || l.Fault == nil || !strings.Contains(l.Fault.Text, "stopping") {
		t.Errorf("%+v, %v", l, err)
	}
}

func TestAConfigNamesEveryFault(t *testing.T) {
	t.Parallel()
	on, off := true, false
	for name, c := range map[string]struct {
		config admin.Config
		want   []string
	}{
		"nothing set":                    {admin.Config{}, nil},
		"all set":                        {admin.Config{Kubernetes: &on, Audiences: []string{"a"}, TokenFile: "x"}, nil},
		"audiences without a cluster":    {admin.Config{Kubernetes: &off, Audiences: []string{"a", " "}}, []string{"audiences:", "audiences[1]"}},
		"nothing at all is a choice too": {admin.Config{Kubernetes: &off}, nil},
	} {
		err := c.config.Defaults().Validate()
		if (err == nil) != (c.want == nil) {
			t.Errorf("%s: %v", name, err)
		}
		for _, w := range c.want {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%s: %v, want %s", name, err, w)
			}
		}
	}
}
