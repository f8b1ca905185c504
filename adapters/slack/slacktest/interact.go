package slacktest

import (
	"fmt"
	"strings"
)

// Command lets a user type a slash command in a channel: Command(ann, c, "/argo", "run deploy"). It is not repeated.
func (s *Server) Command(user string, c *Channel, command, text string) Sent {
	s.mu.Lock()
	t := s.home(c)
	id := s.next("cmd")
	p := parcel{kind: kindCommand, payload: object{
		"token": "retired", "team_id": t.ID, "team_domain": t.Domain, "channel_id": c.ID, "channel_name": shownName(c), "user_id": user,
		"user_name": t.nameOf(user), "command": command, "text": text, "api_app_id": AppID, "is_enterprise_install": "false",
		"response_url": s.responseAt(id, responseURL{user: user, channel: c.ID}), "trigger_id": s.trigger(t, user),
	}}
	s.mu.Unlock()
	return s.send(p)
}

// shownName is the channel's name as Slack writes it in commands and interactions.
func shownName(c *Channel) string {
	if c.Private {
		return "privategroup"
	}
	return c.Name
}

func (t *Team) nameOf(user string) string {
	if u := t.user(user); u != nil {
		return u.Name
	}
	return strings.ToLower(user)
}

// Press lets a user press a button of a message, by its action_id; filled is what stands in the message's inputs by
// block_id. What a changed copy of a message would do can be tried with one.
func (s *Server) Press(user string, m Message, actionID string, filled map[string]string) Sent {
	return s.act(user, m, actionID, "", filled)
}

// Choose lets a user choose an option of a menu, by its value.
func (s *Server) Choose(user string, m Message, actionID, value string) Sent {
	return s.act(user, m, actionID, value, nil)
}

func (s *Server) act(user string, m Message, actionID, value string, filled map[string]string) Sent {
	parts := partsOf(m.Blocks, m.Attachments)
	var pressed *part
	for i := range parts {
		if parts[i].element.ActionID == actionID {
			pressed = &parts[i]
			break
		}
	}
	if pressed == nil {
		return Sent{Reason: fmt.Sprintf("the message has no element %q", actionID)}
	}
	s.mu.Lock()
	action, fault := pressed.action(value, s.stamp())
	state, _, fault2 := stateOf(parts, filled)
	if fault+fault2 != "" {
		s.mu.Unlock()
		return Sent{Reason: fault + fault2}
	}
	t, c := s.placeOf(m)
	container := object{"type": "message", "message_ts": m.TS, "channel_id": m.Channel, "is_ephemeral": false}
	shown := object{"type": "message", "ts": m.TS, "text": m.Text, "user": m.User, "bot_id": m.BotID, "app_id": m.AppID}
	if m.ThreadTS != "" {
		container["thread_ts"], shown["thread_ts"] = m.ThreadTS, m.ThreadTS
	}
	if m.Blocks != nil {
		shown["blocks"] = m.Blocks
	}
	p := parcel{kind: kindInteraction, payload: s.interaction(t, "block_actions", user)}
	p.payload["container"], p.payload["message"], p.payload["channel"] = container, shown, object{"id": m.Channel, "name": shownName(c)}
	p.payload["state"], p.payload["actions"] = state, []object{action}
	p.payload["response_url"] = s.responseAt(s.next("act"), responseURL{user: user, channel: m.Channel, message: m.TS})
	s.mu.Unlock()
	return s.send(p)
}

// placeOf is where a message is; the lock is held.
func (s *Server) placeOf(m Message) (*Team, *Channel) {
	for _, t := range s.teams {
		for _, c := range t.channels {
			if c.ID == m.Channel {
				return t, c
			}
		}
	}
	return s.teams[0], &Channel{ID: m.Channel, Name: "elsewhere"}
}

// interaction is what all of them have; the lock is held.
func (s *Server) interaction(t *Team, kind, user string) object {
	home := t.ID
	if u := t.user(user); u != nil {
		home = u.Team
	}
	return object{
		"type": kind, "token": "retired", "api_app_id": AppID, "trigger_id": s.trigger(t, user), "enterprise": nil, "is_enterprise_install": false,
		"team": object{"id": t.ID, "domain": t.Domain}, "user": object{"id": user, "username": t.nameOf(user), "name": t.nameOf(user), "team_id": home},
	}
}
