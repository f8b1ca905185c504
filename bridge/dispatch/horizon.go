package dispatch

import (
	"context"
	"sync"
	"time"

	"github.com/argo-bridge/argo-bridge/bridge/waiting"
)

// look is how long a turn is put off while an event that came before is being handled.
const look = 20 * time.Millisecond

// A horizon is the place on the bus up to which every event is handled: events are handled side by side, and a
// line must not begin with one while an earlier one may still join. The zero value is ready to use.
type horizon struct {
	mu       sync.Mutex
	sequence uint64
	asked    time.Time
}

// reached returns nil when all events before a place are handled, and waiting.Later otherwise.
func (h *horizon) reached(ctx context.Context, events Events, sequence uint64, now time.Time) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.sequence+1 < sequence && now.Sub(h.asked).Abs() >= look/2 {
		handled, err := events.Handled(ctx)
		if err != nil {
			return err
		}
		h.sequence, h.asked = handled, now
	}
	if h.sequence+1 < sequence {
		return waiting.Later{At: now.Add(look)}
	}
	return nil
}

// reset forgets what is known: of a stream that was made anew the places begin anew.
func (h *horizon) reset() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.sequence, h.asked = 0, time.Time{}
}
