package watch

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// failures are the steps that made a run fail, in the order of their ends: of a step with retries only
// the last attempt, and none of those that a later attempt made good.
func failures(nodes map[string]node) []bridge.Failure {
	retries := retriesOf(nodes)
	var found []bridge.Failure
	for id, n := range nodes {
		if !failed(n) || hasFailedChild(n, nodes) {
			continue
		}
		if retry, ok := retries[id]; ok && (!failed(retry) || lastAttempt(retry, nodes) != id) {
			continue
		}
		found = append(found, failure(n, nodes, retries))
	}
	slices.SortFunc(found, func(a, b bridge.Failure) int {
		if c := a.Finished.Compare(b.Finished); c != 0 {
			return c
		}
		return strings.Compare(a.Path, b.Path)
	})
	return boundFailures(found)
}

// retriesOf are the retry nodes by their children.
func retriesOf(nodes map[string]node) map[string]node {
	retries := map[string]node{}
	for _, n := range nodes {
		if n.Type == "Retry" {
			for _, child := range n.Children {
				retries[child] = n
			}
		}
	}
	return retries
}

// Bounds of what is told of failures, so that a notification fits into a message of the bus (1 MiB).
const (
	maxFailures       = 500
	maxMessage        = 4 << 10   // bytes of one failure's message
	maxFailuresInText = 256 << 10 // bytes of all their messages
)

// boundFailures keeps the first failures, and of the messages as much as there is room for.
func boundFailures(all []bridge.Failure) []bridge.Failure {
	all = all[:min(len(all), maxFailures)]
	room := maxFailuresInText
	for i := range all {
		all[i].Message = cut(all[i].Message, min(maxMessage, room))
		room -= len(all[i].Message)
	}
	return all
}

// cut shortens s to n bytes at most, between two characters.
func cut(s string, n int) string {
	const mark = "…"
	if len(s) <= n {
		return s
	}
	if n < len(mark) {
		return ""
	}
	end := n - len(mark)
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + mark
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

func failure(n node, nodes map[string]node, retries map[string]node) bridge.Failure {
	f := bridge.Failure{
		Path: path(n, nodes, retries), Template: n.TemplateName, Phase: n.Phase,
		Message: n.Message, ExitCode: n.Outputs.ExitCode, Finished: utc(n.FinishedAt), Node: n.ID,
	}
	if n.Type == "Container" {
		f.Node = n.BoundaryID // the pod's; containers of a container set have none of their own
	}
	if attempts := len(retries[n.ID].Children); attempts > 1 {
		f.Attempts = attempts
	}
	return f
}

// path is the way from the entrypoint to the step by the names that its author gave. The root bears the
// Workflow's name, which says nothing: it is left out, or, if it is the step itself, named after its template.
func path(n node, nodes map[string]node, retries map[string]node) string {
	var names []string
	for range 100 { // deeper than Argo lets templates nest
		if retry, ok := retries[n.ID]; ok {
			n = retry // an attempt has the step's name with a number
		}
		parent, inner := nodes[n.BoundaryID]
		if !inner {
			break
		}
		names = append(names, n.DisplayName)
		n = parent
	}
	if len(names) == 0 {
		return n.TemplateName
	}
	slices.Reverse(names)
	return strings.Join(names, " / ")
}
