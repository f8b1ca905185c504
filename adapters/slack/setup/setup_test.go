package setup

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/argo-bridge/argo-bridge/adapters/slack"
	"github.com/argo-bridge/argo-bridge/adapters/slack/slacktest"
	"github.com/argo-bridge/argo-bridge/bridge"
)

func route(target string, mentions ...string) bridge.Route {
	return bridge.Route{To: bridge.Destination{Scheme: "slack", Target: target}, Mentions: mentions}
}

func on(events ...string) *bridge.Rule {
	r := &bridge.Rule{Template: bridge.Template{Namespace: "argo", Name: "t"}, Name: "default"}
	for _, e := range events {
		r.Triggers = append(r.Triggers, bridge.Trigger{Event: e})
	}
	return r
}

func TestRulesNeedScopesEventsAndCommands(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		add            func(n *Needs)
		scopes, events string
	}{
		"a channel":               {func(n *Needs) { n.Route(route("#a"), "t") }, "", ""},
		"a thread":                {func(n *Needs) { n.Route(route("reply"), "t") }, "", ""},
		"another service":         {func(n *Needs) { n.Route(bridge.Route{To: bridge.Destination{Scheme: "github", Target: "check"}}, "t") }, "", ""},
		"a person":                {func(n *Needs) { n.Route(route("@ann"), "t") }, "im:history im:write users:read", ""},
		"a group that is called":  {func(n *Needs) { n.Route(route("#a", "@oncall"), "t") }, "usergroups:read users:read", ""},
		"a whole channel":         {func(n *Needs) { n.Route(route("#a", "@here", "U024BE7LH"), "t") }, "", ""},
		"a group that may":        {func(n *Needs) { n.Allow(bridge.Allowances{bridge.RightRun: {Groups: []string{"@a"}}}, "t") }, "usergroups:read", ""},
		"a mention":               {func(n *Needs) { n.Rule(on("slack.app_mention")) }, "app_mentions:read", "app_mention"},
		"messages of all kinds":   {func(n *Needs) { n.Rule(on("slack.message")) }, "channels:history groups:history im:history mpim:history", "message.channels message.groups message.im message.mpim"},
		"who comes":               {func(n *Needs) { n.Rule(on("slack.member_joined_channel")) }, "channels:read groups:read", "member_joined_channel"},
		"an event without a need": {func(n *Needs) { n.Rule(on("slack.app_home_opened")) }, "", "app_home_opened"},
		"a button":                {func(n *Needs) { n.Rule(on("slack.action", "github.push")) }, "", ""},
		"a command":               {func(n *Needs) { n.Rule(on("slack.command")) }, "commands", ""},
	} {
		var n Needs
		tt.add(&n)
		if diff := cmp.Diff(tt.scopes, strings.Join(n.Scopes(), " ")); diff != "" {
			t.Errorf("%s: scopes: %s", name, diff)
		}
		if diff := cmp.Diff(tt.events, strings.Join(n.Events(), " ")); diff != "" {
			t.Errorf("%s: events: %s", name, diff)
		}
	}
	var n Needs
	n.Rule(on("slack.of_tomorrow", "slack.of_tomorrow"))
	if cmp.Diff([]string{"of_tomorrow"}, n.Unknown) != "" || cmp.Diff([]string{"of_tomorrow"}, n.Events()) != "" || len(n.Scopes()) != 0 {
		t.Errorf("got %v, %v", n.Unknown, n.Events())
	}
}

// question is about a workspace with one of everything.
func question(t *testing.T) (*slacktest.Server, Question) {
	t.Helper()
	s, err := slacktest.New(slacktest.Options{Token: "xoxb-1", AppToken: "xapp-1"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	s.AddChannel("data-alerts")
	s.AddUser("ann")
	s.AddGroup("oncall")
	n := Base("/argo")
	n.Route(route("#data-alerts", "@oncall"), "argo/t")
	n.Route(route("@ann"), "argo/t")
	c := slack.Config{SigningSecretFiles: []string{"x"}, TokenFile: "x"}
	return s, Question{
		Workspaces: slack.NewWorkspaces(slack.Secrets{Token: "xoxb-1", App: "xapp-1"}, slack.WorkspaceOptions{APIURL: s.APIURL()}),
		Config:     c, Needs: n, APIURL: s.APIURL(),
	}
}

func TestCheckFindsWhatIsMissing(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		change func(s *slacktest.Server, q *Question)
		want   []string // each: SUBJECT: a part of the problem -> a part of the remedy
	}{
		"nothing": {func(*slacktest.Server, *Question) {}, nil},
		"no signing secret": {func(_ *slacktest.Server, q *Question) { q.Config.SigningSecretFiles = nil },
			[]string{"config: nothing proves -> slack.signingSecretFiles"}},
		"Socket Mode needs none": {func(_ *slacktest.Server, q *Question) {
			q.Config.SigningSecretFiles, q.Config.AppTokenFile, q.AppToken = nil, "x", "xapp-1"
		}, nil},
		"a bad app-level token": {func(_ *slacktest.Server, q *Question) { q.AppToken = "xapp-2" },
			[]string{"app-level token: invalid_auth -> connections:write"}},
		"a bad token": {func(s *slacktest.Server, _ *Question) { s.Fail("auth.test", slacktest.Fault{Error: "token_revoked"}) },
			[]string{"slack.tokenFile: token_revoked -> install the app again"}},
		"no token": {func(_ *slacktest.Server, q *Question) {
			q.Config.TokenFile, q.Workspaces = "", slack.NewWorkspaces(slack.Secrets{}, slack.WorkspaceOptions{})
		}, []string{"workspace: nothing can be posted -> slack.tokenFile"}},
		"scopes": {func(s *slacktest.Server, _ *Question) {
			s.Team().Grant("chat:write", "commands", "channels:history", "groups:history", "im:history", "im:write")
		},
			[]string{"workspace T000000001: lacks the scope channels:read, for every bridge -> OAuth & Permissions", "workspace T000000001: groups:read -> install", "workspace T000000001: usergroups:read, for argo/t, slack:#data-alerts -> add it", "workspace T000000001: users:read -> add it"}},
		"a channel that is not there": {func(_ *slacktest.Server, q *Question) { q.Needs.Channel("#none", "argo/t") },
			[]string{"channel #none: does not exist -> /invite @argo-bridge"}},
		"a private channel": {func(s *slacktest.Server, q *Question) {
			s.Change(s.AddChannel("secret"), func(c *slacktest.Channel) { c.Private, c.Member = true, false })
			q.Needs.Channel("#secret", "argo/t")
		}, []string{"channel #secret: or is private -> /invite @argo-bridge"}},
		"an archived one": {func(s *slacktest.Server, q *Question) {
			s.Change(s.AddChannel("old"), func(c *slacktest.Channel) { c.Archived = true })
			q.Needs.Channel("#old", "argo/t")
		}, []string{"channel #old: archived -> unarchive"}},
		"one without the app": {func(s *slacktest.Server, q *Question) {
			c := s.AddChannel("other")
			s.Change(c, func(c *slacktest.Channel) { c.Member = false })
			q.Needs.Channel(c.ID, "argo/t")
		}, []string{"channel C000000004: not in it -> /invite @argo-bridge"}},
		"a group": {func(_ *slacktest.Server, q *Question) { q.Needs.Route(route("#data-alerts", "@nobody"), "argo/t") },
			[]string{"user group @nobody: there is none -> make the group"}},
		"a person in a group's place": {func(_ *slacktest.Server, q *Question) { q.Needs.Route(route("#data-alerts", "@ann"), "argo/t") }, nil},
		"a disabled group": {func(s *slacktest.Server, q *Question) {
			g := s.AddGroup("gone")
			s.Alter(func() { g.Disabled = true })
			q.Needs.Route(route("#data-alerts", "@gone"), "argo/t")
		}, []string{"user group @gone: disabled -> enable"}},
		"people": {func(s *slacktest.Server, q *Question) {
			s.Team().Add(slacktest.User{Name: "left", Deleted: true})
			q.Needs.Route(route("@left"), "argo/t")
			q.Needs.Route(route("U0000NONE"), "argo/t")
		}, []string{"user @left: deactivated -> Copy member ID", "user U0000NONE: there is none -> Copy member ID"}},
		"another workspace": {func(_ *slacktest.Server, q *Question) { q.Needs.Route(route("T0AWAY/#x"), "argo/t") },
			[]string{"workspace T0AWAY: not configured -> slack.workspaces"}},
		"a token of another one": {func(s *slacktest.Server, q *Question) {
			s.AddTeam("T0REAL", "xoxb-2")
			q.Config.Workspaces = map[string]slack.Workspace{"T0WRONG": {TokenFile: "x"}}
			q.Workspaces = slack.NewWorkspaces(slack.Secrets{Token: "xoxb-1", Tokens: map[string]string{"T0WRONG": "xoxb-2"}}, slack.WorkspaceOptions{APIURL: s.APIURL()})
		}, []string{"slack.workspaces.T0WRONG: of workspace T0REAL -> its own workspace"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, q := question(t)
			tt.change(s, &q)
			a, err := Check(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			if len(a.Findings) != len(tt.want) {
				t.Fatalf("got %d findings, want %d: %+v", len(a.Findings), len(tt.want), a.Findings)
			}
			for i, want := range tt.want {
				subject, rest, _ := strings.Cut(want, ": ")
				problem, remedy, _ := strings.Cut(rest, " -> ")
				if f := a.Findings[i]; f.Subject != subject || !strings.Contains(f.Problem, problem) || !strings.Contains(f.Remedy, remedy) {
					t.Errorf("got %+v, want %s", f, want)
				}
			}
		})
	}
}

func TestCheckSaysWhenItCannotAsk(t *testing.T) {
	t.Parallel()
	s, q := question(t)
	s.Fail("conversations.list", slacktest.Fault{Status: 502, Body: "<html>xoxb-1</html>"})
	if _, err := Check(t.Context(), q); err == nil || strings.Contains(err.Error(), "xoxb") || !strings.Contains(err.Error(), "list the channels") {
		t.Errorf("got %v", err)
	}
	s.Close()
	if _, err := Check(t.Context(), q); err == nil {
		t.Error("no error")
	}
}

func TestCheckWaitsWhenSlackAsksForIt(t *testing.T) {
	t.Parallel()
	s, q := question(t)
	s.Fail("conversations.list", slacktest.Fault{Status: 429, RetryAfter: 1})
	if a, err := Check(t.Context(), q); err != nil || len(a.Findings) != 0 || s.Unheeded() != 0 {
		t.Errorf("got %+v, %v", a, err)
	}
}

func TestAManifestHoldsToSlacksLimits(t *testing.T) {
	t.Parallel()
	n := Base("/argo")
	for i := range maxCommands {
		n.Command("/c"+strings.Repeat("x", i), "t")
	}
	if err := (Wanted{Socket: true, Needs: n}).Defaults().Validate(); err == nil || !strings.Contains(err.Error(), "at most 50") {
		t.Errorf("got %v", err)
	}
	for _, url := range []string{"", "bridge", "http://b", "https://", "https://b?x=1", "https://u:p@b"} {
		if err := (Wanted{URL: url}).Defaults().Validate(); err == nil {
			t.Errorf("%q is an address", url)
		}
	}
}
