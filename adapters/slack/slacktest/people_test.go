package slacktest

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/slack-go/slack"
)

func TestAMissingScopeIsNamed(t *testing.T) {
	t.Parallel()
	s, _, api := start(t)
	s.AddChannel("a")
	s.Team().Grant("chat:write", "channels:read")
	for name, tt := range map[string]struct {
		call func() error
		want string
	}{
		"users:read":       {func() error { _, err := api.GetUserInfo("U1"); return err }, "users:read"},
		"users:read.email": {func() error { _, err := api.GetUserByEmail("a@b"); return err }, "users:read.email"},
		"usergroups:read":  {func() error { _, err := api.GetUserGroups(); return err }, "usergroups:read"},
		"private channels": {func() error {
			_, _, err := api.GetConversations(&slack.GetConversationsParameters{Types: []string{"public_channel", "private_channel"}})
			return err
		}, "groups:read"},
		"public channels": {func() error { _, _, err := api.GetConversations(&slack.GetConversationsParameters{}); return err }, ""},
		"posting":         {func() error { _, _, err := api.PostMessage("#a", say("x")); return err }, ""},
	} {
		err := tt.call()
		var refused slack.SlackErrorResponse
		_ = errors.As(err, &refused)
		if refused.Needed != tt.want || (err == nil) != (tt.want == "") || err != nil && refused.Provided != "chat:write,channels:read" {
			t.Errorf("%s: got %v", name, err)
		}
	}
	who, err := api.AuthTest()
	if err != nil || who.Header.Get("X-OAuth-Scopes") != "chat:write,channels:read" {
		t.Errorf("got %+v, %v", who, err)
	}
}

func TestTokensLeadToTheirWorkspace(t *testing.T) {
	t.Parallel()
	s, _, api := start(t)
	other := s.AddTeam("T2", "xoxb-2")
	s.AddChannel("here")
	there := other.AddChannel("there")
	if _, _, err := api.PostMessage(there.ID, say("x")); word(t, err) != "channel_not_found" {
		t.Errorf("got %v", err)
	}
	if _, _, err := s.clientOf("xoxb-2").PostMessage("#there", say("x")); err != nil {
		t.Error(err)
	}
	for token, want := range map[string]string{"": "not_authed", "xoxb-3": "invalid_auth", "xapp-1": "invalid_auth"} {
		if _, err := s.clientOf(token).AuthTest(); word(t, err) != want {
			t.Errorf("%q: %v", token, err)
		}
	}
	if m := s.Messages(); len(m) != 1 || m[0].Team != "T2" {
		t.Errorf("got %+v", m)
	}
}

func TestPeopleAndTheirGroups(t *testing.T) {
	t.Parallel()
	s, _, api := start(t)
	ann := s.Team().Add(User{Name: "ann", Email: "ann@example.com", Guest: true})
	bob := s.Team().Add(User{Name: "bob", Team: "T9"})
	g := s.AddGroup("oncall", ann.ID)
	off := s.AddGroup("old")
	s.Alter(func() { off.Disabled = true })
	u, err := api.GetUserByEmail("ann@example.com")
	if err != nil || u.ID != ann.ID || !u.IsRestricted || u.IsStranger {
		t.Errorf("got %+v, %v", u, err)
	}
	if u, err := api.GetUserInfo(bob.ID); err != nil || !u.IsStranger || u.TeamID != "T9" {
		t.Errorf("got %+v, %v", u, err)
	}
	if _, err := api.GetUserInfo("U0"); word(t, err) != "user_not_found" {
		t.Errorf("got %v", err)
	}
	groups, err := api.GetUserGroups(slack.GetUserGroupsOptionIncludeUsers(true))
	if err != nil || len(groups) != 1 || groups[0].Handle != "oncall" || cmp.Diff([]string{ann.ID}, groups[0].Users) != "" {
		t.Errorf("got %+v, %v", groups, err)
	}
	members, err := api.GetUserGroupMembers(g.ID)
	if err != nil || cmp.Diff([]string{ann.ID}, members) != "" {
		t.Errorf("got %v, %v", members, err)
	}
	if _, err := api.GetUserGroupMembers("S0"); word(t, err) != "no_such_subteam" {
		t.Errorf("got %v", err)
	}
}

func TestPrivateChannelsAreSeenFromInside(t *testing.T) {
	t.Parallel()
	s, _, api := start(t)
	ann := s.AddUser("ann")
	in, out := s.AddChannel("in"), s.AddChannel("out")
	s.Change(in, func(c *Channel) { c.Private, c.Members = true, []string{ann} })
	s.Change(out, func(c *Channel) { c.Private, c.Member = true, false })
	all, _, err := api.GetConversations(&slack.GetConversationsParameters{Types: []string{"public_channel", "private_channel"}})
	if err != nil || len(all) != 1 || all[0].ID != in.ID || !all[0].IsPrivate {
		t.Errorf("got %+v, %v", all, err)
	}
	if _, err := api.GetConversationInfo(&slack.GetConversationInfoInput{ChannelID: out.ID}); word(t, err) != "channel_not_found" {
		t.Errorf("got %v", err)
	}
	members, _, err := api.GetUsersInConversation(&slack.GetUsersInConversationParameters{ChannelID: in.ID})
	if err != nil || cmp.Diff([]string{ann, s.Team().BotUser}, members) != "" {
		t.Errorf("got %v, %v", members, err)
	}
	s.PageSize = 1
	s.AddChannel("more")
	all, next, err := api.GetConversations(&slack.GetConversationsParameters{Types: []string{"public_channel", "private_channel"}})
	if err != nil || len(all) != 1 || next == "" {
		t.Errorf("got %+v, %q, %v", all, next, err)
	}
}
