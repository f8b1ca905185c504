package slack

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/slack-go/slack"
)

// A place is where a message is posted: a channel's id or #name, and a thread in it.
type place struct{ channel, thread string }

// places finds the place that a destination means, and remembers names' ids.
type places struct {
	api *slack.Client
	ids sync.Map // "#name" or "@name" → id, string to string
}

var (
	slackID     = regexp.MustCompile(`^[CGDUW][A-Z0-9]{2,}$`)
	replyTarget = regexp.MustCompile(`^([CGD][A-Z0-9]{2,})(?:/([0-9]+\.[0-9]+))?$`)
)

// find returns the place. Posting needs no id for a channel that has a name, reading does.
func (p *places) find(ctx context.Context, n bridge.Notification, id bool) (place, error) {
	target := n.To.Target
	switch {
	case target == "reply":
		m := replyTarget.FindStringSubmatch(n.Run.Annotations[bridge.AnnotationReplyTo])
		if m == nil {
			return place{}, bridge.Permanent(errors.New("the run was not started from Slack, so that there is nothing to reply to"))
		}
		return place{m[1], m[2]}, nil
	case slackID.MatchString(target):
		if id && (target[0] == 'U' || target[0] == 'W') {
			c, err := p.conversation(ctx, target)
			return place{channel: c}, err
		}
		return place{channel: target}, nil
	case strings.HasPrefix(target, "@") && len(target) > 1:
		c, err := p.known(target, func() (string, error) { return p.user(ctx, target[1:]) })
		return place{channel: c}, err
	case strings.HasPrefix(target, "#") && len(target) > 1:
		if !id {
			if c, ok := p.ids.Load(target); ok {
				return place{channel: c.(string)}, nil
			}
			return place{channel: target}, nil
		}
		c, err := p.known(target, func() (string, error) { return p.channel(ctx, target[1:]) })
		return place{channel: c}, err
	}
	return place{}, bridge.Permanent(fmt.Errorf("%q is none of #channel, @user, an id such as C024BE91L, and reply", target))
}

// learn keeps the id that Slack answered for a name.
func (p *places) learn(target, id string) {
	if strings.HasPrefix(target, "#") && id != "" {
		p.ids.Store(target, id)
	}
}

// forget drops an id that no longer leads anywhere: a channel's name may have a new channel.
func (p *places) forget(target string) { p.ids.Delete(target) }

func (p *places) known(name string, look func() (string, error)) (string, error) {
	if id, ok := p.ids.Load(name); ok {
		return id.(string), nil
	}
	id, err := look()
	if err == nil {
		p.ids.Store(name, id)
	}
	return id, err
}

// channel finds a channel by its name: https://docs.slack.dev/reference/methods/conversations.list
func (p *places) channel(ctx context.Context, name string) (string, error) {
	params := slack.GetConversationsParameters{
		Types: []string{"public_channel", "private_channel"}, ExcludeArchived: true, Limit: 1000,
	}
	for range 1000 { // a million channels
		channels, next, err := p.api.GetConversationsContext(ctx, &params)
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

// user finds the conversation with a user by the user's name or display name:
// https://docs.slack.dev/reference/methods/users.list
func (p *places) user(ctx context.Context, name string) (string, error) {
	page := p.api.GetUsersPaginated(slack.GetUsersOptionLimit(pageSize), slack.GetUsersOptionIncludeLocale(false))
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
				return p.conversation(ctx, u.ID)
			case strings.EqualFold(u.Profile.DisplayName, name):
				byDisplayName = u.ID
			}
		}
	}
	if byDisplayName == "" {
		return "", bridge.Permanent(fmt.Errorf("no user of the workspace has the name %q", name))
	}
	return p.conversation(ctx, byDisplayName)
}

func (p *places) conversation(ctx context.Context, user string) (string, error) {
	c, _, _, err := p.api.OpenConversationContext(ctx, &slack.OpenConversationParameters{Users: []string{user}})
	if err != nil {
		return "", err
	}
	if c == nil || c.ID == "" {
		return "", errors.New("slack named no conversation with the user")
	}
	return c.ID, nil
}
