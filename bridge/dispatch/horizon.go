package dispatch

import (
	"context"
	"sync"
	"time"

	"github.com/argo-bridge/argo-bridge/bridge/waiting"
)

const (
	// look is how long a turn is put off at first while an event that came before is being handled; then for as long as
	// it has waited, up to stale: an event that its process has died with holds up thousands of lines for seconds.
	look = 20 * time.Millisecond
	// stale is how long an answer of the bus is waited for to be caught up with; then it is asked again.
	stale = time.Second
)

// A horizon is the place on the bus up to which every event is handled: events are handled side by side, and a
// line must not begin with one while an earlier one may still join.
//
// That an earlier event is handled, the bus tells at once; that it has left a task, the table of those that wait tells
// some moments later. So a turn counts only if it was given when the table was known as it stood after the event was
// handled. The zero value is ready to use.
type horizon struct {
	mu    sync.Mutex
	known reach
	asked reach // is not caught up with yet
	at    time.Time
}

// A reach says that the events up to a place on the bus are handled, and that the tasks which they left stand in
// the table up to a revision.
type reach struct{ handled, table uint64 }

func (r reach) covers(t waiting.Turn) bool {
	return t.Tasks[0].Sequence <= r.handled+1 && t.Told >= r.table
}

// reached returns nil when all events before those of a turn are handled, and their tasks known; and waiting.Later
// otherwise.
func (h *horizon) reached(ctx context.Context, events Events, room Room, t waiting.Turn, now time.Time) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.catchUp(t)
	if !h.known.covers(t) && h.mayAsk(now) {
		if err := h.ask(ctx, events, room, now); err != nil {
			return err
		}
		h.catchUp(t)
	}
	if !h.known.covers(t) {
		return waiting.Later{At: now.Add(min(max(now.Sub(t.Tasks[0].Since), look), stale))}
	}
	return nil
}

// mayAsk says whether it is time to ask the bus; an answer that is not caught up with stands for a while.
func (h *horizon) mayAsk(now time.Time) bool {
	since := now.Sub(h.at).Abs()
	return since >= look/2 && (h.asked == reach{}) || since >= stale
}

// ask asks for the events first: what they leave is in the table when they are handled.
func (h *horizon) ask(ctx context.Context, events Events, room Room, now time.Time) error {
	handled, err := events.Handled(ctx)
	if err != nil {
		return err
	}
	table, err := room.Last(ctx)
	if err != nil {
		return err
	}
	h.asked, h.at = reach{handled, table}, now
	return nil
}

func (h *horizon) catchUp(t waiting.Turn) {
	if (h.asked != reach{}) && t.Told >= h.asked.table {
		h.known, h.asked = h.asked, reach{}
	}
}

// reset forgets what is known: of a stream that was made anew the places begin anew.
func (h *horizon) reset() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.known, h.asked, h.at = reach{}, reach{}, time.Time{}
}
