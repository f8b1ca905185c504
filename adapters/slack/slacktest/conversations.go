package slacktest

import (
	"slices"
)

// channelList is https://docs.slack.dev/reference/methods/conversations.list; of private channels the app sees those that it
// is in.
func (c *call) channelList() object {
	all := []*Channel{}
	for _, ch := range c.team.channels {
		kind := "public_channel"
		if ch.Private {
			kind = "private_channel"
		}
		if ch.IM {
			kind = "im"
		}
		seen := ch.Member || !ch.Private
		left := ch.Archived && c.form.Get("exclude_archived") == "true"
		if seen && slices.Contains(c.types(), kind) && !left {
			all = append(all, ch)
		}
	}
	return listed(c, "channels", all)
}

// byID finds the channel that a reading call names by its id.
func (c *call) byID() (*Channel, object) {
	ch := c.team.find(c.form.Get("channel"))
	if ch == nil || ch.ID != c.form.Get("channel") {
		return nil, refused("channel_not_found")
	}
	return ch, nil
}

func (c *call) channelInfo() object {
	ch, fault := c.byID()
	if fault != nil {
		return fault
	}
	return object{"ok": true, "channel": ch}
}

func (c *call) channelMembers() object {
	ch, fault := c.byID()
	if fault != nil {
		return fault
	}
	all := slices.Clone(ch.Members)
	if ch.Members == nil {
		for _, u := range c.team.users {
			all = append(all, u.ID)
		}
	}
	if ch.Member {
		all = append(all, c.team.BotUser)
	}
	return listed(c, "members", all)
}

// openChannel finds or makes the conversation with a user.
func (c *call) openChannel() object {
	if c.team.user(c.form.Get("users")) == nil {
		return refused("user_not_found")
	}
	return object{"ok": true, "channel": object{"id": c.team.talk(c.form.Get("users")).ID}}
}

// talk is the conversation of the app with a user.
func (t *Team) talk(user string) *Channel {
	id := "D" + user[1:]
	i := slices.IndexFunc(t.channels, func(c *Channel) bool { return c.ID == id })
	if i < 0 {
		i = len(t.channels)
		t.channels = append(t.channels, &Channel{ID: id, Name: "directmessage", Member: true, IM: true, Members: []string{user}})
	}
	return t.channels[i]
}

func (c *call) channelHistory() object { return c.history("") }

func (c *call) threadReplies() object {
	thread := c.form.Get("ts")
	if ch, fault := c.byID(); fault == nil && c.message(ch.ID, thread) == nil {
		return refused("thread_not_found")
	}
	return c.history(thread)
}

// history lists newest first; in a thread, oldest first, and the messages of threads only there.
func (c *call) history(thread string) object {
	ch, fault := c.byID()
	switch {
	case fault != nil:
		return fault
	case !ch.Member:
		return refused("not_in_channel")
	}
	var all []object
	for _, m := range c.messages {
		shown := m.ThreadTS == thread || m.TS == thread || thread == "" && m.Broadcast
		if m.Channel == ch.ID && !m.Deleted && shown && m.TS > c.form.Get("oldest") && c.before(m.TS) {
			all = append(all, c.wire(m))
		}
	}
	if thread == "" {
		slices.Reverse(all)
	}
	return listed(c, "messages", all)
}

func (c *call) before(ts string) bool {
	latest := c.form.Get("latest")
	return latest == "" || ts < latest || ts == latest && c.form.Get("inclusive") != ""
}

// wire is a message as a history shows it.
func (c *call) wire(m *Message) object {
	o := object{"type": "message", "ts": m.TS, "text": m.Text, "user": m.User}
	if m.ThreadTS != "" {
		o["thread_ts"] = m.ThreadTS
	}
	if m.Broadcast {
		o["subtype"] = "thread_broadcast"
	}
	if m.AppID != "" {
		o["app_id"], o["bot_id"] = m.AppID, m.BotID
	}
	if m.Blocks != nil {
		o["blocks"] = m.Blocks
	}
	if m.Attachments != nil {
		o["attachments"] = m.Attachments
	}
	if n := c.replies(m); n > 0 {
		o["reply_count"], o["thread_ts"] = n, m.TS
	}
	if v := c.form.Get("include_all_metadata"); (v == "1" || v == "true") && m.Metadata.EventType != "" {
		o["metadata"] = m.Metadata
	}
	return o
}

func (c *call) replies(parent *Message) (n int) {
	for _, m := range c.messages {
		if m.Channel == parent.Channel && m.ThreadTS == parent.TS && m != parent && !m.Deleted {
			n++
		}
	}
	return n
}
