package alerts

import (
	"context"
	"slices"
	"time"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// A budget is how many new messages of failures a channel has had since a time.
type budget struct {
	Since  time.Time `json:"since"`
	Alerts []string  `json:"alerts"`
}

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
	err = bridge.Change(ctx, n.Table, series, func(p *pointer) bool {
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
	return a, bridge.Change(ctx, n.Table, keyCause+room+"."+bridge.Digest(cause), func(p *pointer) bool {
		if now.Before(p.Closes) {
			return false
		}
		*p = pointer{Alert: a.Alert, Opened: now, Closes: now.Add(set.Window)}
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
	err := bridge.Change(ctx, n.Table, keyBudget+room, func(b *budget) bool {
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
