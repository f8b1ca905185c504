package slacktest

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/slack-go/slack"
)

func TestPostingHoldsToSlacksRules(t *testing.T) {
	t.Parallel()
	s, _, api := start(t)
	s.Unlimited()
	open := s.AddChannel("open")
	s.Change(s.AddChannel("gone"), func(c *Channel) { c.Archived = true })
	s.Change(s.AddChannel("other"), func(c *Channel) { c.Member = false })
	s.Change(s.AddChannel("secret"), func(c *Channel) { c.Member, c.Private = false, true })
	user := s.AddUser("ann")
	root := s.Say(open, user, "", "help")
	reply := s.Say(open, user, root, "me too")
	tests := map[string]struct {
		channel string
		options []slack.MsgOption
		want    string
	}{
		"by name":                        {"#open", []slack.MsgOption{say("x")}, ""},
		"by id":                          {open.ID, []slack.MsgOption{say("x")}, ""},
		"to a user":                      {user, []slack.MsgOption{say("x")}, ""},
		"to a channel that is not there": {"#none", []slack.MsgOption{say("x")}, "channel_not_found"},
		"to one that the app is not in":  {"#other", []slack.MsgOption{say("x")}, "not_in_channel"},
		"to a private one":               {"#secret", []slack.MsgOption{say("x")}, "channel_not_found"},
		"to an archived one":             {"#gone", []slack.MsgOption{say("x")}, "is_archived"},
		"nothing":                        {"#open", nil, "no_text"},
		"too much":                       {"#open", []slack.MsgOption{say(strings.Repeat("x", 40001))}, "msg_too_long"},
		"in a thread":                    {"#open", []slack.MsgOption{say("x"), slack.MsgOptionTS(root)}, ""},
		"in a reply's thread":            {"#open", []slack.MsgOption{say("x"), slack.MsgOptionTS(reply)}, "thread_not_found"},
		"in a thread of another channel": {user, []slack.MsgOption{say("x"), slack.MsgOptionTS(root)}, "thread_not_found"},
		"metadata without a type":        {"#open", []slack.MsgOption{say("x"), slack.MsgOptionMetadata(slack.SlackMetadata{EventPayload: map[string]any{"a": 1}})}, "invalid_metadata_schema"},
		"a bad block":                    {"#open", []slack.MsgOption{slack.MsgOptionBlocks(slack.NewHeaderBlock(slack.NewTextBlockObject("mrkdwn", "x", false, false)))}, "invalid_blocks"},
		"a bad block in an attachment": {"#open", []slack.MsgOption{slack.MsgOptionAttachments(slack.Attachment{Blocks: slack.Blocks{BlockSet: []slack.Block{
			slack.NewSectionBlock(slack.NewTextBlockObject("mrkdwn", strings.Repeat("x", 3001), false, false), nil, nil),
		}}})}, "invalid_attachments"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, _, err := api.PostMessageContext(t.Context(), tt.channel, tt.options...)
			if got := word(t, err); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestAThreadIsApartUnlessItIsBroadcast(t *testing.T) {
	t.Parallel()
	s, _, api := start(t)
	c := s.AddChannel("open")
	_, root, _ := api.PostMessage(c.ID, say("root"))
	_, _, err := api.PostMessage(c.ID, say("quiet"), slack.MsgOptionTS(root))
	_, _, err2 := api.PostMessage(c.ID, say("loud"), slack.MsgOptionTS(root), slack.MsgOptionBroadcast())
	h, err3 := api.GetConversationHistory(&slack.GetConversationHistoryParameters{ChannelID: c.ID})
	r, _, _, err4 := api.GetConversationReplies(&slack.GetConversationRepliesParameters{ChannelID: c.ID, Timestamp: root})
	for _, e := range []error{err, err2, err3, err4} {
		if e != nil {
			t.Fatal(e)
		}
	}
	texts := func(all []slack.Message) (out []string) {
		for _, m := range all {
			out = append(out, m.Text)
		}
		return out
	}
	if diff := cmp.Diff([]string{"loud", "root"}, texts(h.Messages)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"root", "quiet", "loud"}, texts(r)); diff != "" || r[0].ReplyCount != 2 {
		t.Error(diff, r[0].ReplyCount)
	}
}

func TestAnUpdateChangesWhatItNames(t *testing.T) {
	t.Parallel()
	s, _, api := start(t)
	c := s.AddChannel("open")
	users := s.Say(c, s.AddUser("ann"), "", "mine")
	section := slack.MsgOptionBlocks(slack.NewSectionBlock(slack.NewTextBlockObject("mrkdwn", "b", false, false), nil, nil))
	_, ts, err := api.PostMessage(c.ID, say("first"), section, slack.MsgOptionAttachments(slack.Attachment{Text: "a"}),
		slack.MsgOptionMetadata(slack.SlackMetadata{EventType: "e", EventPayload: map[string]any{"key": "1"}}))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, _, err := api.UpdateMessage(c.ID, ts, say("second")); err != nil {
		t.Fatal(err)
	}
	m, _ := s.Message(c.ID, ts)
	if m.Text != "second" || m.Blocks != nil || m.Attachments == nil || m.Metadata.Payload["key"] != "1" || len(m.Edits) != 1 || m.Edits[0].Text != "first" {
		t.Errorf("got %+v", m)
	}
	// An empty list takes attachments away; slack-go sends none for no arguments at all.
	if _, _, _, err := api.UpdateMessage(c.ID, ts, section, slack.MsgOptionAttachments([]slack.Attachment{}...)); err != nil {
		t.Fatal(err)
	}
	if m, _ := s.Message(c.ID, ts); string(m.Attachments) != "[]" || m.Text != "" {
		t.Errorf("got %+v", m)
	}
	for name, tt := range map[string]struct{ channel, ts, want string }{
		"a user's message":    {c.ID, users, "cant_update_message"},
		"one that is not":     {c.ID, "1.000001", "message_not_found"},
		"a channel by name":   {"#open", ts, "channel_not_found"},
		"a channel elsewhere": {"C1", ts, "channel_not_found"},
	} {
		_, _, _, err := api.UpdateMessage(tt.channel, tt.ts, say("x"))
		if got := word(t, err); got != tt.want {
			t.Errorf("%s: got %q, want %q", name, got, tt.want)
		}
	}
	s.Change(c, func(c *Channel) { c.Archived = true })
	if _, _, _, err := api.UpdateMessage(c.ID, ts, say("x")); word(t, err) != "is_inactive" {
		t.Errorf("in an archived channel: %v", err)
	}
	s.Change(c, func(c *Channel) { c.Archived = false })
	if _, _, err := api.DeleteMessage(c.ID, ts); err != nil {
		t.Fatal(err)
	}
	if _, _, _, err := api.UpdateMessage(c.ID, ts, say("x")); word(t, err) != "message_not_found" {
		t.Errorf("a deleted message: %v", err)
	}
}

func TestOnlyMembersSeeAnEphemeralMessage(t *testing.T) {
	t.Parallel()
	s, _, api := start(t)
	ann, bob := s.AddUser("ann"), s.AddUser("bob")
	c := s.AddChannel("open")
	s.Change(c, func(c *Channel) { c.Members = []string{ann} })
	_, err := api.PostEphemeral(c.ID, ann, say("psst"))
	if _, no := api.PostEphemeral(c.ID, bob, say("psst")); err != nil || word(t, no) != "user_not_in_channel" {
		t.Errorf("%v, %v", err, no)
	}
	if all := s.Ephemerals(); len(all) != 1 || all[0].User != ann || all[0].Text != "psst" || len(s.Messages()) != 0 {
		t.Errorf("got %+v", all)
	}
}

func TestAPermalinkLeadsToTheThread(t *testing.T) {
	t.Parallel()
	s, _, api := start(t)
	c := s.AddChannel("open")
	root := s.Say(c, "U1", "", "x")
	reply := s.Say(c, "U1", root, "x")
	link, err := api.GetPermalink(&slack.PermalinkParameters{Channel: c.ID, Ts: reply})
	if err != nil || !strings.Contains(link, "/archives/"+c.ID+"/p"+strings.ReplaceAll(reply, ".", "")+"?cid=") {
		t.Errorf("%s %v", link, err)
	}
	_, err = api.GetPermalink(&slack.PermalinkParameters{Channel: c.ID, Ts: "1.0"})
	if word(t, err) != "message_not_found" {
		t.Error(err)
	}
}

func TestAChannelTakesAboutOneMessageASecond(t *testing.T) {
	t.Parallel()
	s, clock, api := start(t)
	a, b := s.AddChannel("a"), s.AddChannel("b")
	for i := range postBurst + 1 {
		_, _, err := api.PostMessage(a.ID, say("x"))
		if got := word(t, err); (got == "") != (i < postBurst) {
			t.Errorf("message %d: %q", i, got)
		}
	}
	if _, _, err := api.PostMessage(b.ID, say("x")); err != nil {
		t.Errorf("another channel: %v", err)
	}
	clock.Advance(500 * time.Millisecond)
	if _, _, err := api.PostMessage("#a", say("x")); word(t, err) != "ratelimited" || s.Unheeded() != 1 || s.Limited() != 2 {
		t.Errorf("too early: %v, unheeded %d, limited %d", err, s.Unheeded(), s.Limited())
	}
	clock.Advance(500 * time.Millisecond)
	if _, _, err := api.PostMessage(a.ID, say("x")); err != nil || s.Unheeded() != 1 {
		t.Errorf("in time: %v, unheeded %d", err, s.Unheeded())
	}
}

func TestAMethodHasItsTierInEachWorkspace(t *testing.T) {
	t.Parallel()
	s, clock, api := start(t)
	c := s.AddChannel("a")
	_, ts, _ := api.PostMessage(c.ID, say("x"))
	for range tier3 {
		if _, _, _, err := api.UpdateMessage(c.ID, ts, say("x")); err != nil {
			t.Fatal(err)
		}
	}
	_, _, _, err := api.UpdateMessage(c.ID, ts, say("x"))
	if word(t, err) != "ratelimited" {
		t.Errorf("got %v", err)
	}
	other := s.AddTeam("T2", "xoxb-2")
	if _, err := s.clientOf(other.Token).AuthTest(); err != nil {
		t.Error(err)
	}
	clock.Advance(2 * time.Second)
	if _, _, _, err := api.UpdateMessage(c.ID, ts, say("x")); err != nil {
		t.Error(err)
	}
}

func TestA429ThatATestAsksForMustBeHeededToo(t *testing.T) {
	t.Parallel()
	s, clock, api := start(t)
	c := s.AddChannel("a")
	s.Fail("chat.postMessage", Fault{Status: http.StatusTooManyRequests, RetryAfter: 7})
	for range 2 {
		if _, _, err := api.PostMessage(c.ID, say("x")); word(t, err) != "ratelimited" {
			t.Errorf("got %v", err)
		}
	}
	clock.Advance(7 * time.Second)
	if _, _, err := api.PostMessage(c.ID, say("x")); err != nil || s.Unheeded() != 1 {
		t.Errorf("%v, %d", err, s.Unheeded())
	}
}

func TestJSONBodiesAreTaken(t *testing.T) {
	t.Parallel()
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(`{"channel": "C1", "view": {"type": "modal"}, "limit": 7}`))
	r.Header.Set("Content-Type", "application/json")
	form := arguments(r)
	if form.Get("channel") != "C1" || form.Get("view") != `{"type": "modal"}` || form.Get("limit") != "7" {
		t.Errorf("got %v", form)
	}
}
