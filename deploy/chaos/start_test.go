package chaos

import (
	"math"
	"testing"
	"time"
)

func TestTwoBridgesMayStartAtOnceOnANewBus(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "together", worldOptions{nodes: 3, bridges: 2, together: true, window: 2 * time.Second, deleteAfter: 1, maxBytes: 64 << 20})
	events := newEvents(1, 40, 2*time.Second, w.slack.ResponseURL("later"))
	newSender(w).send(events)
	w.quiet(t, 2*time.Minute, 3*time.Second)
	if b := check(w.observe(events)); len(b) > 0 {
		t.Errorf("%d breaches:\n%s", len(b), summary(b))
	}
}

// JetStream keeps a write error until it is started anew: the process ends, and is.
func TestAfterAFullDiskTheEmbeddedBusTakesEventsAgainAndHasLostNothing(t *testing.T) {
	t.Parallel()
	w, events := afterFullDisk(t, "embedded")
	after := pushEvent("after", "main", "[]")
	newSender(w).send([]*event{after})
	w.quiet(t, 2*time.Minute, 3*time.Second)
	if b := check(w.observe(append(events, after))); len(b) > 0 {
		t.Errorf("%d breaches:\n%s", len(b), summary(b))
	}
}

// afterFullDisk is a bridge with its own bus whose disk was full for some events, and has room again.
func afterFullDisk(t *testing.T, name string) (*world, []*event) {
	t.Helper()
	w := newWorld(t, name, worldOptions{bridges: 1, window: window, maxBytes: 64 << 20})
	events := pushes(8, "[]")
	before, during := events[:5], events[5:]
	w.taken(t, before)
	if err := w.bridges[0].setRoom(0); err != nil {
		t.Fatal(err)
	}
	w.once(during)
	for _, e := range during {
		if e.heard().accepted {
			t.Errorf("%s was accepted on a full disk", e.id)
		}
	}
	if err := w.bridges[0].setRoom(math.MaxUint64); err != nil {
		t.Fatal(err)
	}
	return w, events
}
