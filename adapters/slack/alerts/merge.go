package alerts

import (
	"context"
	"slices"
	"time"

	"github.com/argo-bridge/argo-bridge/adapters/slack/message"
	"github.com/argo-bridge/argo-bridge/bridge"
)

// settle is how long a failure's details wait: when others join it meanwhile, they are not posted.
const settle = 4 * time.Second

// merged is what a notification has been merged into, and the version that shows it.
type merged struct {
	id      string
	version int
	news    bool // it was merged just now, and not before
}

// merge takes a notification into the alerts that it is of. It may be called again with the same one, and changes nothing
// more then. Nothing is returned when there is nothing to show.
func (n *Notifier) merge(ctx context.Context, m bridge.Notification) (all []merged, err error) {
	m = slim(m)
	if m.Pause == nil && message.StateOf(m) == message.Good {
		// Also where it is not called recovered, as with a template that tells of each success.
		if all, err = n.recover(ctx, m); err != nil {
			return all, err
		}
		if m.Outcome == bridge.Recovered && len(all) > 0 {
			m.Follow = true // no message of its own beside those that it closes
		}
	}
	a, err := n.assign(ctx, m)
	if err != nil || a.Alert == "" {
		return all, err
	}
	result, err := n.enter(ctx, a, m)
	if all = append(all, result); err != nil || a.Later == nil || m.Follow {
		return all, err
	}
	rest, err := n.merge(ctx, *a.Later)
	return append(all, rest...), err
}

// enter merges a notification into its alert. That it was made good before is looked for twice: so that it is not shown as
// what it is not any more, and because whoever makes it good does not see it before it is there.
func (n *Notifier) enter(ctx context.Context, a assignment, m bridge.Notification) (merged, error) {
	result := merged{id: a.Alert}
	good, err := n.good(ctx, m)
	if err != nil {
		return result, err
	}
	err = bridge.Change(ctx, n.Table, keyAlert+a.Alert, func(e *entry) bool {
		if e.ID == "" {
			*e = n.fresh(m, a)
		}
		result.news = n.take(e, m)
		changed := good != nil && e.mend(seriesOf(m), *good, nil) || result.news
		result.version = e.versionOf(m)
		return changed
	})
	if err != nil || !fails(m) {
		return result, err
	}
	if err := n.point(ctx, m, a.Alert); err != nil || good != nil {
		return result, err
	}
	if good, err = n.good(ctx, m); err != nil || good == nil {
		return result, err
	}
	return result, bridge.Change(ctx, n.Table, keyAlert+a.Alert, func(e *entry) bool { return e.mend(seriesOf(m), *good, nil) })
}

// fresh is a new alert.
func (n *Notifier) fresh(m bridge.Notification, a assignment) entry {
	return entry{
		ID: a.Alert, To: m.To, At: replyTo(m), Opened: n.Now().UTC(), Set: n.Settings.of(m),
		Cause: a.cause, Overflow: a.overflow, Seen: map[string]seen{}, Of: map[string]bool{},
	}
}

// versionOf is the version that shows what a notification says.
func (e *entry) versionOf(m bridge.Notification) int {
	if fails(m) {
		return e.Seen[runKey(m)].Version
	}
	return e.Version
}

// attempt identifies one failure: a run that is retried may fail again.
func attempt(m bridge.Notification) string {
	return bridge.Digest(m.Run.UID + "\n" + m.Subject + "\n" + m.Run.Started.UTC().String())
}

// take merges a notification into an alert; false when it says nothing new.
func (n *Notifier) take(e *entry, m bridge.Notification) bool {
	if fails(m) {
		return n.fail(e, m)
	}
	if len(e.Seen) > 1 || !orderOf(m).after(e.Order) {
		return false // of a group only failures and recoveries are told
	}
	e.State, e.Newest, e.Order, e.Failed = message.StateOf(m), m, orderOf(m), ""
	if e.Gone && e.State == message.Waiting {
		e.again()
	}
	if e.State == message.Good && len(e.Seen) > 0 {
		e.close(message.LineOf(m), &m)
	}
	e.Version++
	return true
}

// fail counts a failure.
func (n *Notifier) fail(e *entry, m bridge.Notification) bool {
	run, key := runKey(m), attempt(m)
	if have, ok := e.Seen[run]; ok && !m.Run.Started.After(have.Started) {
		return false
	}
	line := message.LineOf(m)
	line.Message = clip(line.Message, 300)
	e.Version++
	if e.Seen == nil { // JSON leaves out what is empty
		e.Seen = map[string]seen{}
	}
	e.Seen[run] = seen{m.Run.Started, e.Version}
	e.Of = with(e.Of, m.Run.Template.String())
	if m.Outcome != bridge.EventRejected { // of which no run makes good
		e.fires(seriesOf(m), line.At)
	}
	e.Lines = append([]message.Line{line}, slices.DeleteFunc(e.Lines, func(l message.Line) bool { return l.Run == line.Run && l.Run.UID != "" })...)
	if e.First.IsZero() || line.At.Before(e.First) {
		e.First = line.At
	}
	if line.At.After(e.Last) {
		e.Last = line.At
	}
	if e.Newest.Key == "" || len(e.Seen) > 1 || orderOf(m).after(e.Order) {
		e.Newest, e.Order = m, orderOf(m)
		e.State, e.By = message.StateOf(m), nil
		if len(e.Seen) > 1 {
			e.State = message.Firing
			if len(e.Firing) == 0 { // events that were rejected, and nothing else that is not good again
				e.State = message.Ended
			}
		}
	} else if e.State == message.Good { // the run itself, before it was told that it had failed
		e.close(message.LineOf(e.Newest), nil)
	}
	e.Failed = "" // what kept Slack from taking it may be mended
	if e.Gone {
		e.again()
	}
	if len(e.Seen) == 1 && e.At == "" && m.Run.Name != "" {
		of := m
		calls := e.TS == "" && e.Writer == nil // the message itself, which is not on its way yet
		e.Parts = append(e.Parts, part{Key: key, Kind: partDetails, Of: &of, Ring: !calls, Not: n.Now().UTC().Add(n.settle)})
	}
	e.trim()
	return true
}

func with(set map[string]bool, member string) map[string]bool {
	if set == nil {
		set = map[string]bool{}
	}
	set[member] = true
	return set
}
