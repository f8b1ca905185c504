package slack

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/argo-bridge/argo-bridge/adapters/slack/slacktest"
	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/google/go-cmp/cmp"
)

// twoWorkspaces are the default one, T0HOME, and T0AWAY.
func twoWorkspaces(t *testing.T) (*slacktest.Server, *Workspaces) {
	t.Helper()
	s, err := slacktest.New(slacktest.Options{Token: "xoxb-1", Team: "T0HOME"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	s.AddTeam("T0AWAY", "xoxb-12")
	return s, NewWorkspaces(Secrets{Token: "xoxb-1", Tokens: map[string]string{"T0AWAY": "xoxb-12"}}, WorkspaceOptions{APIURL: s.APIURL()})
}

func TestEachWorkspaceHasItsOwnToken(t *testing.T) {
	t.Parallel()
	s, w := twoWorkspaces(t)
	for team, want := range map[string]string{"": "T0HOME", "T0HOME": "T0HOME", "T0AWAY": "T0AWAY"} {
		c, err := w.Client(team)
		if err != nil {
			t.Fatal(err)
		}
		if who, err := c.AuthTestContext(t.Context()); err != nil || who.TeamID != want {
			t.Errorf("%q: got %+v, %v", team, who, err)
		}
	}
	if _, err := w.Client("T0OTHER"); !bridge.IsPermanent(err) || !strings.Contains(err.Error(), "slack.workspaces") {
		t.Errorf("got %v", err)
	}
	teams, err := w.Teams(t.Context())
	if diff := cmp.Diff([]string{"T0AWAY", "T0HOME"}, teams); diff != "" || err != nil {
		t.Error(diff, err)
	}
	if got := s.Calls("auth.test"); got != 4 { // the three above, and one of Workspaces itself
		t.Errorf("%d calls of auth.test", got)
	}
}

func TestWithoutADefaultTheOnlyWorkspaceIsMeant(t *testing.T) {
	t.Parallel()
	one := NewWorkspaces(Secrets{Tokens: map[string]string{"T1": "a"}}, WorkspaceOptions{})
	if _, err := one.Client(""); err != nil {
		t.Error(err)
	}
	two := NewWorkspaces(Secrets{Tokens: map[string]string{"T1": "a", "T2": "b"}}, WorkspaceOptions{})
	if _, err := two.Client(""); !bridge.IsPermanent(err) || !strings.Contains(err.Error(), "slack.tokenFile") {
		t.Errorf("got %v", err)
	}
	none := NewWorkspaces(Secrets{}, WorkspaceOptions{})
	if ok, err := none.Knows(t.Context(), "T9"); !ok || err != nil {
		t.Errorf("without a token: %v, %v", ok, err)
	}
	if ok, err := two.Knows(t.Context(), "", "T9"); ok || err != nil {
		t.Errorf("another one: %v, %v", ok, err)
	}
}

func TestAnOrganisationsTokenServesItsWorkspaces(t *testing.T) {
	t.Parallel()
	s, err := slacktest.New(slacktest.Options{Token: "xoxb-1", Team: "E0ORG"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	w := NewWorkspaces(Secrets{Token: "xoxb-1"}, WorkspaceOptions{APIURL: s.APIURL()})
	if _, err := w.Client("T0ANY"); err != nil {
		t.Error(err)
	}
	if ok, err := w.Knows(t.Context(), "T0ANY", "E0ORG"); !ok || err != nil {
		t.Errorf("its own: %v, %v", ok, err)
	}
	if ok, err := w.Knows(t.Context(), "T0ANY", "E0OTHER"); ok || err != nil {
		t.Errorf("another's: %v, %v", ok, err)
	}
}

func TestAFailureToKnowTheWorkspaceIsRememberedForAMoment(t *testing.T) {
	t.Parallel()
	s := slacktest.NewServer("xoxb-1")
	t.Cleanup(s.Close)
	s.Fail("auth.test", slacktest.Fault{Body: "<html>xoxb-1</html>", Status: 502})
	now := sentAt
	w := NewWorkspaces(Secrets{Token: "xoxb-1"}, WorkspaceOptions{APIURL: s.APIURL(), Now: func() time.Time { return now }})
	for range 2 {
		if _, err := w.Knows(t.Context(), "T1"); err == nil || strings.Contains(err.Error(), "xoxb") {
			t.Errorf("got %v", err)
		}
	}
	if s.Calls("auth.test") != 1 {
		t.Errorf("%d calls", s.Calls("auth.test"))
	}
	now = now.Add(askPause)
	if ok, err := w.Knows(t.Context(), slacktest.TeamID); !ok || err != nil {
		t.Errorf("%v, %v", ok, err)
	}
}

func TestWhoHasNoTimeDoesNotWaitForTheAnswer(t *testing.T) {
	t.Parallel()
	_, w := twoWorkspaces(t)
	w.asking <- struct{}{}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := w.Teams(ctx); err == nil {
		t.Error("no error")
	}
}

func TestAllTokensAreTakenOutOfTexts(t *testing.T) {
	t.Parallel()
	w := NewWorkspaces(Secrets{Token: "xoxb-1", App: "xapp-1", Tokens: map[string]string{"T1": "xoxb-12"}}, WorkspaceOptions{})
	if got := w.Redact("a xoxb-12 b xoxb-1 c xapp-1"); got != "a [token] b [token] c [token]" {
		t.Errorf("got %q", got)
	}
}

// TestAnotherWorkspaceGetsNothingIn: a valid signature is not enough.
func TestAnotherWorkspaceGetsNothingIn(t *testing.T) {
	t.Parallel()
	_, w := twoWorkspaces(t)
	mention := string(fixture(t, "app_mention.json"))
	form := string(fixture(t, "command.form"))
	button := string(fixture(t, "block_actions.form"))
	in := func(body, team string) string { return strings.ReplaceAll(body, "T0AAA", team) }
	for name, tt := range map[string]struct {
		path, body string
		taken      bool
	}{
		"an event":                        {"events", in(mention, "T0OTHER"), false},
		"a command":                       {"commands", in(form, "T0OTHER"), false},
		"a button":                        {"interactions", in(button, "T0OTHER"), false},
		"an event of our own":             {"events", in(mention, "T0AWAY"), true},
		"a command of our own":            {"commands", in(form, "T0HOME"), true},
		"a button of our own":             {"interactions", in(button, "T0HOME"), true},
		"an event in a channel we share":  {"events", strings.Replace(in(mention, "T0OTHER"), `"authorizations":[{`, `"authorizations":[{"team_id":"T0HOME"},{`, 1), true},
		"an event without a workspace id": {"events", in(mention, ""), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, c := &bus{}, &counts{}
			h := webhooks(b, c, InboxOptions{Workspaces: w})
			handler := map[string]func() int{
				"events":       func() int { return send(h.Events(), []byte(tt.body)).Code },
				"commands":     func() int { return send(h.Commands(), []byte(tt.body)).Code },
				"interactions": func() int { return send(h.Interactions(), []byte(tt.body)).Code },
			}[tt.path]
			status := handler()
			if got := len(b.stored()) == 1; got != tt.taken {
				t.Errorf("taken: %v, want %v (%d, %v)", got, tt.taken, status, c.refused)
			}
			if !tt.taken && status == 200 && !slices.Contains(c.refused, refusedWorkspace) {
				t.Errorf("not counted: %v", c.refused)
			}
		})
	}
}

func TestAnEventOfAnUnknownWorkspaceComesAgainWhenSlackDoesNotAnswer(t *testing.T) {
	t.Parallel()
	s := slacktest.NewServer("xoxb-1")
	s.Close()
	b, c := &bus{}, &counts{}
	h := webhooks(b, c, InboxOptions{Workspaces: NewWorkspaces(Secrets{Token: "xoxb-1"}, WorkspaceOptions{APIURL: s.APIURL()})})
	if w := send(h.Events(), fixture(t, "app_mention.json")); w.Code != 503 || !slices.Equal(c.refused, []string{refusedUnsure}) || len(b.stored()) > 0 {
		t.Errorf("%d, %v", w.Code, c.refused)
	}
}

type deskFn func(context.Context, url.Values) ([]byte, bool)

func (f deskFn) Command(ctx context.Context, form url.Values) ([]byte, bool) { return f(ctx, form) }

func TestTheDeskAnswersWhatOnlyReads(t *testing.T) {
	t.Parallel()
	for name, handled := range map[string]bool{"a command that reads": true, "a command that acts": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := &bus{}
			h := webhooks(b, &counts{}, InboxOptions{Desk: deskFn(func(ctx context.Context, form url.Values) ([]byte, bool) {
				if _, ok := ctx.Deadline(); !ok || form.Get("command") != "/deploy" {
					t.Errorf("asked for %v", form)
				}
				return []byte(`{"text":"list"}`), handled
			})})
			w := send(h.Commands(), fixture(t, "command.form"))
			if stored := len(b.stored()) == 1; stored == handled || handled != (w.Body.String() == `{"text":"list"}`) {
				t.Errorf("stored %v, answered %s", stored, w.Body)
			}
		})
	}
}
