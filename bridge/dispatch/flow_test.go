package dispatch

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/bus"
	"github.com/argo-bridge/argo-bridge/bridge/expression"
	"github.com/argo-bridge/argo-bridge/bridge/inflight"
	"github.com/argo-bridge/argo-bridge/bridge/waiting"
)

func expr(t *testing.T, source string) bridge.Expression {
	t.Helper()
	e, err := expression.Compile(source)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// flowing is a rule with flow control.
func flowing(t *testing.T, f bridge.Flow) *bridge.Rule {
	t.Helper()
	r := rule(t, "r", "data.name")
	r.Flow = f
	return r
}

func limited(policy bridge.Policy, limit int) bridge.Flow {
	return bridge.Flow{Concurrency: &bridge.Concurrency{Limit: limit, Policy: policy, Shutdown: bridge.ShutdownStop}}
}

// number is the nth event, which stands at that place of the bus.
func (w *world) number(n int) bridge.Event {
	e := bridge.Event{
		ID: fmt.Sprint("e", n), Source: "/example", Type: "com.example.made", Subject: "thing",
		Time: time.Unix(int64(n), 0), Data: json.RawMessage(fmt.Sprintf(`{"name": "n%d", "n": %d}`, n, n)),
	}
	w.stored[uint64(n)] = e
	return e
}

// arrives handles an event that stands at a place of the bus.
func (w *world) arrives(t *testing.T, n int) bridge.Event {
	t.Helper()
	e := w.number(n)
	if err := w.Handle(t.Context(), e, bus.Delivery{Sequence: uint64(n), Attempt: 1, Stored: time.Now()}); err != nil {
		t.Fatal(err)
	}
	return e
}

func (w *world) verdict(t *testing.T, e bridge.Event) bridge.Result {
	t.Helper()
	record, known, err := w.Ledger.Lookup(t.Context(), e)
	if err != nil || !known || len(record.Results) != 1 {
		t.Fatalf("record of %s: %+v %v", e.ID, record, err)
	}
	return record.Results[0]
}

func TestARuleWithFlowControlWaitsForItsTurn(t *testing.T) {
	t.Parallel()
	f := limited(bridge.Queue, 1)
	f.Concurrency.Group = expr(t, "data.name")
	w := newWorld(t, flowing(t, f))
	e := w.arrives(t, 1)
	if len(w.workflows) != 0 || len(w.tasks) != 1 {
		t.Fatalf("workflows %v, tasks %+v", w.workflows, w.tasks)
	}
	if line := w.tasks[0].Line; line == nil || line.Group != "n1" || w.tasks[0].Limit {
		t.Errorf("the task: %+v", w.tasks[0])
	}
	if r := w.verdict(t, e); r.Verdict != bridge.Waiting || r.Reason != bridge.ReasonConcurrency {
		t.Errorf("meanwhile %+v", r)
	}
	w.work(t, waiting.Turn{})
	if r := w.verdict(t, e); r.Verdict != bridge.Matched || len(w.workflows) != 1 || len(w.tasks) != 0 {
		t.Errorf("after its turn %+v, %v", r, w.workflows)
	}
}

func TestAKeyThatIsNullRejectsTheEvent(t *testing.T) {
	t.Parallel()
	w := newWorld(t, flowing(t, bridge.Flow{Ordered: expr(t, "data.missing")}))
	e := w.arrives(t, 1)
	if r := w.verdict(t, e); r.Verdict != bridge.Rejected || !strings.Contains(r.Detail, "ordered: data.missing is null") {
		t.Errorf("%+v", r)
	}
	if len(w.rejected) != 1 {
		t.Error("nobody is told")
	}
}

func TestMoreThanMayWaitAreRejected(t *testing.T) {
	t.Parallel()
	f := limited(bridge.Queue, 1)
	f.Concurrency.MaxWaiting = 1
	w := newWorld(t, flowing(t, f))
	for n := range 3 {
		if r := w.verdict(t, w.arrives(t, n+1)); r.Verdict != bridge.Waiting {
			t.Errorf("e%d: whether it would have to wait is not known: %+v", n+1, r)
		}
	}
	if line := w.tasks[2].Line; line.MaxWaiting != 1 {
		t.Errorf("%+v", line)
	}
	if n, err := w.Work(t.Context(), waiting.Turn{Tasks: w.tasks[2:], Excess: true}); n != 1 || err != nil {
		t.Errorf("settled %d, %v", n, err)
	}
	if r := w.verdict(t, w.stored[3]); r.Verdict != bridge.Rejected || r.Reason != bridge.ReasonConcurrency || !strings.Contains(r.Detail, "max-waiting: 1") {
		t.Errorf("%+v", r)
	}
	if len(w.rejected) != 1 {
		t.Errorf("told: %v", w.rejected)
	}
}

func TestWhatBecomesOfAnEventWhoseGroupIsFull(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		policy  bridge.Policy
		open    bool
		behind  int
		verdict bridge.Verdict
		stopped int
	}{
		"queue: it waits": {policy: bridge.Queue, verdict: bridge.Waiting},
		"queue: it waits though others wait behind it":                        {policy: bridge.Queue, behind: 3, verdict: bridge.Waiting},
		"skip: it is skipped":                                                 {policy: bridge.Skip, verdict: bridge.Skipped},
		"skip: where there is room it is not":                                 {policy: bridge.Skip, open: true, verdict: bridge.Matched},
		"replace-pending: the only one waits":                                 {policy: bridge.ReplacePending, verdict: bridge.Waiting},
		"replace-pending: a later one takes its place":                        {policy: bridge.ReplacePending, behind: 1, verdict: bridge.Skipped},
		"replace-pending: where there is room it is not":                      {policy: bridge.ReplacePending, open: true, behind: 1, verdict: bridge.Matched},
		"cancel-in-progress: it waits for the one that it stops":              {policy: bridge.CancelInProgress, verdict: bridge.Waiting, stopped: 1},
		"cancel-in-progress: with a later one behind it is not even begun":    {policy: bridge.CancelInProgress, open: true, behind: 2, verdict: bridge.Skipped},
		"cancel-in-progress: of two that may run the last but one is not old": {policy: bridge.CancelInProgress, open: true, behind: 1, verdict: bridge.Matched},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, flowing(t, limited(c.policy, 2)))
			e := w.arrives(t, 1)
			w.open = c.open
			w.denial = &inflight.Denial{Reason: bridge.ReasonConcurrency, Detail: "concurrency: full", On: "group", Stop: []string{"team/old"}}
			n, err := w.Work(t.Context(), waiting.Turn{Tasks: w.tasks, Behind: c.behind, Newest: waiting.Task{Event: "newest"}})
			var full waiting.Full
			if waits := c.verdict == bridge.Waiting; waits != errors.As(err, &full) || waits == (n == 1) || waits && full.On != "group" {
				t.Errorf("settled %d, %v", n, err)
			}
			if r := w.verdict(t, e); r.Verdict != c.verdict {
				t.Errorf("%+v, want %s", r, c.verdict)
			}
			if len(w.stopped) != c.stopped {
				t.Errorf("stopped: %v", w.stopped)
			}
			for _, stopped := range w.stopped {
				if !strings.HasPrefix(stopped, "Stop team/old ") || !strings.Contains(stopped, "e1") {
					t.Errorf("stopped: %s", stopped)
				}
			}
		})
	}
}

func TestALimitOfTheInstallSkipsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, flowing(t, limited(bridge.Skip, 1)))
	e := w.arrives(t, 1)
	w.open = false
	w.work(t, waiting.Turn{Behind: 9})
	if r := w.verdict(t, e); r.Verdict != bridge.Waiting || len(w.stopped) != 0 {
		t.Errorf("%+v", r)
	}
}

func TestAFailureThatMayBeNoneKeepsThePlaceInTheGroup(t *testing.T) {
	t.Parallel()
	w := newWorld(t, flowing(t, limited(bridge.Queue, 1)))
	w.arrives(t, 1)
	w.fail = func(bridge.Submission) error { return errors.New("no answer") }
	w.work(t, waiting.Turn{})
	if w.left != 0 {
		t.Error("the place was given back: the Workflow may be there")
	}
	w.fail = func(bridge.Submission) error { return bridge.Permanent(errors.New("invalid")) }
	w.work(t, waiting.Turn{})
	if w.left != 1 {
		t.Errorf("given back %d times, want once", w.left)
	}
}

func TestALineDoesNotBeginWhileAnEarlierEventMayJoin(t *testing.T) {
	t.Parallel()
	w := newWorld(t, flowing(t, limited(bridge.Queue, 1)))
	w.arrives(t, 5)
	w.handled = 3
	_, err := w.Work(t.Context(), waiting.Turn{Tasks: w.tasks})
	var later waiting.Later
	if !errors.As(err, &later) || len(w.workflows) != 0 {
		t.Fatalf("%v, %v", err, w.workflows)
	}
	w.handled = 4 // all before it
	w.Now = func() time.Time { return time.Now().Add(time.Second) }
	if n, err := w.Work(t.Context(), waiting.Turn{Tasks: w.tasks}); n != 1 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
}

func TestALineLooksEverMoreSeldomForAnEarlierEvent(t *testing.T) {
	t.Parallel()
	w := newWorld(t, flowing(t, limited(bridge.Queue, 1)))
	w.arrives(t, 5)
	w.handled = 3
	for waited, want := range map[time.Duration]time.Duration{
		-time.Minute: look, 0: look, time.Second / 2: time.Second / 2, time.Minute: stale,
	} {
		now := w.tasks[0].Since.Add(waited)
		w.Now = func() time.Time { return now }
		_, err := w.Work(t.Context(), waiting.Turn{Tasks: w.tasks})
		var later waiting.Later
		if !errors.As(err, &later) || later.At.Sub(now) != want {
			t.Errorf("after %s: %v, want %s", waited, err, want)
		}
	}
}

// An earlier event is handled, and the table has not told this process yet which task it has left.
func TestALineDoesNotBeginBeforeTheTasksOfEarlierEventsAreKnown(t *testing.T) {
	t.Parallel()
	w := newWorld(t, flowing(t, limited(bridge.Queue, 1)))
	w.arrives(t, 5)
	w.handled, w.table = 5, 12
	now := time.Now()
	w.Now = func() time.Time { return now }
	var later waiting.Later
	for _, told := range []uint64{10, 11} {
		now = now.Add(2 * time.Second) // asked again
		if _, err := w.Work(t.Context(), waiting.Turn{Tasks: w.tasks, Told: told}); !errors.As(err, &later) || len(w.workflows) != 0 {
			t.Fatalf("told up to %d: %v, %v", told, err, w.workflows)
		}
	}
	w.table = 99 // others write on: what was asked for stands
	if n, err := w.Work(t.Context(), waiting.Turn{Tasks: w.tasks, Told: 12}); n != 1 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
}

func TestOnlyTheLatestRuns(t *testing.T) {
	t.Parallel()
	w := newWorld(t, flowing(t, bridge.Flow{LatestOnly: true}))
	newer := w.arrives(t, 5)
	w.stored[6] = bridge.Event{ID: "late", Source: "/example", Type: "com.example.made", Subject: "thing", Time: time.Unix(4, 0), Data: newer.Data}
	older := w.stored[6]
	if err := w.Handle(t.Context(), older, bus.Delivery{Sequence: 6, Attempt: 1}); err != nil {
		t.Fatal(err)
	}
	other := bridge.Event{ID: "other", Source: "/example", Type: "com.example.made", Subject: "another thing", Time: time.Unix(1, 0), Data: newer.Data}
	w.stored[7] = other
	if err := w.Handle(t.Context(), other, bus.Delivery{Sequence: 7, Attempt: 1}); err != nil {
		t.Fatal(err)
	}
	w.work(t, waiting.Turn{})
	got := map[string]bridge.Verdict{}
	for _, e := range []bridge.Event{newer, older, other} {
		got[e.ID] = w.verdict(t, e).Verdict
	}
	want := map[string]bridge.Verdict{"e5": bridge.Matched, "late": bridge.Skipped, "other": bridge.Matched}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if r := w.verdict(t, older); r.Reason != bridge.ReasonLatestOnly || !strings.Contains(r.Detail, "e5") {
		t.Errorf("%+v", r)
	}
}

func TestARateIsSteadyAfterIdleAndAcrossLeaders(t *testing.T) {
	t.Parallel()
	w := newWorld(t, flowing(t, bridge.Flow{Rate: bridge.Rate{Count: 10, Per: time.Minute}}))
	now := time.Unix(1e9, 0)
	w.Now = func() time.Time { return now }
	for n := range 3 {
		w.arrives(t, n+1)
	}
	for n, c := range []struct {
		at   time.Duration
		made int
	}{{0, 1}, {5 * time.Second, 1}, {6 * time.Second, 2}, {11 * time.Second, 2}, {time.Hour, 3}} {
		now = time.Unix(1e9, 0).Add(c.at)
		w.Lead() // by another process
		w.work(t, waiting.Turn{})
		if len(w.workflows) != c.made {
			t.Errorf("%d, after %s: %d Workflows, want %d", n, c.at, len(w.workflows), c.made)
		}
	}
	w.arrives(t, 4)
	w.arrives(t, 5)
	now = now.Add(10 * time.Hour)
	w.work(t, waiting.Turn{})
	if len(w.workflows) != 4 {
		t.Errorf("after ten idle hours %d started at once, want one", len(w.workflows)-3)
	}
}

func TestARuleThatGetsFlowControlWhileItWaitsMovesIntoItsLine(t *testing.T) {
	t.Parallel()
	r := rule(t, "r", "data.name")
	w := newWorld(t, r)
	w.open = false
	e := w.arrives(t, 1)
	w.open = true
	r.Flow.Rate = bridge.Rate{Count: 1, Per: 24 * time.Hour}
	if err := w.rates.take(t.Context(), w.State, r, time.Now()); err != nil {
		t.Fatal(err)
	}
	before := w.tasks[0]
	w.tasks = nil
	if n, err := w.Work(t.Context(), waiting.Turn{Tasks: []waiting.Task{before}}); n != 1 || err != nil {
		t.Fatalf("the lane of its template waits for a day: settled %d, %v", n, err)
	}
	if len(w.tasks) != 1 || w.tasks[0].Line == nil || w.tasks[0].Limit || w.tasks[0].Event != e.Hash() {
		t.Errorf("in its line: %+v", w.tasks)
	}
	if v := w.verdict(t, e); v.Verdict != bridge.Waiting || len(w.workflows) != 0 {
		t.Errorf("%+v, made %v", v, w.workflows)
	}
}
