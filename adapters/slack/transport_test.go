package slack

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/argo-bridge/argo-bridge/adapters/slack/slacktest"
	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/slack-go/slack"
	"go.uber.org/zap"
)

const botToken = "xoxb-1234-secret"

// soon bounds what a test waits for.
const soon = 10 * time.Second

// A stand is Slack, an inbox, and the bus behind it.
type stand struct {
	slack *slacktest.Server
	clock *slacktest.Clock
	bus   *bus
	down  atomic.Bool
	in    *counts
	inbox *Inbox
}

func newStand(t *testing.T, o InboxOptions) *stand {
	t.Helper()
	s := &stand{clock: slacktest.NewClock(sentAt), in: &counts{}}
	server, err := slacktest.New(slacktest.Options{Token: botToken, AppToken: "xapp-1", SigningSecret: secret, Now: s.clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	s.slack = server
	s.bus = &bus{PublishFn: func(context.Context, bridge.Event) error {
		if s.down.Load() {
			return errors.New("no stream")
		}
		return nil
	}}
	o.Now, o.Observer = s.clock.Now, s.in
	o.Workspaces = NewWorkspaces(Secrets{Token: botToken}, WorkspaceOptions{APIURL: server.APIURL()})
	s.inbox = NewInbox(s.bus, o)
	t.Cleanup(s.inbox.Close)
	return s
}

// transports are the ways by which Slack's deliveries come to an inbox.
var transports = map[string]func(t *testing.T, s *stand){
	"over HTTP": func(t *testing.T, s *stand) {
		h := NewWebhooks([]string{secret}, s.inbox)
		mux := http.NewServeMux()
		mux.Handle("/webhooks/slack/events", h.Events())
		mux.Handle("/webhooks/slack/commands", h.Commands())
		mux.Handle("/webhooks/slack/interactions", h.Interactions())
		server := httptest.NewServer(mux)
		t.Cleanup(server.Close)
		s.slack.DeliverTo(server.URL)
	},
	"over a WebSocket": func(t *testing.T, s *stand) { s.runSocket(t, zap.NewNop()) },
}

// runSocket keeps a connection until the test's end, or until the function that it returns is called.
func (s *stand) runSocket(t *testing.T, log *zap.Logger) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		done <- NewSocket("xapp-1", s.inbox, SocketOptions{APIURL: s.slack.APIURL(), Logger: log}).Run(ctx)
	}()
	stop = func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		done <- nil
	}
	t.Cleanup(stop)
	s.connected(t, 1)
	return stop
}

func (s *stand) connected(t *testing.T, n int) {
	t.Helper()
	if !s.slack.Until(soon, func() bool { return s.slack.Sockets() == n }) {
		t.Fatalf("%d connections, want %d", s.slack.Sockets(), n)
	}
}

func (s *stand) types() string {
	var all []string
	for _, e := range s.bus.stored() {
		all = append(all, e.Type)
	}
	return strings.Join(all, " ")
}

// TestEachTransportKeepsThePromises: what is taken is stored, what is not stored comes again.
func TestEachTransportKeepsThePromises(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		options InboxOptions
		run     func(t *testing.T, s *stand)
	}{
		"an event": {run: func(t *testing.T, s *stand) {
			c, ann := s.slack.AddChannel("ops"), s.slack.AddUser("ann")
			_, sent := s.slack.Mention(ann, c, "help")
			if !sent.OK() || sent.Attempts != 1 || s.types() != "com.slack.app_mention" {
				t.Errorf("%+v, stored %s", sent, s.types())
			}
		}},
		"an event while the bus is down": {run: func(t *testing.T, s *stand) {
			s.down.Store(true)
			s.slack.Patience(200 * time.Millisecond)
			if sent := s.slack.Event(map[string]any{"type": "team_join"}); sent.OK() || sent.Attempts != 2 || s.types() != "" {
				t.Errorf("%+v, stored %s", sent, s.types())
			}
			s.down.Store(false)
			s.slack.Patience(soon)
			s.clock.Advance(time.Minute)
			if again := s.slack.Retry(); len(again) != 1 || !again[0].OK() || s.types() != "com.slack.team_join" {
				t.Errorf("%+v, stored %s", again, s.types())
			}
			if !strings.HasPrefix(s.bus.stored()[0].ID, "Ev") {
				t.Errorf("the id is %s", s.bus.stored()[0].ID)
			}
		}},
		"the app's own event": {run: func(t *testing.T, s *stand) {
			sent := s.slack.Event(map[string]any{"type": "message", "user": s.slack.Team().BotUser, "channel": "C1", "ts": "1.2"})
			if !sent.OK() || s.types() != "" || strings.Join(s.in.refused, ",") != refusedOwn {
				t.Errorf("%+v, stored %q, refused %v", sent, s.types(), s.in.refused)
			}
		}},
		"an event of another workspace": {run: func(t *testing.T, s *stand) {
			sent := s.slack.AddTeam("T0OTHER", "xoxb-2").Event(map[string]any{"type": "team_join"})
			if !sent.OK() || s.types() != "" || strings.Join(s.in.refused, ",") != refusedWorkspace {
				t.Errorf("%+v, stored %q, refused %v", sent, s.types(), s.in.refused)
			}
		}},
		"an event that nobody can use": {run: func(t *testing.T, s *stand) {
			if sent := s.slack.Event(map[string]any{"type": "no name"}); sent.Attempts != 1 || s.types() != "" {
				t.Errorf("%+v, stored %q", sent, s.types())
			}
		}},
		"a command": {run: func(t *testing.T, s *stand) {
			sent := s.slack.Command("U1", s.slack.AddChannel("ops"), "/deploy", "staging v1")
			var answer struct{ Text string }
			if err := json.Unmarshal(sent.Body, &answer); err != nil || !sent.OK() || answer.Text != "Accepted `/deploy`." || s.types() != "com.slack.command" {
				t.Errorf("%+v, %s, stored %s", sent, sent.Body, s.types())
			}
			f, _, err := FactFinder{}.Facts(s.bus.stored()[0])
			if err != nil || f.Values["text"][0] != "staging v1" || f.Values["workspaces"][0] != slacktest.TeamID {
				t.Errorf("got %+v, %v", f, err)
			}
		}},
		"a command with 10,000 arguments": {run: func(t *testing.T, s *stand) {
			sent := s.slack.Command("U1", s.slack.AddChannel("ops"), "/deploy", strings.Repeat("a=<!channel> ", 10000))
			if !sent.OK() || sent.Fault != "" || s.types() != "com.slack.command" || len(sent.Body) > 1000 || strings.Contains(string(sent.Body), "<!channel>") {
				t.Errorf("%v, %d bytes, stored %s", sent.Reason, len(sent.Body), s.types())
			}
		}},
		"a command while the bus is down": {run: func(t *testing.T, s *stand) {
			s.down.Store(true)
			s.slack.Patience(200 * time.Millisecond)
			if sent := s.slack.Command("U1", s.slack.AddChannel("ops"), "/deploy", ""); sent.OK() {
				t.Errorf("%+v", sent)
			}
		}},
		"a command of another workspace": {run: func(t *testing.T, s *stand) {
			c := s.slack.AddTeam("T0OTHER", "xoxb-2").AddChannel("there")
			sent := s.slack.Command("U1", c, "/deploy", "")
			if !sent.OK() || !strings.Contains(string(sent.Body), "none of those") || s.types() != "" {
				t.Errorf("%+v, %s", sent, sent.Body)
			}
		}},
		"a command for the desk": {
			options: InboxOptions{Desk: deskFn(func(_ context.Context, form url.Values) ([]byte, bool) {
				return []byte(`{"text":"` + form.Get("text") + `"}`), true
			})},
			run: func(t *testing.T, s *stand) {
				sent := s.slack.Command("U1", s.slack.AddChannel("ops"), "/argo", "list")
				if !sent.OK() || string(sent.Body) != `{"text":"list"}` || s.types() != "" {
					t.Errorf("%+v, %s", sent, sent.Body)
				}
			},
		},
		"a button": {run: func(t *testing.T, s *stand) {
			c := s.slack.AddChannel("ops")
			button := slack.NewButtonBlockElement("retry", "v", slack.NewTextBlockObject(slack.PlainTextType, "Retry", false, false))
			api := slack.New(botToken, slack.OptionAPIURL(s.slack.APIURL()))
			_, ts, err := api.PostMessage(c.ID, slack.MsgOptionBlocks(slack.NewActionBlock("", button)))
			m, _ := s.slack.Message(c.ID, ts)
			if sent := s.slack.Press("U1", m, "retry", nil); err != nil || !sent.OK() || len(sent.Body) != 0 || s.types() != "com.slack.action" {
				t.Errorf("%v, %+v, stored %s", err, sent, s.types())
			}
		}},
		"a modal": {run: func(t *testing.T, s *stand) {
			plain := slack.NewTextBlockObject(slack.PlainTextType, "Run", false, false)
			api := slack.New(botToken, slack.OptionAPIURL(s.slack.APIURL()))
			_, err := api.OpenView(s.slack.Trigger(s.slack.AddUser("ann")), slack.ModalViewRequest{Type: slack.VTModal, Title: plain, CallbackID: "run",
				Blocks: slack.Blocks{BlockSet: []slack.Block{slack.NewDividerBlock()}}})
			if err != nil {
				t.Fatal(err)
			}
			if out := s.slack.Submit(s.slack.Views()[0], nil); !out.OK() || !out.Closed || s.types() != "com.slack.view_submission" {
				t.Errorf("%+v, stored %s", out, s.types())
			}
		}},
	}
	for way, connect := range transports {
		for name, tt := range tests {
			t.Run(name+" "+way, func(t *testing.T) {
				t.Parallel()
				s := newStand(t, tt.options)
				connect(t, s)
				tt.run(t, s)
			})
		}
	}
}
