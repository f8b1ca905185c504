package dispatch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/bus"
	"github.com/argo-bridge/argo-bridge/bridge/inflight"
	"github.com/argo-bridge/argo-bridge/bridge/waiting"
)

// batchRule is a rule whose parameter p is the names of all events.
func batchRule(t *testing.T, parameter string) *bridge.Rule {
	t.Helper()
	r := rule(t, "r", parameter)
	r.Flow.Batch = &bridge.Batch{MaxItems: 100, MaxWait: time.Minute}
	return r
}

const names = `toJSON(map(events, .data.name))`

// record notes the parameters of the Workflows that are made.
func (w *world) record(s *[]string) {
	w.fail = func(submission bridge.Submission) error {
		*s = append(*s, submission.Parameters[0].Value)
		return nil
	}
}

// closeBatch gives all tasks their turn.
func (w *world) closeBatch(t *testing.T, open bool) (settled int, err error) {
	t.Helper()
	settled, err = w.Work(t.Context(), waiting.Turn{Tasks: w.tasks, Open: open})
	w.tasks = w.tasks[settled:]
	return settled, err
}

func compact(s string) string { return strings.Join(strings.Fields(s), "") }

func TestABatchIsOneWorkflowThatEachEventKnows(t *testing.T) {
	t.Parallel()
	w := newWorld(t, batchRule(t, names))
	var made []string
	w.record(&made)
	var events []bridge.Event
	for n := range 3 {
		events = append(events, w.arrives(t, n+1))
	}
	if settled, err := w.closeBatch(t, false); settled != 3 || err != nil {
		t.Fatalf("settled %d, %v", settled, err)
	}
	if len(made) != 1 || compact(made[0]) != `["n1","n2","n3"]` {
		t.Fatalf("made: %v", made)
	}
	want := &bridge.BatchRef{First: "e1", Last: "e3", Lead: events[0].Hash(), Items: 3}
	for _, e := range events {
		r := w.verdict(t, e)
		if diff := cmp.Diff(want, r.Batch); diff != "" || r.Verdict != bridge.Matched || r.Workflow == "" {
			t.Errorf("%s: %+v %s", e.ID, r, diff)
		}
	}
	if _, found, _ := w.State.Get(t.Context(), closedKey(waiting.Task{}.Lane())); found {
		t.Error("the closed batch is left behind")
	}
}

func TestABatchThatMayGrowIsLeftAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, batchRule(t, names))
	w.arrives(t, 1)
	w.arrives(t, 2)
	if settled, err := w.closeBatch(t, true); settled != 0 || err != nil || len(w.workflows) != 0 {
		t.Errorf("settled %d, %v, %v", settled, err, w.workflows)
	}
}

func TestABatchIsClosedWhereItsParametersAreFull(t *testing.T) {
	t.Parallel()
	w := newWorld(t, batchRule(t, `toJSON(map(events, repeat(.data.name, 10000)))`))
	var made []string
	w.record(&made)
	for n := range 9 {
		w.arrives(t, n+1)
	}
	var sizes []int
	for len(w.tasks) > 0 {
		settled, err := w.closeBatch(t, len(w.tasks) > 3)
		if err != nil || settled == 0 {
			t.Fatalf("settled %d, %v", settled, err)
		}
		sizes = append(sizes, settled)
	}
	// Each name takes 20 KB.
	if diff := cmp.Diff([]int{3, 3, 3}, sizes); diff != "" {
		t.Error(diff)
	}
	if len(made) != 3 {
		t.Errorf("%d Workflows", len(made))
	}
}

func TestAnEventThatIsTooLargeAloneIsRejectedAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, batchRule(t, `toJSON(map(events, .data.n == 2 ? repeat("x", 70000) : .data.name))`))
	var made []string
	w.record(&made)
	for n := range 3 {
		w.arrives(t, n+1)
	}
	for range 5 {
		if len(w.tasks) > 0 {
			_, _ = w.closeBatch(t, false)
		}
	}
	slices.Sort(made)
	if diff := cmp.Diff([]string{`["n1"]`, `["n3"]`}, []string{compact(made[0]), compact(made[1])}); diff != "" || len(made) != 2 {
		t.Errorf("%v %s", made, diff)
	}
	if r := w.verdict(t, w.stored[2]); r.Verdict != bridge.Rejected || !strings.Contains(r.Detail, "64 KiB") {
		t.Errorf("%+v", r)
	}
}

func TestAnEventOfWhichNothingCanBeMadeSpoilsNoBatch(t *testing.T) {
	t.Parallel()
	w := newWorld(t, batchRule(t, `toJSON(map(events, int(.data.x)))`))
	var made []string
	w.record(&made)
	for n := range 3 {
		e := w.number(n + 1)
		e.Data = json.RawMessage(fmt.Sprintf(`{"x": "%d"}`, n))
		if n == 1 {
			e.Data = json.RawMessage(`{"x": "no number"}`)
		}
		w.stored[uint64(n+1)] = e
		if err := w.Handle(t.Context(), e, bus.Delivery{Sequence: uint64(n + 1), Attempt: 1}); err != nil {
			t.Fatal(err)
		}
	}
	for range 3 {
		if len(w.tasks) > 0 {
			_, _ = w.closeBatch(t, false)
		}
	}
	if len(made) != 1 || compact(made[0]) != `[0,2]` {
		t.Errorf("made: %v", made)
	}
	if r := w.verdict(t, w.stored[2]); r.Verdict != bridge.Rejected || len(w.rejected) != 1 {
		t.Errorf("%+v, told %v", r, w.rejected)
	}
}

func TestStaleAndSettledEventsAreNotInABatch(t *testing.T) {
	t.Parallel()
	r := batchRule(t, names)
	r.Flow.LatestOnly = true
	w := newWorld(t, r)
	var made []string
	w.record(&made)
	for n := range 3 {
		w.arrives(t, n+1) // all about one thing
	}
	if settled, err := w.closeBatch(t, false); settled != 3 || err != nil {
		t.Fatalf("settled %d, %v", settled, err)
	}
	if len(made) != 1 || compact(made[0]) != `["n3"]` {
		t.Errorf("made: %v", made)
	}
	w.tasks = []waiting.Task{{Event: w.stored[3].Hash(), Sequence: 3, Template: r.Template, Rule: r.Name, Line: &waiting.Line{MaxItems: 9}}}
	if settled, err := w.closeBatch(t, false); settled != 1 || err != nil || len(made) != 1 {
		t.Errorf("again: settled %d, %v, made %v", settled, err, made)
	}
}

func TestABatchWhoseWorkflowIsRefusedRejectsEachEvent(t *testing.T) {
	t.Parallel()
	w := newWorld(t, batchRule(t, names))
	w.fail = func(bridge.Submission) error { return bridge.Permanent(errors.New("invalid")) }
	for n := range 3 {
		w.arrives(t, n+1)
	}
	if settled, err := w.closeBatch(t, false); settled != 3 || err != nil {
		t.Fatalf("settled %d, %v", settled, err)
	}
	for n := range 3 {
		if r := w.verdict(t, w.stored[uint64(n+1)]); r.Verdict != bridge.Rejected || r.Reason != bridge.ReasonSubmit {
			t.Errorf("%+v", r)
		}
	}
	if len(w.rejected) != 3 {
		t.Errorf("told %d times, want 3", len(w.rejected))
	}
}

// dyingTable dies, once, at a write that it is told of.
type dyingTable struct {
	Table
	dies func(act, key string) bool
}

var errDied = errors.New("the process died")

func (d *dyingTable) Update(ctx context.Context, key string, value []byte, revision uint64) error {
	if err := d.Table.Update(ctx, key, value, revision); err != nil || !d.dies("update", key) {
		return err
	}
	return errDied
}

func (d *dyingTable) Delete(ctx context.Context, key string) error {
	if d.dies("delete", key) {
		return errDied
	}
	return d.Table.Delete(ctx, key)
}

type fallingLedger struct {
	Ledger
	dies func() bool
}

func (d *fallingLedger) Put(ctx context.Context, r bridge.Record) error {
	if d.dies() {
		return errDied
	}
	return d.Ledger.Put(ctx, r)
}

func TestABatchThatIsCutOffIsTheSameAfterwards(t *testing.T) {
	t.Parallel()
	for name, cut := range map[string]func(w *world, dies func() bool){
		"after it was written down": func(w *world, dies func() bool) {
			w.State = &dyingTable{w.State, func(act, _ string) bool { return act == "update" && dies() }}
		},
		"after its Workflow was made": func(w *world, dies func() bool) {
			fail := w.fail
			w.fail = func(s bridge.Submission) error {
				if err := fail(s); err != nil || !dies() {
					return err
				}
				return errDied
			}
		},
		"after some of its events were recorded": func(w *world, dies func() bool) {
			var n atomic.Int32
			w.Ledger = &fallingLedger{w.Ledger, func() bool { return n.Add(1) == 2 && dies() }}

		},
		"after all were recorded": func(w *world, dies func() bool) {
			w.State = &dyingTable{w.State, func(act, _ string) bool { return act == "delete" && dies() }}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, batchRule(t, names))
			made := map[string]int{}
			w.fail = func(s bridge.Submission) error { made[compact(s.Parameters[0].Value)]++; return nil }
			for n := range 3 {
				w.arrives(t, n+1)
			}
			died := false
			cut(w, func() bool { before := died; died = true; return !before })
			if settled, err := w.closeBatch(t, false); settled != 0 || !errors.Is(err, errDied) {
				t.Fatalf("settled %d, %v", settled, err)
			}
			w.arrives(t, 4) // comes before the next leader goes on
			w.Lead()
			for range 3 {
				if len(w.tasks) > 0 {
					if _, err := w.closeBatch(t, false); err != nil {
						t.Fatal(err)
					}
				}
			}
			// The same Workflow may be asked for twice: its name is the same.
			for _, batch := range []string{`["n1","n2","n3"]`, `["n4"]`} {
				if made[batch] == 0 {
					t.Errorf("%s was not made: %v", batch, made)
				}
				delete(made, batch)
			}
			if len(made) > 0 {
				t.Errorf("made as well: %v", made)
			}
			if len(w.workflows) != 2 {
				t.Errorf("%d Workflows, want two", len(w.workflows))
			}
			for n := range 4 {
				if r := w.verdict(t, w.stored[uint64(n+1)]); r.Verdict != bridge.Matched {
					t.Errorf("e%d: %+v", n+1, r)
				}
			}
		})
	}
}

func TestWhoNoLongerLeadsMakesNoBatch(t *testing.T) {
	t.Parallel()
	w := newWorld(t, batchRule(t, names))
	w.arrives(t, 1)
	w.Leads = func() bool { return false }
	if settled, err := w.closeBatch(t, false); settled != 0 || err == nil || len(w.workflows) != 0 {
		t.Errorf("settled %d, %v, made %v", settled, err, w.workflows)
	}
	if _, found, _ := w.State.Get(t.Context(), closedKey(w.tasks[0].Lane())); found {
		t.Error("a batch is written down that is not this process's to close")
	}
}

// A leader has stood still between reading the events of a batch and writing it down; another has made a batch of some
// of them meanwhile.
func TestABatchThatWasOvertakenIsNotMade(t *testing.T) {
	t.Parallel()
	w := newWorld(t, batchRule(t, names))
	var made []string
	w.record(&made)
	w.arrives(t, 1)
	w.arrives(t, 2)
	b := &batching{Dispatcher: w.Dispatcher, Turn: waiting.Turn{Tasks: w.tasks}, rule: w.rules.rules[0]}
	if err := b.gather(t.Context()); err != nil {
		t.Fatal(err)
	}
	s, _, err := b.largest()
	if err != nil {
		t.Fatal(err)
	}
	late, lane := b.close(s), w.tasks[0].Lane()
	w.arrives(t, 3)
	if settled, err := w.closeBatch(t, false); settled != 3 || err != nil {
		t.Fatalf("settled %d, %v", settled, err)
	}
	if err := w.save(t.Context(), lane, late); err != nil {
		t.Fatal(err)
	}
	w.arrives(t, 4)
	for range 2 {
		if len(w.tasks) > 0 {
			if _, err := w.closeBatch(t, false); err != nil {
				t.Fatal(err)
			}
		}
	}
	for i := range made {
		made[i] = compact(made[i])
	}
	if diff := cmp.Diff([]string{`["n1","n2","n3"]`, `["n4"]`}, made); diff != "" {
		t.Error(diff)
	}
}

func TestAnEventWhoseRuleBeginsToBatchMakesNoSecondWorkflow(t *testing.T) {
	t.Parallel()
	limited := flowing(t, limited(bridge.Queue, 1))
	w := newWorld(t, limited)
	w.arrives(t, 1)
	w.fail = func(s bridge.Submission) error {
		w.workflows[s.Namespace+"/"+s.Name]++
		return errors.New("made, and the answer never came")
	}
	w.work(t, waiting.Turn{})
	w.fail = nil
	limited.Flow.Batch = &bridge.Batch{MaxItems: 100, MaxWait: time.Minute}
	w.work(t, waiting.Turn{})
	if len(w.tasks) != 0 || len(w.workflows) != 1 {
		t.Errorf("%d wait, made %v", len(w.tasks), w.workflows)
	}
}

func TestABatchThatFindsALimitReachedSaysSo(t *testing.T) {
	t.Parallel()
	w := newWorld(t, batchRule(t, names))
	e := w.arrives(t, 1)
	w.arrives(t, 2)
	w.open = false
	w.denial = &inflight.Denial{Reason: bridge.ReasonLimit, Detail: "the limit is reached", On: "all"}
	settled, err := w.closeBatch(t, false)
	if full := (waiting.Full{}); !errors.As(err, &full) || full.On != "all" || settled != 0 {
		t.Errorf("settled %d, %v", settled, err)
	}
	if r := w.verdict(t, e); r.Verdict != bridge.Waiting || r.Reason != bridge.ReasonLimit || r.Detail != "the limit is reached" {
		t.Errorf("%+v", r)
	}
	w.open = true
	if settled, err = w.closeBatch(t, false); settled != 2 || err != nil || w.verdict(t, e).Verdict != bridge.Matched {
		t.Errorf("settled %d, %v", settled, err)
	}
}
