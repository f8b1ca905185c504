package dispatch

import (
	"errors"
	"fmt"
	"sort"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/mapping"
)

// largest is the Workflow of as many members as its parameters have room for, from the first, at least one.
func (b *batching) largest() (s bridge.Submission, n int, err error) {
	n = len(b.members)
	s, err = b.plan(b.members)
	if !errors.Is(err, mapping.ErrTooLarge) || n == 1 {
		return s, n, err
	}
	// Its parameters grow with it: look for the first size that is too large.
	n = 1 + sort.Search(n-1, func(i int) bool {
		_, err := b.plan(b.members[:i+2])
		return errors.Is(err, mapping.ErrTooLarge)
	})
	s, err = b.plan(b.members[:n])
	return s, n, err
}

// plan is the Workflow of some members.
func (b *batching) plan(members []member) (bridge.Submission, error) {
	first := members[0]
	start := Start{
		Event: first.event, Facts: first.facts, Rule: b.rule, Variables: first.Variables, Replay: first.task.Replay,
		ClusterNamespace: b.ClusterNamespace,
	}
	for _, m := range members {
		start.Batch = append(start.Batch, m.Member)
		// A loop must not begin anew because an event from outside came first.
		start.Facts.Depth = max(start.Facts.Depth, m.facts.Depth)
	}
	s, err := Plan(start)
	if err == nil && len(members) > 1 && size(s) > mapping.MaxValue {
		err = fmt.Errorf("the parameters of %d events are %w", len(members), mapping.ErrTooLarge)
	}
	return s, err
}

// size is that of all parameters in bytes.
func size(s bridge.Submission) int {
	n := 0
	for _, p := range s.Parameters {
		n += len(p.Value)
	}
	return n
}
