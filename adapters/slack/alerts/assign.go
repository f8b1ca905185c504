package alerts

import (
	"cmp"
	"context"

	"github.com/argo-bridge/argo-bridge/adapters/slack/message"
	"github.com/argo-bridge/argo-bridge/bridge"
)

// An assignment says which alert a notification is of. Asked again it is the same: it is kept under the run.
type assignment struct {
	Alert string `json:"alert"`
	// Of is the run's UID, where it is kept under what an event is to become: an event becomes one run.
	Of string `json:"of,omitempty"`
	// Later is what was told of the run, when there was no alert yet that it could bring up to date.
	Later *bridge.Notification `json:"later,omitempty"`
	// cause and overflow are what the alert groups by, if it is made by this notification.
	cause    string
	overflow bool
}

// roomOf is the key of a place: a channel, or the thread in which a reply stands.
func roomOf(n bridge.Notification) string {
	return bridge.Digest(n.To.String() + "\n" + replyTo(n))
}

// replyTo is where slack:reply goes.
func replyTo(n bridge.Notification) string {
	if n.To.Target != targetReply {
		return ""
	}
	return n.Run.Annotations[bridge.AnnotationReplyTo]
}

// runKey identifies what a notification is about: a run, one suspended step of it, which has a message of its own, or what
// an event is to become a run of.
func runKey(n bridge.Notification) string {
	key := cmp.Or(n.Run.UID, n.Subject)
	if n.Pause != nil {
		key += "/" + n.Pause.Node
	}
	return bridge.Digest(key)
}

// seriesOf is the template, and the concurrency group, whose runs make one another good.
func seriesOf(n bridge.Notification) string {
	return bridge.Digest(n.Run.Namespace + "\n" + n.Run.Template.String() + "\n" + n.Run.Labels[bridge.LabelGroup])
}

// fails says that a notification counts as a failure.
func fails(n bridge.Notification) bool {
	return n.Outcome == bridge.EventRejected || n.Pause == nil && message.StateOf(n) == message.Firing
}

// assign finds the alert of a notification, or makes the first step of a new one. An empty Alert: there is none, and none
// is to be.
func (n *Notifier) assign(ctx context.Context, m bridge.Notification) (a assignment, err error) {
	key := keyRun + roomOf(m) + "." + runKey(m)
	if err = n.read(ctx, key, &a); err != nil || a.Alert != "" {
		return a, err
	}
	if a, err = n.matched(ctx, m); err != nil {
		return a, err
	}
	switch {
	case a.Alert != "":
	case m.Follow:
		return n.later(ctx, key, m)
	case fails(m) && m.To.Target != targetReply:
		a, err = n.join(ctx, m)
	default:
		a = assignment{Alert: newID(m)}
	}
	if err != nil {
		return a, err
	}
	made := a
	err = bridge.Change(ctx, n.Table, key, func(have *assignment) bool {
		made.Later = have.Later
		if have.Alert != "" { // by another replica, to which the bus has given the notification as well
			made.Alert = have.Alert
			return false
		}
		have.Alert = made.Alert
		return true
	})
	if err != nil || !follows(m) {
		return made, err
	}
	// Should it be told only now that the event has matched, it is told already.
	return made, bridge.Change(ctx, n.Table, subjectKey(m), func(have *assignment) bool {
		if have.Alert != "" {
			return false
		}
		*have = assignment{Alert: made.Alert, Of: m.Run.UID}
		return true
	})
}

// later keeps what only brings up to date what is not told yet: it may be told later.
func (n *Notifier) later(ctx context.Context, key string, m bridge.Notification) (a assignment, err error) {
	err = bridge.Change(ctx, n.Table, key, func(have *assignment) bool {
		a = assignment{Alert: have.Alert}
		if have.Alert != "" || have.Later != nil && !orderOf(m).after(orderOf(*have.Later)) {
			return false
		}
		have.Later = &m
		return true
	})
	return a, err
}

// follows says that the run of a notification is what an event has become.
func follows(m bridge.Notification) bool {
	return m.Run.UID != "" && m.Subject != "" && m.Pause == nil && bridge.IsHash(m.Run.Labels[bridge.LabelEvent])
}

// subjectKey is where the alert stands that was made when an event matched.
func subjectKey(m bridge.Notification) string {
	return keyRun + roomOf(m) + "." + bridge.Digest(m.Subject)
}

// matched is the alert that was made when the event of a run matched: before there was a run. A run that somebody has made
// like it, and whose labels say the same, has one of its own.
func (n *Notifier) matched(ctx context.Context, m bridge.Notification) (a assignment, err error) {
	if !follows(m) {
		return a, nil
	}
	if err = n.read(ctx, subjectKey(m), &a); err != nil || a.Alert == "" || a.Of != "" && a.Of != m.Run.UID {
		return assignment{}, err
	}
	if a.Of == m.Run.UID {
		return assignment{Alert: a.Alert}, nil
	}
	e, err := n.load(ctx, a.Alert)
	if err != nil || e != nil && (e.Newest.Run.UID != "" || len(e.Seen) > 0) {
		return assignment{}, err
	}
	err = bridge.Change(ctx, n.Table, subjectKey(m), func(have *assignment) bool {
		a = assignment{Alert: have.Alert}
		if have.Of != "" {
			if have.Of != m.Run.UID {
				a = assignment{}
			}
			return false
		}
		have.Of = m.Run.UID
		return true
	})
	return a, err
}

// newID is the same however often the notification is handled.
func newID(m bridge.Notification) string { return bridge.Digest(roomOf(m) + "\n" + runKey(m)) }
