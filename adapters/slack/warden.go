package slack

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/slack-go/slack"
)

// Clients are the ways to Slack's API; *Workspaces are.
type Clients interface {
	// Client calls the API for a workspace; "" is the default one. A team that is not configured is a Permanent error.
	Client(team string) (*slack.Client, error)
}

// A Warden says who may do what from Slack, by what a template allows and what the bridge's config does where the template
// says nothing. Whoever is not named may do nothing but look.
//
// Names count in the default workspace alone, since whoever governs another one may give them as they like there; ids count
// everywhere. Who is of another workspace than the one that the event is of, as in a channel that two share, is nobody but
// by user id.
//
// It needs the scope usergroups:read for groups, and channels:read and groups:read for channels by name.
type Warden struct {
	clients Clients
	allow   bridge.Allowances
	now     func() time.Time
	groups  memory[map[string]bool]     // team and group → members
	handles memory[map[string]string]   // team → handle → group
	names   memory[string]              // team and channel → name
	people  memory[map[string][]string] // team → user → groups
}

var _ bridge.Warden = (*Warden)(nil)

// NewWarden judges by what the config allows, where a template says nothing. now is the clock; nil: time.Now.
func NewWarden(clients Clients, allow bridge.Allowances, now func() time.Time) *Warden {
	if now == nil {
		now = time.Now
	}
	return &Warden{clients: clients, allow: allow, now: now}
}

// A caller is who has caused an event, and where.
type caller struct {
	user, team, home string // home is the team that the user is of
	channel, name    string // name with #; empty: not known
	client           *slack.Client
	named            bool // names count: the team is the default workspace
}

// May implements bridge.Warden. What Slack refuses for good is no error: then nobody may, and the detail says what to do.
func (w *Warden) May(ctx context.Context, f bridge.Facts, right bridge.Right, t bridge.Template, said bridge.Allowances) (bool, string, error) {
	who := callerOf(f)
	if f.Source != source || who.user == "" || who.team == "" || right == "" {
		return false, "it is not known who asks for what", nil
	}
	var err error
	if who.client, err = w.clients.Client(who.team); err != nil {
		return refusal("the bridge does not serve the workspace", err)
	}
	standard, err := w.clients.Client("")
	who.named = err == nil && standard == who.client
	allowance, spoken := said[right]
	if !spoken {
		allowance, spoken = w.allow[right]
	}
	if !spoken && right != bridge.RightView {
		return false, nobody(right, t), nil
	}
	return w.judge(ctx, who, allowance, question{right, t, !spoken})
}

// A question is what somebody wants to do.
type question struct {
	right    bridge.Right
	template bridge.Template
	free     bool // nothing is said of a right that everybody has
}

func (w *Warden) judge(ctx context.Context, who caller, a bridge.Allowance, q question) (bool, string, error) {
	if len(a.Channels) > 0 {
		if in, detail, err := w.in(ctx, who, a.Channels); err != nil || !in {
			return false, cmp.Or(detail, "only in "+list(a.Channels)+" one may "+deed(q.right, q.template)), err
		}
	}
	switch {
	case slices.Contains(a.Users, who.user):
		return true, "", nil
	case who.home != who.team:
		return false, "who is of another workspace may " + deed(q.right, q.template) + " only when named by user id", nil
	case q.free, len(a.Users)+len(a.Groups) == 0 && len(a.Channels) > 0:
		return true, "", nil
	case len(a.Users)+len(a.Groups) == 0:
		return false, nobody(q.right, q.template), nil
	}
	member, detail, err := w.member(ctx, who, a.Groups)
	if err != nil || member {
		return member, "", err
	}
	return false, cmp.Or(detail, "only "+list(slices.Concat(a.Groups, a.Users))+" may "+deed(q.right, q.template)), nil
}

func callerOf(f bridge.Facts) (c caller) {
	first := func(key string) string {
		if v := f.Values[key]; len(v) > 0 {
			return v[0]
		}
		return ""
	}
	c = caller{user: first("users"), team: first("workspaces"), home: first("user-workspaces"), channel: first("channels")}
	if !userID.MatchString(c.user) {
		c.user = "" // a name alone
	}
	if v := f.Values["channels"]; len(v) > 1 && strings.HasPrefix(v[1], "#") {
		c.name = v[1]
	}
	return c
}

// deeds are the rights as a sentence has them.
var deeds = map[bridge.Right]string{
	bridge.RightRun: "run", bridge.RightRetry: "retry", bridge.RightStop: "stop", bridge.RightApprove: "approve at",
	bridge.RightSilence: "silence", bridge.RightView: "see",
}

func deed(right bridge.Right, t bridge.Template) string {
	if t == (bridge.Template{}) {
		return deeds[right] + " all templates"
	}
	return deeds[right] + " " + t.String()
}

// nobody says how somebody comes to have a right.
func nobody(right bridge.Right, t bridge.Template) string {
	text := "nobody may " + deed(right, t) + " from Slack"
	if t == (bridge.Template{}) {
		return fmt.Sprintf("%s: say who may in the bridge's config, slack: {allow: {%s: {users: [U024BE7LH]}}}", text, right)
	}
	return fmt.Sprintf("%s: say who may in the template's annotation bridge.argoproj.io/slack, allow: {%s: {users: [U024BE7LH]}}, "+
		"or for all templates in the bridge's config, slack.allow", text, right)
}

// list is "a, b or c", cut where it is long.
func list(names []string) string {
	const most = 8
	if len(names) > most {
		return strings.Join(names[:most], ", ") + fmt.Sprintf(" and %d more", len(names)-most)
	}
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:len(names)-1], ", ") + " or " + names[len(names)-1]
}
