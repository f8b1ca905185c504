package slacktest

import (
	"encoding/json"
	"slices"
)

// A Message is one in a channel, as it stands now.
type Message struct {
	Team        string          `json:"-"` // the workspace's id
	Channel     string          `json:"-"` // the channel's id
	TS          string          `json:"ts"`
	ThreadTS    string          `json:"thread_ts,omitempty"`
	User        string          `json:"user,omitempty"`
	BotID       string          `json:"bot_id,omitempty"`
	AppID       string          `json:"app_id,omitempty"`
	Text        string          `json:"text"`
	Blocks      json.RawMessage `json:"blocks,omitempty"`
	Attachments json.RawMessage `json:"attachments,omitempty"`
	Metadata    Metadata        `json:"metadata"`
	// Broadcast: a reply that the channel shows too.
	Broadcast bool `json:"-"`
	Deleted   bool `json:"-"`
	// Edits is what it was before, the oldest first.
	Edits []Edit `json:"-"`
}

// An Edit is what a message was before a chat.update.
type Edit struct {
	Text                string
	Blocks, Attachments json.RawMessage
	Metadata            Metadata
}

// Metadata is what a sender hides in a message.
type Metadata struct {
	EventType string         `json:"event_type"`
	Payload   map[string]any `json:"event_payload"`
}

// An Ephemeral is a message that one user sees, until they reload.
type Ephemeral struct {
	Team, Channel, User, TS, ThreadTS string
	Text                              string
	Blocks, Attachments               json.RawMessage
}

// Messages returns what the app has posted, oldest first, also what it has deleted.
func (s *Server) Messages() []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []Message
	for _, m := range s.messages {
		if m.AppID != "" {
			c := *m
			c.Edits = slices.Clone(m.Edits)
			all = append(all, c)
		}
	}
	return all
}

// Message returns one message, by its channel's id and its timestamp.
func (s *Server) Message(channel, ts string) (Message, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.message(channel, ts)
	if m == nil {
		return Message{}, false
	}
	return *m, true
}

// Ephemerals returns what only single users were shown, oldest first.
func (s *Server) Ephemerals() []Ephemeral {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.ephemerals)
}

// Say lets a user write in a channel, or in a thread of it, and returns the message's timestamp. No event is sent.
func (s *Server) Say(c *Channel, user, thread, text string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := &Message{Team: s.home(c).ID, Channel: c.ID, TS: s.stamp(), ThreadTS: thread, User: user, Text: text}
	s.messages = append(s.messages, m)
	s.change()
	return m.TS
}

// home is the workspace of a channel; the lock is held.
func (s *Server) home(c *Channel) *Team {
	for _, t := range s.teams {
		if slices.Contains(t.channels, c) {
			return t
		}
	}
	return s.teams[0]
}

// message finds one that is not deleted; the lock is held.
func (s *Server) message(channel, ts string) *Message {
	for _, m := range s.messages {
		if m.Channel == channel && m.TS == ts && !m.Deleted {
			return m
		}
	}
	return nil
}
