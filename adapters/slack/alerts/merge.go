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
	if m.Outcome == bridge.Recovered {
		closed, err := n.recover(ctx, m)
		if err != nil || closed.id != "" && m.Follow {
			return []merged{closed}, err
		}
		if closed.id != "" {
			all = append(all, closed)
			m.Follow = true // no message of its own beside the one that it closes
		}
	}
	a, err := n.assign(ctx, m)
	if err != nil || a.Alert == "" {
		return all, err
	}
	if err := n.point(ctx, m, a.Alert); err != nil {
		return all, err
	}
	good, err := n.good(ctx, m)
	if err != nil {
		return all, err
	}
	result := merged{id: a.Alert}
	err = change(ctx, n.Table, keyAlert+a.Alert, func(e *entry) bool {
		if e.ID == "" {
			*e = n.fresh(m, a)
		}
		changed := n.take(e, m)
		if changed && good != nil {
			e.close(*good, nil)
		}
		result.version, result.news = e.versionOf(m), changed
		return changed
	})
	return append(all, result), err
}

// fresh is a new alert.
func (n *Notifier) fresh(m bridge.Notification, a assignment) entry {
	return entry{
		ID: a.Alert, To: m.To, Room: roomOf(m), At: replyTo(m), Opened: n.Now().UTC(), Set: n.Settings.of(m),
		Cause: a.cause, Overflow: a.overflow, Seen: map[string]seen{}, Firing: map[string]bool{}, Of: map[string]bool{},
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
	e.State, e.Newest, e.Order = message.StateOf(m), m, orderOf(m)
	if e.State == message.Good && len(e.Seen) > 0 {
		e.close(message.LineOf(m), &m)
	}
	e.Version++
	return true
}

// fail counts a failure.
func (n *Notifier) fail(e *entry, m bridge.Notification) bool {
	run, key := runKey(m), attempt(m)
	if e.Seen[run].Attempt == key {
		return false
	}
	line := message.LineOf(m)
	line.Message = clip(line.Message, 300)
	e.Version++
	if e.Seen == nil { // JSON leaves out what is empty
		e.Seen = map[string]seen{}
	}
	e.Seen[run] = seen{key, e.Version}
	e.Of = with(e.Of, m.Run.Template.String())
	if m.Outcome != bridge.EventRejected { // of which no run makes good
		e.Firing = with(e.Firing, seriesOf(m))
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
		}
	}
	e.Failed = "" // what kept Slack from taking it may be mended
	if len(e.Seen) == 1 && e.At == "" && m.Run.Name != "" {
		of := m
		e.Parts = append(e.Parts, part{Key: key, Kind: partDetails, Of: &of, Ring: e.TS != "", Not: n.Now().UTC().Add(n.settle)})
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

// close marks an alert as made good by a run, and tells the thread, where m says how it has ended.
func (e *entry) close(by message.Line, m *bridge.Notification) {
	e.State, e.By, e.Firing = message.Closed, &by, nil
	if m != nil && e.At == "" {
		of := *m
		e.Parts = append(e.Parts, part{Key: "by" + attempt(of), Kind: partRecovery, Of: &of})
	}
	e.trim()
}

// good is the run that has made a failure good before it was told here; nil for none.
func (n *Notifier) good(ctx context.Context, m bridge.Notification) (*message.Line, error) {
	if !fails(m) {
		return nil, nil //nolint:nilnil // none is an answer
	}
	var p pointer
	_, err := n.read(ctx, keySeries+roomOf(m)+"."+seriesOf(m), &p)
	if err != nil || p.Good == nil || !p.Good.At.After(m.Run.Finished) || p.Good.Run.UID == m.Run.UID {
		return nil, err
	}
	return p.Good, nil
}

// recover closes the alert of the template's last failures, once all templates in it are good.
func (n *Notifier) recover(ctx context.Context, m bridge.Notification) (closed merged, err error) {
	var p pointer
	series, line := seriesOf(m), message.LineOf(m)
	err = change(ctx, n.Table, keySeries+roomOf(m)+"."+series, func(have *pointer) bool {
		p = *have
		if p.Good != nil && !line.At.After(p.Good.At) {
			return false
		}
		have.Good = &line
		return true
	})
	if err != nil || p.Alert == "" {
		return merged{}, err
	}
	err = change(ctx, n.Table, keyAlert+p.Alert, func(e *entry) bool {
		closed = merged{}
		if e.ID == "" || e.By != nil && e.By.Run == m.Run.ID() {
			if e.ID != "" {
				closed = merged{id: e.ID, version: e.Version}
			}
			return false
		}
		if !e.Firing[series] || m.Run.Finished.Before(e.Last) && e.Newest.Run.UID != m.Run.UID {
			return false // it is good already, or has failed again since
		}
		delete(e.Firing, series)
		e.Version++
		if len(e.Firing) == 0 {
			e.close(line, &m)
			if e.Newest.Run.UID == m.Run.UID {
				e.Newest, e.Order = m, orderOf(m)
			}
		} else {
			e.Notes = append(e.Notes, note{Key: series + m.Run.UID, Text: recoveredNote(m)})
			e.trim()
		}
		closed = merged{e.ID, e.Version, true}
		return true
	})
	return closed, err
}

// recoveredNote says of a template in a group that it is good again.
func recoveredNote(m bridge.Notification) string {
	return ":large_green_circle: " + message.Escape(m.Run.Template.String()+" has recovered: "+m.Run.ID().String())
}
