package alerts

import (
	"context"
	"errors"
	"fmt"

	"github.com/slack-go/slack"
	"go.uber.org/zap"

	"github.com/argo-bridge/argo-bridge/adapters/slack/message"
	"github.com/argo-bridge/argo-bridge/bridge"
)

func (n *Notifier) post(ctx context.Context, api *slack.Client, e *entry, at place, doubt bool) error {
	if doubt {
		id, ts, err := n.posted(ctx, api, e, at)
		if err != nil {
			return err
		}
		if ts != "" { // what it shows may be older
			e.Team, e.Channel, e.TS, e.Thread, e.Version = at.team, id, ts, at.thread, 0
			return n.mark(ctx, e)
		}
	}
	e.Team = at.team
	options := append(message.Message(n.alert(ctx, e)).Options(), metadata(e.ID), slack.MsgOptionDisableLinkUnfurl(), slack.MsgOptionDisableMediaUnfurl())
	if at.thread != "" {
		options = append(options, slack.MsgOptionTS(at.thread))
	}
	channel, ts, err := api.PostMessageContext(ctx, at.channel, options...)
	if err == nil && ts == "" {
		err = errors.New("slack's answer says neither that it took the message nor why not")
	}
	if err != nil {
		return err
	}
	n.Painted("post")
	n.places.learn(at, channel)
	n.throttle.learn(at.home, at.channel, channel)
	e.Channel, e.TS, e.Thread = channel, ts, at.thread
	return n.mark(ctx, e)
}

// mark lets buttons find an alert by its message. Without it they still work, so that no error is worth another attempt.
func (n *Notifier) mark(ctx context.Context, e *entry) error {
	err := n.Table.Store(ctx, keyMessage+e.Channel+"."+bridge.Digest(e.TS), fmt.Appendf(nil, "%q", e.ID), 0)
	if err != nil && !errors.Is(err, bridge.ErrStale) {
		n.Log.Warn("answers to an alert's buttons will stand below it, and not in it", zap.Error(err))
	}
	return nil
}

func (n *Notifier) update(ctx context.Context, api *slack.Client, e *entry) error {
	_, _, _, err := api.UpdateMessageContext(ctx, e.Channel, e.TS, append(message.Message(n.alert(ctx, e)).Options(), metadata(e.ID))...)
	if err == nil {
		n.Painted("update")
	}
	return err
}

// reply posts a part into the thread.
func (n *Notifier) reply(ctx context.Context, api *slack.Client, e *entry, key string, doubt bool) error {
	p := e.part(key)
	if p == nil {
		return nil
	}
	thread, metaKey := e.TS, e.ID+"."+key
	if e.Thread != "" {
		thread = e.Thread
	}
	if doubt {
		ts, err := n.sent(ctx, api, place{e.Team, e.Channel, thread, n.home(e.Team)}, metaKey, e.Opened)
		if err != nil || ts != "" {
			p.TS = ts
			return err
		}
	}
	options := append(p.render().Options(), metadata(metaKey), slack.MsgOptionTS(thread), slack.MsgOptionDisableLinkUnfurl(), slack.MsgOptionDisableMediaUnfurl())
	if p.Ring {
		options = append(options, slack.MsgOptionBroadcast())
	}
	_, ts, err := api.PostMessageContext(ctx, e.Channel, options...)
	if err != nil {
		return err
	}
	n.Painted("reply")
	p.TS = ts
	return nil
}

func (p *part) render() message.Rendered {
	switch {
	case p.Kind == partDetails && p.Of != nil:
		return message.Details(*p.Of)
	case p.Kind == partRecovery && p.Of != nil:
		return message.Recovery(*p.Of)
	}
	return message.Rendered{Text: p.Text, Blocks: []slack.Block{slack.NewSectionBlock(&slack.TextBlockObject{Type: slack.MarkdownType, Text: p.Text, Verbatim: true}, nil, nil)}}
}
