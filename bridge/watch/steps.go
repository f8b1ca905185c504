package watch

import (
	"cmp"
	"slices"
	"strings"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// Bounds of one step, in bytes: MaxSteps of them are to fit into a notification beside all else.
const (
	maxStepName    = 120
	maxStepMessage = 300
)

// steps are the nodes of a run as people see them: each step below the one that it is a part of, those side by side in
// the order of their starts. Groups are left out, the attempts of a retry stand as the one step that they are, and the
// entrypoint, which every other step is a part of, is named only when it is the only one.
func steps(workflow string, nodes map[string]node) []bridge.Step {
	t := newTree(workflow, nodes)
	shown := t.walk("", 0, nil)
	if root, ok := nodes[workflow]; ok && len(shown) == 0 {
		root.DisplayName = cmp.Or(root.TemplateName, root.DisplayName)
		shown = append(shown, t.step(root, 0))
	}
	return shown
}

// A tree is the nodes by the step that they are a part of.
type tree struct {
	workflow string
	nodes    map[string]node
	attempts map[string]string // attempt of a retry → the retry
	position map[string]int    // in the order of the graph, level by level
	parts    map[string][]node // id of a step, "" for the run → what it is made of
}

func newTree(workflow string, nodes map[string]node) *tree {
	t := &tree{workflow: workflow, nodes: nodes, attempts: map[string]string{}, parts: map[string][]node{}}
	for id, n := range nodes {
		if n.Type == "Retry" {
			for _, child := range n.Children {
				t.attempts[child] = id
			}
		}
	}
	t.position = positions(workflow, nodes)
	for id, n := range nodes {
		if parent, ok := t.parent(id, n); ok {
			t.parts[parent] = append(t.parts[parent], n)
		}
	}
	for _, parts := range t.parts {
		slices.SortFunc(parts, t.compare)
	}
	return t
}

// positions numbers the nodes as they follow one another in the graph, from the entrypoint.
func positions(workflow string, nodes map[string]node) map[string]int {
	position := map[string]int{}
	for queue := []string{workflow}; len(queue) > 0; queue = queue[1:] {
		if _, known := position[queue[0]]; known {
			continue
		}
		position[queue[0]] = len(position)
		queue = append(queue, nodes[queue[0]].Children...)
	}
	return position
}

// parent is the step that a node is a part of; ok is false for what is not shown.
func (t *tree) parent(id string, n node) (parent string, ok bool) {
	_, attempt := t.attempts[id]
	if attempt || id == t.workflow || n.Type == "StepGroup" || n.Type == "TaskGroup" {
		return "", false
	}
	parent = n.BoundaryID
	if retry, attempt := t.attempts[parent]; attempt {
		if last := t.nodes[retry].Children; last[len(last)-1] != parent {
			return "", false // a part of an attempt that came to nothing
		}
		parent = retry
	}
	if parent == t.workflow {
		parent = ""
	}
	return parent, true
}

func (t *tree) compare(a, b node) int {
	return cmp.Or(a.StartedAt.Compare(b.StartedAt.Time), cmp.Compare(t.place(a), t.place(b)), strings.Compare(a.ID, b.ID))
}

// place puts what the graph does not lead to, such as exit handlers, at the end.
func (t *tree) place(n node) int {
	if position, ok := t.position[n.ID]; ok {
		return position
	}
	return len(t.nodes)
}

// walk adds the parts of a step, and theirs. A step that was walked has no parts left, so that nodes which name one
// another as parts end.
func (t *tree) walk(of string, depth int, shown []bridge.Step) []bridge.Step {
	parts := t.parts[of]
	delete(t.parts, of)
	for _, n := range parts {
		if len(shown) == bridge.MaxSteps {
			break
		}
		shown = t.walk(n.ID, depth+1, append(shown, t.step(n, depth)))
	}
	return shown
}

func (t *tree) step(n node, depth int) bridge.Step {
	message := n.Message
	if n.Type == "Retry" && failed(n) {
		message = cmp.Or(t.nodes[lastAttempt(n, t.nodes)].Message, message)
	}
	name := strings.TrimPrefix(cmp.Or(n.DisplayName, n.Name, n.ID), t.workflow+".") // an exit handler is called onExit
	return bridge.Step{
		Name: cut(name, maxStepName), Depth: depth, Phase: n.Phase, Message: cut(message, maxStepMessage),
		Started: utc(n.StartedAt), Finished: utc(n.FinishedAt),
	}
}
