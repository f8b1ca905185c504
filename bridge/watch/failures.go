package watch

import (
	"fmt"
	"slices"
	"strings"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// failures are the steps that made a run fail, in the order of their ends: of a step with retries only
// the last attempt, and none of those that a later attempt made good.
func failures(nodes map[string]node) []bridge.Failure {
	retries := map[string]node{} // child → the retry node above it
	for _, n := range nodes {
		if n.Type == "Retry" {
			for _, child := range n.Children {
				retries[child] = n
			}
		}
	}
	var found []bridge.Failure
	for id, n := range nodes {
		if !failed(n) || hasFailedChild(n, nodes) {
			continue
		}
		if retry, ok := retries[id]; ok && (!failed(retry) || lastAttempt(retry, nodes) != id) {
			continue
		}
		found = append(found, failure(n, nodes, retries[id]))
	}
	slices.SortFunc(found, func(a, b bridge.Failure) int {
		if c := a.Finished.Compare(b.Finished); c != 0 {
			return c
		}
		return strings.Compare(a.Path, b.Path)
	})
	return found
}

func failed(n node) bool { return n.Phase == "Failed" || n.Phase == "Error" }

// hasFailedChild says that n failed because something below it did.
func hasFailedChild(n node, nodes map[string]node) bool {
	for _, m := range nodes {
		if m.BoundaryID == n.ID && m.ID != n.ID && failed(m) {
			return true
		}
	}
	if n.Type == "Pod" {
		return false // the children of a pod come after it
	}
	return slices.ContainsFunc(n.Children, func(id string) bool { return failed(nodes[id]) })
}

// lastAttempt is the child of a retry node that ran last.
func lastAttempt(retry node, nodes map[string]node) string {
	for _, id := range slices.Backward(retry.Children) {
		if n, ok := nodes[id]; ok && failed(n) {
			return id
		}
	}
	return ""
}

func failure(n node, nodes map[string]node, retry node) bridge.Failure {
	f := bridge.Failure{
		Path: path(n, nodes), Template: n.TemplateName, Phase: n.Phase,
		Message: n.Message, ExitCode: n.Outputs.ExitCode, Finished: utc(n.FinishedAt),
	}
	if attempts := len(retry.Children); attempts > 1 {
		f.Message = strings.TrimSpace(fmt.Sprintf("%s (attempt %d of %d)", f.Message, attempts, attempts))
	}
	return f
}

// path is the way from the entrypoint to the step by display names. The root's own name is the
// Workflow's and is left out unless it is the step itself.
func path(n node, nodes map[string]node) string {
	names := []string{n.DisplayName}
	for seen := 0; seen < 100; seen++ {
		parent, ok := nodes[n.BoundaryID]
		if !ok || parent.BoundaryID == "" {
			break
		}
		names = append(names, parent.DisplayName)
		n = parent
	}
	slices.Reverse(names)
	return strings.Join(names, " / ")
}
