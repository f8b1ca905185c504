package chaos

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/argo-bridge/argo-bridge/adapters/slack/slacktest"
)

// window is what the streams remember in these worlds.
const window = time.Second

// A scenario is a small world in which one safeguard is all that stands between the bridge and a breach.
type scenario struct {
	safeguard string
	breaks    kind // what the checker is to see without it
	play      func(t *testing.T, w *world) []*event
}

var scenarios = map[string]scenario{
	"killed right after the answers":                       {storedFirst, lost, killedAfterAnswers},
	"the bus is away":                                      {refusalsTold, lost, busAway},
	"the bus is full":                                      {refusalsTold, lost, busFull},
	"a delivery comes twice":                               {sourceIdentity, doubled, sameTwice},
	"the API server's answer is lost":                      {derivedNames, doubled, answerLost},
	"the API server's answer is lost, and it exists":       {existsIsSuccess, invented, answerLostUnseen},
	"an event comes again two hours later":                 {ledgerAsked, doubled, againTwoHoursLater},
	"an event comes again, and nobody wrote it down":       {ledgerWritten, doubled, againTwoHoursLater},
	"killed while the API server hangs":                    {ackedAfterEffect, lost, killedInSubmission},
	"the API server fails for a while":                     {retried, lost, serverErrors},
	"the API server fails, and nobody keeps what waits":    {keptWaiting, lost, whileTheAPIServerFails},
	"the answer for a batch is lost, and more events come": {batchWritten, doubled, batchAnswerLost},
	"more events of a group come than may run":             {runsCounted, crowded, queueUp},
	"a bridge starts anew after a failure was told":        {outboxAsked, toldTwice, restartAfterMessage},
	"Slack takes a message, and its answer is lost":        {lookedUp, toldTwice, slackAnswerLost},
}

func TestTheSuiteCatchesEachSafeguardThatIsOff(t *testing.T) {
	needCluster(t)
	for name, s := range scenarios {
		t.Run(name, func(t *testing.T) {
			t.Run("on", func(t *testing.T) {
				t.Parallel()
				if breaches := s.run(t, ""); len(breaches) > 0 {
					t.Errorf("%d breaches:\n%s", len(breaches), summary(breaches))
				}
			})
			t.Run("off", func(t *testing.T) {
				t.Parallel()
				if breaches := s.run(t, s.safeguard); !slices.ContainsFunc(breaches, s.expected) {
					t.Errorf("without %q nothing is %q:\n%s", s.safeguard, s.breaks, summary(breaches))
				}
			})
		})
	}
}

func TestEachSafeguardHasAScenario(t *testing.T) {
	covered := map[string]bool{}
	for _, s := range scenarios {
		covered[s.safeguard] = true
	}
	for name := range off {
		if !covered[name] {
			t.Errorf("nothing shows that the suite misses %q", name)
		}
	}
}

func (s scenario) expected(b breach) bool { return b.kind == s.breaks }

// run plays the scenario and returns what the checker finds.
func (s scenario) run(t *testing.T, off string) []breach {
	name := strings.NewReplacer("/", "-", " ", "-", ",", "", "'", "").Replace(t.Name())
	w := newWorld(t, name, worldOptions{nodes: 1, bridges: 1, window: window, maxBytes: 64 << 20, off: off})
	events := s.play(t, w)
	within(t, time.Minute, "the bridge is ready", w.ready)
	var breaches []breach
	calm := w.calm(3 * time.Second)
	within(t, 2*time.Minute, "all is quiet", func() error {
		err := calm()
		breaches = check(w.observe(events))
		// What is there twice stays so, and a bridge that lacks a safeguard may never come to rest.
		if off != "" && s.breaks != lost && slices.ContainsFunc(breaches, s.expected) {
			return nil
		}
		return err
	})
	return breaches
}

// pushes are n events of acme/app.
func pushes(n int, items string) (all []*event) {
	for i := range n {
		all = append(all, pushEvent(fmt.Sprint("push-", i), "main", items))
	}
	return all
}

// once sends each event one time, whatever the answer.
func (w *world) once(events []*event) {
	s := newSender(w)
	for _, e := range events {
		s.try(e)
	}
}

// taken sends each event and fails the test where one is not taken at once.
func (w *world) taken(t *testing.T, events []*event) {
	t.Helper()
	w.once(events)
	for _, e := range events {
		if !e.heard().accepted {
			t.Fatalf("%s: %+v", e.id, e.heard())
		}
	}
}

func killedAfterAnswers(t *testing.T, w *world) []*event {
	events := pushes(10, "[]")
	w.taken(t, events)
	w.bridges[0].restart()
	return events
}

func busAway(_ *testing.T, w *world) []*event {
	events := pushes(5, "[]")
	w.nodes[0].kill()
	w.once(events)
	w.nodes[0].start()
	return events
}

// busFull fills the event stream to the last byte with events of somebody else, which start nothing, before
// each push.
func busFull(t *testing.T, w *world) []*event {
	events := pushes(20, "[]")
	for i, e := range events {
		w.fillUp(t, i)
		w.once([]*event{e})
	}
	return events
}

const fillerSubject = "bridge.events.com.example.filler"

// fillUp fills the stream to the last byte, for the i-th time.
func (w *world) fillUp(t *testing.T, i int) {
	t.Helper()
	for _, size := range []int{900 << 10, 100 << 10, 10 << 10, 1 << 10, 100, 1} {
		for n := 0; w.fill(fmt.Sprintf("%d-%d-%d", i, size, n), size) == nil; n++ {
			if n > 1000 {
				t.Fatal("the bus never gets full")
			}
		}
	}
}

// fill publishes an event of somebody else.
func (w *world) fill(id string, size int) error {
	m := nats.NewMsg(fillerSubject)
	m.Data = []byte(`"` + strings.Repeat("x", size) + `"`)
	m.Header = nats.Header{
		"ce-specversion": {"1.0"}, "ce-type": {"com.example.filler"}, "ce-source": {"/chaos"}, "ce-id": {id},
		"content-type": {"application/json"},
	}
	_, err := w.bus.PublishMsg(w.ctx, m, jetstream.WithRetryAttempts(0))
	return err
}

func sameTwice(t *testing.T, w *world) []*event {
	events := pushes(3, "[]")
	w.taken(t, events)
	w.taken(t, events)
	return events
}

func answerLost(t *testing.T, w *world) []*event {
	events := pushes(3, "[]")
	w.api.set(apiMode{lose: true})
	w.taken(t, events)
	within(t, time.Minute, "each is tried", func() error { return w.created(3) })
	w.api.set(apiMode{})
	return events
}

// answerLostUnseen is an answer that is lost while nothing else tells the bridge of the Workflow.
func answerLostUnseen(t *testing.T, w *world) []*event {
	first := pushEvent("first", "main", "[]")
	w.taken(t, []*event{first})
	within(t, time.Minute, "the bridge is at work", func() error { return w.created(1) })
	events := pushes(3, "[]")
	w.api.set(apiMode{lose: true, blind: true})
	w.taken(t, events)
	within(t, time.Minute, "each is tried", func() error { return w.created(4) })
	w.api.set(apiMode{blind: true})
	within(t, time.Minute, "each is tried again, or rejected", func() error {
		if w.observe(nil).rejected >= 3 {
			return nil
		}
		return w.created(7)
	})
	w.api.set(apiMode{})
	return append(events, first)
}

// batchAnswerLost lets a batch be made without anybody seeing it, while others join.
func batchAnswerLost(t *testing.T, w *world) []*event {
	before, first, second := batchEvent("batch-0"), batchEvent("batch-1"), batchEvent("batch-2")
	w.taken(t, []*event{before})
	within(t, time.Minute, "the bridge leads", func() error { return w.created(1) })
	w.api.set(apiMode{lose: true, blind: true})
	w.taken(t, []*event{first})
	within(t, time.Minute, "it is tried", func() error { return w.created(2) })
	w.taken(t, []*event{second})
	within(t, time.Minute, "it is tried again", func() error { return w.created(5) })
	w.api.set(apiMode{})
	return []*event{before, first, second}
}

// queueUp sends more events of a group than may run at once, and starts the bridge anew meanwhile.
func queueUp(t *testing.T, w *world) []*event {
	var events []*event
	for i := range 12 {
		events = append(events, queueEvent(fmt.Sprint("queue-", i), "main"))
	}
	w.taken(t, events[:6])
	w.bridges[0].restart()
	within(t, time.Minute, "the bridge is back", w.ready)
	w.taken(t, events[6:])
	return events
}

// created says whether the bridges have asked for n creations.
func (w *world) created(n int64) error {
	if got := w.api.creations.Load(); got < n {
		return fmt.Errorf("%d of %d creations", got, n)
	}
	return nil
}

// againTwoHoursLater is a redelivery when the run is deleted, the stream has forgotten the event and the bridge
// has forgotten the names of the Workflows that it has seen, which it does after an hour.
func againTwoHoursLater(t *testing.T, w *world) []*event {
	events := []*event{objectEvent("exports/[].json")}
	w.topic.object(events[0].object)
	within(t, time.Minute, "its run is deleted", func() error {
		for _, r := range w.recorder.all() {
			if r.deleted {
				return nil
			}
		}
		return fmt.Errorf("%d runs", len(w.recorder.all()))
	})
	if err := w.bridges[0].setClock(2 * time.Hour); err != nil {
		t.Fatal(err)
	}
	time.Sleep(12 * time.Second) // the bridge looks every ten seconds at what it may forget
	w.topic.object(events[0].object)
	return events
}

func killedInSubmission(t *testing.T, w *world) []*event {
	events := pushes(3, "[]")
	w.api.set(apiMode{pause: true})
	w.taken(t, events)
	within(t, time.Minute, "each is submitted", func() error { return w.created(3) })
	w.bridges[0].kill()
	within(t, time.Minute, "the proxy has noticed", func() error {
		if n := w.api.held.Load(); n > 0 {
			return fmt.Errorf("%d requests are held", n)
		}
		return nil
	})
	w.api.set(apiMode{})
	w.bridges[0].start()
	return events
}

func serverErrors(t *testing.T, w *world) []*event {
	events := pushes(3, "[]")
	w.api.set(apiMode{refuse: 100, status: http.StatusInternalServerError})
	w.taken(t, events)
	within(t, time.Minute, "each is tried", func() error { return w.created(3) })
	w.api.set(apiMode{})
	return events
}

func restartAfterMessage(t *testing.T, w *world) []*event {
	events := pushes(1, "bad")
	w.taken(t, events)
	if !w.slack.Wait(1, time.Minute) {
		t.Fatal("the failure is not told")
	}
	time.Sleep(window + window/2) // the stream's memory is the subject
	w.bridges[0].restart()
	return events
}

func slackAnswerLost(t *testing.T, w *world) []*event {
	events := pushes(1, "bad")
	w.slack.Fail("chat.postMessage", slacktest.Fault{Lost: true})
	w.taken(t, events)
	if !w.slack.Wait(1, time.Minute) {
		t.Fatal("the failure is not told")
	}
	return events
}
