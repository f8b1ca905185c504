package slack

import (
	"bytes"
	"context"
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"github.com/argo-bridge/argo-bridge/adapters/slack/slacktest"
	"github.com/argo-bridge/argo-bridge/bridge"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

func TestTheNextConnectionIsThereBeforeTheLastOneEnds(t *testing.T) {
	t.Parallel()
	s := newStand(t, InboxOptions{})
	s.runSocket(t, zap.NewNop())
	for range 2 {
		s.slack.Disconnect("warning") // Slack closes nothing: the bridge does when it has another
		if sent := s.slack.Event(map[string]any{"type": "team_join"}); !sent.OK() || sent.Attempts != 1 {
			t.Errorf("in between: %+v", sent)
		}
		if !s.slack.Until(soon, func() bool { return s.slack.Calls("apps.connections.open") > 1 && s.slack.Sockets() == 1 }) {
			t.Fatalf("%d connections", s.slack.Sockets())
		}
	}
	if got := len(s.bus.stored()); got != 2 {
		t.Errorf("%d events, want 2", got)
	}
}

func TestABrokenConnectionIsReplaced(t *testing.T) {
	t.Parallel()
	for name, breaks := range map[string]func(*slacktest.Server){
		"cut":       (*slacktest.Server).Cut,
		"refreshed": func(s *slacktest.Server) { s.Disconnect("refresh_requested") },
		"turned off": func(s *slacktest.Server) {
			s.Fail("apps.connections.open", slacktest.Fault{Error: "internal_error"}, slacktest.Fault{Status: 503})
			s.Disconnect("link_disabled")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStand(t, InboxOptions{})
			s.runSocket(t, zap.NewNop())
			before := s.slack.Calls("apps.connections.open")
			breaks(s.slack)
			if !s.slack.Until(soon, func() bool { return s.slack.Calls("apps.connections.open") > before && s.slack.Sockets() == 1 }) {
				t.Fatal("no new connection")
			}
			if sent := s.slack.Event(map[string]any{"type": "team_join"}); !sent.OK() {
				t.Errorf("%+v", sent)
			}
		})
	}
}

func TestRubbishDoesNotEndTheConnection(t *testing.T) {
	t.Parallel()
	s := newStand(t, InboxOptions{})
	s.runSocket(t, zap.NewNop())
	for _, rubbish := range []string{"", "{", "[]", `{"type":""}`, `{"type":"events_api"}`, `{"type":"slash_commands","envelope_id":"e","payload":[]}`} {
		s.slack.Garble([]byte(rubbish))
	}
	if sent := s.slack.Event(map[string]any{"type": "team_join"}); !sent.OK() || s.slack.Calls("apps.connections.open") != 1 {
		t.Errorf("%+v after %d connections", sent, s.slack.Calls("apps.connections.open"))
	}
}

func TestATokenThatIsRefusedIsToldWithWhatToDo(t *testing.T) {
	t.Parallel()
	for word, remedy := range map[string]string{"invalid_auth": "check slack.appTokenFile", "missing_scope": "connections:write", "not_allowed_token_type": "xapp-"} {
		t.Run(word, func(t *testing.T) {
			t.Parallel()
			s := newStand(t, InboxOptions{})
			s.slack.Fail("apps.connections.open", slacktest.Fault{Error: word})
			core, logs := observer.New(zap.DebugLevel)
			s.runSocket(t, zap.New(core))
			all := logs.FilterLevelExact(zap.ErrorLevel).All()
			if len(all) != 1 || !strings.Contains(all[0].Message, remedy) {
				t.Errorf("got %v", all)
			}
		})
	}
}

func TestNoMoreThanTenConnections(t *testing.T) {
	t.Parallel()
	s := newStand(t, InboxOptions{})
	for range 9 {
		s.slack.AddChannel("x") // ids move on
	}
	core, logs := observer.New(zap.DebugLevel)
	for i := range 10 {
		startSocket(t, s, zap.NewNop())
		s.connected(t, i+1)
	}
	s.clock.Advance(15 * 60e9) // the tier of apps.connections.open allows another one
	startSocket(t, s, zap.New(core))
	if !s.slack.Until(soon, func() bool { return logs.FilterMessageSnippet("fewer replicas").Len() > 0 }) || s.slack.Sockets() != 10 {
		t.Errorf("%d connections, logs %v", s.slack.Sockets(), logs.All())
	}
}

// startSocket runs one until the test's end.
func startSocket(t *testing.T, s *stand, log *zap.Logger) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		done <- NewSocket("xapp-1", s.inbox, SocketOptions{APIURL: s.slack.APIURL(), Logger: log}).Run(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
}

func TestWhatIsBeingStoredAtTheEndIsAcknowledged(t *testing.T) {
	t.Parallel()
	s := newStand(t, InboxOptions{})
	stored, storing := make(chan struct{}), make(chan struct{})
	s.bus.PublishFn = func(ctx context.Context, _ bridge.Event) error {
		close(storing)
		<-stored
		return ctx.Err()
	}
	stop := s.runSocket(t, zap.NewNop())
	sent := make(chan slacktest.Sent, 1)
	go func() { sent <- s.slack.Event(map[string]any{"type": "team_join"}) }()
	<-storing
	stopped := make(chan struct{})
	go func() {
		stop()
		close(stopped)
	}()
	close(stored)
	if got := <-sent; !got.OK() || got.Attempts != 1 {
		t.Errorf("%+v", got)
	}
	<-stopped
}

func TestAnAnswerThatSlackWouldDropGoesToTheResponseURL(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", maxAck)
	s := newStand(t, InboxOptions{Desk: deskFn(func(context.Context, url.Values) ([]byte, bool) {
		return []byte(`{"text":"` + long + `"}`), true
	})})
	s.runSocket(t, zap.NewNop())
	if sent := s.slack.Command("U1", s.slack.AddChannel("ops"), "/argo", "list"); !sent.OK() || len(sent.Body) != 0 {
		t.Errorf("%+v", sent)
	}
	if !s.slack.Until(soon, func() bool { return len(s.slack.Responses()) == 1 }) || s.slack.Responses()[0].Text != long {
		t.Errorf("got %d answers", len(s.slack.Responses()))
	}
}

func FuzzSocketEnvelopes(f *testing.F) {
	f.Add([]byte(`{"type":"hello"}`))
	f.Add([]byte(`{"type":"disconnect","reason":"warning"}`))
	f.Add([]byte(`{"type":"slash_commands","envelope_id":"a","payload":{"command":"/x","n":1,"b":true}}`))
	f.Add([]byte(`{"type":"events_api","envelope_id":"a","payload":{"type":"event_callback"}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		_ = greeting(raw)
		e, err := openEnvelope(raw)
		if err != nil {
			return
		}
		d, ok, err := e.delivery()
		if err != nil || !ok {
			return
		}
		set := 0
		for _, there := range []bool{d.Event != nil, d.Interaction != nil, d.Command != nil} {
			if there {
				set++
			}
		}
		if set != 1 {
			t.Errorf("%d bodies of %s", set, raw)
		}
		b := &bus{}
		_, _ = NewInbox(b, InboxOptions{}).Take(t.Context(), d)
		if len(b.stored()) > 0 && !json.Valid(bytes.Clone(b.stored()[0].Data)) {
			t.Errorf("stored %s", b.stored()[0].Data)
		}
	})
}
