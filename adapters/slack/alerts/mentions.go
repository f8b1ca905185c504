package alerts

import (
	"context"
	"regexp"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/argo-bridge/argo-bridge/adapters/slack/message"
	"github.com/argo-bridge/argo-bridge/bridge"
)

// everybody are the mentions that call a whole channel. Only the template's author can write them: what comes out of an
// expression calls no more than single people and groups.
var everybody = map[string]string{"@here": "<!here>", "@channel": "<!channel>", "@everyone": "<!everyone>"}

var (
	userID  = regexp.MustCompile(`^[UW][A-Z0-9]{2,20}$`)
	groupID = regexp.MustCompile(`^S[A-Z0-9]{2,20}$`)
	address = regexp.MustCompile(`^[^\s<>@|]+@[^\s<>@|]+\.[^\s<>@|]+$`)
)

// maxMentions bounds whom one message calls.
const maxMentions = 10

// How long a name's id is remembered.
const (
	namesFor   = 10 * time.Minute
	forgetSoon = time.Minute // when Slack could not tell
)

// mentions finds who is to be called.
type mentions struct {
	clients Clients
	people  map[string]string // a name at another service → a user's id
	log     *zap.Logger
	now     func() time.Time

	mu    sync.Mutex
	names map[string]named
}

type named struct {
	markup string
	until  time.Time
}

// of returns the markup of those whom a notification calls, and of whom nobody is found the name itself, which calls nobody.
func (m *mentions) of(ctx context.Context, team string, n bridge.Notification) []string {
	var all []string
	for _, name := range n.Mentions {
		if markup, ok := everybody[name]; ok {
			all = append(all, markup)
			continue
		}
		all = append(all, m.one(ctx, team, name))
	}
	for _, name := range strings.FieldsFunc(n.Options[bridge.OptionMention], func(r rune) bool { return r == ' ' || r == ',' || r == '\n' }) {
		all = append(all, m.one(ctx, team, name))
	}
	return all[:min(len(all), maxMentions)]
}

// one finds a user or a group by an id, a group's @handle, a user's @name, an e-mail address, or a name at another service.
func (m *mentions) one(ctx context.Context, team, name string) string {
	if id, ok := m.people[strings.ToLower(strings.TrimPrefix(name, "@"))]; ok {
		name = id
	}
	switch {
	case userID.MatchString(name):
		return "<@" + name + ">"
	case groupID.MatchString(name):
		return "<!subteam^" + name + ">"
	}
	m.mu.Lock()
	known, ok := m.names[team+" "+name]
	m.mu.Unlock()
	if ok && m.now().Before(known.until) {
		return known.markup
	}
	markup, err := m.look(ctx, team, name)
	remember := namesFor
	if err != nil {
		remember = forgetSoon
		m.log.Warn("who is to be mentioned is not found in Slack; the message mentions nobody in their place", zap.String("name", clip(name, 100)), zap.Error(err))
	}
	if markup == "" {
		markup = message.Escape(clip(name, 100))
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.names == nil || len(m.names) > 1000 {
		m.names = map[string]named{}
	}
	m.names[team+" "+name] = named{markup, m.now().Add(remember)}
	return markup
}

func (m *mentions) look(ctx context.Context, team, name string) (string, error) {
	api, err := m.clients.Client(team)
	if err != nil {
		return "", err
	}
	if address.MatchString(name) {
		u, err := api.GetUserByEmailContext(ctx, name)
		if err != nil {
			return "", err
		}
		return "<@" + u.ID + ">", nil
	}
	handle, ok := strings.CutPrefix(name, "@")
	if !ok {
		return "", nil // a name at another service that the config does not know
	}
	groups, err := api.GetUserGroupsContext(ctx)
	if err != nil && word(err) != "missing_scope" {
		return "", err
	}
	for _, g := range groups {
		if strings.EqualFold(g.Handle, handle) {
			return "<!subteam^" + g.ID + ">", nil
		}
	}
	id, err := user(ctx, api, handle)
	if err != nil {
		return "", err
	}
	return "<@" + id + ">", nil
}
