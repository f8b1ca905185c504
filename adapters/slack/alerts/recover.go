package alerts

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/argo-bridge/argo-bridge/adapters/slack/message"
	"github.com/argo-bridge/argo-bridge/bridge"
)

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
	err = bridge.Change(ctx, n.Table, key, func(have *pointer) bool {
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
	return closed, bridge.Change(ctx, n.Table, key, func(p *pointer) bool {
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
	err = bridge.Change(ctx, n.Table, keyAlert+id, func(e *entry) bool {
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
