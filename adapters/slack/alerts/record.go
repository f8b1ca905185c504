package alerts

import (
	"context"
	"time"

	"go.uber.org/zap"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// ended records what came of a step: done is the entry as it was painted.
func (n *Notifier) ended(ctx context.Context, done *entry, s step, failed error) told {
	wait, named := bridge.Wait(failed)
	permanent := bridge.IsPermanent(failed)
	result := told{}
	var refused *bridge.Notification
	err := bridge.Change(ctx, n.Table, keyAlert+done.ID, func(e *entry) bool {
		refused = nil
		if e.Writer != nil && e.Writer.Owner == n.Owner { // and nobody else's
			e.Writer = nil
		}
		switch {
		case failed == nil:
			e.painted(done, s, n.Now().UTC())
		case permanent && s.what != doPost && gone(failed):
			if e.Gone = true; e.untold() {
				e.again()
			}
		case permanent && s.part != nil:
			e.dropPart(s.what)
		case permanent:
			e.Failed = failed.Error()
			of := e.Newest
			refused = &of
		case named: // refused: nothing was done
		default:
			e.doubt(s.what, n.Now().UTC())
		}
		result = told{shown: e.Shown, err: e.refusal()}
		if e.dirty() {
			result.again = max(wait, time.Millisecond)
		}
		return true
	})
	if refused != nil {
		n.places.forget(done.To)
		n.Refused(*refused, failed)
	}
	switch {
	case err != nil: // the claim ends by itself, and what was done is looked up then
		return n.failing(done.ID, err)
	case failed != nil && !permanent && !named:
		t := n.failing(done.ID, failed)
		t.again = max(t.again, appearsAfter)
		return t
	}
	n.painter.forgive(done.ID)
	return result
}

// painted takes over into the newest state what was shown of an older one.
func (e *entry) painted(done *entry, s step, now time.Time) {
	e.Painted = now
	switch s.what {
	case doPost, doUpdate:
		e.Team, e.Channel, e.TS, e.Thread = done.Team, done.Channel, done.TS, done.Thread
		e.Failed, e.Doubt = "", time.Time{}
		e.Shown = max(e.Shown, done.Version)
		if len(e.Seen) > 1 { // what has become a group has its list
			e.dropDetails()
		}
	default:
		was, is := done.part(s.what), e.part(s.what)
		if was != nil && is != nil {
			is.TS, is.Of, is.Text = was.TS, nil, ""
			if is.TS == "" {
				is.TS = "lost"
			}
		}
	}
}

// dropDetails takes out the details of single failures that were not posted yet.
func (e *entry) dropDetails() {
	var kept []part
	for _, p := range e.Parts {
		if p.Kind != partDetails || p.TS != "" || p.Ring {
			kept = append(kept, p)
		}
	}
	e.Parts = kept
}

func (e *entry) dropPart(key string) {
	var kept []part
	for _, p := range e.Parts {
		if p.Key != key {
			kept = append(kept, p)
		}
	}
	e.Parts = kept
}

// failing is an attempt that is made again, after a growing time.
func (n *Notifier) failing(id string, err error) told {
	n.Log.Warn("slack does not show an alert as it should yet, will be tried again", zap.Error(err))
	return told{again: bridge.Backoff(n.painter.blame(id))}
}

// blame counts failed attempts in a row, and forgive forgets them.
func (p *painter) blame(id string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.attempts[id]++
	return p.attempts[id]
}

func (p *painter) forgive(id string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.attempts, id)
}
