package slack

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/argo-bridge/argo-bridge/adapters/slack/slacktest"
	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/slack-go/slack"
)

// served are the clients of the teams that the config names; the first one is the default.
type served struct {
	teams   []*slacktest.Team
	clients map[string]*slack.Client
}

func (s served) Client(team string) (*slack.Client, error) {
	if team == "" {
		team = s.teams[0].ID
	}
	if c, ok := s.clients[team]; ok {
		return c, nil
	}
	return nil, bridge.Permanent(errors.New("the workspace " + team + " is not configured"))
}

func serve(s *slacktest.Server, teams ...*slacktest.Team) served {
	all := served{teams, map[string]*slack.Client{}}
	for _, t := range teams {
		all.clients[t.ID] = slack.New(t.Token, slack.OptionAPIURL(s.APIURL()))
	}
	return all
}

// office is a workspace with people in it.
type office struct {
	slack              *slacktest.Server
	home, other        *slacktest.Team
	ann, bob, eve      string // eve is of the other workspace
	ops, secret, alien *slacktest.Channel
	oncall, far        *slacktest.Group
	clock              *slacktest.Clock
	clients            served
}

func newOffice(t *testing.T) *office {
	t.Helper()
	o := &office{clock: slacktest.NewClock(sentAt)}
	var err error
	if o.slack, err = slacktest.New(slacktest.Options{Token: "xoxb-home", SigningSecret: secret, Now: o.clock.Now}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(o.slack.Close)
	o.home, o.other = o.slack.Team(), o.slack.AddTeam("T0OTHER", "xoxb-other")
	o.ann, o.bob, o.eve = o.home.AddUser("ann"), o.home.AddUser("bob"), o.other.AddUser("eve")
	o.ops, o.secret, o.alien = o.home.AddChannel("ops"), o.home.AddChannel("secret"), o.other.AddChannel("ops")
	o.slack.Change(o.secret, func(c *slacktest.Channel) { c.Private = true })
	o.oncall, o.far = o.home.AddGroup("oncall", o.ann), o.other.AddGroup("oncall", o.eve)
	o.clients = serve(o.slack, o.home, o.other)
	return o
}

// did are the facts of what a user has done in a channel of a team.
func did(team *slacktest.Team, user, home string, channel *slacktest.Channel) bridge.Facts {
	f := bridge.Facts{Source: "slack", Values: map[string][]string{
		"users": {user, "@" + user}, "user-workspaces": {home}, "workspaces": {team.ID}, "channels": {channel.ID},
	}}
	if !channel.Private {
		f.Values["channels"] = append(f.Values["channels"], "#"+channel.Name)
	}
	return f
}

var nightly = bridge.Template{Namespace: "team", Name: "nightly"}

func TestWhoMay(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	byAnn, byBob := did(o.home, o.ann, o.home.ID, o.ops), did(o.home, o.bob, o.home.ID, o.ops)
	guest := did(o.home, o.eve, o.other.ID, o.ops)
	abroad := did(o.other, o.eve, o.other.ID, o.alien)
	unknown := did(&slacktest.Team{ID: "T0NOBODY"}, o.ann, "T0NOBODY", o.ops)
	unnamed := did(o.home, o.bob, o.home.ID, o.ops)
	unnamed.Values["users"] = []string{"@ann"}
	tests := map[string]struct {
		facts   bridge.Facts
		right   bridge.Right
		install bridge.Allowances
		said    bridge.Allowances
		may     bool
		detail  string
	}{
		"nobody is named": {byAnn, "retry", nil, nil, false,
			"nobody may retry team/nightly from Slack: say who may in the template's annotation bridge.argoproj.io/slack, " +
				"allow: {retry: {users: [U024BE7LH]}}, or for all templates in the bridge's config, slack.allow"},
		"another right is given":      {byAnn, "stop", nil, bridge.Allowances{"retry": {Users: []string{o.ann}}}, false, "nobody may stop"},
		"everybody may look":          {byBob, "view", nil, nil, true, ""},
		"but no guest":                {guest, "view", nil, nil, false, "who is of another workspace may see team/nightly only when named by user id"},
		"nor whom the config excepts": {byBob, "view", bridge.Allowances{"view": {Users: []string{o.ann}}}, nil, false, "only " + o.ann + " may see"},
		"a user":                      {byAnn, "run", nil, bridge.Allowances{"run": {Users: []string{o.ann}}}, true, ""},
		"another user":                {byBob, "run", nil, bridge.Allowances{"run": {Users: []string{o.ann}}}, false, "only " + o.ann + " may run team/nightly"},
		"by the config":               {byAnn, "run", bridge.Allowances{"run": {Users: []string{o.ann}}}, nil, true, ""},
		"the template replaces the config's": {byAnn, "run", bridge.Allowances{"run": {Users: []string{o.ann}}},
			bridge.Allowances{"run": {Users: []string{o.bob}}}, false, "only " + o.bob},
		"of that right alone": {byAnn, "run", bridge.Allowances{"run": {Users: []string{o.ann}}},
			bridge.Allowances{"stop": {Users: []string{o.bob}}}, true, ""},
		"an empty allowance closes":       {byAnn, "run", bridge.Allowances{"run": {Users: []string{o.ann}}}, bridge.Allowances{"run": {}}, false, "nobody may run"},
		"a group by handle":               {byAnn, "run", nil, bridge.Allowances{"run": {Groups: []string{"@OnCall"}}}, true, ""},
		"a group by id":                   {byAnn, "run", nil, bridge.Allowances{"run": {Groups: []string{o.oncall.ID}}}, true, ""},
		"not in the group":                {byBob, "run", nil, bridge.Allowances{"run": {Groups: []string{"@oncall"}}}, false, "only @oncall may run"},
		"a group that there is not":       {byAnn, "run", nil, bridge.Allowances{"run": {Groups: []string{"@none"}}}, false, "has no user group @none"},
		"a group id that there is not":    {byAnn, "run", nil, bridge.Allowances{"run": {Groups: []string{"S0NONE"}}}, false, "no such user group"},
		"one of two groups there is not":  {byAnn, "run", nil, bridge.Allowances{"run": {Groups: []string{"@none", "@oncall"}}}, true, ""},
		"a user beside a group":           {byBob, "run", nil, bridge.Allowances{"run": {Groups: []string{"@none"}, Users: []string{o.bob}}}, true, ""},
		"everybody in a channel":          {byBob, "run", nil, bridge.Allowances{"run": {Channels: []string{"#ops"}}}, true, ""},
		"by the channel's id":             {byBob, "run", nil, bridge.Allowances{"run": {Channels: []string{o.ops.ID}}}, true, ""},
		"in another channel":              {byBob, "run", nil, bridge.Allowances{"run": {Channels: []string{"#prod", "C0PROD"}}}, false, "only in #prod or C0PROD one may run"},
		"a user in another channel":       {byAnn, "run", nil, bridge.Allowances{"run": {Channels: []string{"#prod"}, Users: []string{o.ann}}}, false, "only in #prod"},
		"a private channel by name":       {did(o.home, o.ann, o.home.ID, o.secret), "run", nil, bridge.Allowances{"run": {Channels: []string{"#secret"}}}, true, ""},
		"no guest by the channel":         {guest, "run", nil, bridge.Allowances{"run": {Channels: []string{"#ops"}}}, false, "only when named by user id"},
		"no guest by a group":             {guest, "run", nil, bridge.Allowances{"run": {Groups: []string{o.far.ID, "@oncall"}}}, false, "only when named by user id"},
		"a guest by id":                   {guest, "run", nil, bridge.Allowances{"run": {Users: []string{o.eve}, Channels: []string{"#ops"}}}, true, ""},
		"another workspace's #ops":        {abroad, "run", nil, bridge.Allowances{"run": {Channels: []string{"#ops"}}}, false, "only in #ops"},
		"another workspace's channel id":  {abroad, "run", nil, bridge.Allowances{"run": {Channels: []string{o.alien.ID}}}, true, ""},
		"another workspace's @oncall":     {abroad, "run", nil, bridge.Allowances{"run": {Groups: []string{"@oncall"}}}, false, "only @oncall"},
		"another workspace's group's id":  {abroad, "run", nil, bridge.Allowances{"run": {Groups: []string{o.far.ID}}}, true, ""},
		"a workspace that is not served":  {unknown, "run", nil, bridge.Allowances{"run": {Users: []string{o.ann}}}, false, "T0NOBODY is not configured"},
		"not even to look":                {unknown, "view", nil, nil, false, "T0NOBODY is not configured"},
		"nobody by name":                  {unnamed, "run", nil, bridge.Allowances{"run": {Users: []string{o.ann}}}, false, "not known who asks"},
		"an event of another source":      {bridge.Facts{Source: "github"}, "run", nil, bridge.Allowances{"run": {Users: []string{o.ann}}}, false, "not known who asks"},
		"no right":                        {byAnn, "", nil, bridge.Allowances{"": {Users: []string{o.ann}}}, false, "not known who asks for what"},
		"of whom the workspace is hidden": {did(o.home, o.bob, "", o.ops), "run", nil, bridge.Allowances{"run": {Channels: []string{"#ops"}}}, false, "only when named by user id"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ok, detail, err := NewWarden(o.clients, tt.install, o.clock.Now).May(t.Context(), tt.facts, tt.right, nightly, tt.said)
			if err != nil || ok != tt.may || !strings.Contains(detail, tt.detail) || ok != (detail == "") {
				t.Errorf("got %v, %q, %v; want %v, %q", ok, detail, err, tt.may, tt.detail)
			}
		})
	}
	_, detail, _ := NewWarden(o.clients, nil, nil).May(t.Context(), byAnn, bridge.RightSilence, bridge.Template{}, nil)
	if want := "nobody may silence all templates from Slack: say who may in the bridge's config, slack: {allow: {silence:"; !strings.Contains(detail, want) {
		t.Errorf("got %q", detail)
	}
}

func TestWhenSlackDoesNotSayWhoIsInAGroupNobodyMay(t *testing.T) {
	t.Parallel()
	allow := bridge.Allowances{"run": {Groups: []string{"@oncall"}}}
	for name, tt := range map[string]struct {
		fault  slacktest.Fault
		detail string // empty: it is tried again
		wait   time.Duration
	}{
		"haste":              {slacktest.Fault{Status: 429, RetryAfter: 7}, "", 7 * time.Second},
		"an outage":          {slacktest.Fault{Status: 502, Body: "<html>"}, "", 0},
		"a fault that ends":  {slacktest.Fault{Error: "fatal_error"}, "", 0},
		"a token that ended": {slacktest.Fault{Error: "token_revoked"}, "install the app again", 0},
		"a scope is missing": {slacktest.Fault{Error: "missing_scope"}, "missing_scope", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newOffice(t)
			w := NewWarden(o.clients, allow, o.clock.Now)
			o.slack.Fail("usergroups.list", tt.fault)
			ok, detail, err := w.May(t.Context(), did(o.home, o.ann, o.home.ID, o.ops), "run", nightly, nil)
			if ok || !strings.Contains(detail, tt.detail) || (tt.detail == "") != (err != nil) || bridge.IsPermanent(err) {
				t.Errorf("got %v, %q, %v", ok, detail, err)
			}
			if wait, _ := bridge.Wait(err); wait != tt.wait {
				t.Errorf("wait %v, want %v", wait, tt.wait)
			}
			if err != nil && strings.Contains(err.Error(), "xoxb-") {
				t.Errorf("the token is in %v", err)
			}
			o.clock.Advance(10 * time.Second)
			if ok, _, err = w.May(t.Context(), did(o.home, o.ann, o.home.ID, o.ops), "run", nightly, nil); !ok || err != nil {
				t.Errorf("a fault is remembered: %v", err)
			}
		})
	}
}

func TestAScopeThatIsMissingIsNamed(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.home.Grant("chat:write")
	_, detail, err := NewWarden(o.clients, bridge.Allowances{"run": {Groups: []string{"@oncall"}}}, o.clock.Now).
		May(t.Context(), did(o.home, o.ann, o.home.ID, o.ops), "run", nightly, nil)
	if err != nil || !strings.Contains(detail, "add the scope usergroups:read") {
		t.Errorf("got %q, %v", detail, err)
	}
}

func TestAGroupIsRememberedForFiveMinutes(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	w := NewWarden(o.clients, bridge.Allowances{"run": {Groups: []string{"@oncall"}}}, o.clock.Now)
	may := func() bool {
		ok, _, err := w.May(context.Background(), did(o.home, o.ann, o.home.ID, o.ops), "run", nightly, nil)
		if err != nil {
			t.Error(err)
		}
		return ok
	}
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if !may() {
				t.Error("refused")
			}
		})
	}
	all.Wait()
	if n := o.slack.Calls("usergroups.users.list") + o.slack.Calls("usergroups.list"); n != 2 {
		t.Errorf("%d calls, want 2", n)
	}
	o.slack.Alter(func() { o.oncall.Users = nil })
	o.clock.Advance(remembered - time.Second)
	if !may() {
		t.Error("forgotten early")
	}
	o.clock.Advance(time.Second)
	if may() {
		t.Error("who was taken out of the group still may")
	}
}

func TestTheMemoryIsBounded(t *testing.T) {
	t.Parallel()
	var m memory[int]
	at := sentAt
	for i := range 3 * maxEntries {
		at = at.Add(time.Second)
		if _, err := m.get(t.Context(), at.String(), func() time.Time { return at }, func() (int, error) { return i, nil }); err != nil {
			t.Fatal(err)
		}
	}
	if len(m.entries) > maxEntries {
		t.Errorf("%d entries", len(m.entries))
	}
}

func TestAllowancesAreChecked(t *testing.T) {
	t.Parallel()
	err := ValidateAllowances(bridge.Allowances{
		"retyr": {}, "frobnicate": {}, "run": {Users: []string{"U024BE7LH", "@ann"}, Groups: []string{"oncall", "@oncall", "S0614TZR7"}, Channels: []string{"ops", "#ops", "C024BE91L", "#Ops"}},
	})
	for _, want := range []string{
		"retyr: there is no such right; is retry meant?", "frobnicate: there is no such right; the rights are",
		`run.users[1]: "@ann" is not a user's id`, `run.groups[0]: "oncall" is not`, `run.channels[0]: "ops" is not`, `run.channels[3]: "#Ops" is not`,
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not say %q", err, want)
		}
	}
	if n := strings.Count(err.Error(), "\n") + 1; n != 6 {
		t.Errorf("%d faults: %v", n, err)
	}
	if err := ValidateAllowances(bridge.Allowances{"run": {Users: []string{"U024BE7LH", "W012A3CDE"}}, "view": {}}); err != nil {
		t.Error(err)
	}
}
