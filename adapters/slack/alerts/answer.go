package alerts

import (
	"context"
	"encoding/json"
	"time"

	"github.com/slack-go/slack"

	"github.com/argo-bridge/argo-bridge/adapters/slack/message"
	"github.com/argo-bridge/argo-bridge/bridge"
)

// Options of an answer to a button.
const (
	OptionDone = "done" // "true": what was asked for is done
	OptionUser = "user" // the id of who has pressed
)

// answersFor is how far back an answer is looked for that may have been given.
const answersFor = time.Hour

// answer tells what came of a button: in the alert and its thread what was done, and only to who has pressed what was not.
func (n *Notifier) answer(ctx context.Context, m bridge.Notification) error {
	at, err := parseReply(m.Address)
	if err != nil {
		return err
	}
	at.home = n.home(at.team)
	api, err := n.Clients.Client(at.team)
	if err != nil {
		return err
	}
	if m.Options[OptionDone] != "true" {
		return ephemeral(ctx, api, at, m)
	}
	text := message.Escape(clip(m.Text, 1000))
	if id := m.Options[OptionUser]; userID.MatchString(id) {
		text = "<@" + id + "> " + text
	}
	alert, err := n.alertAt(ctx, at)
	if err != nil {
		return err
	}
	if alert == "" {
		return n.say(ctx, api, at, m.Key, text)
	}
	version, found, news := 0, false, false
	err = bridge.Change(ctx, n.Table, keyAlert+alert, func(e *entry) bool {
		version, found, news = e.Version, e.ID != "", false
		for _, have := range e.Notes {
			if have.Key == m.Key {
				return false
			}
		}
		e.Version++
		version, e.Failed = e.Version, ""
		e.Notes = append(e.Notes, note{m.Key, text})
		e.Parts = append(e.Parts, part{Key: bridge.Digest(m.Key), Kind: partNote, Text: text})
		e.trim()
		news = found
		return found
	})
	if err != nil {
		return err
	}
	if !found { // it is too old to be kept
		return n.say(ctx, api, at, m.Key, text)
	}
	return n.await(ctx, merged{alert, version, news})
}

// alertAt finds the alert whose message a button stands in.
func (n *Notifier) alertAt(ctx context.Context, at place) (id string, err error) {
	if at.thread == "" {
		return "", nil
	}
	data, _, err := n.Table.Load(ctx, keyMessage+at.channel+"."+bridge.Digest(at.thread))
	if err != nil || data == nil {
		return "", err
	}
	return id, json.Unmarshal(data, &id)
}

func ephemeral(ctx context.Context, api *slack.Client, at place, m bridge.Notification) error {
	user := m.Options[OptionUser]
	if !userID.MatchString(user) {
		return nil
	}
	_, err := api.PostEphemeralContext(ctx, at.channel, user, slack.MsgOptionText(message.Escape(clip(m.Text, 2000)), false))
	return err
}

// say posts a note below a message that is no alert's, unless it stands there.
func (n *Notifier) say(ctx context.Context, api *slack.Client, at place, key, text string) error {
	if ts, err := n.sent(ctx, api, at, key, n.Now().Add(-answersFor)); err != nil || ts != "" {
		return err
	}
	of, wait := n.throttle.post(at.home, at.channel, n.Now())
	if wait > 0 {
		return bridge.RetryAfter(errBehind, wait)
	}
	defer n.throttle.done(of)
	if wait := n.heed(ctx, string(of)); wait > 0 {
		return bridge.RetryAfter(errBehind, wait)
	}
	options := []slack.MsgOption{slack.MsgOptionText(text, false), metadata(key)}
	if at.thread != "" {
		options = append(options, slack.MsgOptionTS(at.thread))
	}
	_, _, err := api.PostMessageContext(ctx, at.channel, options...)
	n.paused(ctx, at, step{turn: of}, err)
	return err
}
