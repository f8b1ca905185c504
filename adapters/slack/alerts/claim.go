package alerts

import (
	"context"
	"time"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// A claim is taken by who tells Slack, so that one does at a time.
type claim struct {
	Owner string    `json:"owner"`
	At    time.Time `json:"at"`
	What  string    `json:"what"` // doing, see below
}

// What a writer may be about to do; a reply is called by its key.
const (
	doPost   = "post"
	doUpdate = "update"
)

// claimLife is how long nobody takes over what another has claimed: longer than its requests may take.
const claimLife = time.Minute

// held is how long somebody may still be at work, or what they did may be about to appear; others says that processes beside
// owner may be alive.
func (c *claim) held(now time.Time, owner string, others bool) time.Duration {
	switch {
	case c == nil:
		return 0
	case others || c.Owner == owner:
		return c.At.Add(claimLife).Sub(now)
	}
	return c.At.Add(appearsAfter).Sub(now)
}

// claim takes the alert, so that no other tells Slack of it at the same time; nil when another has been faster. doubt: an
// earlier attempt of the same step may have had its effect.
func (n *Notifier) claim(ctx context.Context, id string, s step) (claimed *entry, doubt bool, err error) {
	err = bridge.Change(ctx, n.Table, keyAlert+id, func(e *entry) bool {
		now := n.Now().UTC()
		claimed = nil
		if e.Writer.held(now, n.Owner, n.Others) > 0 || !e.needs(s.what) {
			return false
		}
		if e.Writer != nil { // whoever it was has gone in the middle of it
			e.doubt(e.Writer.What, e.Writer.At)
		}
		claimed, doubt = e, !e.doubtful(s.what).IsZero()
		e.Writer = &claim{Owner: n.Owner, At: now, What: s.what}
		return true
	})
	return claimed, doubt, err
}

// needs says that a step is still to be made: another may have made it since it was planned.
func (e *entry) needs(what string) bool {
	switch what {
	case doPost:
		return e.TS == ""
	case doUpdate:
		return e.TS != "" && e.Shown < e.Version
	}
	p := e.part(what)
	return e.TS != "" && p != nil && p.TS == ""
}
