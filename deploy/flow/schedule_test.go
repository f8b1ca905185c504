package flow

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// What a step does.
type action string

const (
	send    action = "send"          // events of a group
	finish  action = "end"           // a run
	byHand  action = "start by hand" // a run in a group
	remove  action = "delete"        // a run
	restart action = "restart"       // a bridge
	quiet   action = "wait"          // until no bridge has anything to do
	calm    action = "rest"          // the same, and that everybody has seen it
)

// A step says what is done. Which run that is depends on those that there are then: the pick-th, counted round.
type step struct {
	do    action
	group int
	pick  int
	count int    // of events
	phase string // of the run that ends
	kill  bool   // the bridge, instead of stopping it
}

// A schedule is one template and what happens to it.
type schedule struct {
	policy bridge.Policy
	index  int
	limit  int
	// groups are the values of the group's expression; none: the rule is the group.
	groups []string
	steps  []step
}

// groupNames are values that a label can and cannot hold.
var groupNames = []string{"main", "refs/heads/feature/x", "ein Zweig mit Umlaut: ü"}

// shares are how often each action is drawn.
var shares = []struct {
	do    action
	share int
}{{send, 40}, {finish, 22}, {byHand, 7}, {remove, 6}, {restart, 5}, {quiet, 12}, {calm, 8}}

// newSchedule makes the same schedule of the same seed.
func newSchedule(seed uint64, policy bridge.Policy, index int) schedule {
	rng := rand.New(rand.NewPCG(seed, uint64(index)<<8|uint64(slices.Index(bridge.Policies, policy))))
	s := schedule{policy: policy, index: index, limit: 1 + rng.IntN(3)}
	if rng.IntN(4) > 0 {
		s.groups = groupNames[:1+rng.IntN(3)]
	}
	for range 6 + rng.IntN(10) {
		s.steps = append(s.steps, s.newStep(rng))
	}
	return s
}

func (s schedule) newStep(rng *rand.Rand) step {
	st := step{
		group: rng.IntN(max(1, len(s.groups))), pick: rng.IntN(100), count: 1 + rng.IntN(3),
		phase: []string{"Succeeded", "Failed", "Error"}[rng.IntN(3)], kill: rng.IntN(3) == 0,
	}
	total := 0
	for _, x := range shares {
		total += x.share
	}
	n := rng.IntN(total)
	for _, x := range shares {
		if st.do = x.do; n < x.share {
			break
		}
		n -= x.share
	}
	return st
}

func (s schedule) template() string { return fmt.Sprintf("%s-%03d", s.policy, s.index) }

// eventType starts the schedule's template alone.
func (s schedule) eventType() string { return "com.example." + s.template() }

// label is what the runs of a group bear.
func (s schedule) label(group int) string {
	if len(s.groups) == 0 {
		return ""
	}
	return bridge.GroupLabel(s.groups[group])
}

// manifest is the template.
func (s schedule) manifest() map[string]any {
	concurrency := fmt.Sprintf("policy: %s\nlimit: %d\n", s.policy, s.limit)
	if len(s.groups) > 0 {
		concurrency += "group: data.group\n"
	}
	return map[string]any{
		"apiVersion": "argoproj.io/v1alpha1", "kind": "WorkflowTemplate",
		"metadata": map[string]any{"name": s.template(), "annotations": map[string]any{
			bridge.Prefix + "on": s.eventType(), bridge.Prefix + "concurrency": concurrency,
		}},
		"spec": map[string]any{"entrypoint": "main", "templates": []any{map[string]any{"name": "main", "suspend": map[string]any{}}}},
	}
}
