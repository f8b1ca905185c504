package chaos

import (
	"testing"
	"time"
)

func TestWithoutChaosAllPromisesHold(t *testing.T) {
	w := newWorld(t, "calm", worldOptions{nodes: 3, bridges: 2, window: 2 * time.Second, deleteAfter: 1, maxBytes: 64 << 20})
	events := newEvents(1, 100, 5*time.Second, w.slack.ResponseURL("later"))
	newSender(w).send(events)
	w.quiet(t, 2*time.Minute, 3*time.Second)
	if b := check(w.observe(events)); len(b) > 0 {
		t.Errorf("%d breaches:\n%s", len(b), summary(b))
	}
}
