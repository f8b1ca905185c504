package dispatch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
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
	"github.com/argo-bridge/argo-bridge/bridge/ledger"
	"github.com/argo-bridge/argo-bridge/bridge/match"
)

// A world is a dispatcher on a real ledger, with a cluster that can be told to fail.
type world struct {
	*Dispatcher
	mu        sync.Mutex
	workflows map[string]int // name → how often it was created
	fail      func(s bridge.Submission) error
	rejected  []string
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
	w := &world{workflows: map[string]int{}}
	w.Dispatcher = &Dispatcher{
		Rules: match.New(rules, match.AllowAll()), Ledger: ledger.New(bucket, time.Hour, zaptest.NewLogger(t)),
		Submitter: w, Rejections: w, Observer: noObserver{}, ClusterNamespace: "argo",
		Log: zaptest.NewLogger(t, zaptest.Level(zap.WarnLevel)),
	}
	return w
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

func (w *world) Rejected(_ context.Context, _ bridge.Event, _ bridge.Facts, rule *bridge.Rule, reason string) error {
	w.rejected = append(w.rejected, rule.Name+": "+reason)
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

func TestATransientFailureOfOneRuleRunsTheOtherOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, rule(t, "good", "data.name"), rule(t, "bad", "data.n"))
	down := true
	w.fail = func(s bridge.Submission) error {
		if s.Rule == "bad" && down {
			return errors.New("the API server is away")
		}
		return nil
	}
	err := w.Handle(t.Context(), made, delivery(1))
	if err == nil || bridge.IsPermanent(err) {
		t.Fatalf("got %v, want a transient error", err)
	}
	down = false
	if err := w.Handle(t.Context(), made, delivery(2)); err != nil {
		t.Fatal(err)
	}
	if len(w.workflows) != 2 {
		t.Errorf("workflows: %v, want two", w.workflows)
	}
	for name, n := range w.workflows {
		if n != 1 {
			t.Errorf("%s was submitted %d times, want once", name, n)
		}
	}
}

func TestWhatCanNeverBeMadeIsRejectedWithItsReasonAndTold(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		parameter string
		fail      error
		attempt   int
		reason    bridge.Reason
		detail    string
	}{
		"a parameter that is null":           {parameter: "data.missing", reason: bridge.ReasonParameter, detail: `"p"`},
		"a parameter that is too long":       {parameter: `repeat("x", 70000)`, reason: bridge.ReasonParameter, detail: "64 KiB"},
		"an object that the server refuses":  {parameter: "data.name", fail: bridge.Permanent(errors.New("invalid")), reason: bridge.ReasonSubmit, detail: "invalid"},
		"a refusal that has lasted for long": {parameter: "data.name", fail: bridge.Refusal(errors.New("forbidden")), attempt: refusalAttempts, reason: bridge.ReasonSubmit, detail: "given up"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, rule(t, "r", c.parameter))
			w.fail = func(bridge.Submission) error { return c.fail }
			if err := w.Handle(t.Context(), made, delivery(max(1, c.attempt))); err != nil {
				t.Fatal(err)
			}
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
	if err := w.Handle(t.Context(), made, delivery(1)); err == nil {
		t.Fatal("the event was settled")
	}
	w.fail = nil
	if err := w.Handle(t.Context(), made, delivery(2)); err != nil || len(w.workflows) != 1 {
		t.Errorf("got %v, %v", err, w.workflows)
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

func (dyingLedger) Put(context.Context, bridge.Event, bridge.Record) error { return errors.New("died") }

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
	s, err := Plan(e, facts, rule(t, "nightly", "data.n"), map[string]any{"data": map[string]any{"n": 3}}, "argo")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"bridge.argoproj.io/event-id": "1", "bridge.argoproj.io/event-type": "com.example.made",
		"bridge.argoproj.io/event-source": "/example", "bridge.argoproj.io/event-time": "2026-05-06T07:08:09Z",
		"bridge.argoproj.io/event-url": "https://example.com/c/1?a=b,c", "bridge.argoproj.io/actor": "mona",
		"bridge.argoproj.io/event-title": "push to acme/app main: *fix* <it>", "bridge.argoproj.io/reply-to": "C1/2",
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
				name := WorkflowName(r, bridge.Event{ID: fmt.Sprint(i), Source: "s"})
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
