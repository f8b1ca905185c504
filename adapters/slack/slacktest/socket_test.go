package slacktest

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"
)

const soon = 10 * time.Second

// TestSlackGosClientUnderstandsTheSocket: what is sent is what Slack's own clients read.
func TestSlackGosClientUnderstandsTheSocket(t *testing.T) {
	t.Parallel()
	s, _, api := start(t)
	client := socketmode.New(api)
	ctx, cancel := context.WithCancel(t.Context())
	ended, seen := make(chan struct{}), make(chan string, 10)
	go func() {
		defer close(ended)
		_ = client.RunContext(ctx)
	}()
	read := make(chan struct{})
	go func() {
		defer close(read)
		for {
			select {
			case <-ended:
				return
			case e := <-client.Events:
				if e.Request == nil || e.Request.EnvelopeID == "" {
					continue
				}
				seen <- string(e.Type)
				var answer []any
				if e.Type == socketmode.EventTypeSlashCommand {
					answer = append(answer, map[string]string{"text": "hello " + e.Data.(slack.SlashCommand).Text})
				}
				if err := client.Ack(*e.Request, answer...); err != nil {
					t.Error(err)
				}
			}
		}
	}()
	if !s.Until(soon, func() bool { return s.Sockets() == 1 }) {
		t.Fatal("no connection")
	}
	c, ann := s.AddChannel("ops"), s.AddUser("ann")
	if _, sent := s.Mention(ann, c, "hi"); !sent.OK() || sent.Attempts != 1 {
		t.Errorf("event: %+v", sent)
	}
	if sent := s.Command(ann, c, "/argo", "you"); !sent.OK() || !strings.Contains(string(sent.Body), "hello you") {
		t.Errorf("command: %+v, %s", sent, sent.Body)
	}
	if sent := s.Press(ann, posted(t, s, api, c), "retry", nil); !sent.OK() {
		t.Errorf("button: %+v", sent)
	}
	cancel()
	<-ended
	<-read
	for _, want := range []socketmode.EventType{socketmode.EventTypeEventsAPI, socketmode.EventTypeSlashCommand, socketmode.EventTypeInteractive} {
		if got := <-seen; got != string(want) {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

// dial opens a connection and reads the greeting.
func dial(t *testing.T, s *Server, api *slack.Client) (*websocket.Conn, map[string]any) {
	t.Helper()
	_, address, err := api.StartSocketModeContext(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c, _, err := websocket.DefaultDialer.Dial(address, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	var hello map[string]any
	if err := c.ReadJSON(&hello); err != nil {
		t.Fatal(err)
	}
	if _, r, err := websocket.DefaultDialer.Dial(address, nil); err == nil || r.StatusCode != http.StatusNotFound {
		t.Error("an address is good twice")
	}
	return c, hello
}

func TestAnEventThatIsNotAcknowledgedGoesToAnotherConnection(t *testing.T) {
	t.Parallel()
	s, _, api := start(t)
	s.Patience(100 * time.Millisecond)
	silent, hello := dial(t, s, api)
	other, second := dial(t, s, api)
	if hello["type"] != "hello" || hello["num_connections"] != 1.0 || second["num_connections"] != 2.0 {
		t.Errorf("got %v, %v", hello, second)
	}
	got := make(chan map[string]any, 4)
	read := func(c *websocket.Conn, ack bool) {
		var e map[string]any
		for c.ReadJSON(&e) == nil {
			got <- e
			if ack {
				_ = c.WriteJSON(map[string]any{"envelope_id": e["envelope_id"]})
			}
			e = nil
		}
	}
	go read(silent, false)
	go read(other, true)
	s.socket.turn = 1 // the silent one is next
	sent := s.Event(map[string]any{"type": "team_join"})
	first, again := <-got, <-got
	if !sent.OK() || sent.Attempts != 2 || first["envelope_id"] == again["envelope_id"] || again["retry_attempt"] != 1.0 || again["retry_reason"] != "http_timeout" {
		t.Errorf("%+v, %v, %v", sent, first, again)
	}
}

func TestWithoutAConnectionNothingIsDelivered(t *testing.T) {
	t.Parallel()
	s, clock, _ := start(t)
	if sent := s.Command("U1", s.AddChannel("ops"), "/argo", ""); sent.OK() || sent.Reason != "connection_failed" {
		t.Errorf("%+v", sent)
	}
	if sent := s.Event(map[string]any{"type": "team_join"}); sent.OK() {
		t.Errorf("%+v", sent)
	}
	clock.Advance(time.Minute)
	if again := s.Retry(); len(again) != 1 || again[0].Attempts != 3 {
		t.Errorf("%+v", again)
	}
}

func TestOnlyTheAppLevelTokenOpensAConnection(t *testing.T) {
	t.Parallel()
	s, _, _ := start(t)
	for token, want := range map[string]string{"xapp-2": "invalid_auth", testToken: "not_allowed_token_type", "": "not_authed"} {
		api := slack.New("", slack.OptionAppLevelToken(token), slack.OptionAPIURL(s.APIURL()))
		if _, _, err := api.StartSocketModeContext(t.Context()); word(t, err) != want {
			t.Errorf("%q: %v, want %s", token, err, want)
		}
	}
}
