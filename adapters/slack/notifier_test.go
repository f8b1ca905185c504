package slack

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/argo-bridge/argo-bridge/adapters/slack/slacktest"
	"github.com/argo-bridge/argo-bridge/bridge"
)

const botToken = "xoxb-1234-secret"

func workspace(t *testing.T) (*slacktest.Server, *Notifier, *slacktest.Channel) {
	t.Helper()
	s := slacktest.NewServer(botToken)
	t.Cleanup(s.Close)
	s.Unlimited()
	c := s.AddChannel("data-alerts")
	return s, NewNotifier(botToken, NotifierOptions{APIURL: s.APIURL()}), c
}

func to(target string) bridge.Notification {
	n := failed()
	n.To.Target = target
	return n
}

func TestNotifyPostsOneMessageToThePlace(t *testing.T) {
	t.Parallel()
	s, n, c := workspace(t)
	ann := s.AddUser("ann")
	asked := s.Say(c, ann, "", "deploy!")
	tests := map[string]struct{ target, replyTo, channel, thread string }{
		"a channel's name":     {"#data-alerts", "", c.ID, ""},
		"a channel's id":       {c.ID, "", c.ID, ""},
		"a user's name":        {"@ann", "", "D" + ann[1:], ""},
		"a user's id":          {ann, "", "D" + ann[1:], ""},
		"a reply in a thread":  {"reply", c.ID + "/" + asked, c.ID, asked},
		"a reply in a channel": {"reply", c.ID, c.ID, ""},
	}
	for name, tt := range tests { // one after the other: they share the workspace
		m := to(tt.target)
		m.Key = name
		if tt.replyTo != "" {
			m.Run.Annotations[bridge.AnnotationReplyTo] = tt.replyTo
		}
		ctx := context.Background()
		if sent, err := n.Sent(ctx, m); sent || err != nil {
			t.Errorf("%s: before: sent is %v, %v", name, sent, err)
		}
		if err := n.Notify(ctx, m); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		all := s.Messages()
		got := all[len(all)-1]
		if got.Channel != tt.channel || got.ThreadTS != tt.thread || got.Metadata.EventType != MetadataType || got.Metadata.Payload["key"] != name {
			t.Errorf("%s: got %+v", name, got)
		}
		if sent, err := n.Sent(ctx, m); !sent || err != nil {
			t.Errorf("%s: after: sent is %v, %v", name, sent, err)
		}
	}
	if got := len(s.Messages()); got != len(tests) {
		t.Errorf("%d messages, want %d", got, len(tests))
	}
}

func TestNotifyErrors(t *testing.T) {
	t.Parallel()
	word := func(w string) slacktest.Fault { return slacktest.Fault{Error: w} }
	tests := map[string]struct {
		fault     slacktest.Fault
		permanent bool
		wait      time.Duration
		says      string
	}{
		"too fast":                   {slacktest.Fault{Status: 429, RetryAfter: 17}, false, 17 * time.Second, ""},
		"too fast without a time":    {slacktest.Fault{Status: 429}, false, unnamedWait, ""},
		"too fast in words":          {word("ratelimited"), false, unnamedWait, ""},
		"not in the channel":         {word("not_in_channel"), true, 0, "invite the app to #data-alerts: /invite @argo-bridge"},
		"no such channel":            {word("channel_not_found"), true, 0, "does not exist"},
		"archived":                   {word("is_archived"), true, 0, "archived"},
		"a revoked token":            {word("token_revoked"), true, 0, "install the app again"},
		"an invalid token":           {word("invalid_auth"), true, 0, "tokenFile"},
		"a deleted app":              {word("account_inactive"), true, 0, "install the app again"},
		"a missing scope":            {word("missing_scope"), true, 0, "scope"},
		"invalid blocks":             {word("invalid_blocks"), true, 0, "invalid_blocks"},
		"too long":                   {word("msg_too_long"), true, 0, "msg_too_long"},
		"Slack's own error":          {word("internal_error"), false, 0, "internal_error"},
		"an unknown word":            {word("who_knows"), false, 0, "who_knows"},
		"a 500":                      {slacktest.Fault{Status: 500}, false, 0, "500"},
		"a 503":                      {slacktest.Fault{Status: 503}, false, 0, "503"},
		"a 404":                      {slacktest.Fault{Status: 404}, true, 0, "404"},
		"a page of a proxy":          {slacktest.Fault{Body: "<html>token " + botToken + "</html>"}, false, 0, ""},
		"not ok without a word":      {slacktest.Fault{Body: `{"ok":false}`}, false, 0, "neither"},
		"the token in Slack's words": {word("echo " + botToken), false, 0, "[token]"},
		"an answer that is lost":     {slacktest.Fault{Lost: true}, false, 0, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, n, _ := workspace(t)
			s.Fail("chat.postMessage", tt.fault)
			err := n.Notify(context.Background(), failed())
			if err == nil {
				t.Fatal("no error")
			}
			if wait, _ := bridge.Wait(err); bridge.IsPermanent(err) != tt.permanent || wait != tt.wait {
				t.Errorf("permanent %v, wait %v; want %v, %v (%v)", bridge.IsPermanent(err), wait, tt.permanent, tt.wait, err)
			}
			if !strings.Contains(err.Error(), tt.says) || !strings.Contains(err.Error(), "slack:#data-alerts") {
				t.Errorf("%q does not say %q and the destination", err, tt.says)
			}
			noToken(t, err)
		})
	}
}

// noToken holds that no error of the chain tells the token.
func noToken(t *testing.T, err error) {
	t.Helper()
	for ; err != nil; err = errors.Unwrap(err) {
		if strings.Contains(fmt.Sprintf("%v %+v %#v", err, err, err), botToken) {
			t.Errorf("the token leaves in %q", err)
		}
	}
}

func TestNoErrorTellsTheToken(t *testing.T) {
	t.Parallel()
	leak := roundTrip(func(r *http.Request) (*http.Response, error) {
		return nil, fmt.Errorf("dial with %s: %w", botToken, context.DeadlineExceeded)
	})
	n := NewNotifier(botToken, NotifierOptions{APIURL: "https://slack.example/" + botToken + "/", Client: &http.Client{Transport: leak}})
	for _, target := range []string{"#data-alerts", "@ann", "U123456", "reply", "nonsense"} {
		err := n.Notify(context.Background(), to(target))
		if err == nil {
			t.Fatalf("%s: no error", target)
		}
		noToken(t, err)
		if target == "#data-alerts" && (!errors.Is(err, context.DeadlineExceeded) || bridge.IsPermanent(err)) {
			t.Errorf("the end of a context is not to be seen in %v", err)
		}
		if _, err = n.Sent(context.Background(), to(target)); err == nil {
			t.Fatalf("%s: no error", target)
		}
		noToken(t, err)
	}
}

func TestPlacesThatAreNone(t *testing.T) {
	t.Parallel()
	s, n, c := workspace(t)
	gone := s.AddChannel("gone")
	s.Change(gone, func(c *slacktest.Channel) { c.Archived = true })
	alone := s.AddChannel("alone")
	s.Change(alone, func(c *slacktest.Channel) { c.Member = false })
	for target, says := range map[string]string{
		"#nowhere": "channel_not_found", "#gone": "is_archived", "#alone": "/invite @argo-bridge", "@nobody": "no user",
		"reply": "not started from Slack", "nonsense": "none of", "#": "none of", "C000000999": "channel_not_found",
	} {
		if err := n.Notify(context.Background(), to(target)); !bridge.IsPermanent(err) || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: got %v, want a permanent error that says %q", target, err, says)
		}
	}
	forged := to("reply")
	forged.Run.Annotations[bridge.AnnotationReplyTo] = c.ID + "/<script>"
	if err := n.Notify(context.Background(), forged); !bridge.IsPermanent(err) {
		t.Errorf("a forged place: %v", err)
	}
}

func TestAMessageInDoubtIsFoundAgain(t *testing.T) {
	t.Parallel()
	s, n, c := workspace(t)
	s.PageSize = 3 // so that the history has pages
	ctx := context.Background()
	for i := range 3 {
		s.AddChannel(fmt.Sprint("other-", i))
	}
	s.Fail("chat.postMessage", slacktest.Fault{Lost: true})
	doubt := to("#other-2")
	if err := n.Notify(ctx, doubt); err == nil || bridge.IsPermanent(err) {
		t.Fatalf("got %v, want a transient error", err)
	}
	for i := range 7 {
		later := to("#other-2")
		later.Key = fmt.Sprint("later-", i)
		if err := n.Notify(ctx, later); err != nil {
			t.Fatal(err)
		}
	}
	// Another replica, which knows no ids yet.
	other := NewNotifier(botToken, NotifierOptions{APIURL: s.APIURL()})
	if sent, err := other.Sent(ctx, doubt); !sent || err != nil {
		t.Errorf("sent is %v, %v; want it found", sent, err)
	}
	if got := s.Calls("conversations.history"); got < 3 {
		t.Errorf("%d pages were read, want 3", got)
	}
	lists := s.Calls("conversations.list")
	doubt.Key = "never-sent"
	if sent, err := other.Sent(ctx, doubt); sent || err != nil {
		t.Errorf("sent is %v, %v; want it not found", sent, err)
	}
	if got := s.Calls("conversations.list"); lists < 2 || got != lists {
		t.Errorf("the channel's id was looked up again (%d, %d calls)", lists, got)
	}
	old := to(c.ID)
	old.Created = time.Now().Add(24 * time.Hour)
	if sent, err := other.Sent(ctx, old); sent || err != nil {
		t.Errorf("sent is %v, %v", sent, err)
	}
}
