package chaos

import (
	"errors"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// A size is how much chaos there is; the environment says what `make chaos` wants.
type size struct {
	seed   uint64
	events int
	span   time.Duration // of the events and of the faults
}

func sizeFromEnvironment(t *testing.T) size {
	t.Helper()
	s := size{seed: uint64(time.Now().UnixNano()), events: 300, span: 45 * time.Second}
	var err error
	if text := os.Getenv("CHAOS_SEED"); text != "" {
		if s.seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatalf("CHAOS_SEED: %v", err)
		}
	}
	if text := os.Getenv("CHAOS_EVENTS"); text != "" {
		if s.events, err = strconv.Atoi(text); err != nil {
			t.Fatalf("CHAOS_EVENTS: %v", err)
		}
	}
	if text := os.Getenv("CHAOS_FOR"); text != "" {
		if s.span, err = time.ParseDuration(text); err != nil {
			t.Fatalf("CHAOS_FOR: %v", err)
		}
	}
	return s
}

// collectAfter is when the runs of on-object are deleted. It is longer than an event whose bridge died may take
// to be handled again: docs/delivery.md says what the bridge cannot know before.
const collectAfter = 90

func TestChaos(t *testing.T) {
	s := sizeFromEnvironment(t)
	say("seed %d: %d events in %s (repeat it with CHAOS_SEED=%[1]d CHAOS_EVENTS=%[2]d CHAOS_FOR=%[3]s)", s.seed, s.events, s.span)
	t.Logf("seed %d", s.seed)
	w := newWorld(t, "chaos", worldOptions{nodes: 3, bridges: 2, window: 2 * time.Second, deleteAfter: collectAfter, maxBytes: 256 << 20})
	p := newPlan(s.seed, s.span, lanes(s.span))
	say("the plan:\n%s", p)
	events := newEvents(s.seed, s.events, s.span, w.slack.ResponseURL("later"))

	healed := make(chan struct{})
	go func() { defer close(healed); p.carryOut(w) }()
	sent := make(chan struct{})
	go func() { defer close(sent); newSender(w).send(events) }()
	w.report(events, healed, sent)

	say("all is whole again and all events are sent; waiting for the rest")
	defer w.keepArgoGoing()()
	within(t, 3*time.Minute, "the bridges are ready", w.ready)
	w.quiet(t, 6*time.Minute, 5*time.Second)
	w.verify(t, events, "after the chaos")
	w.sendLate(t, events)
	w.verify(t, events, "after the runs were deleted, and events came once more")
}

// keepArgoGoing starts Argo's controller anew when no run has ended for a while, until the returned function is
// called: after an outage of the API server it may not see all Workflows, and it is not on trial here.
func (w *world) keepArgoGoing() (stop func()) {
	over := make(chan struct{})
	var nudger sync.WaitGroup
	nudger.Go(func() {
		before := -1
		for {
			select {
			case <-over:
				return
			case <-time.After(30 * time.Second): // its patience
			}
			going := w.recorder.going()
			if going > 0 && going == before {
				say("no run has ended for a while: starting Argo's controller anew")
				w.component("stop", "controller")
				w.component("start", "controller")
			}
			before = going
		}
	})
	return func() {
		close(over)
		nudger.Wait()
	}
}

// report says now and then how far all is, until both channels are closed.
func (w *world) report(events []*event, healed, sent <-chan struct{}) {
	tick := time.NewTicker(10 * time.Second)
	defer tick.Stop()
	for healed != nil || sent != nil {
		select {
		case <-healed:
			healed = nil
		case <-sent:
			sent = nil
		case <-tick.C:
			accepted := 0
			for _, e := range events {
				if e.heard().accepted {
					accepted++
				}
			}
			say("%d of %d requests taken, %d Workflows (%d going), %d messages", accepted, len(events),
				len(w.recorder.all()), w.recorder.going(), len(w.slack.Messages()))
		}
	}
}

// verify reports all breaches.
func (w *world) verify(t *testing.T, events []*event, when string) {
	t.Helper()
	breaches := check(w.observe(events))
	say("%s: %d Workflows, %d messages, %d breaches", when, len(w.recorder.all()), len(w.slack.Messages()), len(breaches))
	if len(breaches) > 0 {
		t.Fatalf("%s, %d breaches:\n%s", when, len(breaches), summary(breaches))
	}
}

// deleteRuns deletes what it can; thousands of runs take longer than the API server gives one request.
func (w *world) deleteRuns() error {
	all := w.cluster.workflows(w.namespace)
	if err := all.DeleteCollection(w.ctx, metav1.DeleteOptions{}, metav1.ListOptions{Limit: 500}); err != nil {
		return err
	}
	left, err := all.List(w.ctx, metav1.ListOptions{Limit: 1})
	if err == nil && len(left.Items) > 0 {
		err = errors.New("some are left")
	}
	return err
}

// sendLate deletes all runs, starts the bridges anew and sends a tenth of the events once more: the bus's own
// memory of ids is long over, the Workflows' names are free again, and every end lies before the start.
func (w *world) sendLate(t *testing.T, events []*event) {
	t.Helper()
	within(t, 3*time.Minute, "all runs are deleted", w.deleteRuns)
	for _, b := range w.bridges {
		b.restart()
	}
	within(t, 3*time.Minute, "the bridges are ready", w.ready)
	var late []*event
	for i := 0; i < len(events); i += 10 {
		if e := events[i]; e.heard().accepted || e.object != "" {
			late = append(late, &event{id: e.id, request: e.request, object: e.object})
		}
	}
	newSender(w).send(late)
	for _, e := range late {
		if e.object == "" && !e.heard().accepted {
			t.Errorf("%s was not taken again", e.id)
		}
	}
	w.quiet(t, 3*time.Minute, 5*time.Second)
}
