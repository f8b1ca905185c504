package chaos

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/argo-bridge/argo-bridge/adapters/github"
	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/app"
)

// A crashPoint is one row of the table in docs/delivery.md.
type crashPoint struct {
	// at puts the death where the row says.
	at func(d *death, s *app.Seams)
	// play sends what leads there; nil: some pushes.
	play func(t *testing.T, w *world) []*event
}

// crashPoints are all rows, by their first column.
var crashPoints = map[string]crashPoint{
	"before the PubAck": {at: func(d *death, s *app.Seams) { inPublisher(d.come, nothing)(s) }},
	"after a large payload, before its event": {
		at: func(*death, *app.Seams) {}, play: killedBetweenPayloadAndEvent,
	},
	"after the PubAck, before the answer": {at: func(d *death, s *app.Seams) { inPublisher(nothing, d.come)(s) }},
	"before the Workflow exists": {at: func(d *death, s *app.Seams) {
		inSubmitter(func(int, int) { d.come() }, neither)(s)
	}},
	"after the Workflow exists, before the ledger knows": {
		at: func(d *death, s *app.Seams) { inSubmitter(neither, func(int, int) { d.come() })(s) }, play: objectsThatGo,
	},
	"between two rules of one event": {at: func(d *death, s *app.Seams) {
		inSubmitter(func(_, all int) { dieIf(d, all == 2) }, neither)(s)
	}, play: twoRules},
	"after the ledger, before the ack": {at: func(d *death, s *app.Seams) {
		inLedger(func(r bridge.Record) { dieIf(d, r.Done) })(s)
	}},
	"after the ledger says waiting, before the waiting room": {at: func(d *death, s *app.Seams) {
		inLedger(func(r bridge.Record) { dieIf(d, !r.Done) })(s)
	}, play: whileTheAPIServerFails},
	"after the waiting room, before the ack": {at: func(d *death, s *app.Seams) { inWaiting(d.come, nothing)(s) }, play: whileTheAPIServerFails},
	"after a waiting rule's Workflow exists, before the ledger knows": {at: func(d *death, s *app.Seams) {
		inSubmitter(neither, func(ofName, _ int) { dieIf(d, ofName > 1) })(s)
	}, play: whileTheAPIServerFails},
	"after the ledger, before a task is taken out": {at: func(d *death, s *app.Seams) { inWaiting(nothing, d.come)(s) }, play: whileTheAPIServerFails},
	"after a batch is written down, before its Workflow exists": {at: func(d *death, s *app.Seams) {
		inState(closedBatch(d), noKey)(s)
	}, play: batches},
	"after a batch's Workflow exists, before its events are recorded": {at: func(d *death, s *app.Seams) {
		inSubmitter(neither, func(int, int) { d.come() })(s)
	}, play: batches},
	"after some events of a batch are recorded": {at: func(d *death, s *app.Seams) {
		inLedger(recordedInBatch(d, 3))(s)
	}, play: batches},
	"after a batch is recorded, before it is crossed out": {at: func(d *death, s *app.Seams) {
		inState(noKey, closedBatch(d))(s)
	}, play: batches},
	"after a run ended, before the queue":                 {at: func(d *death, s *app.Seams) { inQueue(d.come, nothing)(s) }, play: failingPushes},
	"after the queue, before it is merged into its alert": {at: func(d *death, s *app.Seams) { inQueue(nothing, d.come)(s) }, play: failingPushes},
	"after the alert's id is chosen, before the alert is written": {at: func(d *death, s *app.Seams) {
		inAlerts(noState, stateWith(d, "run.", ""))(s)
	}, play: failingPushes},
	"after the merge, before Slack": {at: func(d *death, s *app.Seams) {
		inAlerts(noState, stateWith(d, "alert.", ""))(s)
	}, play: failingPushes},
	"after Slack, before that is written down": {at: func(d *death, s *app.Seams) {
		inAlerts(stateWith(d, "alert.", `"ts":`), noState)(s)
	}, play: failingPushes},
	"after that, before the outbox says sent":    {at: func(d *death, s *app.Seams) { inNotifier(nothing, d.come)(s) }, play: failingPushes},
	"after the outbox says sent, before the ack": {at: func(d *death, s *app.Seams) { inOutbox(d.come)(s) }, play: failingPushes},
}

func dieIf(d *death, now bool) {
	if now {
		d.come()
	}
}

func TestDyingAtEachPointLosesAndDoublesNothing(t *testing.T) {
	needCluster(t)
	for name, point := range crashPoints {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, "crash-"+worldName(name), worldOptions{
				nodes: 1, bridges: 1, window: window, deleteAfter: 1, maxBytes: 64 << 20, dies: name,
			})
			play := point.play
			if play == nil {
				play = func(t *testing.T, w *world) []*event { return w.delivered(t, pushes(3, "[]")) }
			}
			events := play(t, w)
			within(t, time.Minute, "the bridge has died", func() error {
				_, err := os.Stat(w.bridges[0].settings.Died)
				return err
			})
			within(t, time.Minute, "the bridge is back", w.ready)
			w.quiet(t, 2*time.Minute, 2*time.Second)
			if breaches := check(w.observe(events)); len(breaches) > 0 {
				t.Errorf("%d breaches:\n%s", len(breaches), summary(breaches))
			}
		})
	}
}

func TestEveryCrashPointOfTheDocumentHasATest(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/delivery.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(text), "| the process dies |")
	table, _, _ = strings.Cut(table, "\n\n")
	var rows []string
	for _, row := range regexp.MustCompile(`(?m)^\| ((?:before|after|between)[^|]*[^ |]) \|`).FindAllStringSubmatch(table, -1) {
		rows = append(rows, row[1])
		if _, ok := crashPoints[row[1]]; !ok {
			t.Errorf("nothing dies %q", row[1])
		}
	}
	for name := range crashPoints {
		if !slices.Contains(rows, name) {
			t.Errorf("docs/delivery.md has no row %q", name)
		}
	}
}

func worldName(name string) string {
	return regexp.MustCompile("[^a-z]+").ReplaceAllString(strings.ToLower(name), "-")
}

// delivered sends events until each is taken.
func (w *world) delivered(t *testing.T, events []*event) []*event {
	t.Helper()
	newSender(w).send(events)
	for _, e := range events {
		if !e.heard().accepted && e.object == "" {
			t.Errorf("%s was not taken: %+v", e.id, e.heard())
		}
	}
	return events
}

func failingPushes(t *testing.T, w *world) []*event { return w.delivered(t, pushes(2, "bad")) }

// twoRules is a push to a release branch, which starts two templates.
func twoRules(t *testing.T, w *world) []*event {
	return w.delivered(t, []*event{pushEvent("release", "release/1", "[]")})
}

// batches are more events than go into one, of which the last come when the bridge has died, or has not yet.
func batches(t *testing.T, w *world) []*event {
	var all []*event
	for i := range 12 {
		all = append(all, batchEvent(fmt.Sprint("batch-", i)))
	}
	return w.delivered(t, all)
}

// stateWith dies at a state of alerts whose key begins with a prefix, and that holds a text.
func stateWith(d *death, prefix, text string) func(key string, state []byte) {
	return func(key string, state []byte) {
		dieIf(d, strings.HasPrefix(key, prefix) && strings.Contains(string(state), text))
	}
}

// closedBatch dies when a closed batch is written, or crossed out.
func closedBatch(d *death) func(key string) {
	return func(key string) { dieIf(d, strings.HasPrefix(key, "batch.")) }
}

// recordedInBatch dies after n events were recorded as parts of a batch.
func recordedInBatch(d *death, n int32) func(bridge.Record) {
	var recorded atomic.Int32
	return func(r bridge.Record) {
		dieIf(d, len(r.Results) > 0 && r.Results[0].Batch != nil && recorded.Add(1) == n)
	}
}

// objectsThatGo start runs that end and are deleted before the bridge has the event again.
func objectsThatGo(t *testing.T, w *world) []*event {
	events := []*event{objectEvent("exports/[].json")}
	w.delivered(t, events)
	within(t, time.Minute, "its run is deleted", func() error {
		for _, r := range w.recorder.all() {
			if r.deleted {
				return nil
			}
		}
		return fmt.Errorf("%d runs", len(w.recorder.all()))
	})
	return events
}

// whileTheAPIServerFails makes all wait for some seconds.
func whileTheAPIServerFails(t *testing.T, w *world) []*event {
	w.api.set(apiMode{refuse: 100, status: http.StatusInternalServerError})
	events := w.delivered(t, pushes(3, "[]"))
	within(t, time.Minute, "each is tried", func() error { return w.created(1) })
	w.api.set(apiMode{})
	return events
}

// killedBetweenPayloadAndEvent fills the stream, so that a large payload is stored and its event is not.
func killedBetweenPayloadAndEvent(t *testing.T, w *world) []*event {
	large := pushEvent("large", "main", "[]")
	large.request.grow(t, 8<<20)
	w.fillUp(t, 0)
	w.once([]*event{large})
	if a := large.heard(); a.accepted || a.refused != 1 {
		t.Fatalf("a full bus answered %+v", a)
	}
	objects, err := w.bus.ObjectStore(w.ctx, "ARGO_BRIDGE_PAYLOADS")
	if err != nil {
		t.Fatal(err)
	}
	if list, err := objects.List(w.ctx); err != nil || len(list) != 1 {
		t.Fatalf("objects: %v, %v, want the payload", list, err)
	}
	w.bridges[0].kill()
	if err := os.WriteFile(w.bridges[0].settings.Died, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := w.bus.Stream(w.ctx, "ARGO_BRIDGE_EVENTS")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Purge(w.ctx, jetstream.WithPurgeSubject(fillerSubject)); err != nil {
		t.Fatal(err)
	}
	w.bridges[0].start()
	within(t, time.Minute, "the bridge is back", w.ready)
	w.delivered(t, []*event{large})
	if list, err := objects.List(w.ctx); err != nil || len(list) != 1 {
		t.Errorf("objects: %v, %v, want the one that was there", list, err)
	}
	return []*event{large}
}

// grow adds random text to a push, and signs it anew.
func (r *request) grow(t *testing.T, size int) {
	t.Helper()
	var body map[string]any
	if err := json.Unmarshal(r.body, &body); err != nil {
		t.Fatal(err)
	}
	noise := make([]byte, size)
	_, _ = rand.NewChaCha8([32]byte{}).Read(noise)
	body["padding"] = noise // which JSON writes in base64
	r.body = mustJSON(body)
	r.headers["X-Hub-Signature-256"] = github.Sign(githubSecret, r.body)
}
