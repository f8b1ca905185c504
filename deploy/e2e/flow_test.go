package e2e

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// orderedTemplate runs the pushes of one branch one after the other, pacedTemplate two a second.
var (
	orderedTemplate = withAnnotation(strings.Replace(pushTemplate, "branches: [main]", `branches: ["**"]`, 1), "in-order", "ordered: github.ref")
	pacedTemplate   = withAnnotation(strings.Replace(pushTemplate, "branches: [main]", `branches: ["**"]`, 1), "at-a-pace", "rate: 2/s")
)

func withAnnotation(manifest, name, annotation string) string {
	m := strings.Replace(manifest, "name: on-push", "name: "+name, 1)
	return strings.Replace(m, "annotations:\n", "annotations:\n    bridge.argoproj.io/"+annotation+"\n", 1)
}

func TestOrderAndPaceHoldWhateverDies(t *testing.T) {
	t.Parallel()
	c := shared(t)
	ns := c.newNamespace(t)
	c.apply(t, ns, orderedTemplate, pacedTemplate)
	p := newBridge(t, setup{cluster: c, namespace: ns})
	p.startReady()
	const branches, pushes = 3, 24
	for i := 1; i <= pushes; i++ {
		body := []byte(strings.Replace(string(push(t, i, 0)), "refs/heads/main", fmt.Sprintf("refs/heads/%d", i%branches), 1))
		delivered(t, "push", func() (int, string) { return p.github("push", fmt.Sprint("delivery-", i), body) })
		if i%10 == 0 {
			p.kill()
			p.startReady()
		}
	}
	var items []unstructured.Unstructured
	eventually(t, "each push has run by both templates", func() (err error) {
		if items, err = c.workflows(ns); err != nil {
			return err
		}
		return allEnded(items, 2*pushes)
	})
	slices.SortFunc(items, func(a, b unstructured.Unstructured) int { return cmp.Compare(parameter(a, "id"), parameter(b, "id")) })
	checkOrder(t, items)
	checkPace(t, items, pushes)
}

func allEnded(items []unstructured.Unstructured, want int) error {
	for _, wf := range items {
		if p := phase(wf); p != "Succeeded" {
			return fmt.Errorf("%s is %q", wf.GetName(), p)
		}
	}
	if len(items) != want {
		return fmt.Errorf("%d of %d Workflows", len(items), want)
	}
	return nil
}

// checkOrder wants each run of a branch to be made after the end of the one before; the items are in the order of
// their pushes.
func checkOrder(t *testing.T, items []unstructured.Unstructured) {
	t.Helper()
	before := map[string]time.Time{} // branch → end
	for _, wf := range items {
		if !strings.HasPrefix(wf.GetName(), "in-order") {
			continue
		}
		branch := wf.GetAnnotations()["bridge.argoproj.io/order"]
		if made := wf.GetCreationTimestamp().Time; made.Before(before[branch]) {
			t.Errorf("%s of %s was made at %s, before the end of the one before it at %s", wf.GetName(), branch, made, before[branch])
		}
		text, _, _ := unstructured.NestedString(wf.Object, "status", "finishedAt")
		end, err := time.Parse(time.RFC3339, text)
		if err != nil {
			t.Fatal(err)
		}
		before[branch] = end
	}
	if len(before) != 3 {
		t.Errorf("runs of %d branches, want 3", len(before))
	}
}

// checkPace wants the runs to be spread over their time. Kubernetes writes whole seconds.
func checkPace(t *testing.T, items []unstructured.Unstructured, runs int) {
	t.Helper()
	var made []time.Time
	for _, wf := range items {
		if strings.HasPrefix(wf.GetName(), "at-a-pace") {
			made = append(made, wf.GetCreationTimestamp().Time)
		}
	}
	slices.SortFunc(made, time.Time.Compare)
	for first := range made {
		for last := first + 1; last < len(made); last++ {
			if least := time.Duration(last-first)*500*time.Millisecond - time.Second; made[last].Sub(made[first]) < least {
				t.Fatalf("%d runs within %s", last-first+1, made[last].Sub(made[first]))
			}
		}
	}
	if len(made) != runs {
		t.Errorf("%d runs, want %d", len(made), runs)
	}
}
