package checks

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/argo-bridge/argo-bridge/bridge"
)

const (
	// Another delivery that tells GitHub of the same thing is waited for this long, and looked after this often.
	maxWait, pollEvery = 2 * time.Second, 50 * time.Millisecond
	// putWithin bounds the requests of one attempt: who has claimed a thing is done before the claim ends.
	putWithin = claimLife - 15*time.Second
	// settleWithin bounds what is recorded after a delivery has failed, perhaps because its context has ended.
	settleWithin = 5 * time.Second
)

// errBusy says that another delivery tells GitHub of the same thing at this moment.
var errBusy = errors.New("another notification of the same run is on its way")

// A delivery is one notification on its way.
type delivery struct {
	key   string // of the notification
	entry string // key of what it is about in the Register
	order order
	want  any // as JSON
	at    place
	// put tells GitHub what e says, and returns the id of what was created, or of what there was; 0 where nothing is
	// kept. doubt: an earlier attempt may have had its effect. Of one entry it is called by one delivery at a time.
	put func(ctx context.Context, at place, e *entry, doubt bool) (id int64, err error)

	// claimed is when the delivery has claimed the entry. flown: an attempt of it may have told GitHub something old.
	claimed time.Time
	flown   bool
}

// deliver merges the state and tells GitHub the newest one until nobody has a newer one.
func (n *Notifier) deliver(ctx context.Context, d *delivery) error {
	e, doubt, err := n.begin(ctx, d)
	for err == nil && e != nil {
		told := e.Order
		id, failed := d.attempt(ctx, e, doubt)
		if failed != nil {
			return n.giveUp(ctx, d, id, failed)
		}
		if e, err = n.finish(ctx, d, told, id); e == nil || err != nil {
			return err
		}
		doubt = false
		if err = n.throttle.take(d.at.address.Installation, n.Now()); err != nil {
			return n.giveUp(ctx, d, 0, err)
		}
	}
	return err
}

func (d *delivery) attempt(ctx context.Context, e *entry, doubt bool) (id int64, err error) {
	ctx, cancel := context.WithTimeout(ctx, putWithin)
	defer cancel()
	return d.put(ctx, d.at, e, doubt)
}

// begin takes the delivery on as soon as no other tells GitHub of the same thing.
func (n *Notifier) begin(ctx context.Context, d *delivery) (e *entry, doubt bool, err error) {
	timeout := time.NewTimer(maxWait)
	defer timeout.Stop()
	poll := time.NewTicker(pollEvery)
	defer poll.Stop()
	for {
		e, doubt, err = n.take(ctx, d)
		if !errors.Is(err, errBusy) {
			return e, doubt, err
		}
		select {
		case <-ctx.Done():
			return nil, false, ctx.Err()
		case <-timeout.C:
			return nil, false, err
		case <-poll.C:
		}
	}
}

// take merges the state and claims the entry. It returns nil when GitHub shows the newest state already.
func (n *Notifier) take(ctx context.Context, d *delivery) (taken *entry, doubt bool, err error) {
	want, err := json.Marshal(d.want)
	if err != nil {
		return nil, false, bridge.Permanent(err)
	}
	token := false // is taken once, however often the entry has to be tried
	var refused error
	err = n.change(ctx, d.entry, func(e *entry) bool {
		taken, refused = nil, nil
		newer := e.merge(d.order, want)
		if _, d.flown = e.Flights[d.key]; e.upToDate() && !d.flown {
			return false
		}
		now := n.Now()
		if e.Writer.held(now) {
			refused = errBusy
			return newer
		}
		if !token {
			if refused = n.throttle.take(d.at.address.Installation, now); refused != nil {
				return newer
			}
			token = true
		}
		taken, doubt = e, d.flown || e.Writer != nil
		d.claimed = now
		e.Writer = &claim{At: now, Before: e.Writer != nil}
		e.board(d.key, now)
		return true
	})
	if err == nil {
		err = refused
	}
	return taken, doubt, err
}

// board marks a delivery as begun, and forgets those that have been so for long.
func (e *entry) board(key string, now time.Time) {
	if e.Flights == nil {
		e.Flights = map[string]time.Time{}
	}
	for other, since := range e.Flights {
		if now.Sub(since) > flightLife {
			delete(e.Flights, other)
		}
	}
	e.Flights[key] = now
}

// finish records what GitHub was told, and returns what it is to be told next: something newer that has come meanwhile,
// also where another delivery, which took this one for lost, has told it already.
func (n *Notifier) finish(ctx context.Context, d *delivery, told order, id int64) (next *entry, err error) {
	err = n.change(ctx, d.entry, func(e *entry) bool {
		next = nil
		if id != 0 {
			e.ID = id
		}
		if e.Shown == nil || told.after(*e.Shown) {
			e.Shown = &told
		}
		if e.Order.after(told) {
			next, d.flown, d.claimed = e, true, n.Now()
			e.Writer = &claim{At: d.claimed}
			return true
		}
		e.release(d)
		delete(e.Flights, d.key)
		return true
	})
	return next, err
}

// release ends the delivery's claim, unless another has taken it over.
func (e *entry) release(d *delivery) {
	if e.Writer != nil && e.Writer.At.Equal(d.claimed) {
		e.Writer = nil
	}
}

// giveUp records that the delivery has failed: whether without any effect, or in doubt. A refusal has none. id is what it
// has created nevertheless.
func (n *Notifier) giveUp(ctx context.Context, d *delivery, id int64, failed error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleWithin)
	defer cancel()
	refused := isRefusal(failed)
	err := n.change(ctx, d.entry, func(e *entry) bool {
		if refused && !d.flown {
			delete(e.Flights, d.key)
		}
		if id != 0 {
			e.ID = id
		}
		if e.Writer == nil || !e.Writer.At.Equal(d.claimed) {
			return true
		}
		if refused && !e.Writer.Before || id != 0 {
			e.Writer = nil
		} else {
			e.Writer.Doubt = true
		}
		return true
	})
	if err != nil {
		return errors.Join(failed, err)
	}
	return failed
}
