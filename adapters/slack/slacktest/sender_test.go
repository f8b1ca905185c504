package slacktest

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/slack-go/slack"
)

// An app takes what the server sends.
type app struct {
	mu       sync.Mutex
	requests []*http.Request
	bodies   []string
	answer   func(n int, w http.ResponseWriter, r *http.Request)
}

func (a *app) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b, _ := io.ReadAll(r.Body)
	a.mu.Lock()
	a.requests, a.bodies = append(a.requests, r), append(a.bodies, string(b))
	n := len(a.bodies)
	a.mu.Unlock()
	if a.answer != nil {
		a.answer(n, w, r)
	}
}

func (s *Server) install(t *testing.T, a *app) *app {
	t.Helper()
	h := httptest.NewServer(a)
	t.Cleanup(h.Close)
	s.DeliverTo(h.URL)
	return a
}

func (a *app) payload(t *testing.T, i int) (out map[string]any) {
	t.Helper()
	raw := a.bodies[i]
	if form, err := url.ParseQuery(raw); err == nil && form.Get("payload") != "" {
		raw = form.Get("payload")
	}
	if err := json.Unmarshal([]byte(raw), &out); err != nil {
		t.Fatal(err, raw)
	}
	return out
}

func TestWhatIsSentIsSigned(t *testing.T) {
	t.Parallel()
	s, _, _ := start(t)
	c, ann := s.AddChannel("ops"), s.AddUser("ann")
	a := s.install(t, &app{answer: func(_ int, w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, `{"text": "ok", "blocks": [{"type": "header"}]}`)
	}})
	sent := s.Command(ann, c, "/argo", "run deploy")
	if !sent.OK() || sent.Status != 200 || !strings.Contains(string(sent.Body), "ok") || !strings.HasPrefix(sent.Fault, "invalid_blocks") {
		t.Errorf("got %+v", sent)
	}
	r := a.requests[0]
	if _, err := slack.NewSecretsVerifier(r.Header, "shh"); err == nil {
		t.Error("it is signed with another time than the clock's") // noon is long ago
	}
	form, _ := url.ParseQuery(a.bodies[0])
	if r.URL.Path != "/webhooks/slack/commands" || form.Get("command") != "/argo" || form.Get("text") != "run deploy" || form.Get("team_id") != TeamID ||
		form.Get("user_name") != "ann" || form.Get("trigger_id") == "" || !strings.HasPrefix(form.Get("response_url"), s.http.URL) {
		t.Errorf("got %s %v", r.URL.Path, form)
	}
}

func TestAnEventIsSentFourTimesAtMost(t *testing.T) {
	t.Parallel()
	s, clock, _ := start(t)
	c, ann := s.AddChannel("ops"), s.AddUser("ann")
	a := s.install(t, &app{answer: func(n int, w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }})
	ts, sent := s.Mention(ann, c, "help")
	if sent.OK() || sent.Attempts != 2 || len(s.Retry()) != 0 {
		t.Errorf("got %+v", sent)
	}
	for i, wait := range []time.Duration{time.Minute, 5 * time.Minute} {
		clock.Advance(wait)
		if all := s.Retry(); len(all) != 1 || all[0].Attempts != 3+i {
			t.Errorf("after %v: %+v", wait, all)
		}
	}
	clock.Advance(time.Hour)
	if len(s.Retry()) != 0 || len(a.requests) != 4 {
		t.Errorf("%d requests", len(a.requests))
	}
	first, last := a.payload(t, 0), a.payload(t, 3)
	if first["event_id"] != last["event_id"] || first["event"].(map[string]any)["ts"] != ts {
		t.Errorf("got %v and %v", first, last)
	}
	for i, want := range []string{"", "1", "2", "3"} {
		if got := a.requests[i].Header.Get("X-Slack-Retry-Num"); got != want {
			t.Errorf("attempt %d: %q", i, got)
		}
	}
	if got := a.requests[1].Header.Get("X-Slack-Retry-Reason"); got != "http_error" {
		t.Errorf("got %q", got)
	}
}

func TestAnAppCanRefuseRetries(t *testing.T) {
	t.Parallel()
	s, _, _ := start(t)
	a := s.install(t, &app{answer: func(_ int, w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Slack-No-Retry", "1")
		w.WriteHeader(http.StatusBadRequest)
	}})
	if sent := s.Event(map[string]any{"type": "team_join"}); sent.OK() || sent.Attempts != 1 || len(a.requests) != 1 {
		t.Errorf("got %+v", sent)
	}
}

// posted puts a message with a button, a menu and an input into a channel.
func posted(t *testing.T, s *Server, api *slack.Client, c *Channel) Message {
	t.Helper()
	plain := func(s string) *slack.TextBlockObject {
		return slack.NewTextBlockObject(slack.PlainTextType, s, false, false)
	}
	button := slack.NewButtonBlockElement("retry", "v1", plain("Retry"))
	menu := slack.NewOptionsSelectBlockElement(slack.OptTypeStatic, nil, "more", slack.NewOptionBlockObject("a", plain("A"), nil))
	input := slack.NewInputBlock("why", plain("Why"), nil, slack.NewPlainTextInputBlockElement(nil, "text"))
	_, ts, err := api.PostMessage(c.ID, slack.MsgOptionBlocks(slack.NewActionBlock("", button, menu), input))
	if err != nil {
		t.Fatal(err)
	}
	m, _ := s.Message(c.ID, ts)
	return m
}

func TestAPressedButtonTellsItsMessageAndInputs(t *testing.T) {
	t.Parallel()
	s, _, api := start(t)
	c, ann := s.AddChannel("ops"), s.AddUser("ann")
	a := s.install(t, &app{})
	m := posted(t, s, api, c)
	if sent := s.Press(ann, m, "retry", map[string]string{"why": "flaky"}); !sent.OK() {
		t.Fatal(sent)
	}
	p := a.payload(t, 0)
	action := p["actions"].([]any)[0].(map[string]any)
	state := p["state"].(map[string]any)["values"].(map[string]any)["why"].(map[string]any)["text"].(map[string]any)
	if p["type"] != "block_actions" || action["value"] != "v1" || action["action_id"] != "retry" || state["value"] != "flaky" ||
		p["container"].(map[string]any)["message_ts"] != m.TS || p["channel"].(map[string]any)["id"] != c.ID {
		t.Errorf("got %v", p)
	}
	if sent := s.Choose(ann, m, "more", "a"); !sent.OK() {
		t.Error(sent)
	}
	for name, sent := range map[string]Sent{
		"no such button": s.Press(ann, m, "none", nil), "no such option": s.Choose(ann, m, "more", "b"), "no such input": s.Press(ann, m, "retry", map[string]string{"x": ""}),
	} {
		if sent.OK() || len(a.bodies) != 2 {
			t.Errorf("%s: %+v", name, sent)
		}
	}
	// The response_url of a button changes its message.
	post := func(body string) {
		r, err := http.Post(p["response_url"].(string), "application/json", strings.NewReader(body))
		if err != nil || r.StatusCode != http.StatusOK {
			t.Error(err, r)
			return
		}
		_ = r.Body.Close()
	}
	post(`{"replace_original": true, "text": "retried"}`)
	if m, _ := s.Message(c.ID, m.TS); m.Text != "retried" || len(m.Edits) != 1 {
		t.Errorf("got %+v", m)
	}
	post(`{"delete_original": true}`)
	if _, ok := s.Message(c.ID, m.TS); ok {
		t.Error("it is still there")
	}
}

func TestAResponseURLTakesFiveAnswersInThirtyMinutes(t *testing.T) {
	t.Parallel()
	s, clock, _ := start(t)
	post := func(path, body string) int {
		r, err := http.Post(s.ResponseURL(path), "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		_ = r.Body.Close()
		return r.StatusCode
	}
	if post("a", `{"text": ""}`) != 400 || post("a", `{`) != 400 {
		t.Error("took what is nothing")
	}
	for range responseUses {
		if got := post("a", `{"text": "x"}`); got != 200 {
			t.Errorf("got %d", got)
		}
	}
	if got := post("a", `{"text": "x"}`); got != 404 || len(s.Responses()) != responseUses {
		t.Errorf("a sixth: %d", got)
	}
	s.ResponseURL("b")
	clock.Advance(responseLife + time.Second)
	if got := post("b", `{"text": "x"}`); got != 404 {
		t.Errorf("too late: %d", got)
	}
}

func TestSlackGoTrustsTheSignature(t *testing.T) {
	t.Parallel()
	s, err := New(Options{Token: testToken, SigningSecret: "shh"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	a := s.install(t, &app{})
	for _, sent := range []Sent{s.Event(map[string]any{"type": "team_join"}), s.Command("U1", s.AddChannel("ops"), "/argo", "x y")} {
		if !sent.OK() {
			t.Error(sent)
		}
	}
	for i, r := range a.requests {
		v, err := slack.NewSecretsVerifier(r.Header, "shh")
		if err != nil {
			t.Fatal(err)
		}
		_, _ = v.Write([]byte(a.bodies[i]))
		if err := v.Ensure(); err != nil {
			t.Error(err)
		}
	}
}

func TestALateAnswerIsNone(t *testing.T) {
	t.Parallel()
	s, _, _ := start(t)
	s.Patience(50 * time.Millisecond)
	free := make(chan struct{})
	s.install(t, &app{answer: func(_ int, _ http.ResponseWriter, r *http.Request) {
		select {
		case <-free:
		case <-r.Context().Done():
		}
	}})
	t.Cleanup(func() { close(free) })
	if sent := s.Command("U1", s.AddChannel("ops"), "/argo", ""); sent.Status != 0 || sent.Reason != "http_timeout" {
		t.Errorf("%+v", sent)
	}
}
