package dispatch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
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
	"github.com/argo-bridge/argo-bridge/bridge/inflight"
	"github.com/argo-bridge/argo-bridge/bridge/ledger"
	"github.com/argo-bridge/argo-bridge/bridge/match"
	"github.com/argo-bridge/argo-bridge/bridge/waiting"
)

// A world is a dispatcher on a real ledger, with a cluster that can be told to fail.
type world struct {
	*Dispatcher
	mu        sync.Mutex
	workflows map[string]int // name → how often it was created
	fail      func(s bridge.Submission) error
	answers   []bridge.Answer
	rejected  []string
	rules     fixedRules
	tasks     []waiting.Task
	roomErr   error
	open      bool // the gate
	seen      map[string]bool
	stored    map[uint64]bridge.Event // the event stream
	denial    *inflight.Denial        // of the gate, when it is not open
	left      int                     // places given back
	stopped   []string
	handled   uint64
	table     uint64 // the last change of the room's table
}

func newWorld(t *testing.T, rules ...*bridge.Rule) *world {
	t.Helper()
	b, err := bus.Open(t.Context(), bus.Config{DataDir: t.TempDir()}.Defaults(), zaptest.NewLogger(t, zaptest.Level(zap.WarnLevel)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	bucket, err := b.Bucket(t.Context(), "LEDGER", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	state, err := b.Bucket(t.Context(), "STATE", 0)
	if err != nil {
		t.Fatal(err)
	}
	latest, err := b.Bucket(t.Context(), "LATEST", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{
		workflows: map[string]int{}, open: true, seen: map[string]bool{}, stored: map[uint64]bridge.Event{7: made}, handled: 1 << 40,
		denial: &inflight.Denial{Reason: bridge.ReasonLimit, Detail: "the limit is reached"},
	}
	w.rules = fixedRules{match.New(rules, match.AllowAll()), rules}
	w.Dispatcher = &Dispatcher{
		Rules: &w.rules, Ledger: ledger.New(bucket, time.Hour, zaptest.NewLogger(t)),
		Events: w, Room: w, Gate: w,
		State: state, Latest: latest, Leads: func() bool { return true }, Submitter: w, Stopper: w, Herald: w, Observer: noObserver{}, ClusterNamespace: "argo",
		Log: zaptest.NewLogger(t, zaptest.Level(zap.ErrorLevel)), Now: time.Now,
	}
	return w
}

// fixedRules are rules that a test may change.
type fixedRules struct {
	*match.Matcher
	rules []*bridge.Rule
}

func (f *fixedRules) Rule(t bridge.Template, name string) (*bridge.Rule, bridge.Decision) {
	for _, r := range f.rules {
		if r.Template == t && r.Name == name {
			return r, bridge.Decision{Rule: r, Verdict: bridge.Matched}
		}
	}
	return nil, bridge.Decision{Verdict: bridge.Parked, Reason: bridge.ReasonTemplate, Detail: "the rule is gone"}
}

func (w *world) WithEvent(_ context.Context, sequence uint64, use func(bridge.Event)) (bool, error) {
	e, ok := w.stored[sequence]
	if ok {
		use(e)
	}
	return ok, nil
}

func (w *world) Taken(bridge.Template) bool {
	return slices.ContainsFunc(w.tasks, func(t waiting.Task) bool { return t.Limit })
}

func (w *world) Add(_ context.Context, t waiting.Task) error {
	if w.roomErr != nil {
		return w.roomErr
	}
	for _, have := range w.tasks {
		if have.Event == t.Event && have.Rule == t.Rule && have.Replay == t.Replay {
			return nil
		}
	}
	w.tasks = append(w.tasks, t)
	return nil
}

func (w *world) Enter(bridge.Submission, bool) *inflight.Denial {
	if w.open {
		return nil
	}
	return w.denial
}
func (w *world) Leave(bridge.Submission)       { w.left++ }
func (w *world) Seen(s bridge.Submission) bool { return w.seen[s.Name] }
func (w *world) Made(bridge.Submission)        {}

func (w *world) Handled(context.Context) (uint64, error) { return w.handled, nil }
func (w *world) Last(context.Context) (uint64, error)    { return w.table, nil }

func (w *world) Stop(_ context.Context, workflow string, how bridge.Shutdown, reason string) error {
	w.stopped = append(w.stopped, fmt.Sprintf("%s %s %s", how, workflow, reason))
	return nil
}

// work does what the leader does: it tries each task until it is settled.
func (w *world) work(t *testing.T, turn waiting.Turn) {
	t.Helper()
	var rest []waiting.Task
	for _, task := range w.tasks {
		turn.Tasks = []waiting.Task{task}
		if n, _ := w.Work(t.Context(), turn); n == 0 {
			rest = append(rest, task)
		}
	}
	w.tasks = rest
}

func (w *world) Submit(_ context.Context, s bridge.Submission) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.fail != nil {
		if err := w.fail(s); err != nil {
			return err
		}
	}
	w.workflows[s.Namespace+"/"+s.Name]++
	return nil
}

func (w *world) Settled(_ context.Context, _ bridge.Event, _ bridge.Facts, rule *bridge.Rule, r bridge.Result) (bool, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if r.Verdict == bridge.Rejected {
		w.rejected = append(w.rejected, rule.Name+": "+r.Detail)
	}
	return false, nil
}

func (w *world) Answer(_ context.Context, _ bridge.Event, _ bridge.Facts, a bridge.Answer) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.answers = append(w.answers, a)
	return nil
}

type noObserver struct{}

func (noObserver) Decided(bridge.Decision)                        {}
func (noObserver) Submitted(string, time.Duration, time.Duration) {}
func (noObserver) SubmitFailed(string, string)                    {}
func (noObserver) Duplicate()                                     {}

func rule(t *testing.T, name, parameter string) *bridge.Rule {
	t.Helper()
	value, err := expression.Compile(parameter)
	if err != nil {
		t.Fatal(err)
	}
	return &bridge.Rule{
		Template: bridge.Template{Namespace: "team", Name: "build"}, Name: name,
		Triggers:   []bridge.Trigger{{Event: "com.example.made"}},
		Parameters: []bridge.ParameterRule{{Name: "p", Value: value}},
	}
}

var made = bridge.Event{
	ID: "1", Source: "/example", Type: "com.example.made", Data: json.RawMessage(`{"name": "x", "n": 3}`),
}

func delivery(attempt int) bus.Delivery { return bus.Delivery{Sequence: 7, Attempt: attempt} }

func TestEachRuleThatFitsMakesOneWorkflow(t *testing.T) {
	t.Parallel()
	w := newWorld(t, rule(t, "a", "data.name"), rule(t, "b", "data.n"))
	for attempt := 1; attempt <= 3; attempt++ {
		if err := w.Handle(t.Context(), made, delivery(attempt)); err != nil {
			t.Fatal(err)
		}
	}
	if len(w.workflows) != 2 {
		t.Errorf("workflows: %v, want two", w.workflows)
	}
	for name, n := range w.workflows {
		if n != 1 {
			t.Errorf("%s was submitted %d times", name, n)
		}
	}
	record, ok, err := w.Ledger.Lookup(t.Context(), made)
	if err != nil || !ok || !record.Done || len(record.Results) != 2 || record.Sequence != 7 {
		t.Errorf("record: %+v %v %v", record, ok, err)
	}
}

func TestATransientFailureOfOneRuleWaitsAndHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	w := newWorld(t, rule(t, "good", "data.name"), rule(t, "bad", "data.n"))
	down := true
	w.fail = func(s bridge.Submission) error {
		if s.Rule == "bad" && down {
			return errors.New("the API server is away")
		}
		return nil
	}
	if err := w.Handle(t.Context(), made, delivery(1)); err != nil {
		t.Fatal(err)
	}
	if len(w.workflows) != 1 || len(w.tasks) != 1 {
		t.Fatalf("workflows %v, waiting %v: want one of each", w.workflows, w.tasks)
	}
	if r := w.result(t, "bad"); r.Verdict != bridge.Waiting || r.Reason != bridge.ReasonRetry || !strings.Contains(r.Detail, "away") {
		t.Errorf("while it waits: %+v", r)
	}
	w.work(t, waiting.Turn{Number: 1})
	down = false
	w.work(t, waiting.Turn{Number: 2})
	if len(w.workflows) != 2 || len(w.tasks) != 0 {
		t.Errorf("workflows: %v, want two; waiting %v", w.workflows, w.tasks)
	}
	for name, n := range w.workflows {
		if n != 1 {
			t.Errorf("%s was submitted %d times, want once", name, n)
		}
	}
	if r := w.result(t, "bad"); r.Verdict != bridge.Matched || r.Attempts != 2 {
		t.Errorf("at the end: %+v, want matched after two attempts of the leader", r)
	}
	if record, _, _ := w.Ledger.Lookup(t.Context(), made); !record.Done {
		t.Errorf("record: %+v, want done", record)
	}
}

// result is the recorded result of a rule.
func (w *world) result(t *testing.T, name string) bridge.Result {
	t.Helper()
	record, _, err := w.Ledger.Lookup(t.Context(), made)
	if err != nil {
		t.Fatal(err)
	}
	r, _ := record.Result(bridge.Template{Namespace: "team", Name: "build"}, name, "")
	return r
}

func TestAFullTemplateWaitsInTheBusAndLaterEventsQueueUpBehind(t *testing.T) {
	t.Parallel()
	w := newWorld(t, rule(t, "r", "data.name"))
	w.open = false
	if err := w.Handle(t.Context(), made, delivery(1)); err != nil {
		t.Fatal(err)
	}
	w.open = true
	later := made
	later.ID = "2"
	w.stored[8] = later
	if err := w.Handle(t.Context(), later, bus.Delivery{Sequence: 8, Attempt: 1}); err != nil {
		t.Fatal(err)
	}
	if len(w.workflows) != 0 || len(w.tasks) != 2 {
		t.Fatalf("workflows %v, waiting %v: the later event overtook", w.workflows, w.tasks)
	}
	w.work(t, waiting.Turn{})
	if len(w.workflows) != 2 {
		t.Errorf("workflows %v, want two", w.workflows)
	}
}

// An API server that hangs holds a worker for its whole timeout: one event finds that out, not each.
func TestWhileATemplateFailsItsEventsWaitUntriedForAMoment(t *testing.T) {
	t.Parallel()
	w := newWorld(t, rule(t, "r", "data.name"))
	now, tries := time.Now(), 0
	w.Now = func() time.Time { return now }
	w.fail = func(bridge.Submission) error { tries++; return errors.New("timeout") }
	handle := func(id string, sequence uint64) {
		e := made
		e.ID = id
		w.stored[sequence] = e
		if err := w.Handle(t.Context(), e, bus.Delivery{Sequence: sequence, Attempt: 1}); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 5 {
		handle(fmt.Sprint("hanging-", i), uint64(10+i))
	}
	if tries != 1 || len(w.tasks) != 5 {
		t.Fatalf("%d tries, %d waiting: want one try, and five that wait", tries, len(w.tasks))
	}
	now = now.Add(failPause)
	w.fail = nil
	handle("later", 20)
	if len(w.workflows) != 1 || len(w.tasks) != 5 {
		t.Errorf("workflows %v, %d waiting: the later event was not tried", w.workflows, len(w.tasks))
	}
}

func TestDyingBetweenRecordAndWaitingRoomLosesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, rule(t, "r", "data.name"))
	w.open, w.roomErr = false, errors.New("died")
	if err := w.Handle(t.Context(), made, delivery(1)); err == nil {
		t.Fatal("the event was acknowledged although nobody will work on it")
	}
	w.open, w.roomErr = true, nil
	if err := w.Handle(t.Context(), made, delivery(2)); err != nil {
		t.Fatal(err)
	}
	w.work(t, waiting.Turn{})
	if len(w.workflows) != 1 || len(w.tasks) != 0 {
		t.Errorf("workflows %v, waiting %v", w.workflows, w.tasks)
	}
}

func TestDyingBeforeTheWaitingRoomWhileTheRuleIsDeletedParksTheEvent(t *testing.T) {
	t.Parallel()
	w := newWorld(t, rule(t, "r", "data.name"))
	w.open, w.roomErr = false, errors.New("died")
	if err := w.Handle(t.Context(), made, delivery(1)); err == nil {
		t.Fatal("the event was acknowledged although nobody will work on it")
	}
	w.open, w.roomErr = true, nil
	w.rules = fixedRules{match.New(nil, match.AllowAll()), nil}
	if err := w.Handle(t.Context(), made, delivery(2)); err != nil {
		t.Fatal(err)
	}
	w.work(t, waiting.Turn{})
	if r := w.result(t, "r"); r.Verdict != bridge.Parked || len(w.tasks) != 0 {
		t.Errorf("result %+v, waiting %v: want it parked", r, w.tasks)
	}
}

func TestDyingAfterATaskWasSettledDoesNotRunItAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, rule(t, "r", "data.name"))
	w.open = false
	if err := w.Handle(t.Context(), made, delivery(1)); err != nil {
		t.Fatal(err)
	}
	w.open = true
	left := w.tasks
	w.work(t, waiting.Turn{})
	w.tasks = left // it died before the task was taken out
	w.work(t, waiting.Turn{})
	for name, n := range w.workflows {
		if n != 1 {
			t.Errorf("%s was submitted %d times", name, n)
		}
	}
}

// The Workflow was made, the process died before it could record that, the Workflow has ended and was deleted:
// what saw it keeps it from being made again.
func TestAWorkflowThatWasSeenIsNotMadeAgain(t *testing.T) {
	t.Parallel()
	r := rule(t, "r", "data.name")
	w := newWorld(t, r)
	w.seen[WorkflowName(r, made, "")] = true
	if err := w.Handle(t.Context(), made, delivery(2)); err != nil {
		t.Fatal(err)
	}
	if len(w.workflows) != 0 || w.result(t, "r").Verdict != bridge.Matched {
		t.Errorf("workflows %v, result %+v: want none, and matched", w.workflows, w.result(t, "r"))
	}
}

func TestARuleWhoseRecordHasAgedWhileItWaitedIsRecordedAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, rule(t, "r", "data.name"))
	w.tasks = []waiting.Task{{Event: made.Hash(), Sequence: 7, Template: bridge.Template{Namespace: "team", Name: "build"}, Rule: "r"}}
	w.work(t, waiting.Turn{})
	if r := w.result(t, "r"); r.Verdict != bridge.Matched || len(w.workflows) != 1 {
		t.Errorf("result %+v, workflows %v", r, w.workflows)
	}
}

func TestARuleThatIsGoneParksTheEvent(t *testing.T) {
	t.Parallel()
	w := newWorld(t, rule(t, "r", "data.name"))
	w.open = false
	if err := w.Handle(t.Context(), made, delivery(1)); err != nil {
		t.Fatal(err)
	}
	w.rules.rules = nil
	w.work(t, waiting.Turn{})
	if r := w.result(t, "r"); r.Verdict != bridge.Parked || r.Detail == "" || len(w.tasks) != 0 {
		t.Errorf("result %+v, waiting %v: want parked with its reason", r, w.tasks)
	}
}

func TestAnEventThatTheBusLostIsHandledAnewWhenItsSourceSendsItAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, rule(t, "r", "data.name"))
	w.open = false
	if err := w.Handle(t.Context(), made, delivery(1)); err != nil {
		t.Fatal(err)
	}
	w.open, w.stored = true, map[uint64]bridge.Event{}
	w.work(t, waiting.Turn{})
	if r := w.result(t, "r"); r.Verdict != bridge.Rejected || r.Reason != bridge.ReasonLost {
		t.Fatalf("result %+v, want rejected as lost", r)
	}
	if err := w.Handle(t.Context(), made, bus.Delivery{Sequence: 1, Attempt: 1}); err != nil {
		t.Fatal(err)
	}
	if r := w.result(t, "r"); r.Verdict != bridge.Matched || len(w.workflows) != 1 {
		t.Errorf("after the redelivery: %+v, %v", r, w.workflows)
	}
}

func TestWhatCanNeverBeMadeIsRejectedWithItsReasonAndTold(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		parameter string
		fail      error
		turn      waiting.Turn // of the leader, if it comes to that
		reason    bridge.Reason
		detail    string
	}{
		"a parameter that is null":           {parameter: "data.missing", reason: bridge.ReasonParameter, detail: `"p"`},
		"a parameter that is too long":       {parameter: `repeat("x", 70000)`, reason: bridge.ReasonParameter, detail: "64 KiB"},
		"an object that the server refuses":  {parameter: "data.name", fail: bridge.Permanent(errors.New("invalid")), reason: bridge.ReasonSubmit, detail: "invalid"},
		"a refusal that has lasted for long": {parameter: "data.name", fail: bridge.Refusal(errors.New("forbidden")), turn: waiting.Turn{Failing: time.Now().Add(-patience - time.Second)}, reason: bridge.ReasonSubmit, detail: "given up"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, rule(t, "r", c.parameter))
			w.fail = func(bridge.Submission) error { return c.fail }
			if err := w.Handle(t.Context(), made, delivery(1)); err != nil {
				t.Fatal(err)
			}
			w.work(t, c.turn)
			record, _, err := w.Ledger.Lookup(t.Context(), made)
			if err != nil || !record.Done || len(record.Results) != 1 {
				t.Fatalf("record: %+v %v", record, err)
			}
			got := record.Results[0]
			if got.Verdict != bridge.Rejected || got.Reason != c.reason || !strings.Contains(got.Detail, c.detail) {
				t.Errorf("result: %+v, want rejected for %s with %q", got, c.reason, c.detail)
			}
			if len(w.rejected) != 1 {
				t.Errorf("told: %v, want once", w.rejected)
			}
		})
	}
}

func TestARefusalIsTransientAtFirst(t *testing.T) {
	t.Parallel()
	w := newWorld(t, rule(t, "r", "data.name"))
	w.fail = func(bridge.Submission) error { return bridge.Refusal(errors.New("forbidden while starting")) }
	if err := w.Handle(t.Context(), made, delivery(1)); err != nil || w.result(t, "r").Verdict != bridge.Waiting {
		t.Fatalf("got %v, %+v, want it to wait", err, w.result(t, "r"))
	}
	w.work(t, waiting.Turn{Failing: time.Now()})
	w.fail = nil
	w.work(t, waiting.Turn{Failing: time.Now()})
	if len(w.workflows) != 1 {
		t.Errorf("workflows: %v", w.workflows)
	}
}

// A process that dies after the Workflow was made and before that is recorded does everything again:
// the name must be the same one.
func TestDyingBetweenSubmissionAndRecordMakesNoSecondWorkflow(t *testing.T) {
	t.Parallel()
	w := newWorld(t, rule(t, "r", "data.name"))
	real := w.Ledger
	w.Ledger = dyingLedger{real}
	if err := w.Handle(t.Context(), made, delivery(1)); err == nil {
		t.Fatal("the event was acknowledged without a record")
	}
	w.Ledger = real
	if err := w.Handle(t.Context(), made, delivery(2)); err != nil {
		t.Fatal(err)
	}
	if len(w.workflows) != 1 {
		t.Errorf("workflows: %v, want one name", w.workflows)
	}
}

type dyingLedger struct{ Ledger }

func (dyingLedger) Put(context.Context, bridge.Record) error { return errors.New("died") }

func TestAMessageThatCannotBeReadIsRecorded(t *testing.T) {
	t.Parallel()
	w := newWorld(t, rule(t, "r", "data.name"))
	poison := bridge.Event{ID: "message-7", Source: "nats:EVENTS", Type: "x"}
	unread := bus.Delivery{Sequence: 7, Attempt: 1, Unread: errors.New("no CloudEvent")}
	if err := w.Handle(t.Context(), poison, unread); err != nil {
		t.Fatal(err)
	}
	r, ok, err := w.Ledger.Lookup(t.Context(), poison)
	if err != nil || !ok || !r.Done || len(r.Results) != 1 || r.Results[0].Verdict != bridge.Rejected || r.Results[0].Detail != "no CloudEvent" {
		t.Errorf("record: %+v %v %v", r, ok, err)
	}
	// Data that the bus has lost come again from the source.
	unread.Unread = bridge.Permanent(fmt.Errorf("read: %w", bus.ErrGone))
	if err := w.Handle(t.Context(), made, unread); err != nil {
		t.Fatal(err)
	}
	if err := w.Handle(t.Context(), made, delivery(1)); err != nil || len(w.workflows) != 1 {
		t.Errorf("after the redelivery: %v, %v", err, w.workflows)
	}
}

func TestAnEventThatNoRuleWantsIsRecorded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if err := w.Handle(t.Context(), made, delivery(1)); err != nil {
		t.Fatal(err)
	}
	if record, ok, _ := w.Ledger.Lookup(t.Context(), made); !ok || !record.Done {
		t.Errorf("record: %+v %v", record, ok)
	}
}

func TestPlanStampsTheOrigin(t *testing.T) {
	t.Parallel()
	e := made
	e.Time = time.Date(2026, 5, 6, 7, 8, 9, 0, time.UTC)
	facts := bridge.Facts{
		Name: "github.push", Source: "github", URL: "https://example.com/c/1?a=b,c", Actor: "mona",
		Title: "push to acme/app main: *fix* <it>", ReplyTo: "C1/2",
	}
	s, err := Plan(Start{
		Event: e, Facts: facts, Rule: rule(t, "nightly", "data.n"), ClusterNamespace: "argo",
		Variables: map[string]any{"data": map[string]any{"n": 3}},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"bridge.argoproj.io/event-id": "1", "bridge.argoproj.io/event-type": "com.example.made",
		"bridge.argoproj.io/event-source": "/example", "bridge.argoproj.io/event-time": "2026-05-06T07:08:09Z",
		"bridge.argoproj.io/event-url": "https://example.com/c/1?a=b,c", "bridge.argoproj.io/actor": "mona",
		"bridge.argoproj.io/event-title":    "push to acme/app main: *fix* <it>", // GitHub's address stays in the record
		"workflows.argoproj.io/title":       `push to acme/app main: \*fix\* \<it\>`,
		"workflows.argoproj.io/description": "Started by the rule `nightly` for `github.push` ([event](https://example.com/c/1?a=b,c))",
	}
	if diff := cmp.Diff(want, s.Annotations); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]bridge.Parameter{{Name: "p", Value: "3"}}, s.Parameters); diff != "" {
		t.Error(diff)
	}
}

func TestWorkflowNamesAreValidAndTheirOwn(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for _, template := range []string{"a", "team.build", strings.Repeat("long-", 40), strings.Repeat("a", 46) + "." + "b"} {
		for _, ruleName := range []string{"default", "nightly"} {
			for i := range 50 {
				r := &bridge.Rule{Template: bridge.Template{Namespace: "n", Name: template}, Name: ruleName}
				replay := []string{"", "again"}[i%2]
				name := WorkflowName(r, bridge.Event{ID: fmt.Sprint(i / 2), Source: "s"}, replay)
				key := fmt.Sprint(template, ruleName, i)
				if other, taken := seen[name]; taken {
					t.Fatalf("%s and %s share the name %s", key, other, name)
				}
				seen[name] = key
				if len(name) > 63 || strings.Contains(name, ".-") || strings.Contains(name, "--") {
					t.Errorf("%q is no good name", name)
				}
			}
		}
	}
}
