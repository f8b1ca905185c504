package alerts

import (
	"context"
	"errors"
	"time"

	"github.com/argo-bridge/argo-bridge/bridge"
)

const (
	// callWithin bounds the requests of one step, so that a claim does not end before them.
	callWithin = claimLife - 15*time.Second
	// appearsAfter is how long a message may take to appear in a channel's history.
	appearsAfter = 2 * time.Second
	// lookAgain is how often it is looked whether a silence has been taken back.
	lookAgain = 15 * time.Second
)

// paint tells Slack the next thing of an alert.
func (n *Notifier) paint(ctx context.Context, id string) told {
	if id == search {
		n.scan(ctx)
		return told{}
	}
	ctx, cancel := context.WithTimeout(ctx, callWithin)
	defer cancel()
	e, err := n.load(ctx, id)
	switch {
	case err != nil:
		return n.failing(id, err)
	case e == nil:
		return told{}
	case !e.dirty():
		return told{shown: e.Shown, err: e.refusal()}
	}
	at, err := n.place(ctx, e)
	if err != nil {
		return n.ended(ctx, e, step{}, n.fault(e.To.String(), err))
	}
	s, wait, err := n.next(ctx, e, at)
	switch {
	case err != nil:
		return n.failing(id, err)
	case wait > 0:
		return told{shown: e.Shown, held: e.Held && e.TS == "", again: wait}
	case s.what == "":
		return told{shown: e.Version, again: time.Millisecond} // what was left out has been taken out
	}
	defer n.throttle.done(s.turn)
	if wait := n.heed(ctx, string(s.turn)); wait > 0 {
		return told{shown: e.Shown, again: wait}
	}
	doubt := false
	if e, doubt, err = n.claim(ctx, id, s); err != nil || e == nil {
		return told{again: appearsAfter}
	}
	return n.do(ctx, e, at, s, doubt)
}

// refusal is what Slack has said against an alert for ever.
func (e *entry) refusal() error {
	if e.Failed == "" {
		return nil
	}
	return bridge.Permanent(errors.New(e.Failed))
}

// place is where the alert stands, or is to be posted.
func (n *Notifier) place(ctx context.Context, e *entry) (place, error) {
	at, err := place{team: e.Team, channel: e.Channel, thread: e.Thread}, error(nil)
	if e.TS == "" {
		at, err = n.places.find(ctx, e.To.Target, e.At)
	}
	at.home = n.home(at.team)
	return at, err
}

// home is the one name of a workspace, for what is counted there: the default one has an id too.
func (n *Notifier) home(team string) string {
	if team == "" {
		return ""
	}
	standard, err := n.Clients.Client("")
	if err != nil {
		return team
	}
	if own, err := n.Clients.Client(team); err != nil || own != standard {
		return team
	}
	return ""
}

// do tells Slack, and records what came of it.
func (n *Notifier) do(ctx context.Context, e *entry, at place, s step, doubt bool) told {
	api, err := n.Clients.Client(at.team)
	if err != nil {
		return n.ended(ctx, e, s, n.fault(e.To.String(), err))
	}
	switch s.what {
	case doPost:
		err = n.post(ctx, api, e, at, doubt)
	case doUpdate:
		err = n.update(ctx, api, e)
	default:
		err = n.reply(ctx, api, e, s.what, doubt)
	}
	if e.Newest.Options[bridge.OptionBlocks] != "" && refusesBlocks(err) {
		return n.withoutBlocks(ctx, e, err)
	}
	n.paused(ctx, at, s, err)
	return n.ended(ctx, e, s, n.fault(e.To.String(), err))
}
