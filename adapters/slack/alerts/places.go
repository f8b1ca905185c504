package alerts

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"

	"github.com/slack-go/slack"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// targetReply is where the command or mention was that has started the run.
const targetReply = "reply"

// A place is where a message is posted: a channel's id or #name in a workspace, and a thread in it; home is the workspace for
// what is counted there.
type place struct{ team, channel, thread, home string }

// places finds the place that a destination means, and remembers names' ids.
type places struct {
	clients Clients
	ids     sync.Map // "team #name" or "team @name" → id, string to string
}

var (
	teamPrefix  = regexp.MustCompile(`^([TE][A-Z0-9]{2,20})/(.+)$`)
	slackID     = regexp.MustCompile(`^[CGDUW][A-Z0-9]{2,}$`)
	replyTarget = regexp.MustCompile(`^(?:([TE][A-Z0-9]{2,20}):)?([CGD][A-Z0-9]{2,})(?:/([0-9]+\.[0-9]+))?$`)
)

// find returns the place of an alert that is to be posted. Posting needs no id for a channel that has a name.
func (p *places) find(ctx context.Context, target, reply string) (place, error) {
	if target == targetReply {
		return parseReply(reply)
	}
	team := ""
	if m := teamPrefix.FindStringSubmatch(target); m != nil {
		team, target = m[1], m[2]
	}
	switch {
	case slackID.MatchString(target):
		return place{team: team, channel: target}, nil
	case strings.HasPrefix(target, "@") && len(target) > 1:
		c, err := p.known(team, target, func(api *slack.Client) (string, error) { return person(ctx, api, target[1:]) })
		return place{team: team, channel: c}, err
	case strings.HasPrefix(target, "#") && len(target) > 1:
		if c, ok := p.ids.Load(team + " " + target); ok {
			return place{team: team, channel: c.(string)}, nil
		}
		return place{team: team, channel: target}, nil
	}
	return place{}, bridge.Permanent(fmt.Errorf("%q is none of #channel, @user, an id such as C024BE91L, and reply", target))
}

// parseReply reads where a command, a mention or a button was: CHANNEL, CHANNEL/TS, with TEAM: before it where the
// workspace is known.
func parseReply(reply string) (place, error) {
	m := replyTarget.FindStringSubmatch(reply)
	if m == nil {
		return place{}, bridge.Permanent(errors.New("the run was not started from Slack, so that there is nothing to reply to"))
	}
	return place{team: m[1], channel: m[2], thread: m[3]}, nil
}

// id is the id of a place's channel, which reading needs.
func (p *places) id(ctx context.Context, at place) (string, error) {
	switch {
	case strings.HasPrefix(at.channel, "#"):
		return p.known(at.team, at.channel, func(api *slack.Client) (string, error) { return channel(ctx, api, at.channel[1:]) })
	case at.channel[0] == 'U' || at.channel[0] == 'W':
		return p.known(at.team, at.channel, func(api *slack.Client) (string, error) { return conversation(ctx, api, at.channel) })
	}
	return at.channel, nil
}

// learn keeps the id that Slack answered for a name.
func (p *places) learn(at place, id string) {
	if strings.HasPrefix(at.channel, "#") && id != "" {
		p.ids.Store(at.team+" "+at.channel, id)
	}
}

// forget drops ids that no longer lead anywhere: a channel's name may have a new channel.
func (p *places) forget(to bridge.Destination) {
	team := ""
	if m := teamPrefix.FindStringSubmatch(to.Target); m != nil {
		team = m[1]
	}
	p.ids.Delete(team + " " + nameIn(to))
}

// nameIn is a destination's channel or user without its workspace.
func nameIn(to bridge.Destination) string {
	if m := teamPrefix.FindStringSubmatch(to.Target); m != nil {
		return m[2]
	}
	return to.Target
}

func (p *places) known(team, name string, look func(*slack.Client) (string, error)) (string, error) {
	if id, ok := p.ids.Load(team + " " + name); ok {
		return id.(string), nil
	}
	api, err := p.clients.Client(team)
	if err != nil {
		return "", err
	}
	id, err := look(api)
	if err == nil {
		p.ids.Store(team+" "+name, id)
	}
	return id, err
}

// pageSize is how many channels, users or messages are asked for at once.
const pageSize = 200

// channel finds a channel by its name: https://docs.slack.dev/reference/methods/conversations.list
func channel(ctx context.Context, api *slack.Client, name string) (string, error) {
	params := slack.GetConversationsParameters{
		Types: []string{"public_channel", "private_channel"}, ExcludeArchived: true, Limit: 1000,
	}
	for range 1000 { // a million channels
		channels, next, err := api.GetConversationsContext(ctx, &params)
		if err != nil {
			return "", err
		}
		for _, c := range channels {
			if c.Name == name {
				return c.ID, nil
			}
		}
		if next == "" {
			break
		}
		params.Cursor = next
	}
	return "", slack.SlackErrorResponse{Err: "channel_not_found"}
}

// person finds the conversation with a user by the user's name or display name.
func person(ctx context.Context, api *slack.Client, name string) (string, error) {
	id, err := user(ctx, api, name)
	if err != nil {
		return "", err
	}
	return conversation(ctx, api, id)
}

// user finds a user by the name, else by the display name: https://docs.slack.dev/reference/methods/users.list
func user(ctx context.Context, api *slack.Client, name string) (string, error) {
	page := api.GetUsersPaginated(slack.GetUsersOptionLimit(pageSize), slack.GetUsersOptionIncludeLocale(false))
	byDisplayName := ""
	for {
		next, err := page.Next(ctx)
		if page.Done(err) {
			break
		}
		if err != nil {
			return "", err
		}
		page = next
		for _, u := range page.Users {
			switch {
			case u.Deleted:
			case strings.EqualFold(u.Name, name):
				return u.ID, nil
			case strings.EqualFold(u.Profile.DisplayName, name):
				byDisplayName = u.ID
			}
		}
	}
	if byDisplayName == "" {
		return "", bridge.Permanent(fmt.Errorf("no user of the workspace has the name %q", name))
	}
	return byDisplayName, nil
}

func conversation(ctx context.Context, api *slack.Client, user string) (string, error) {
	c, _, _, err := api.OpenConversationContext(ctx, &slack.OpenConversationParameters{Users: []string{user}})
	if err != nil {
		return "", err
	}
	if c == nil || c.ID == "" {
		return "", errors.New("slack named no conversation with the user")
	}
	return c.ID, nil
}
