package alerts

import (
	"context"
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

// point makes the alert of a failure the one that further failures of its template join, unless there is such a one: the
// run's message may have been there before it failed. A good run closes it in any case.
func (n *Notifier) point(ctx context.Context, m bridge.Notification, alert string) error {
	if !fails(m) || m.To.Target == targetReply {
		return nil
	}
	set, now := n.Settings.of(m), n.Now()
	return bridge.Change(ctx, n.Table, keySeries+roomOf(m)+"."+seriesOf(m), func(p *pointer) bool {
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
