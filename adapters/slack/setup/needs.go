package setup

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/argo-bridge/argo-bridge/adapters/slack"
	"github.com/argo-bridge/argo-bridge/bridge"
)

// everyBridge wants what no rule does.
const everyBridge = "every bridge"

// Needs are what an app must have for some rules and a bridge's configuration. The zero value needs nothing.
type Needs struct {
	scopes   map[string]string // by name, who wants it
	events   map[string]string // bot events
	commands map[string]string
	channels map[Place]string
	groups   map[Place]string
	people   map[Place]string
	teams    map[string]string
	// Unknown are events of which it is not known which scope they want, Shortcuts the callback ids of shortcuts, whose
	// names and kinds only people know.
	Unknown, Shortcuts []string
}

// A Place is something in a workspace: a channel's id or #name, a user group's @handle, a user's id or @name.
type Place struct {
	Team string // a team id; empty: the default workspace
	Name string
}

// String is the place as a destination writes it.
func (p Place) String() string {
	if p.Team == "" {
		return p.Name
	}
	return p.Team + "/" + p.Name
}

// Base are the needs of every bridge: to post, to find channels and its own messages in them again, and its own command.
func Base(command string) Needs {
	var n Needs
	for _, scope := range []string{"chat:write", "channels:read", "groups:read", "channels:history", "groups:history"} {
		n.scope(scope, everyBridge)
	}
	n.Command(command, everyBridge)
	return n
}

// Config adds what a bridge's configuration needs.
func (n *Needs) Config(c slack.Config) {
	n.Allow(c.Allow, "the config's allow")
	for id := range c.Workspaces {
		put(&n.teams, id, "the config's workspaces")
	}
}

// Rule adds what a rule needs that starts by its triggers.
func (n *Needs) Rule(r *bridge.Rule) {
	who := r.Template.String() + ", rule " + r.Name
	for _, t := range r.Triggers {
		if event, ok := strings.CutPrefix(t.Event, "slack."); ok {
			n.event(event, who)
			if slices.ContainsFunc(t.Filters, func(f bridge.Filter) bool { return f.Key() == slack.QuestionGroups }) {
				n.scope("usergroups:read", who)
			}
		}
	}
}

func (n *Needs) event(event, who string) {
	switch event {
	case "command":
		n.scope("commands", who)
		return
	case "action", "shortcut", "view_submission":
		return // interactivity, which every bridge has
	}
	all, ok := subscriptionsOf(event)
	if !ok && !slices.Contains(n.Unknown, event) {
		n.Unknown = append(n.Unknown, event)
	}
	for _, s := range all {
		put(&n.events, s.event, who)
		if s.scope != "" {
			n.scope(s.scope, who)
		}
	}
}

// Command adds a slash command.
func (n *Needs) Command(command, who string) {
	put(&n.commands, command, who)
	n.scope("commands", who)
}

// Shortcut adds a shortcut by its callback id.
func (n *Needs) Shortcut(id string) {
	if !slices.Contains(n.Shortcuts, id) {
		n.Shortcuts = append(n.Shortcuts, id)
	}
}

// Channel adds a channel of the default workspace, by its id or #name, that the app must be in.
func (n *Needs) Channel(name, who string) { put(&n.channels, Place{Name: name}, who) }

var teamPrefix = regexp.MustCompile(`^([TE][A-Z0-9]{2,20})/(.+)$`)

// Route adds what a destination needs, and those who are called there.
func (n *Needs) Route(r bridge.Route, who string) {
	if r.To.Scheme != "slack" {
		return
	}
	who += ", " + r.To.String()
	place := Place{Name: r.To.Target}
	if m := teamPrefix.FindStringSubmatch(r.To.Target); m != nil {
		place = Place{m[1], m[2]}
		put(&n.teams, place.Team, who)
	}
	switch {
	case place.Name == "reply":
	case strings.ContainsRune("@UWD", rune(place.Name[0])):
		n.person(place, who)
	default:
		put(&n.channels, place, who)
	}
	for _, name := range r.Mentions {
		n.mention(Place{place.Team, name}, who)
	}
	if r.Options[bridge.OptionMention] != nil {
		n.scope("users:read", who)
		n.scope("users:read.email", who)
		n.scope("usergroups:read", who)
	}
}

func (n *Needs) person(p Place, who string) {
	n.scope("im:write", who)
	n.scope("im:history", who)
	if p.Name[0] != 'D' {
		n.scope("users:read", who)
		put(&n.people, p, who)
	}
}

// mention adds somebody who is called: a group, or a user by name.
func (n *Needs) mention(p Place, who string) {
	if strings.HasPrefix(p.Name, "@") && !slices.Contains([]string{"@here", "@channel", "@everyone"}, p.Name) {
		n.scope("users:read", who) // it may be the name of a person
		n.group(p, who)
	}
}

func (n *Needs) group(p Place, who string) {
	n.scope("usergroups:read", who)
	put(&n.groups, p, who)
}

// Allow adds the groups and channels of rights.
func (n *Needs) Allow(allow bridge.Allowances, who string) {
	for _, right := range slices.Sorted(maps.Keys(allow)) {
		who := who + ", " + string(right)
		for _, g := range allow[right].Groups {
			n.group(Place{Name: g}, who)
		}
	}
}

func (n *Needs) scope(name, who string) { put(&n.scopes, name, who) }

// put keeps who wants something first.
func put[K comparable](m *map[K]string, key K, who string) {
	if *m == nil {
		*m = map[K]string{}
	}
	if _, ok := (*m)[key]; !ok {
		(*m)[key] = who
	}
}

// Scopes are the bot token's, sorted.
func (n Needs) Scopes() []string { return sorted(n.scopes) }

// Events are the bot events, sorted.
func (n Needs) Events() []string { return sorted(n.events) }

// Commands are the slash commands, sorted.
func (n Needs) Commands() []string { return sorted(n.commands) }

func sorted(m map[string]string) []string { return append([]string{}, slices.Sorted(maps.Keys(m))...) }
