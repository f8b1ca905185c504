package slack

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/argo-bridge/argo-bridge/adapters/slack/slacktest"
	"github.com/argo-bridge/argo-bridge/bridge"
)

func webhooks(b *bus, c *counts, o InboxOptions) *Webhooks {
	o.Observer, o.Now = c, func() time.Time { return sentAt.Add(time.Second) }
	return NewWebhooks([]string{"old-secret", secret}, NewInbox(b, o))
}

func TestRequestsThatAreNotTaken(t *testing.T) {
	t.Parallel()
	stamped := func(at time.Time) func(*http.Request) {
		return func(r *http.Request) {
			ts := strconv.FormatInt(at.Unix(), 10)
			r.Header.Set(HeaderTimestamp, ts)
			r.Header.Set(HeaderSignature, Sign(secret, ts, fixture(t, "app_mention.json")))
		}
	}
	header := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	tests := map[string]struct {
		body    []byte
		change  func(*http.Request)
		publish error
		status  int
		reason  string
		noRetry bool
	}{
		"another method":                 {nil, func(r *http.Request) { r.Method = http.MethodGet }, nil, 405, "method", false},
		"no signature":                   {nil, func(r *http.Request) { r.Header.Del(HeaderSignature) }, nil, 401, "unsigned", false},
		"no timestamp":                   {nil, func(r *http.Request) { r.Header.Del(HeaderTimestamp) }, nil, 401, "unsigned", false},
		"a timestamp that is none":       {nil, header(HeaderTimestamp, "yesterday"), nil, 401, "unsigned", false},
		"a wrong signature":              {nil, header(HeaderSignature, Sign("guess", strconv.FormatInt(sentAt.Unix(), 10), fixture(t, "app_mention.json"))), nil, 401, "unsigned", false},
		"a signature of another kind":    {nil, header(HeaderSignature, "v1=00"), nil, 401, "unsigned", false},
		"a replay after six minutes":     {nil, stamped(sentAt.Add(-6 * time.Minute)), nil, 401, "stale", false},
		"a timestamp in the future":      {nil, stamped(sentAt.Add(6 * time.Minute)), nil, 401, "stale", false},
		"a forged old request":           {nil, header(HeaderTimestamp, "1"), nil, 401, "unsigned", false},
		"a body that is no JSON":         {[]byte("{"), nil, nil, 400, "malformed", true},
		"a body that is too large":       {make([]byte, MaxBody+1), nil, nil, 413, "too-large", true},
		"a bus that is down":             {nil, nil, errors.New("no"), 503, "bus-down", false},
		"an event too large for the bus": {nil, nil, bridge.Permanent(errors.New("no")), 413, "too-large", true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, c := &bus{PublishFn: func(context.Context, bridge.Event) error { return tt.publish }}, &counts{}
			body := tt.body
			if body == nil {
				body = fixture(t, "app_mention.json")
			}
			if tt.change == nil {
				tt.change = func(*http.Request) {}
			}
			w := send(webhooks(b, c, InboxOptions{}).Events(), body, tt.change)
			if w.Code != tt.status || !slices.Equal(c.refused, []string{tt.reason}) || len(b.events) != 0 {
				t.Errorf("got %d, refused %v, %d events; want %d, %s, 0", w.Code, c.refused, len(b.events), tt.status, tt.reason)
			}
			if got := w.Header().Get("X-Slack-No-Retry") == "1"; got != tt.noRetry {
				t.Errorf("X-Slack-No-Retry: got %v, want %v", got, tt.noRetry)
			}
		})
	}
}

func TestWithoutASecretNothingIsTaken(t *testing.T) {
	t.Parallel()
	b := &bus{}
	h := NewWebhooks([]string{""}, NewInbox(b, InboxOptions{Now: func() time.Time { return sentAt }}))
	body := fixture(t, "app_mention.json")
	ts := strconv.FormatInt(sentAt.Unix(), 10)
	w := send(h.Events(), body, func(r *http.Request) { r.Header.Set(HeaderSignature, Sign("", ts, body)) })
	if w.Code != http.StatusUnauthorized || len(b.events) != 0 {
		t.Errorf("got %d", w.Code)
	}
}

func TestEvents(t *testing.T) {
	t.Parallel()
	mention := string(fixture(t, "app_mention.json"))
	tests := map[string]struct {
		body      string
		published bool
		answer    string
		refused   string
	}{
		"an event is stored and then answered":          {mention, true, "", ""},
		"a challenge is echoed":                         {`{"type":"url_verification","challenge":"3eZbrw1aB","token":"t"}`, false, "3eZbrw1aB", ""},
		"a limit is counted":                            {`{"type":"app_rate_limited","team_id":"T1","minute_rate_limited":1518467820,"api_app_id":"A1"}`, false, "", "rate-limited"},
		"a message of the app itself is left out":       {strings.Replace(mention, `"user":"U0ANN"`, `"bot_id":"B1","app_id":"A0BRIDGE"`, 1), false, "", "own"},
		"so is one with the app's bot profile":          {strings.Replace(mention, `"user":"U0ANN"`, `"bot_id":"B1","bot_profile":{"id":"B1","app_id":"A0BRIDGE"}`, 1), false, "", "own"},
		"so is one by the app's bot user":               {strings.Replace(mention, "U0ANN", "U0BOT", 1), false, "", "own"},
		"so is an edit of the app's message":            {strings.Replace(mention, `"user":"U0ANN"`, `"message":{"bot_id":"B1","app_id":"A0BRIDGE"}`, 1), false, "", "own"},
		"a message of another app is stored":            {strings.Replace(mention, `"user":"U0ANN"`, `"bot_id":"B2","app_id":"A0OTHER"`, 1), true, "", ""},
		"the app's being invited is stored":             {strings.NewReplacer("U0ANN", "U0BOT", "app_mention", "member_joined_channel").Replace(mention), true, "", ""},
		"an event whose user is an object is stored":    {string(fixture(t, "team_join.json")), true, "", ""},
		"an event whose channel is an object is stored": {string(fixture(t, "channel_created.json")), true, "", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, c := &bus{}, &counts{}
			w := send(webhooks(b, c, InboxOptions{}).Events(), []byte(tt.body))
			if w.Code != http.StatusOK || w.Body.String() != tt.answer {
				t.Errorf("got %d %q, want 200 %q", w.Code, w.Body, tt.answer)
			}
			if got := len(b.events) == 1; got != tt.published || len(c.received) != len(b.events) {
				t.Errorf("published %v, want %v", b.events, tt.published)
			}
			if got := strings.Join(c.refused, ","); got != tt.refused {
				t.Errorf("refused %q, want %q", got, tt.refused)
			}
		})
	}
}

func TestInteractions(t *testing.T) {
	t.Parallel()
	for name, published := range map[string]bool{"block_actions.form": true, "shortcut.form": true, "view_submission.form": true, "view_closed.form": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, c := &bus{}, &counts{}
			w := send(webhooks(b, c, InboxOptions{}).Interactions(), fixture(t, name))
			if w.Code != http.StatusOK || w.Body.Len() != 0 {
				t.Errorf("got %d %q, want an empty 200", w.Code, w.Body)
			}
			if got := len(b.events) == 1; got != published {
				t.Errorf("published %v, want %v", b.events, published)
			}
		})
	}
}

func commandText(t *testing.T, body string) string {
	t.Helper()
	var a struct {
		Type string `json:"response_type"`
		Text string `json:"text"`
	}
	if err := json.Unmarshal([]byte(body), &a); err != nil || a.Type != "ephemeral" {
		t.Fatalf("not an ephemeral answer: %s (%v)", body, err)
	}
	return a.Text
}

func TestACommandIsAnsweredWithWhatBecameOfIt(t *testing.T) {
	t.Parallel()
	matched := bridge.Result{Template: "team/deploy", Rule: "default", Verdict: bridge.Matched, Workflow: "team/deploy-abc"}
	tests := map[string]struct {
		results []bridge.Result
		want    string
	}{
		"a run was started": {[]bridge.Result{matched}, ":rocket: `team/deploy` started: <https://argo.example/team/deploy-abc|team/deploy-abc>"},
		"one started, one was rejected": {
			[]bridge.Result{matched, {Template: "team/b", Rule: "nightly", Verdict: bridge.Rejected, Reason: "parameter", Detail: `"sha": is <null>`}},
			":rocket: `team/deploy` started: <https://argo.example/team/deploy-abc|team/deploy-abc>\n:warning: `team/b`: \"sha\": is &lt;null&gt;",
		},
		"the filters did not fit": {
			[]bridge.Result{{Template: "team/deploy", Rule: "prod", Verdict: bridge.Filtered, Reason: "channels", Detail: `channels: got "C0OPS"`}},
			"Nothing was started by `/deploy`:\n• `team/deploy` (rule `prod`): channels: got \"C0OPS\"",
		},
		"no template has a rule": {nil, "No template has a rule for `/deploy` here."},
		"what the channel has no access to is not told": {
			[]bridge.Result{{Template: "secret/x", Verdict: bridge.Filtered, Reason: bridge.ReasonAccess, Detail: "no"}},
			"No template has a rule for `/deploy` here.",
		},
		"a mention in a detail is harmless": {
			[]bridge.Result{{Template: "team/x", Rule: "default", Verdict: bridge.Filtered, Reason: "text", Detail: "got <!channel>"}},
			"Nothing was started by `/deploy`:\n• `team/x`: got &lt;!channel&gt;",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := &bus{}
			h := webhooks(b, &counts{}, InboxOptions{
				Link: func(w string) string { return "https://argo.example/" + w },
				Answers: answers(func(_ context.Context, e bridge.Event) (bridge.Record, error) {
					if len(b.stored()) != 1 || b.stored()[0].ID != e.ID {
						t.Error("asked for the outcome of an event that is not stored")
					}
					return bridge.Record{Done: true, Results: tt.results}, nil
				}),
			})
			defer h.inbox.Close()
			if got := commandText(t, send(h.Commands(), fixture(t, "command.form")).Body.String()); got != tt.want {
				t.Errorf("got\n%s\nwant\n%s", got, tt.want)
			}
		})
	}
}

func TestACommandWithoutABusFails(t *testing.T) {
	t.Parallel()
	h := webhooks(&bus{PublishFn: func(context.Context, bridge.Event) error { return errors.New("down") }}, &counts{}, InboxOptions{})
	if w := send(h.Commands(), fixture(t, "command.form")); w.Code != http.StatusServiceUnavailable {
		t.Errorf("got %d, want 503", w.Code)
	}
}

func TestALateOutcomeFollowsAtTheResponseURL(t *testing.T) {
	t.Parallel()
	s := slacktest.NewServer("t")
	defer s.Close()
	known := make(chan struct{})
	h := webhooks(&bus{}, &counts{}, InboxOptions{
		AnswerWithin: time.Millisecond + time.Second, // a second has passed by the test's clock
		Answers: answers(func(ctx context.Context, _ bridge.Event) (bridge.Record, error) {
			<-known
			return bridge.Record{Done: true}, nil
		}),
	})
	body := strings.Replace(string(fixture(t, "command.form")), "https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT0AAA%2F1%2Fabc", s.ResponseURL("abc"), 1)
	if got := commandText(t, send(h.Commands(), []byte(body)).Body.String()); !strings.HasPrefix(got, "Accepted `/deploy`") {
		t.Errorf("first answer: %s", got)
	}
	close(known)
	h.inbox.waiting.Wait()
	got := s.Responses()
	if len(got) != 1 || got[0].Path != "abc" || got[0].Type != "ephemeral" || !strings.HasPrefix(got[0].Text, "No template has a rule") {
		t.Errorf("second answer: %+v", got)
	}
	h.inbox.Close()
}

func TestTheWaitingForAnOutcomeEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var waited time.Duration
		h := NewWebhooks([]string{secret}, NewInbox(&bus{}, InboxOptions{
			Now: func() time.Time { return sentAt },
			Answers: answers(func(ctx context.Context, _ bridge.Event) (bridge.Record, error) {
				begun := time.Now()
				<-ctx.Done()
				waited = time.Since(begun)
				return bridge.Record{}, ctx.Err()
			}),
			Client: &http.Client{Transport: roundTrip(func(*http.Request) (*http.Response, error) { return nil, errors.New("no network") })},
		}))
		begun := time.Now()
		got := commandText(t, send(h.Commands(), fixture(t, "command.form")).Body.String())
		if took := time.Since(begun); took != answerWithin || !strings.HasPrefix(got, "Accepted") {
			t.Errorf("answered %q after %v, want it after %v", got, took, answerWithin)
		}
		h.inbox.waiting.Wait()
		if waited != answerLater {
			t.Errorf("waited %v, want %v", waited, answerLater)
		}
		h.inbox.Close()
	})
}

func TestACommandWhoseRuleHasToWaitSaysWhy(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var told string
		h := NewWebhooks([]string{secret}, NewInbox(&bus{}, InboxOptions{
			Now: func() time.Time { return sentAt },
			Answers: answers(func(ctx context.Context, _ bridge.Event) (bridge.Record, error) {
				<-ctx.Done()
				return bridge.Record{Results: []bridge.Result{{
					Template: "argo/deploy", Rule: bridge.DefaultRule, Verdict: bridge.Waiting, Detail: "5 of at most 5 workflows",
				}}}, ctx.Err()
			}),
			Client: &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
				body, err := io.ReadAll(r.Body)
				told = string(body)
				return nil, errors.Join(err, errors.New("no network"))
			})},
		}))
		send(h.Commands(), fixture(t, "command.form"))
		h.inbox.waiting.Wait()
		if !strings.Contains(told, "argo/deploy") || !strings.Contains(told, "waits for its turn: 5 of at most 5 workflows") {
			t.Errorf("told %s", told)
		}
		h.inbox.Close()
	})
}

func TestCloseEndsTheWaiting(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := NewWebhooks([]string{secret}, NewInbox(&bus{}, InboxOptions{
			Now: func() time.Time { return sentAt },
			Answers: answers(func(ctx context.Context, _ bridge.Event) (bridge.Record, error) {
				<-ctx.Done()
				return bridge.Record{}, ctx.Err()
			}),
			Client: &http.Client{Transport: roundTrip(func(*http.Request) (*http.Response, error) { return nil, errors.New("no network") })},
		}))
		send(h.Commands(), fixture(t, "command.form"))
		begun := time.Now()
		h.inbox.Close()
		if took := time.Since(begun); took != 0 {
			t.Errorf("Close took %v", took)
		}
		if got := commandText(t, send(h.Commands(), fixture(t, "command.form")).Body.String()); got != "Accepted `/deploy`." {
			t.Errorf("after Close: %q", got)
		}
	})
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func FuzzVerify(f *testing.F) {
	f.Add("1700000100", "v0=00", []byte("x"))
	f.Add("", "", []byte(nil))
	f.Fuzz(func(t *testing.T, ts, signature string, body []byte) {
		h := http.Header{}
		h[HeaderTimestamp], h[HeaderSignature] = []string{ts}, []string{signature}
		if _, reason := verify([]string{secret}, h, body, sentAt); reason == "" && signature != Sign(secret, ts, body) {
			t.Errorf("took the signature %q", signature)
		}
	})
}
