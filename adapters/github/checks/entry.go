package checks

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/argo-bridge/argo-bridge/bridge"
)

const (
	// claimLife is how long nobody takes over what another has begun: longer than all its requests may take.
	claimLife = time.Minute
	// flightLife is how long a delivery that never came back is remembered.
	flightLife = 24 * time.Hour
)

// An entry is what one thing on GitHub is to show, and what is known of it. The Register keeps it as JSON.
type entry struct {
	// Order is that of Want, the newest state that anybody has told.
	Order order           `json:"order"`
	Want  json.RawMessage `json:"want"`
	// Shown is the newest state that GitHub is known to have; nil for none.
	Shown *order `json:"shown,omitempty"`
	// ID is GitHub's own of the check run or comment, 0 while there is none.
	ID int64 `json:"id,omitempty"`
	// Writer is the claim of who tells GitHub, Notes that of who adds the annotations.
	Writer *claim `json:"writer,omitempty"`
	Notes  *claim `json:"notes,omitempty"`
	// Flights are the notifications, by key, whose delivery has begun and not ended: if one never came back, GitHub may
	// show what it wrote.
	Flights map[string]time.Time `json:"flights,omitempty"`
}

// A claim is taken by who does what one at a time may do.
type claim struct {
	At time.Time `json:"at"`
	// Doubt: who took it has given up, and what it did may have had its effect. Before: one before has given up so.
	Doubt  bool `json:"doubt,omitempty"`
	Before bool `json:"before,omitempty"`
	// Done: it has not to be done again.
	Done bool `json:"done,omitempty"`
}

// held says whether somebody is at work, as far as is known.
func (c *claim) held(now time.Time) bool { return c != nil && !c.Doubt && now.Sub(c.At) < claimLife }

// An order says which of two states is the newer.
type order struct {
	// Event is when the event happened, where events share what is shown; zero elsewhere.
	Event time.Time `json:"event,omitzero"`
	Stage stage     `json:"stage"`
	// At is when the run ended; zero before.
	At time.Time `json:"at,omitzero"`
}

func (o order) after(p order) bool {
	return cmp.Or(o.Event.Compare(p.Event), cmp.Compare(o.Stage, p.Stage), o.At.Compare(p.At)) > 0
}

// merge takes a state in if it is newer.
func (e *entry) merge(o order, want json.RawMessage) (newer bool) {
	if e.Want != nil && !o.after(e.Order) {
		return false
	}
	e.Order, e.Want = o, want
	return true
}

// upToDate says whether GitHub shows the newest state.
func (e *entry) upToDate() bool { return e.Shown != nil && !e.Order.after(*e.Shown) }

// change lets f change an entry until no other has changed it meanwhile. f may be called several times; the entry is
// stored if it returns true.
func (n *Notifier) change(ctx context.Context, key string, f func(e *entry) bool) error {
	if err := bridge.Change(ctx, n.Register, key, f); err != nil {
		return fmt.Errorf("what is shown: %w", err)
	}
	return nil
}
