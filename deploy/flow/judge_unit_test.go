package flow

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/watch"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// A story is an outcome that is told by hand.
type story struct {
	outcome
	now time.Time
}

// tell begins the story of a policy with a limit of 1 and n events of one group.
func tell(policy bridge.Policy, n int) *story {
	s := &story{now: time.Unix(1_700_000_000, 0)}
	s.schedule = schedule{policy: policy, limit: 1, groups: groupNames[:1]}
	s.results = map[string]bridge.Result{}
	for i := range n {
		name := string(rune('a' + i))
		s.events = append(s.events, sentEvent{id: name, hash: name, sequence: uint64(i + 1), sent: s.now})
		s.results[name] = bridge.Result{Verdict: bridge.Matched, Workflow: "ns/" + name}
	}
	return s
}

func (s *story) later(d time.Duration) *story { s.now = s.now.Add(d); return s }

func (s *story) change(kind watch.EventType, r run) *story {
	r.group = s.label(0)
	s.changes = append(s.changes, change{s.now, kind, r})
	return s.later(time.Millisecond)
}

func (s *story) starts(event string) *story {
	return s.change(watch.Added, run{name: event, event: event, ours: true})
}

func (s *story) ends(event string) *story {
	return s.change(watch.Modified, run{name: event, event: event, ours: true, done: true})
}

func (s *story) stops(event, reason string) *story {
	return s.change(watch.Modified, run{name: event, event: event, ours: true, shutdown: "Stop", reason: reason})
}

func (s *story) byHand(name string) *story { return s.change(watch.Added, run{name: name}) }

func (s *story) skip(event string) *story {
	s.results[event] = bridge.Result{Verdict: bridge.Skipped, Reason: bridge.ReasonConcurrency, At: s.now}
	return s
}

func (s *story) becomes(event string, r bridge.Result) *story {
	s.results[event] = r
	return s
}

func (s *story) loses(event string) *story {
	delete(s.results, event)
	return s
}

func TestTheJudgeSeesEachBreachAndNothingElse(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		story *story
		want  string // a part of the one breach; empty: none
	}{
		"one after the other":                       {tell(bridge.Queue, 2).starts("a").ends("a").starts("b"), ""},
		"two at a time":                             {tell(bridge.Queue, 2).starts("a").starts("b"), "b was made although that makes 2 runs"},
		"a run is deleted and makes room":           {tell(bridge.Queue, 2).starts("a").change(watch.Deleted, run{name: "a"}).starts("b"), ""},
		"a run by hand that all have seen":          {tell(bridge.Queue, 1).byHand("h").later(sight).later(1).starts("a"), "a was made although that makes 2 runs"},
		"a run by hand that none may have seen":     {tell(bridge.Queue, 1).byHand("h").starts("a"), ""},
		"a run by hand exceeds the limit":           {tell(bridge.Queue, 1).starts("a").later(time.Hour).byHand("h"), ""},
		"the wrong order":                           {tell(bridge.Queue, 2).starts("b").ends("b").starts("a"), "a was started after b"},
		"an event twice":                            {tell(bridge.Queue, 1).starts("a").change(watch.Deleted, run{name: "a"}).starts("a"), "a has 2 Workflows"},
		"a Workflow of no event":                    {tell(bridge.Queue, 0).starts("x"), "x is of no event"},
		"an event is lost":                          {tell(bridge.Queue, 2).starts("a").loses("b"), "b is not settled"},
		"an event waits for ever":                   {tell(bridge.Queue, 1).becomes("a", bridge.Result{Verdict: bridge.Waiting}), "a is not settled"},
		"an event is rejected":                      {tell(bridge.Queue, 1).becomes("a", bridge.Result{Verdict: bridge.Rejected}), "a is rejected"},
		"a Workflow is only claimed":                {tell(bridge.Queue, 1), "a is matched, and has no Workflow"},
		"a queue skips":                             {tell(bridge.Queue, 1).skip("a"), "a is skipped by the policy queue"},
		"an event is skipped and started":           {tell(bridge.ReplacePending, 2).starts("a").ends("a").skip("a").starts("b"), "a is skipped, and has 1 Workflows"},
		"the newest takes the place of those":       {tell(bridge.ReplacePending, 3).starts("a").skip("b").ends("a").starts("c"), ""},
		"the newest is lost":                        {tell(bridge.ReplacePending, 2).starts("a").ends("a").skip("b"), "b is skipped, and is the last event of its group"},
		"skipped while the group is full":           {tell(bridge.Skip, 2).starts("a").later(time.Hour).skip("b"), ""},
		"skipped just after it was full":            {tell(bridge.Skip, 2).starts("a").ends("a").skip("b"), ""},
		"skipped long after it was full":            {tell(bridge.Skip, 2).starts("a").ends("a").later(2 * sight).skip("b"), "b is skipped, and 0 runs were in flight"},
		"a run is stopped for a later one":          {tell(bridge.CancelInProgress, 2).starts("a").stops("a", "b").ends("a").starts("b"), ""},
		"a run is stopped for nobody":               {tell(bridge.CancelInProgress, 1).starts("a").stops("a", "why not"), "a was stopped, and no event of its group came later"},
		"a run is stopped and says nothing":         {tell(bridge.CancelInProgress, 2).starts("a").stops("a", "").ends("a").starts("b"), "a was stopped and does not say why"},
		"a run is stopped by a policy that may not": {tell(bridge.Queue, 2).starts("a").stops("a", "b").ends("a").starts("b"), "a was stopped by the policy queue"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := test.story.judge()
			switch {
			case test.want == "" && len(got) > 0:
				t.Errorf("breaches: %q", got)
			case test.want != "" && (len(got) != 1 || !strings.Contains(got[0], test.want)):
				t.Errorf("breaches %q, want %q", got, test.want)
			}
		})
	}
}

func TestASeedMakesTheSameSchedulesAgain(t *testing.T) {
	t.Parallel()
	a, b, other := draw(7, 3, ""), draw(7, 3, ""), draw(8, 3, "")
	if describe(a) != describe(b) {
		t.Error("two of one seed differ")
	}
	if describe(a) == describe(other) {
		t.Error("two seeds make the same")
	}
	if only := draw(7, 3, "skip-002"); len(only) != 1 || describe(only) != describe(a[11:]) {
		t.Error("one of them alone is another")
	}
}

func describe(all []schedule) string { return fmt.Sprintf("%+v", all) }
