package dispatch

import (
	"strings"
	"testing"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/expression"
)

func TestAChainIsCutAtItsDepth(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		depth  int
		reason bridge.Reason
	}{
		"no chain":                           {0, bridge.ReasonMatched},
		"a chain of as many as there may be": {3, bridge.ReasonMatched},
		"one more":                           {4, bridge.ReasonDepth},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.MaxDepth = 3
			facts := bridge.Facts{Name: "workflow.succeeded", Depth: test.depth, Chain: []string{"a/x", "a/y", "a/x", "a/y"}}
			got, err := w.start(t.Context(), attempt{
				event: made, facts: facts, scope: expression.NewScope(made, facts), rule: rule(t, "r", `"1"`),
			})
			if err != nil || got.Reason != test.reason {
				t.Fatalf("got %+v, %v", got, err)
			}
			if test.reason == bridge.ReasonDepth && (got.Verdict != bridge.Rejected || !strings.Contains(got.Detail, "limits.chainDepth): a/x → a/y")) {
				t.Errorf("got %+v", got)
			}
		})
	}
}

func TestPlanStampsTheDepthOfAChain(t *testing.T) {
	t.Parallel()
	for depth, want := range map[int]string{0: "", 2: "2"} {
		s, err := Plan(Start{Event: made, Facts: bridge.Facts{Depth: depth}, Rule: rule(t, "r", `"1"`)})
		if err != nil || s.Annotations[bridge.AnnotationDepth] != want {
			t.Errorf("depth %d: got %q, %v", depth, s.Annotations[bridge.AnnotationDepth], err)
		}
	}
}

func TestABatchIsAsDeepAsTheDeepestOfItsEvents(t *testing.T) {
	t.Parallel()
	b := &batching{Dispatcher: newWorld(t).Dispatcher, rule: batchRule(t, `"1"`)}
	var members []member
	for _, depth := range []int{0, 5, 2} {
		members = append(members, member{event: made, facts: bridge.Facts{Depth: depth}, Member: Member{Event: made}})
	}
	s, err := b.plan(members)
	if err != nil || s.Annotations[bridge.AnnotationDepth] != "5" {
		t.Errorf("got %q, %v", s.Annotations[bridge.AnnotationDepth], err)
	}
}
