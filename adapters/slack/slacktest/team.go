package slacktest

import (
	"slices"
	"strings"
)

// A Team is one workspace in which the app is installed.
type Team struct {
	ID     string
	Domain string // of its pages: DOMAIN.slack.com
	Token  string // the bot token
	// BotUser and BotID are the app's user and bot there.
	BotUser, BotID string

	server   *Server
	scopes   []string // nil: all
	channels []*Channel
	users    []*User
	groups   []*Group
}

func newTeam(s *Server, id, token string) *Team {
	n := strings.TrimPrefix(id, "T")
	return &Team{ID: id, Domain: "team-" + strings.ToLower(n), Token: token, BotUser: "UB" + n, BotID: "B" + n, server: s}
}

// A Channel is a place for messages.
type Channel struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Archived bool   `json:"is_archived"`
	Member   bool   `json:"is_member"` // the app is in it
	Private  bool   `json:"is_private"`
	IM       bool   `json:"is_im"`
	// Members are its users; nil: all of the workspace.
	Members []string `json:"-"`
}

// A User is a person, or a bot, of a workspace.
type User struct {
	ID, Name, DisplayName, RealName, Email string
	Deleted, Bot                           bool
	// Guest: a single- or multi-channel guest. Team is the user's own workspace, another one than the Team's for a
	// stranger in a shared channel.
	Guest bool
	Team  string
}

// A Group is a user group, such as @oncall.
type Group struct {
	ID, Handle, Name string
	Users            []string
	Disabled         bool
}

// Team is the first workspace.
func (s *Server) Team() *Team { return s.teams[0] }

// AddTeam installs the app in another workspace, whose id begins with T.
func (s *Server) AddTeam(id, token string) *Team {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := newTeam(s, id, token)
	s.teams = append(s.teams, t)
	return t
}

// AddChannel makes a channel of the first workspace that the app is in.
func (s *Server) AddChannel(name string) *Channel { return s.Team().AddChannel(name) }

// AddUser makes a user of the first workspace and returns the id.
func (s *Server) AddUser(name string) string { return s.Team().AddUser(name) }

// AddGroup makes a user group of the first workspace.
func (s *Server) AddGroup(handle string, users ...string) *Group {
	return s.Team().AddGroup(handle, users...)
}

// AddChannel makes a public channel that the app is in.
func (t *Team) AddChannel(name string) *Channel {
	t.server.mu.Lock()
	defer t.server.mu.Unlock()
	c := &Channel{ID: t.server.next("C"), Name: name, Member: true}
	t.channels = append(t.channels, c)
	return c
}

// AddUser makes a person and returns the id.
func (t *Team) AddUser(name string) string { return t.Add(User{Name: name}).ID }

// Add makes a user, with an id of its own if there is none.
func (t *Team) Add(u User) *User {
	t.server.mu.Lock()
	defer t.server.mu.Unlock()
	if u.ID == "" {
		u.ID = t.server.next("U")
	}
	if u.DisplayName == "" {
		u.DisplayName = u.Name
	}
	if u.Team == "" {
		u.Team = t.ID
	}
	t.users = append(t.users, &u)
	return &u
}

// AddGroup makes a user group.
func (t *Team) AddGroup(handle string, users ...string) *Group {
	t.server.mu.Lock()
	defer t.server.mu.Unlock()
	g := &Group{ID: t.server.next("S"), Handle: handle, Name: handle, Users: users}
	t.groups = append(t.groups, g)
	return g
}

// Grant gives the workspace's token exactly these scopes. Before the first Grant it has all.
func (t *Team) Grant(scopes ...string) {
	t.server.mu.Lock()
	defer t.server.mu.Unlock()
	t.scopes = append([]string{}, scopes...)
}

// Change alters a channel under the server's lock.
func (s *Server) Change(c *Channel, change func(*Channel)) { s.Alter(func() { change(c) }) }

// Alter runs a function that alters users, groups or channels under the server's lock.
func (s *Server) Alter(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}

// find returns a channel by its id or name that the app can see; the lock is held.
func (t *Team) find(channel string) *Channel {
	for _, c := range t.channels {
		if (c.ID == channel || !c.IM && strings.TrimPrefix(channel, "#") == c.Name) && (c.Member || !c.Private) {
			return c
		}
	}
	return nil
}

func (t *Team) user(id string) *User {
	i := slices.IndexFunc(t.users, func(u *User) bool { return u.ID == id })
	if i < 0 {
		return nil
	}
	return t.users[i]
}

// has says whether a user is in the channel.
func (c *Channel) has(user string) bool { return c.Members == nil || slices.Contains(c.Members, user) }
