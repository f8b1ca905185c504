package operate

import (
	"fmt"

	wfv1 "github.com/argoproj/argo-workflows/v3/pkg/apis/workflow/v1alpha1"
)

// maxWays is how many ways through a run's steps Argo's library is let walk: it takes each, and steps that all depend on
// those before them have more than there is time for.
const maxWays = 1_000_000

// coherent says why Argo's library cannot be given the steps of a run: it trusts that they belong together, and would panic
// or never end. Whoever may write a Workflow may write its status.
func coherent(nodes wfv1.Nodes) error {
	for id, n := range nodes {
		if id != n.ID || n.BoundaryID == n.ID {
			return fmt.Errorf("the step %q is not what it says", id)
		}
	}
	c := counter{nodes: nodes, ways: map[string]int{}}
	for id := range nodes {
		if c.count(id) > maxWays {
			return fmt.Errorf("they depend on one another in too many ways")
		}
	}
	return c.fault
}

// A counter counts the ways from a step to an end.
type counter struct {
	nodes wfv1.Nodes
	ways  map[string]int // 0: being counted
	fault error
}

func (c *counter) count(id string) int {
	ways, known := c.ways[id]
	switch {
	case known && ways == 0:
		c.fault = fmt.Errorf("the step %q comes after itself", id)
		return 1
	case known:
		return ways
	}
	n, there := c.nodes[id]
	if !there {
		c.fault = fmt.Errorf("the step %q is missing", id)
		return 1
	}
	c.ways[id] = 0
	for _, child := range n.Children {
		ways = min(ways+c.count(child), maxWays+1)
	}
	c.ways[id] = max(1, ways)
	return c.ways[id]
}
