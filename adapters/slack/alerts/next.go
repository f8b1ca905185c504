package alerts

import (
	"context"
	"time"

	"go.uber.org/zap"

	"github.com/argo-bridge/argo-bridge/adapters/slack/message"
	"github.com/argo-bridge/argo-bridge/bridge"
)

// A step is one thing that Slack is told.
type step struct {
	what string // doPost, doUpdate, or the key of a part
	part *part
	turn turn // to do so
}

// next is what to tell Slack, or how long to wait with it. The tokens for it are taken.
func (n *Notifier) next(ctx context.Context, e *entry, at place) (step, time.Duration, error) {
	now := n.Now()
	if left := e.Writer.held(now, n.Owner, n.Others); left > 0 {
		return step{}, left, nil
	}
	if e.TS == "" {
		return n.first(ctx, e, at, now)
	}
	wait := time.Duration(0)
	for _, s := range e.steps() {
		of, left := n.spaced(e, at, s, now)
		if left <= 0 {
			s.turn = of
			return s, 0, nil
		}
		if wait == 0 || left < wait {
			wait = left
		}
	}
	return step{}, wait, nil
}

// steps are what is to be told of an alert that is posted, the most urgent first.
func (e *entry) steps() (all []step) {
	var later []step
	for i := range e.Parts {
		switch p := &e.Parts[i]; {
		case p.TS != "":
		case p.Ring:
			all = append(all, step{what: p.Key, part: p})
		default:
			later = append(later, step{what: p.Key, part: p})
		}
	}
	if e.Shown < e.Version {
		all = append(all, step{what: doUpdate})
	}
	return append(all, later...)
}

// spaced is how long a step has to wait; if it has not to, it has taken its token.
func (n *Notifier) spaced(e *entry, at place, s step, now time.Time) (turn, time.Duration) {
	if s.what == doUpdate {
		if left := e.Painted.Add(n.updateEvery(len(e.Seen))).Sub(now); left > 0 && e.State != message.Closed {
			return "", left
		}
		return n.throttle.update(at.home, now)
	}
	if left := s.part.Not.Sub(now); left > 0 && !s.part.Ring {
		return "", left
	}
	if left := s.part.Doubt.Add(appearsAfter).Sub(now); left > 0 {
		return "", left
	}
	return n.throttle.post(at.home, at.channel, now)
}

// first is the posting of a new alert, which quiet hours and silences hold back. What was made good meanwhile is not
// posted any more.
func (n *Notifier) first(ctx context.Context, e *entry, at place, now time.Time) (step, time.Duration, error) {
	if e.Held && (e.State == message.Closed || e.State == message.Good) {
		return step{}, 0, n.drop(ctx, e)
	}
	until, err := n.holds(ctx, e, now)
	if err != nil {
		return step{}, 0, err
	}
	if left := until.Sub(now); left > 0 {
		if !e.Held {
			err = bridge.Change(ctx, n.Table, keyAlert+e.ID, func(e *entry) bool { e.Held = true; return true })
			e.Held = true
		}
		return step{}, min(left, lookAgain), err
	}
	if left := e.Doubt.Add(appearsAfter).Sub(now); left > 0 {
		return step{}, left, nil
	}
	of, wait := n.throttle.post(at.home, at.channel, now)
	if wait > 0 {
		return step{}, wait, nil
	}
	return step{what: doPost, turn: of}, 0, nil
}

// holds is until when an alert is held back. An approval is not: somebody waits for it.
func (n *Notifier) holds(ctx context.Context, e *entry, now time.Time) (time.Time, error) {
	if e.State == message.Waiting || e.At != "" {
		return time.Time{}, nil
	}
	until, err := bridge.SilentUntil(ctx, n.Silences, e.Newest.Run.Template.String(), e.To.String())
	if quiet := e.Set.quietUntil(now); quiet.After(until) {
		until = quiet
	}
	return until, err
}

// silent is until when the template of an alert is silenced, for the message; zero when it is not, or cannot be told.
func (n *Notifier) silent(ctx context.Context, e *entry) time.Time {
	until, err := bridge.SilentUntil(ctx, n.Silences, e.Newest.Run.Template.String(), e.To.String())
	if err != nil {
		return time.Time{}
	}
	return until
}

func (n *Notifier) drop(ctx context.Context, e *entry) error {
	n.Log.Info("an alert that was held back has been made good meanwhile; it is not posted",
		zap.String(bridge.LogDestination, e.To.String()), zap.Stringer(bridge.LogTemplate, e.Newest.Run.Template), zap.Int("failures", len(e.Seen)))
	return bridge.Change(ctx, n.Table, keyAlert+e.ID, func(e *entry) bool {
		if e.TS != "" || e.State != message.Closed && e.State != message.Good { // another failure has joined it
			return false
		}
		e.Shown, e.Parts, e.Gone = e.Version, nil, true
		return true
	})
}
