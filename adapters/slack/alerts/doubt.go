package alerts

import (
	"context"
	"time"

	"github.com/slack-go/slack"
	"go.uber.org/zap"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// doubt notes that a step was begun of which nobody knows what came of it.
func (e *entry) doubt(what string, at time.Time) {
	if what == doPost {
		e.Doubt = at
	} else if p := e.part(what); p != nil {
		p.Doubt = at
	}
}

// doubtful is when a step was begun, if nobody knows what came of it.
func (e *entry) doubtful(what string) time.Time {
	if what == doPost {
		return e.Doubt
	} else if p := e.part(what); p != nil {
		return p.Doubt
	}
	return time.Time{}
}

// posted looks whether an alert was posted: the id of its channel and its ts, or "".
func (n *Notifier) posted(ctx context.Context, api *slack.Client, e *entry, at place) (channel, ts string, err error) {
	err = n.lookUp(ctx, at, func() (err error) {
		if channel, err = n.places.id(ctx, at); err != nil {
			return err
		}
		ts, err = look(ctx, api, place{at.team, channel, at.thread, at.home}, e.ID, e.Opened)
		return err
	})
	return channel, ts, err
}

// sent looks for a message whose sending was interrupted.
func (n *Notifier) sent(ctx context.Context, api *slack.Client, at place, key string, since time.Time) (ts string, err error) {
	err = n.lookUp(ctx, at, func() (err error) {
		ts, err = look(ctx, api, at, key, since)
		return err
	})
	return ts, err
}

// lookUp looks for what may have been sent, one at a time. Where the bridge may not look, it is as if there were nothing: an
// alert twice is better than none.
func (n *Notifier) lookUp(ctx context.Context, at place, look func() error) error {
	of, wait := n.throttle.look(at.home, n.Now())
	if wait > 0 {
		return bridge.RetryAfter(lookError{errBehind}, wait)
	}
	defer n.throttle.done(of)
	if wait := n.heed(ctx, string(of)); wait > 0 {
		return bridge.RetryAfter(lookError{errBehind}, wait)
	}
	err := look()
	if fault := n.fault(at.channel, err); bridge.IsPermanent(fault) {
		n.Log.Warn("cannot look up whether an interrupted message was sent; sending it again", zap.Error(fault))
		return nil
	}
	if err != nil {
		return lookError{err}
	}
	return nil
}

// A lookError is one of looking something up: it says nothing of posting and updating.
type lookError struct{ error }

func (e lookError) Unwrap() error { return e.error }
