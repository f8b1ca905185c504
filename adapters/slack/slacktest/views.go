package slacktest

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// Limits of modals: https://docs.slack.dev/reference/views/modal-views
const (
	maxTitle       = 24
	maxViewBlocks  = 100
	maxPrivate     = 3000
	maxViewBytes   = 250 * 1000
	maxViewStack   = 3
	triggerExpires = 3 * time.Second // https://docs.slack.dev/interactivity/handling-user-interaction#modal_responses
)

// A View is a modal that a user sees, or has seen.
type View struct {
	ID, Team, User string
	CallbackID     string
	Private        string // private_metadata
	Raw            json.RawMessage
	Closed         bool
	hash           string
	root           string
	external       string
}

// A trigger lets the app open one modal for a user.
type trigger struct {
	team *Team
	user string
	at   time.Time
	used bool
}

// Views returns the modals that were opened, oldest first, each as it was last.
func (s *Server) Views() []View {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]View, len(s.views))
	for i, v := range s.views {
		all[i] = *v
	}
	return all
}

// Trigger makes a trigger_id for a user, as a command or a pressed button brings it.
func (s *Server) Trigger(user string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.trigger(s.teamOfUser(user), user)
}

func (s *Server) trigger(t *Team, user string) string {
	s.serial++
	id := fmt.Sprintf("%d.%s.%08x", s.serial, t.ID[1:], s.serial*2654435761%(1<<32))
	s.triggers[id] = &trigger{team: t, user: user, at: s.now()}
	return id
}

// teamOfUser is the workspace of a user; the lock is held.
func (s *Server) teamOfUser(user string) *Team {
	for _, t := range s.teams {
		if t.user(user) != nil {
			return t
		}
	}
	return s.teams[0]
}

// pull uses up a trigger.
func (c *call) pull() (*trigger, object) {
	switch t := c.triggers[c.form.Get("trigger_id")]; {
	case t == nil || t.team != c.team:
		return nil, refused("invalid_trigger_id")
	case t.used:
		return nil, refused("exchanged_trigger_id")
	case c.now().Sub(t.at) > triggerExpires:
		return nil, refused("expired_trigger_id")
	default:
		return t, nil
	}
}

// openView is https://docs.slack.dev/reference/methods/views.open
func (c *call) openView() object {
	t, fault := c.pull()
	if fault != nil {
		return fault
	}
	v, fault := c.read(json.RawMessage(c.form.Get("view")))
	if fault != nil {
		return fault
	}
	t.used = true
	v.Team, v.User, v.root = c.team.ID, t.user, v.ID
	c.views = append(c.views, v)
	return object{"ok": true, "view": v.wire(nil)}
}

// pushView is https://docs.slack.dev/reference/methods/views.push
func (c *call) pushView() object {
	t, fault := c.pull()
	if fault != nil {
		return fault
	}
	v, fault := c.read(json.RawMessage(c.form.Get("view")))
	if fault != nil {
		return fault
	}
	open := slices.DeleteFunc(slices.Clone(c.views), func(o *View) bool { return o.Closed || o.User != t.user })
	switch {
	case len(open) == 0:
		return refused("not_found")
	case len(open) >= maxViewStack:
		return refused("push_limit_reached")
	}
	t.used = true
	v.Team, v.User, v.root = c.team.ID, t.user, open[0].root
	c.views = append(c.views, v)
	return object{"ok": true, "view": v.wire(nil)}
}

// updateView is https://docs.slack.dev/reference/methods/views.update
func (c *call) updateView() object {
	i := slices.IndexFunc(c.views, func(v *View) bool {
		id, external := c.form.Get("view_id"), c.form.Get("external_id")
		return v.Team == c.team.ID && !v.Closed && (id != "" && v.ID == id || external != "" && v.external == external)
	})
	if i < 0 {
		return refused("not_found")
	}
	old := c.views[i]
	if h := c.form.Get("hash"); h != "" && h != old.hash {
		return refused("hash_conflict")
	}
	v, fault := c.read(json.RawMessage(c.form.Get("view")))
	if fault != nil {
		return fault
	}
	old.Raw, old.CallbackID, old.Private, old.hash = v.Raw, v.CallbackID, v.Private, v.hash
	return object{"ok": true, "view": old.wire(nil)}
}
