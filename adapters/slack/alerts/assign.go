package alerts

import (
	"cmp"
	"context"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/argo-bridge/argo-bridge/adapters/slack/message"
	"github.com/argo-bridge/argo-bridge/bridge"
)

// A pointer leads from a template, or from a cause, to the alert that its failures join.
type pointer struct {
	Alert  string    `json:"alert"`
	Opened time.Time `json:"opened"`
	// Closes is when the alert takes no more failures, Repeats when it does so though the template keeps failing.
	Closes  time.Time `json:"closes"`
	Repeats time.Time `json:"repeats,omitzero"`
	// Good is the last run of the template that has made its failures good; nil for none.
	Good *message.Line `json:"good,omitempty"`
	// Before are other alerts that the template has failed in, which a good run closes as well: the last failure that is
	// known to be in each.
	Before map[string]time.Time `json:"before,omitempty"`
}

// maxBefore bounds how many messages a good run closes beside the last one.
const maxBefore = 100

// turn makes an alert the one that further failures join.
func (p *pointer) turn(alert string, now time.Time, set settings) {
	if p.Alert != "" && p.Alert != alert {
		p.also(p.Alert, time.Time{})
	}
	delete(p.Before, alert)
	p.Alert, p.Opened, p.Closes, p.Repeats = alert, now, now.Add(set.Window), now.Add(set.Repeat)
}

// also adds an alert that a good run closes as well; false: it is known.
func (p *pointer) also(alert string, at time.Time) bool {
	if have, ok := p.Before[alert]; ok && !at.After(have) {
		return false
	}
	if p.Before == nil {
		p.Before = map[string]time.Time{}
	}
	p.Before[alert] = at
	for len(p.Before) > maxBefore {
		oldest := ""
		for id, at := range p.Before {
			if id != alert && (oldest == "" || at.Before(p.Before[oldest])) {
				oldest = id
			}
		}
		delete(p.Before, oldest)
	}
	return true
}

// A budget is how many new messages of failures a channel has had since a time.
type budget struct {
	Since  time.Time `json:"since"`
	Alerts []string  `json:"alerts"`
}

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
	err = change(ctx, n.Table, key, func(have *assignment) bool {
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
	return made, change(ctx, n.Table, subjectKey(m), func(have *assignment) bool {
		if have.Alert != "" {
			return false
		}
		*have = assignment{Alert: made.Alert, Of: m.Run.UID}
		return true
	})
}

// later keeps what only brings up to date what is not told yet: it may be told later.
func (n *Notifier) later(ctx context.Context, key string, m bridge.Notification) (a assignment, err error) {
	err = change(ctx, n.Table, key, func(have *assignment) bool {
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
	err = change(ctx, n.Table, subjectKey(m), func(have *assignment) bool {
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

// join finds the alert that a failure joins: the one of its template, else the one of its cause, else a new one, as long as
// the channel has had few, and else the one for what is too much.
func (n *Notifier) join(ctx context.Context, m bridge.Notification) (a assignment, err error) {
	room, series, cause, set, now := roomOf(m), keySeries+roomOf(m)+"."+seriesOf(m), causeOf(m), n.Settings.of(m), n.Now()
	fresh := newID(m)
	var have pointer
	if err := n.read(ctx, series, &have); err != nil {
		return a, err
	}
	open, err := n.open(ctx, have, now)
	if err != nil {
		return a, err
	}
	if open || have.Alert == fresh {
		return assignment{Alert: have.Alert}, nil
	}
	if a, err = n.joinOther(ctx, room, cause, fresh, set, now); err != nil {
		return a, err
	}
	made := a
	err = change(ctx, n.Table, series, func(p *pointer) bool {
		a = made
		if p.Alert != have.Alert { // another failure of the template has come first
			a = assignment{Alert: p.Alert}
			return false
		}
		p.turn(a.Alert, now, set)
		return true
	})
	if err != nil || cause == "" || a.Alert != fresh {
		return a, err
	}
	return a, change(ctx, n.Table, keyCause+room+"."+bridge.Digest(cause), func(p *pointer) bool {
		if now.Before(p.Closes) {
			return false
		}
		*p = pointer{Alert: a.Alert, Opened: now, Closes: now.Add(set.Window)}
		return true
	})
}

// point makes the alert of a failure the one that further failures of its template join, unless there is such a one: the
// run's message may have been there before it failed. A good run closes it in any case.
func (n *Notifier) point(ctx context.Context, m bridge.Notification, alert string) error {
	if !fails(m) || m.To.Target == targetReply {
		return nil
	}
	set, now := n.Settings.of(m), n.Now()
	return change(ctx, n.Table, keySeries+roomOf(m)+"."+seriesOf(m), func(p *pointer) bool {
		switch {
		case p.Alert == alert:
			return false
		case p.Alert != "" && now.Before(p.Closes):
			return m.Outcome != bridge.EventRejected && p.also(alert, m.Run.Finished)
		}
		p.turn(alert, now, set)
		return true
	})
}

// joinOther is the alert of the cause, a new one, or the one for what is too much.
func (n *Notifier) joinOther(ctx context.Context, room, cause, fresh string, set settings, now time.Time) (assignment, error) {
	if cause != "" {
		var p pointer
		if err := n.read(ctx, keyCause+room+"."+bridge.Digest(cause), &p); err != nil {
			return assignment{}, err
		}
		if open, err := n.open(ctx, pointer{Alert: p.Alert, Opened: p.Opened, Closes: p.Closes}, now); err != nil || open {
			return assignment{Alert: p.Alert, cause: cause}, err
		}
	}
	a := assignment{Alert: fresh}
	if n.Settings.Burst <= 0 || set.Window == 0 {
		return a, nil
	}
	err := change(ctx, n.Table, keyBudget+room, func(b *budget) bool {
		a = assignment{Alert: fresh}
		if now.Sub(b.Since) >= n.Settings.Window {
			*b = budget{Since: now}
		}
		switch {
		case slices.Contains(b.Alerts, fresh):
			return false
		case len(b.Alerts) >= n.Settings.Burst:
			a = assignment{Alert: bridge.Digest(room + "\n" + b.Since.UTC().String()), overflow: true}
			return false
		}
		b.Alerts = append(b.Alerts, fresh)
		return true
	})
	return a, err
}

// open says whether an alert takes another failure: within its window, while it is not posted yet, and while its template
// keeps failing until it is to be repeated.
func (n *Notifier) open(ctx context.Context, p pointer, now time.Time) (bool, error) {
	if p.Alert == "" || p.Closes.Equal(p.Opened) && !p.Repeats.After(p.Opened) {
		return false, nil // there is none, or each failure is to have its own message
	}
	e, err := n.load(ctx, p.Alert)
	if err != nil || e == nil {
		return now.Before(p.Closes), err
	}
	switch {
	case e.Gone, len(e.Seen) >= maxSeen, e.Failed != "" && e.TS != "": // its channel may have a follower of the same name
		return false, nil
	case now.Before(p.Closes):
		return true, nil
	case e.State != message.Firing:
		return false, nil
	}
	return e.TS == "" || now.Before(p.Repeats), nil
}

var (
	numbers = regexp.MustCompile(`[0-9a-f]*[0-9][0-9a-f]*`)
	// generic messages say nothing of the cause.
	generic = regexp.MustCompile(`(?i)^(|error|failed|child '.*' failed|.*\(?exit code #?\)?|no more retries left|main: error.*|step group deemed errored.*|task .* errored.*)$`)
)

// causeOf is what a run failed of, without what differs from run to run; empty when its message says nothing.
func causeOf(m bridge.Notification) string {
	said := m.Run.Message
	if len(m.Run.Failures) > 0 {
		said = m.Run.Failures[0].Message
	}
	said = strings.ReplaceAll(said, m.Run.Name, "#")
	said = strings.Join(strings.Fields(numbers.ReplaceAllString(said, "#")), " ")
	if generic.MatchString(said) {
		return ""
	}
	return said[:min(len(said), 300)]
}
