package slacktest

import (
	"slices"
	"strings"
)

// A method is one of the Web API: https://docs.slack.dev/reference/methods
type method struct {
	do func(*call) object
	// scopes are what the token needs; scopesBy says so where that depends on the arguments.
	scopes   []string
	scopesBy func(*call) []string
	rate     int
	burst    int  // 0: as rate
	posts    bool // limited by channel
	app      bool // wants the app-level token
	config   bool // wants the configuration token
}

var methods = map[string]method{
	"apps.manifest.validate": {do: (*call).validateManifest, rate: tier3, config: true},
	"auth.test":              {do: (*call).authTest, rate: special},
	"apps.connections.open":  {do: (*call).openConnection, rate: tier1, burst: burst1, app: true},
	"chat.postMessage":       {do: (*call).postMessage, scopes: []string{"chat:write"}, rate: special, posts: true},
	"chat.update":            {do: (*call).updateMessage, scopes: []string{"chat:write"}, rate: tier3},
	"chat.delete":            {do: (*call).deleteMessage, scopes: []string{"chat:write"}, rate: tier3},
	"chat.postEphemeral":     {do: (*call).postEphemeral, scopes: []string{"chat:write"}, rate: tier4},
	"chat.getPermalink":      {do: (*call).permalink, rate: special},
	"conversations.history":  {do: (*call).channelHistory, scopesBy: kind("history"), rate: tier3},
	"conversations.replies":  {do: (*call).threadReplies, scopesBy: kind("history"), rate: tier3},
	"conversations.info":     {do: (*call).channelInfo, scopesBy: kind("read"), rate: tier3},
	"conversations.list":     {do: (*call).channelList, scopesBy: kinds("read"), rate: tier2},
	"conversations.members":  {do: (*call).channelMembers, scopesBy: kind("read"), rate: tier4},
	"conversations.open":     {do: (*call).openChannel, scopes: []string{"im:write"}, rate: tier3},
	"usergroups.list":        {do: (*call).groupList, scopes: []string{"usergroups:read"}, rate: tier2},
	"usergroups.users.list":  {do: (*call).groupUsers, scopes: []string{"usergroups:read"}, rate: tier2},
	"users.info":             {do: (*call).userInfo, scopes: []string{"users:read"}, rate: tier4},
	"users.list":             {do: (*call).userList, scopes: []string{"users:read"}, rate: tier2},
	"users.lookupByEmail":    {do: (*call).userByEmail, scopes: []string{"users:read.email"}, rate: tier3},
	"views.open":             {do: (*call).openView, rate: tier4},
	"views.push":             {do: (*call).pushView, rate: tier4},
	"views.update":           {do: (*call).updateView, rate: tier4},
}

// families are the kinds of conversations, by the word of their scopes and that of the argument types.
var families = []struct{ scope, kind string }{
	{"channels", "public_channel"}, {"groups", "private_channel"}, {"im", "im"}, {"mpim", "mpim"},
}

// kind is the scope for what one does in the conversation that the call is about.
func kind(act string) func(*call) []string {
	return func(c *call) []string {
		family := "channels"
		for _, ch := range c.team.channels {
			if ch.ID != c.form.Get("channel") {
				continue
			}
			if ch.Private {
				family = "groups"
			}
			if ch.IM {
				family = "im"
			}
		}
		return []string{family + ":" + act}
	}
}

// kinds are the scopes for what one does with all conversations of the types that the call names.
func kinds(act string) func(*call) []string {
	return func(c *call) (scopes []string) {
		for _, f := range families {
			if slices.Contains(c.types(), f.kind) {
				scopes = append(scopes, f.scope+":"+act)
			}
		}
		return scopes
	}
}

func (c *call) types() []string {
	if t := c.form.Get("types"); t != "" {
		return strings.Split(strings.ReplaceAll(t, " ", ""), ",")
	}
	return []string{"public_channel"}
}

func (m method) wants(c *call) []string {
	if m.scopesBy != nil {
		return m.scopesBy(c)
	}
	return m.scopes
}

// budgets are what limits a call: the method in the workspace, and for posting the channel.
func (m method) budgets(c *call) []budget {
	where := "app"
	if c.team != nil {
		where = c.team.ID
	}
	burst := m.burst
	if burst == 0 {
		burst = m.rate
	}
	all := []budget{perMinute(c.method+" "+where, m.rate, burst)}
	if m.posts {
		channel := c.form.Get("channel")
		if found := c.team.find(channel); found != nil {
			channel = found.ID
		}
		all = append(all, budget{c.method + " " + where + " " + channel, postBurst, postEvery})
	}
	return all
}

// scopesOf are the scopes of the token.
func (t *Team) scopesOf() []string {
	if t.scopes != nil {
		return t.scopes
	}
	return []string{
		"app_mentions:read", "channels:history", "channels:read", "chat:write", "commands", "groups:history", "groups:read",
		"im:history", "im:read", "im:write", "mpim:history", "mpim:read", "reactions:read", "usergroups:read", "users:read", "users:read.email",
	}
}

func (t *Team) may(scope string) bool { return slices.Contains(t.scopesOf(), scope) }

func (c *call) authTest() object {
	return object{
		"ok": true, "url": "https://" + c.team.Domain + ".slack.com/", "team": c.team.Domain, "team_id": c.team.ID,
		"user": "argo-bridge", "user_id": c.team.BotUser, "bot_id": c.team.BotID,
	}
}
