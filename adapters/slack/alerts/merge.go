package alerts

import (
	"context"
	"maps"
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
	err = change(ctx, n.Table, keyAlert+a.Alert, func(e *entry) bool {
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
	return result, change(ctx, n.Table, keyAlert+a.Alert, func(e *entry) bool { return e.mend(seriesOf(m), *good, nil) })
}

// fresh is a new alert.
func (n *Notifier) fresh(m bridge.Notification, a assignment) entry {
	return entry{
		ID: a.Alert, To: m.To, Room: roomOf(m), At: replyTo(m), Opened: n.Now().UTC(), Set: n.Settings.of(m),
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

// fires notes the last failure of a series.
func (e *entry) fires(series string, at time.Time) {
	if e.Firing == nil {
		e.Firing = map[string]time.Time{}
	}
	if at.After(e.Firing[series]) {
		e.Firing[series] = at
	}
}

// mend takes in that a run has made the failures of a series good; false: they are good already, or it has failed again
// since. m is how that run has ended, for the thread.
func (e *entry) mend(series string, by message.Line, m *bridge.Notification) bool {
	last, firing := e.Firing[series]
	if !firing || by.At.Before(last) {
		return false
	}
	delete(e.Firing, series)
	e.Version++
	e.Failed = ""
	switch {
	case len(e.Firing) == 0:
		e.close(by, m)
		if m != nil && e.Newest.Run.UID == m.Run.UID {
			e.Newest, e.Order = *m, orderOf(*m)
		}
	default:
		e.Notes = append(e.Notes, note{Key: series + by.Run.UID, Text: recoveredNote(by)})
		e.trim()
	}
	return true
}

// close marks an alert as made good by a run, and tells the thread, where m says how it has ended.
func (e *entry) close(by message.Line, m *bridge.Notification) {
	e.State, e.By, e.Firing = message.Closed, &by, nil
	if m != nil && e.At == "" && e.part("by"+attempt(*m)) == nil {
		of := *m
		e.Parts = append(e.Parts, part{Key: "by" + attempt(of), Kind: partRecovery, Of: &of})
	}
	e.trim()
}

// good is the run that has made a failure good before it was told here; nil for none.
func (n *Notifier) good(ctx context.Context, m bridge.Notification) (*message.Line, error) {
	if !fails(m) || m.Outcome == bridge.EventRejected {
		return nil, nil //nolint:nilnil // none is an answer
	}
	var p pointer
	err := n.read(ctx, keySeries+roomOf(m)+"."+seriesOf(m), &p)
	if err != nil || p.Good == nil || p.Good.At.Before(m.Run.Finished) {
		return nil, err
	}
	return p.Good, nil
}

// recover closes the alerts of the template's last failures, those in which all templates are good.
func (n *Notifier) recover(ctx context.Context, m bridge.Notification) (closed []merged, err error) {
	var p pointer
	series, line := seriesOf(m), message.LineOf(m)
	key := keySeries + roomOf(m) + "." + series
	err = change(ctx, n.Table, key, func(have *pointer) bool {
		p = *have
		if p.Good != nil && !line.At.After(p.Good.At) {
			return false
		}
		have.Good = &line
		return true
	})
	if err != nil || p.Alert == "" {
		return nil, err
	}
	var over []string
	for _, id := range append(slices.Sorted(maps.Keys(p.Before)), p.Alert) {
		one, firing, err := n.mend(ctx, id, series, line, m)
		if err != nil {
			return closed, err
		}
		if one.id != "" {
			closed = append(closed, one)
		}
		if _, before := p.Before[id]; before && !firing {
			over = append(over, id)
		}
	}
	if len(over) == 0 {
		return closed, nil
	}
	return closed, change(ctx, n.Table, key, func(p *pointer) bool {
		had := len(p.Before)
		for _, id := range over {
			if !p.Before[id].After(line.At) { // it has not failed again meanwhile
				delete(p.Before, id)
			}
		}
		return len(p.Before) < had
	})
}

// mend takes in what a run has made good in one alert; firing: the template has failed again since.
func (n *Notifier) mend(ctx context.Context, id, series string, by message.Line, m bridge.Notification) (closed merged, firing bool, err error) {
	err = change(ctx, n.Table, keyAlert+id, func(e *entry) bool {
		closed = merged{}
		if e.ID == "" {
			return false
		}
		changed := e.mend(series, by, &m)
		if changed || e.By != nil && e.By.Run == m.Run.ID() {
			closed = merged{e.ID, e.Version, changed}
		}
		_, firing = e.Firing[series]
		return changed
	})
	return closed, firing, err
}

// recoveredNote says of a template in a group that it is good again.
func recoveredNote(by message.Line) string {
	return ":large_green_circle: " + message.Escape(by.Template.String()+" has recovered: "+by.Run.String())
}
