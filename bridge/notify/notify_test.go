package notify

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/bus"
	"github.com/argo-bridge/argo-bridge/bridge/expression"
)

// table is a real bucket of a real bus.
func table(t *testing.T) *bus.Bucket {
	t.Helper()
	b, err := bus.Open(t.Context(), bus.Config{DataDir: t.TempDir()}.Defaults(), zaptest.NewLogger(t, zaptest.Level(zap.WarnLevel)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	bucket, err := b.Bucket(t.Context(), "T", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	return bucket
}

var alerts = bridge.Destination{Scheme: "slack", Target: "#alerts"}

func route(o bridge.Outcome, to bridge.Destination) bridge.Route {
	return bridge.Route{Outcome: o, To: to}
}

// A desk is a Reporter whose notifications are kept by key.
type desk struct {
	*Reporter
	routes []bridge.Route
	queued map[string]bridge.Notification
	order  []bridge.Outcome
}

func (d *desk) Routes(bridge.Template, string) []bridge.Route { return d.routes }
func (d *desk) Enqueue(_ context.Context, n bridge.Notification) error {
	if _, known := d.queued[n.Key]; !known {
		d.order = append(d.order, n.Outcome)
	}
	d.queued[n.Key] = n
	return nil
}
func (d *desk) Variables(context.Context, bridge.Run) map[string]any {
	return map[string]any{"gcs": map[string]any{"name": "a.json"}}
}

func newDesk(t *testing.T, routes ...bridge.Route) *desk {
	t.Helper()
	d := &desk{routes: routes, queued: map[string]bridge.Notification{}}
	d.Reporter = &Reporter{
		Routes: d, Runs: table(t), Queue: d, History: &History{Table: table(t)}, Origins: d, UI: "https://argo.example.com/",
		Log: zaptest.NewLogger(t), Now: time.Now,
	}
	return d
}

func ended(uid, phase string, second int) bridge.Run {
	return bridge.Run{
		Namespace: "team", Name: "load-" + uid, UID: uid, Template: bridge.Template{Namespace: "team", Name: "load"},
		Phase: phase, Started: time.Unix(0, 0), Finished: time.Unix(int64(second), 0),
	}
}

func report(t *testing.T, d *desk, runs ...bridge.Run) []bridge.Outcome {
	t.Helper()
	d.order = nil
	for _, run := range runs {
		if err := d.Changed(t.Context(), run); err != nil {
			t.Fatal(err)
		}
	}
	return d.order
}

func TestARecoveryIsTheSuccessAfterAFailure(t *testing.T) {
	t.Parallel()
	d := newDesk(t, route(bridge.Failed, alerts), route(bridge.Recovered, alerts))
	got := report(t, d,
		ended("1", "Succeeded", 1), ended("2", "Error", 2), ended("3", "Failed", 3),
		ended("4", "Succeeded", 4), ended("5", "Succeeded", 5))
	if diff := cmp.Diff([]bridge.Outcome{bridge.Failed, bridge.Failed, bridge.Recovered}, got); diff != "" {
		t.Error(diff)
	}
	// A restart reports the same runs again.
	if again := report(t, d, ended("4", "Succeeded", 4), ended("5", "Succeeded", 5)); len(again) != 0 {
		t.Errorf("told again: %v", again)
	}
	// A run that ended earlier and is heard of late changes nothing.
	if late := report(t, d, ended("0", "Succeeded", 0)); len(late) != 0 {
		t.Errorf("told of an old run: %v", late)
	}
}

func TestADestinationHearsOfAnEndOnceByTheMostTellingOutcome(t *testing.T) {
	t.Parallel()
	other := bridge.Destination{Scheme: "slack", Target: "#all"}
	d := newDesk(t, route(bridge.Completed, alerts), route(bridge.Failed, alerts), route(bridge.Completed, other),
		route(bridge.Started, other), route(bridge.Succeeded, alerts))
	if diff := cmp.Diff([]bridge.Outcome{bridge.Failed, bridge.Completed}, report(t, d, ended("1", "Failed", 1))); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]bridge.Outcome{bridge.Started}, report(t, d, ended("2", "Running", 0))); diff != "" {
		t.Error(diff)
	}
	if got := report(t, d, ended("3", "Pending", 0)); len(got) != 0 {
		t.Errorf("pending: %v", got)
	}
}

func TestTheAuthorsMessageSeesTheRunAndItsEvent(t *testing.T) {
	t.Parallel()
	text, err := expression.CompileText("{{workflow.name}} {{workflow.status}}: {{=gcs.name}}")
	if err != nil {
		t.Fatal(err)
	}
	d := newDesk(t, bridge.Route{Outcome: bridge.Failed, To: alerts, Message: text})
	report(t, d, ended("1", "Failed", 1))
	for _, n := range d.queued {
		if n.Text != "load-1 Failed: a.json" {
			t.Errorf("got %q", n.Text)
		}
		if n.Link != "https://argo.example.com/workflows/team/load-1?uid=1" {
			t.Errorf("link %s", n.Link)
		}
	}
}

func TestARejectionIsToldOncePerRuleAndEvent(t *testing.T) {
	t.Parallel()
	d := newDesk(t, route(bridge.EventRejected, alerts))
	rule := &bridge.Rule{Template: bridge.Template{Namespace: "team", Name: "load"}, Name: "default"}
	for range 2 {
		result := bridge.Result{Verdict: bridge.Rejected, Detail: "no sha"}
		if _, err := d.Settled(t.Context(), bridge.Event{ID: "1", Source: "s"}, bridge.Facts{Title: "x"}, rule, result); err != nil {
			t.Fatal(err)
		}
	}
	if len(d.queued) != 1 {
		t.Fatalf("%d notifications", len(d.queued))
	}
	for _, n := range d.queued {
		if n.Reason != "no sha" || n.Run.Template.Name != "load" {
			t.Errorf("%+v", n)
		}
	}
}

func TestWhatBecomesOfAnEventIsToldBeforeThereIsARun(t *testing.T) {
	t.Parallel()
	check := bridge.Destination{Scheme: "github", Target: "check"}
	rule := &bridge.Rule{Template: bridge.Template{Namespace: "team", Name: "load"}, Name: "default"}
	hub := bridge.Facts{Source: "github", ReplyTo: "installation=1&repository=acme%2Fapp"}
	for name, c := range map[string]struct {
		facts   bridge.Facts
		result  bridge.Result
		outcome bridge.Outcome // empty: nobody is told
		link    string
	}{
		"made":                     {hub, bridge.Result{Verdict: bridge.Matched, Workflow: "team/load-x"}, bridge.Queued, "https://argo.example.com/workflows/team/load-x"},
		"waits for its turn":       {hub, bridge.Result{Verdict: bridge.Waiting, Reason: bridge.ReasonConcurrency}, bridge.Queued, ""},
		"waits for GitHub's word":  {hub, bridge.Result{Verdict: bridge.Waiting, Reason: bridge.ReasonLookup}, "", ""},
		"held":                     {hub, bridge.Result{Verdict: bridge.Held}, bridge.EventHeld, ""},
		"skipped":                  {hub, bridge.Result{Verdict: bridge.Skipped}, bridge.EventSkipped, ""},
		"rejected":                 {hub, bridge.Result{Verdict: bridge.Rejected, Detail: "no sha"}, bridge.EventRejected, ""},
		"the template is faulty":   {hub, bridge.Result{Verdict: bridge.Parked, Detail: "bad"}, bridge.EventRejected, ""},
		"filtered":                 {hub, bridge.Result{Verdict: bridge.Filtered}, "", ""},
		"an event of Slack's":      {bridge.Facts{Source: "slack", ReplyTo: "C1"}, bridge.Result{Verdict: bridge.Matched}, "", ""},
		"a webhook without an App": {bridge.Facts{Source: "github"}, bridge.Result{Verdict: bridge.Matched}, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var routes []bridge.Route
			for _, o := range bridge.Outcomes {
				routes = append(routes, route(o, check))
			}
			d := newDesk(t, routes...)
			told, err := d.Settled(t.Context(), bridge.Event{ID: "1", Source: "s"}, c.facts, rule, c.result)
			if err != nil || told != (c.outcome != "") || len(d.queued) != len(d.order) || told != (len(d.queued) == 1) {
				t.Fatalf("told %v, %v, queued %v", told, err, d.queued)
			}
			for _, n := range d.queued {
				if n.Outcome != c.outcome || n.Link != c.link || n.Address != c.facts.ReplyTo || n.Reason != c.result.Detail || n.Subject == "" {
					t.Errorf("%+v", n)
				}
			}
		})
	}
}

// A service is a Notifier and Finder that does as told.
type service struct {
	runs  []bridge.Run
	mu    sync.Mutex
	sent  []string
	errs  []error // of the next calls
	found bool
	asked int
}

func (s *service) Notify(_ context.Context, n bridge.Notification) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.errs) > 0 {
		err := s.errs[0]
		s.errs = s.errs[1:]
		if err != nil {
			return err
		}
	}
	s.sent, s.runs = append(s.sent, n.Key), append(s.runs, n.Run)
	return nil
}

func (s *service) Sent(context.Context, bridge.Notification) (bool, error) {
	s.asked++
	return s.found, nil
}

type counts map[string]int

func (c counts) Delivered(_, result string, _ time.Duration) { c[result]++ }

func newDeliverer(t *testing.T, s bridge.Notifier, outbox Table) (*Deliverer, counts) {
	t.Helper()
	c := counts{}
	return &Deliverer{
		Notifiers: map[string]bridge.Notifier{"slack": s}, Outbox: outbox, Observer: c,
		Log: zaptest.NewLogger(t, zaptest.Level(zap.PanicLevel)), Now: time.Now,
	}, c
}

func note(key string) bridge.Notification { return bridge.Notification{Key: key, To: alerts} }

func TestANotificationIsSentOnce(t *testing.T) {
	t.Parallel()
	s := &service{}
	d, _ := newDeliverer(t, s, table(t))
	for range 3 {
		if err := d.Handle(t.Context(), note("k"), bus.Delivery{}); err != nil {
			t.Fatal(err)
		}
	}
	if len(s.sent) != 1 {
		t.Errorf("sent %d times", len(s.sent))
	}
}

func TestASendingThatWasInterruptedIsLookedUpFirst(t *testing.T) {
	t.Parallel()
	const before02 = "in the layout of bridges before v0.2"
	cases := map[string]struct {
		arrived bool
		key     string
		value   string
	}{
		"it arrived":              {true, "none.k", `{"state":"begun"}`},
		"it did not":              {false, "none.k", `{"state":"begun"}`},
		"it arrived, " + before02: {true, "k", "begun"},
		"it did not, " + before02: {false, "k", "begun"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			outbox, arrived := table(t), c.arrived
			// The process died between Slack's taking it and the outbox.
			if err := outbox.Put(t.Context(), c.key, []byte(c.value)); err != nil {
				t.Fatal(err)
			}
			s := &service{found: arrived}
			d, _ := newDeliverer(t, s, outbox)
			if err := d.Handle(t.Context(), note("k"), bus.Delivery{}); err != nil {
				t.Fatal(err)
			}
			if s.asked != 1 || (len(s.sent) == 0) != arrived {
				t.Errorf("asked %d times, sent %d times", s.asked, len(s.sent))
			}
			if err := d.Handle(t.Context(), note("k"), bus.Delivery{}); err != nil || s.asked != 1 {
				t.Errorf("the second time: %v, asked %d times", err, s.asked)
			}
		})
	}
}

// rival is another replica that begins to send between this one's look and its own beginning.
type rival struct{ Table }

func (r rival) Update(ctx context.Context, key string, value []byte, revision uint64) error {
	if err := r.Put(ctx, key, []byte(`{"state":"begun"}`)); err != nil {
		return err
	}
	return r.Table.Update(ctx, key, value, revision)
}

func TestOfTwoReplicasWithTheSameNotificationOneSends(t *testing.T) {
	t.Parallel()
	s := &service{found: true}
	outbox := table(t)
	d, _ := newDeliverer(t, s, rival{outbox})
	if err := d.Handle(t.Context(), note("k"), bus.Delivery{}); err == nil || len(s.sent) != 0 {
		t.Fatalf("got %v, sent %v: want an error, and nothing sent", err, s.sent)
	}
	if err := d.Handle(t.Context(), note("k"), bus.Delivery{}); err != nil || s.asked != 1 || len(s.sent) != 0 {
		t.Errorf("the second time: %v, asked %d times, sent %v", err, s.asked, s.sent)
	}
}

func TestOfARunWithoutAnEventNothingIsKept(t *testing.T) {
	t.Parallel()
	runs := &bookkeeper{}
	d := newDesk(t)
	d.Runs = runs
	byHand, byEvent := ended("1", "Failed", 1), ended("2", "Failed", 2)
	byEvent.Labels = map[string]string{bridge.LabelEvent: bridge.Event{ID: "1"}.Hash()}
	forged := ended("3", "Failed", 3)
	forged.Labels = map[string]string{bridge.LabelEvent: "a.b.>"}
	report(t, d, byHand, byEvent, forged)
	if len(runs.keys) != 1 || !strings.HasSuffix(runs.keys[0], ".2") {
		t.Errorf("kept %v, want the run of the event", runs.keys)
	}
}

type bookkeeper struct{ keys []string }

func (b *bookkeeper) Put(_ context.Context, key string, _ []byte) error {
	b.keys = append(b.keys, key)
	return nil
}

func (b *bookkeeper) Get(context.Context, string) (bus.Entry, bool, error) {
	return bus.Entry{}, false, nil
}

func (b *bookkeeper) Update(ctx context.Context, key string, value []byte, _ uint64) error {
	return b.Put(ctx, key, value)
}

func TestARequestedPauseIsKeptAndHoldsUpNoOtherDestination(t *testing.T) {
	t.Parallel()
	s := &service{errs: []error{bridge.RetryAfter(errors.New("429"), time.Minute)}}
	d, c := newDeliverer(t, s, table(t))
	now := time.Now()
	d.Now = func() time.Time { return now }
	err := d.Handle(t.Context(), note("a"), bus.Delivery{})
	if wait, ok := bridge.Wait(err); !ok || wait != time.Minute {
		t.Fatalf("got %v", err)
	}
	err = d.Handle(t.Context(), note("b"), bus.Delivery{})
	if wait, ok := bridge.Wait(err); !ok || wait != time.Minute || len(s.sent) != 0 {
		t.Errorf("within the pause: %v, sent %v", err, s.sent)
	}
	other := note("c")
	other.To.Target = "#other"
	if err := d.Handle(t.Context(), other, bus.Delivery{}); err != nil {
		t.Errorf("another destination: %v", err)
	}
	now = now.Add(time.Minute + time.Second)
	for _, key := range []string{"a", "b"} {
		if err := d.Handle(t.Context(), note(key), bus.Delivery{}); err != nil {
			t.Error(err)
		}
	}
	if strings.Join(s.sent, "") != "cab" || s.asked != 0 || c["sent"] != 3 {
		t.Errorf("sent %v, asked %d times, %v", s.sent, s.asked, c)
	}
}

func TestWhatCanNeverBeSentIsGivenUp(t *testing.T) {
	t.Parallel()
	s := &service{errs: []error{bridge.Permanent(errors.New("channel_not_found"))}}
	d, c := newDeliverer(t, s, table(t))
	if err := d.Handle(t.Context(), note("k"), bus.Delivery{}); !bridge.IsPermanent(err) {
		t.Errorf("got %v", err)
	}
	if err := d.Handle(t.Context(), note("k"), bus.Delivery{}); err != nil || len(s.sent) != 0 {
		t.Errorf("again: %v %v", err, s.sent)
	}
	unknown := bridge.Notification{Key: "u", To: bridge.Destination{Scheme: "pager", Target: "x"}}
	if err := d.Handle(t.Context(), unknown, bus.Delivery{}); !bridge.IsPermanent(err) || c["failed"] != 2 {
		t.Errorf("no notifier: %v %v", err, c)
	}
}

func TestARunThatItsRuleHasStoppedIsNoFailure(t *testing.T) {
	t.Parallel()
	d := newDesk(t, route(bridge.Failed, alerts), route(bridge.Recovered, alerts), route(bridge.Completed, alerts))
	stopped := ended("1", "Failed", 1)
	stopped.Annotations = map[string]string{bridge.AnnotationStopped: "a later event takes its place"}
	if diff := cmp.Diff([]bridge.Outcome{bridge.Completed, bridge.Completed}, report(t, d, stopped, ended("2", "Succeeded", 2))); diff != "" {
		t.Error(diff)
	}
}

func TestARecoveryIsThatOfItsConcurrencyGroup(t *testing.T) {
	t.Parallel()
	in := func(group string, run bridge.Run) bridge.Run {
		run.Labels = map[string]string{bridge.LabelGroup: group}
		return run
	}
	d := newDesk(t, route(bridge.Failed, alerts), route(bridge.Recovered, alerts))
	got := report(t, d, in("main", ended("1", "Failed", 1)), in("dev", ended("2", "Succeeded", 2)), in("main", ended("3", "Succeeded", 3)))
	if diff := cmp.Diff([]bridge.Outcome{bridge.Failed, bridge.Recovered}, got); diff != "" {
		t.Error(diff)
	}
}

// tailing writes a log into the failures that it is asked for.
type tailing struct{ asked []string }

func (d *tailing) Complete(_ context.Context, n *bridge.Notification) {
	d.asked = append(d.asked, n.Run.Name)
	n.Run.Failures = []bridge.Failure{{Log: []string{"the last line"}}}
}

func TestAFailureIsToldWithItsDetails(t *testing.T) {
	t.Parallel()
	details, s := &tailing{}, &service{}
	d, _ := newDeliverer(t, s, table(t))
	d.Details = details
	stopped := ended("4", "Failed", 1)
	stopped.Annotations = map[string]string{bridge.AnnotationStopped: "a later event takes its place"}
	for _, run := range []bridge.Run{ended("1", "Failed", 1), ended("2", "Succeeded", 1), ended("3", "Running", 0), stopped} {
		n := note(run.UID)
		n.Run = run
		if err := d.Handle(t.Context(), n, bus.Delivery{}); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff([]string{"load-1"}, details.asked); diff != "" {
		t.Error(diff)
	}
	if len(s.runs) != 4 || len(s.runs[0].Failures) != 1 || s.runs[0].Failures[0].Log[0] != "the last line" {
		t.Errorf("told: %+v", s.runs)
	}
}

// slowly is Details that look into the outbox while they are at it.
type slowly struct {
	outbox Table
	begun  bool
}

func (d *slowly) Complete(ctx context.Context, n *bridge.Notification) {
	_, d.begun, _ = d.outbox.Get(ctx, outboxKey(*n))
}

func TestASendingHasNotBegunWhileItsDetailsAreLookedFor(t *testing.T) {
	t.Parallel()
	outbox := table(t)
	d, _ := newDeliverer(t, &service{}, outbox)
	details := &slowly{outbox: outbox}
	d.Details = details
	n := note("k")
	n.Run = ended("1", "Failed", 1)
	if err := d.Handle(t.Context(), n, bus.Delivery{}); err != nil || details.begun {
		t.Errorf("%v; begun: %v, so that another replica would look for it, and send it", err, details.begun)
	}
}

// lanes is a service whose lanes are the addresses.
type lanes struct{ service }

func (*lanes) Lane(n bridge.Notification) string { return n.Address }

func TestAPauseHoldsUpItsLaneOnly(t *testing.T) {
	t.Parallel()
	s := &lanes{}
	s.errs = []error{bridge.RetryAfter(errors.New("slow down"), time.Minute)}
	d, _ := newDeliverer(t, s, table(t))
	for i, address := range []string{"busy", "busy", "idle"} {
		n := note(address + string(rune('0'+i)))
		n.Address = address
		err := d.Handle(t.Context(), n, bus.Delivery{})
		if _, waits := bridge.Wait(err); waits != (address == "busy") {
			t.Errorf("%s: %v", n.Key, err)
		}
	}
	if diff := cmp.Diff([]string{"idle2"}, s.sent); diff != "" {
		t.Error(diff)
	}
}
