package slacktest

import (
	"net/url"
	"strings"
)

// place finds the channel that a call may write to.
func (c *call) place() (*Channel, object) {
	name := c.form.Get("channel")
	found := c.team.find(name)
	if found == nil && strings.HasPrefix(name, "U") && c.team.user(name) != nil {
		found = c.team.talk(name)
	}
	switch {
	case found == nil:
		return nil, refused("channel_not_found")
	case found.Archived:
		return nil, refused("is_archived")
	case !found.Member && (found.Private || !c.team.may("chat:write.public")):
		return nil, refused("not_in_channel")
	}
	return found, nil
}

// postMessage is https://docs.slack.dev/reference/methods/chat.postMessage
func (c *call) postMessage() object {
	ch, fault := c.place()
	if fault != nil {
		return fault
	}
	given, word, detail := read(c.form)
	switch thread := c.form.Get("thread_ts"); {
	case word != "":
		return refused(word, detail)
	case empty(given.text, given.blocks, given.attachments):
		return refused("no_text")
	case thread != "" && !c.startsThread(ch, thread):
		return refused("thread_not_found")
	}
	m := &Message{
		Team: c.team.ID, Channel: ch.ID, TS: c.stamp(), ThreadTS: c.form.Get("thread_ts"), User: c.team.BotUser, BotID: c.team.BotID, AppID: AppID,
		Text: given.text, Blocks: given.blocks, Attachments: given.attachments, Broadcast: c.form.Get("reply_broadcast") == "true",
	}
	if given.metadata != nil {
		m.Metadata = *given.metadata
	}
	c.messages = append(c.messages, m)
	return object{"ok": true, "channel": ch.ID, "ts": m.TS, "message": m}
}

// startsThread says whether a message is there to reply to: a reply is not.
func (c *call) startsThread(ch *Channel, ts string) bool {
	m := c.message(ch.ID, ts)
	return m != nil && (m.ThreadTS == "" || m.ThreadTS == ts)
}

// own finds the message that a call changes.
func (c *call) own(denied string) (*Message, object) {
	ch := c.team.find(c.form.Get("channel"))
	if ch == nil || ch.ID != c.form.Get("channel") { // takes no names
		return nil, refused("channel_not_found")
	}
	switch m := c.message(ch.ID, c.form.Get("ts")); {
	case m == nil:
		return nil, refused("message_not_found")
	case m.AppID != AppID:
		return nil, refused(denied)
	case ch.Archived:
		return nil, refused("is_inactive") // as these methods name it
	default:
		return m, nil
	}
}

// updateMessage is https://docs.slack.dev/reference/methods/chat.update: a text without blocks takes the blocks away,
// attachments and metadata stay that are not given.
func (c *call) updateMessage() object {
	m, fault := c.own("cant_update_message")
	if fault != nil {
		return fault
	}
	given, word, detail := read(c.form)
	if word != "" {
		return refused(word, detail)
	}
	if given.text == "" && given.blocks == nil && given.attachments == nil {
		return refused("no_text")
	}
	m.Edits = append(m.Edits, Edit{m.Text, m.Blocks, m.Attachments, m.Metadata})
	if given.text != "" || given.blocks != nil {
		m.Text, m.Blocks = given.text, given.blocks
	}
	if given.attachments != nil {
		m.Attachments = given.attachments
	}
	if given.metadata != nil {
		m.Metadata = *given.metadata
	}
	return object{"ok": true, "channel": m.Channel, "ts": m.TS, "text": m.Text, "message": m}
}

// deleteMessage is https://docs.slack.dev/reference/methods/chat.delete
func (c *call) deleteMessage() object {
	m, fault := c.own("cant_delete_message")
	if fault != nil {
		return fault
	}
	m.Deleted = true
	return object{"ok": true, "channel": m.Channel, "ts": m.TS}
}

// postEphemeral is https://docs.slack.dev/reference/methods/chat.postEphemeral
func (c *call) postEphemeral() object {
	ch, fault := c.place()
	if fault != nil {
		return fault
	}
	given, word, detail := read(c.form)
	user := c.form.Get("user")
	switch {
	case word != "":
		return refused(word, detail)
	case empty(given.text, given.blocks, given.attachments):
		return refused("no_text")
	case c.team.user(user) == nil || !ch.has(user):
		return refused("user_not_in_channel")
	}
	e := Ephemeral{c.team.ID, ch.ID, user, c.stamp(), c.form.Get("thread_ts"), given.text, given.blocks, given.attachments}
	c.ephemerals = append(c.ephemerals, e)
	return object{"ok": true, "message_ts": e.TS}
}

// permalink is https://docs.slack.dev/reference/methods/chat.getPermalink
func (c *call) permalink() object {
	ch := c.team.find(c.form.Get("channel"))
	if ch == nil {
		return refused("channel_not_found")
	}
	m := c.message(ch.ID, c.form.Get("message_ts"))
	if m == nil {
		return refused("message_not_found")
	}
	link := "https://" + c.team.Domain + ".slack.com/archives/" + ch.ID + "/p" + strings.ReplaceAll(m.TS, ".", "")
	if m.ThreadTS != "" {
		link += "?" + url.Values{"thread_ts": {m.ThreadTS}, "cid": {ch.ID}}.Encode()
	}
	return object{"ok": true, "channel": ch.ID, "permalink": link}
}
