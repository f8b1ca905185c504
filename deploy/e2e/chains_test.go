package e2e

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// extract says in an output how many rows it has read.
const extractTemplate = `
metadata:
  name: extract
  annotations:
    bridge.argoproj.io/on: github.push
    bridge.argoproj.io/parameters: "id: github.sha"
spec:
  entrypoint: main
  arguments: {parameters: [{name: id}]}
  templates:
  - name: main
    outputs: {parameters: [{name: rows, valueFrom: {path: /tmp/rows, default: "0"}}]}
    container:
      image: busybox
      command: ["true"]
      env:
      - {name: LOCAL_OUTPUTS, value: '{"rows": "rows of {{workflow.parameters.id}}"}'}
`

const loadTemplate = `
metadata:
  name: load
  annotations:
    bridge.argoproj.io/on: |
      workflow.succeeded: {templates: [extract]}
    bridge.argoproj.io/parameters: |
      id: workflow.outputs.rows
      sha: chain.github.sha
      origin: origin.title
` + chained

// report is the third of a chain, and knows the first event.
const reportTemplate = `
metadata:
  name: report
  annotations:
    bridge.argoproj.io/on: |
      workflow.completed: {templates: [load]}
    bridge.argoproj.io/parameters: |
      id: '"depth " + string(chain.depth) + " of " + chain.github.sha'
` + chained

const chained = `
spec:
  entrypoint: main
  arguments: {parameters: [{name: id, value: nothing}, {name: sha, value: nobody}, {name: origin, value: nothing}]}
  templates:
  - {name: main, container: {image: busybox, command: ["true"]}}
`

func sha(id int) string { return fmt.Sprintf("%040d", id) }

// chainOf are the Workflows of a push.
func chainOf(id int) []string {
	return []string{"extract " + sha(id), "load rows of " + sha(id), "report depth 2 of " + sha(id)}
}

func (c *cluster) phaseOf(ns, template string) (string, error) {
	items, err := c.workflows(ns)
	for _, wf := range items {
		if name, _, _ := unstructured.NestedString(wf.Object, "spec", "workflowTemplateRef", "name"); name == template {
			return phase(wf), err
		}
	}
	return "", err
}

func TestAChainGoesOnAfterTheBridgeDiedBetweenTwoOfItsRuns(t *testing.T) {
	t.Parallel()
	c := shared(t)
	ns := c.newNamespace(t)
	c.apply(t, ns, extractTemplate, loadTemplate, reportTemplate)
	p := newBridge(t, setup{cluster: c, namespace: ns})
	p.startReady()
	if status, answer := p.github("push", "delivery-1", push(t, 1, 0)); status != http.StatusAccepted {
		t.Fatalf("push: %d %s", status, answer)
	}
	eventually(t, "the first run is there", func() error {
		if got, err := c.phaseOf(ns, "extract"); got == "" || err != nil {
			return fmt.Errorf("no Workflow: %w", err)
		}
		return nil
	})
	p.kill()
	eventually(t, "the first run ends while no bridge is there", func() error {
		if got, err := c.phaseOf(ns, "extract"); got != "Succeeded" || err != nil {
			return fmt.Errorf("it is %q: %w", got, err)
		}
		return nil
	})
	p.startReady()
	c.expect(t, ns, chainOf(1))
	items, err := c.workflows(ns)
	if err != nil {
		t.Fatal(err)
	}
	for _, wf := range items {
		if strings.HasPrefix(wf.GetName(), "load-") && (parameter(wf, "sha") != sha(1) || !strings.Contains(parameter(wf, "origin"), "acme/app")) {
			t.Errorf("load has sha %q and origin %q", parameter(wf, "sha"), parameter(wf, "origin"))
		}
	}
}

// expect waits for the Workflows, and looks again for doubles when all have ended.
func (c *cluster) expect(t *testing.T, ns string, want []string) {
	t.Helper()
	compare := func() error {
		got, err := c.byParameter(ns)
		if err != nil {
			return err
		}
		return exactly(got, want)
	}
	eventually(t, "each end has started its Workflow", compare)
	eventually(t, "all have ended", func() error {
		items, err := c.workflows(ns)
		if err != nil {
			return err
		}
		for _, wf := range items {
			if p := phase(wf); p != "Succeeded" {
				return fmt.Errorf("%s is %q", wf.GetName(), p)
			}
		}
		return nil
	})
	if err := compare(); err != nil {
		t.Errorf("at the end: %v", err)
	}
}

func TestKilledAgainAndAgainEveryChainIsWholeAndNoneIsDoubled(t *testing.T) {
	t.Parallel()
	c := shared(t)
	ns := c.newNamespace(t)
	c.apply(t, ns, extractTemplate, loadTemplate, reportTemplate)
	p := newBridge(t, setup{cluster: c, namespace: ns})
	p.startReady()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	var want []string
	for i := 1; i <= 12; i++ {
		delivered(t, "push", func() (int, string) { return p.github("push", fmt.Sprint("delivery-", i), push(t, i, 0)) })
		want = append(want, chainOf(i)...)
		if i%2 == 0 {
			time.Sleep(time.Duration(random.IntN(1500)) * time.Millisecond) // a random moment, not a wait
			p.kill()
			p.startReady()
		}
	}
	c.expect(t, ns, want)
}

func TestALoopOfRunsIsCutAtItsDepth(t *testing.T) {
	t.Parallel()
	c := shared(t)
	ns := c.newNamespace(t)
	c.apply(t, ns, `
metadata:
  name: loop
  annotations:
    bridge.argoproj.io/on: github.push
    bridge.argoproj.io/on.again: |
      workflow.succeeded: {templates: [loop]}
    bridge.argoproj.io/when.again: workflow.status == "Succeeded"
    bridge.argoproj.io/parameters.again: "id: string(chain.depth)"
`+chained)
	p := newBridge(t, setup{cluster: c, namespace: ns, config: "limits: {chainDepth: 3}\n"})
	p.startReady()
	p.github("push", "1", push(t, 1, 0))
	c.expect(t, ns, []string{"loop ", "loop 1", "loop 2", "loop 3"})
	eventually(t, "the end of the fourth run is rejected", func() error {
		if n := p.metric(`argo_bridge_decisions_total{decision="rejected",reason="depth"}`); n != "1" {
			return fmt.Errorf("%s rejections", n)
		}
		return nil
	})
	if log := p.log(); !strings.Contains(log, "limits.chainDepth): "+ns+"/loop → "+ns+"/loop") {
		t.Error("the log does not name the chain")
	}
}

func TestARunByHandChainsAsWell(t *testing.T) {
	t.Parallel()
	c := shared(t)
	ns := c.newNamespace(t)
	c.apply(t, ns, extractTemplate, loadTemplate)
	p := newBridge(t, setup{cluster: c, namespace: ns})
	p.startReady()
	byHand := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": map[string]any{"generateName": "mine-"},
		"spec": map[string]any{
			"workflowTemplateRef": map[string]any{"name": "extract"},
			"arguments":           map[string]any{"parameters": []any{map[string]any{"name": "id", "value": "7"}}},
		},
	}}
	if _, err := c.workflowsOf(ns).Create(t.Context(), byHand, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	c.expect(t, ns, []string{"extract 7", "load rows of 7"})
}
