package slacktest

import (
	"maps"
	"time"
)

// retryAfter is when an event is sent again that failed: https://docs.slack.dev/apis/events-api/#retries
var retryAfter = []time.Duration{0, time.Minute, 5 * time.Minute}

// A late event waits for its next attempt.
type late struct {
	parcel parcel
	due    time.Time
}

// Event sends an event of the first workspace, whose field type and others are given, and what the Events API adds. When it
// fails it is sent again at once; what fails then waits for Retry.
func (s *Server) Event(event map[string]any) Sent { return s.Team().Event(event) }

// Event sends an event of the workspace, see [Server.Event].
func (t *Team) Event(event map[string]any) Sent {
	s := t.server
	s.mu.Lock()
	e := object(maps.Clone(event))
	if e["event_ts"] == nil {
		e["event_ts"] = s.stamp()
	}
	p := parcel{kind: kindEvent, payload: object{
		"token": "retired", "team_id": t.ID, "api_app_id": AppID, "event": e, "type": "event_callback",
		"event_id": s.next("Ev"), "event_time": s.now().Unix(), "is_ext_shared_channel": false,
		"authorizations": []object{{"enterprise_id": nil, "team_id": t.ID, "user_id": t.BotUser, "is_bot": true, "is_enterprise_install": false}},
	}}
	s.mu.Unlock()
	return s.deliver(p)
}

// Mention lets a user write to the app in a channel, and sends the event; it returns the message's timestamp.
func (s *Server) Mention(user string, c *Channel, text string) (ts string, sent Sent) {
	s.mu.Lock()
	t := s.home(c)
	s.mu.Unlock()
	text = "<@" + t.BotUser + "> " + text
	ts = s.Say(c, user, "", text)
	return ts, t.Event(map[string]any{"type": "app_mention", "user": user, "channel": c.ID, "text": text, "ts": ts, "event_ts": ts})
}

// deliver makes the first attempt, and the second when that fails.
func (s *Server) deliver(p parcel) Sent {
	for {
		out := s.send(p)
		if out.OK() || out.noRetry || p.attempt >= len(retryAfter) {
			return out
		}
		p.reason = out.Reason
		wait := retryAfter[p.attempt]
		p.attempt++
		if wait > 0 {
			s.mu.Lock()
			s.lates = append(s.lates, late{p, s.now().Add(wait)})
			s.mu.Unlock()
			return out
		}
	}
}

// Retry sends the events again whose time has come, and returns what became of them.
func (s *Server) Retry() (all []Sent) {
	s.mu.Lock()
	var due, later []late
	for _, l := range s.lates {
		if s.now().Before(l.due) {
			later = append(later, l)
		} else {
			due = append(due, l)
		}
	}
	s.lates = later
	s.mu.Unlock()
	for _, l := range due {
		all = append(all, s.deliver(l.parcel))
	}
	return all
}
