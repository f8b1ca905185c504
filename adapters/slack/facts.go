package slack

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/argo-bridge/argo-bridge/adapters/slack/message"
	"github.com/argo-bridge/argo-bridge/bridge"
)

// FactFinder derives what filters, expressions and people see of Slack events.
//
// The filter values are
//
//   - commands: the slash command, with its slash,
//   - channels: the id, and "#name" where the payload has it (the Events API tells ids alone),
//   - users: the id, and "@name" where the payload has it,
//   - text: what was written; for a message without the leading mention of the app,
//   - emoji: the reaction's name without colons,
//   - ids: action_id and callback_id of buttons, shortcuts and views,
//   - workspaces: the team's id,
//   - user-workspaces: the id of the team that the user is of: another one in a channel that two share.
//
// The user's groups are for a Warden to say, see QuestionGroups. The bridge's own command, buttons and form become the Order
// of the facts.
type FactFinder struct {
	// Command is the bridge's own slash command; default: DefaultCommand.
	Command string
}

var _ bridge.FactFinder = FactFinder{}

// Facts derives the facts of an event whose type begins with com.slack.
func (x FactFinder) Facts(e bridge.Event) (bridge.Facts, bool, error) {
	kind, ok := strings.CutPrefix(e.Type, typePrefix)
	if !ok || kind == "" {
		return bridge.Facts{}, false, nil
	}
	d, err := decode(e.Data)
	if err != nil {
		return bridge.Facts{}, true, fmt.Errorf("the data of %s is not a JSON object", e.Type)
	}
	o := occurrence(kind, d)
	o.order = x.order(&o, d)
	f := bridge.Facts{
		Name:    source + "." + kind,
		Source:  source,
		Values:  o.values(),
		URL:     o.url(),
		Actor:   o.who(),
		ReplyTo: o.replyTo(),
		Title:   cutTitle(o.title()),
		Order:   o.order,
		Asks:    o.asks(),
		Awaited: e.Type == typeCommand || e.Type == typeView,
	}
	f.Variables = sync.OnceValues(func() (map[string]any, error) { return o.variables(e.Data) })
	return f, true, nil
}

// A happening is what the different payloads say of the same things.
type happening struct {
	kind                                 string
	order                                *bridge.Order
	team, userTeam, channel, channelName string
	user, userName, command, text        string
	ts, threadTS, emoji, actionID, value string
	callbackID, triggerID, responseURL   string
	ids                                  []string
	hasText                              bool
}

func occurrence(kind string, d document) happening {
	h := happening{kind: kind, team: d.team()}
	switch typePrefix + kind {
	case typeCommand:
		h.command, h.text, h.hasText = d.text("command"), d.text("text"), true
		h.channel, h.channelName = d.text("channel_id"), d.text("channel_name")
		h.user, h.userName, h.userTeam = d.text("user_id"), d.text("user_name"), d.text("team_id")
		h.triggerID, h.responseURL = d.text("trigger_id"), d.text("response_url")
	case typeAction, typeShortcut, typeView:
		h.interaction(d)
	default:
		h.happened(d)
	}
	// What Slack calls conversations that have no name.
	if h.channelName == "directmessage" || h.channelName == "privategroup" {
		h.channelName = ""
	}
	return h
}

func (h *happening) interaction(d document) {
	h.channel, h.channelName = d.first("channel.id", "container.channel_id"), d.text("channel.name")
	h.user, h.userName, h.userTeam = d.text("user.id"), d.first("user.username", "user.name"), d.text("user.team_id")
	h.ts, h.threadTS = d.first("message.ts", "container.message_ts", "message_ts"), d.first("message.thread_ts", "container.thread_ts")
	h.callbackID = d.first("callback_id", "view.callback_id")
	h.triggerID, h.responseURL = d.text("trigger_id"), d.text("response_url")
	for _, a := range d.all("actions") {
		h.ids = append(h.ids, a.text("action_id"))
	}
	a := d.list("actions")
	h.actionID = a.text("action_id")
	h.value = a.first("value", "selected_option.value", "selected_date", "selected_time", "selected_user", "selected_channel", "selected_conversation")
	h.ids = slices.DeleteFunc(append(h.ids, h.callbackID), func(s string) bool { return s == "" })
	if t := d.text("message.text"); h.kind == "shortcut" && t != "" {
		h.text, h.hasText = t, true
	}
}

func (h *happening) happened(d document) {
	h.channel, h.channelName = d.first("event.channel", "event.channel.id", "event.item.channel", "event.channel_id"), d.text("event.channel.name")
	h.user, h.userName = d.first("event.user", "event.user.id", "event.message.user"), d.text("event.user.name")
	h.userTeam = d.first("event.user_team", "event.source_team", "event.user.team_id", "event.team")
	h.ts = d.first("event.ts", "event.item.ts", "event.message.ts")
	h.threadTS = d.first("event.thread_ts", "event.message.thread_ts")
	h.emoji = d.text("event.reaction")
	h.callbackID = d.text("event.callback_id")
	if h.callbackID != "" {
		h.ids = []string{h.callbackID}
	}
	event, _ := d["event"].(map[string]any)
	if _, h.hasText = event["text"].(string); h.hasText {
		h.text = d.text("event.text")
	} else if h.text = d.text("event.message.text"); h.text != "" {
		h.hasText = true
	}
}

func (h happening) values() map[string][]string {
	v := map[string][]string{}
	add := func(key string, values ...string) {
		if values = slices.DeleteFunc(values, func(s string) bool { return s == "" || s == "#" || s == "@" }); len(values) > 0 {
			v[key] = values
		}
	}
	add("commands", h.command)
	add("channels", h.channel, "#"+h.channelName)
	add("users", h.user, "@"+h.userName)
	add("emoji", h.emoji)
	add("ids", h.ids...)
	add("workspaces", h.team)
	add("user-workspaces", h.userTeam)
	if h.hasText {
		v["text"] = []string{h.said()}
	}
	return v
}

// said is the text without the mention that addresses the app.
func (h happening) said() string {
	if rest, ok := strings.CutPrefix(strings.TrimSpace(h.text), "<@"); ok {
		if _, after, ok := strings.Cut(rest, ">"); ok {
			return strings.TrimSpace(after)
		}
	}
	return h.text
}

// variables builds "slack" and "data". A name that has no value is absent, and so null.
func (h happening) variables(data json.RawMessage) (map[string]any, error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	var payload map[string]any
	if err := dec.Decode(&payload); err != nil {
		return nil, fmt.Errorf("read the payload: %w", err)
	}
	s := map[string]any{}
	for name, value := range map[string]string{
		"team": h.team, "channel": h.channel, "channel_name": h.channelName, "user": h.user, "user_name": h.userName,
		"command": h.command, "ts": h.ts, "thread_ts": h.threadTS, "emoji": h.emoji, "action_id": h.actionID,
		"callback_id": h.callbackID, "value": h.value, "trigger_id": h.triggerID, "response_url": h.responseURL,
	} {
		if value != "" {
			s[name] = value
		}
	}
	if h.hasText {
		s["text"], s["args"] = h.said(), Args(h.said())
	}
	return map[string]any{source: s, "data": payload}, nil
}

// replyTo is the workspace, the channel, and the thread when there is a message to reply to: T024BE7LD:C024BE91L/1700000000.000100.
func (h happening) replyTo() string {
	thread := h.threadTS
	if thread == "" {
		thread = h.ts
	}
	place := h.channel
	if h.channel == "" {
		return ""
	}
	if teamPattern.MatchString(h.team) {
		place = h.team + ":" + place
	}
	if thread == "" {
		return place
	}
	return place + "/" + thread
}

func (h happening) url() string {
	switch {
	case h.channel == "":
		return ""
	case h.ts == "":
		return "https://slack.com/app_redirect?" + url.Values{"channel": {h.channel}, "team": {h.team}}.Encode()
	}
	u := "https://slack.com/archives/" + url.PathEscape(h.channel) + "/p" + url.PathEscape(strings.ReplaceAll(h.ts, ".", ""))
	if h.threadTS != "" && h.threadTS != h.ts {
		u += "?" + url.Values{"thread_ts": {h.threadTS}, "cid": {h.channel}}.Encode()
	}
	return u
}

func (h happening) who() string {
	if h.userName != "" {
		return h.userName
	}
	return h.user
}

func (h happening) title() string {
	who := "somebody"
	if w := h.who(); w != "" {
		who = "@" + w
	}
	switch h.kind {
	case "command":
		if h.order != nil { // whose parameters may hold secrets
			return who + " used " + h.order.Word
		}
		return strings.TrimSpace(who + " used " + h.command + " " + h.text)
	case "action":
		if h.order != nil {
			return who + " pressed " + h.order.Word
		}
		return who + " pressed " + strings.Join(h.ids, ", ")
	case "shortcut":
		return who + " used the shortcut " + h.callbackID
	case "view_submission":
		if h.order != nil {
			return who + " used the form of " + h.order.Word
		}
		return who + " submitted " + h.callbackID
	case "app_mention":
		return who + " mentioned the app: " + h.said()
	case "message":
		return who + " wrote: " + h.text
	case "reaction_added", "reaction_removed":
		return who + " " + strings.TrimPrefix(h.kind, "reaction_") + " :" + h.emoji + ":"
	}
	return strings.ReplaceAll(h.kind, "_", " ") + " by " + who
}

func cutTitle(s string) string {
	return message.Cut(strings.Join(strings.Fields(s), " "), 200)
}
