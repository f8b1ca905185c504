package watch

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// paused is a Workflow that is as far as its status says, in JSON.
func paused(t *testing.T, phase, started, more string) *unstructured.Unstructured {
	t.Helper()
	o := workflowObject("wf", phase, time.Time{})
	var status map[string]any
	if err := json.Unmarshal([]byte(more), &status); err != nil {
		t.Fatal(err)
	}
	for key, value := range status {
		if err := unstructured.SetNestedField(o.Object, value, "status", key); err != nil {
			t.Fatal(err)
		}
	}
	if err := unstructured.SetNestedField(o.Object, started, "status", "startedAt"); err != nil {
		t.Fatal(err)
	}
	return o
}

const morning = "2026-01-01T08:00:00Z"

// suspended is the nodes of a run with one suspended step.
func suspended(phase, message string) string {
	return fmt.Sprintf(`{"nodes":{
		"wf":{"id":"wf","type":"Steps","phase":"Running"},
		"wf-1":{"id":"wf-1","displayName":"approve","type":"Suspend","templateName":"ask","boundaryID":"wf","phase":%q,"message":%q,"startedAt":"2026-01-01T08:00:01Z"}}}`,
		phase, message)
}

func TestPausesAreTheStepsThatWaitForSomebody(t *testing.T) {
	t.Parallel()
	text := func(s string) *string { return &s }
	for name, c := range map[string]struct {
		node   string // more fields of the suspended node
		status string // more of the status
		want   []bridge.Pause
	}{
		"a suspended step": {`"phase":"Running"`, ``, []bridge.Pause{{Path: "approve", Phase: "Running"}}},
		"one that is over": {`"phase":"Succeeded","message":"approved by anna"`, ``,
			[]bridge.Pause{{Path: "approve", Phase: "Succeeded", Message: "approved by anna"}}},
		"one that a time ends": {`"phase":"Running"`, `"storedWorkflowTemplateSpec":{"templates":[{"name":"ask","suspend":{"duration":"20s"}}]},`, nil},
		"one that a time ends, of another template": {`"phase":"Running","templateRef":{"name":"lib","template":"wait"}`,
			`"storedTemplates":{"namespaced/lib/wait":{"name":"wait","suspend":{"duration":20}}},`, nil},
		"one that a time ends, of a scope": {`"phase":"Running","templateScope":"namespaced/lib"`,
			`"storedTemplates":{"namespaced/lib/ask":{"name":"ask","suspend":{"duration":"1m"}}},`, nil},
		"one that a time ends, and that asks for values": {`"phase":"Running","outputs":{"parameters":[{"name":"go","valueFrom":{"supplied":{}}}]}`,
			`"storedWorkflowTemplateSpec":{"templates":[{"name":"ask","suspend":{"duration":"20s"}}]},`,
			[]bridge.Pause{{Path: "approve", Phase: "Running", Inputs: []bridge.Declared{{Name: "go"}}}}},
		"values that are to be supplied": {`"phase":"Running",
			"inputs":{"parameters":[{"name":"go","value":"no","default":"never","description":"Deploy?","enum":["yes","no"]},{"name":"other","value":"x"}]},
			"outputs":{"parameters":[{"name":"go","valueFrom":{"supplied":{}}},{"name":"count","valueFrom":{"supplied":{},"default":3}},
				{"name":"free","valueFrom":{"supplied":{}},"description":"Why?"},{"name":"given","value":"x"}]}`, ``,
			[]bridge.Pause{{Path: "approve", Phase: "Running", Inputs: []bridge.Declared{
				{Name: "go", Description: "Deploy?", Default: text("no"), Enum: []string{"yes", "no"}},
				{Name: "count", Default: text("3")}, {Name: "free", Description: "Why?"},
			}}}},
		"a step that was left out": {`"type":"Skipped","phase":"Skipped"`, ``, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			kind := `"type":"Suspend",`
			if strings.Contains(c.node, `"type"`) {
				kind = ""
			}
			got, err := read(paused(t, "Running", morning, fmt.Sprintf(`{%s"nodes":{"wf":{"id":"wf","type":"Steps","phase":"Running"},
				"wf-1":{"id":"wf-1","displayName":"approve",%s"templateName":"ask","boundaryID":"wf","startedAt":"2026-01-01T08:00:01Z",%s}}}`, c.status, kind, c.node)))
			if err != nil {
				t.Fatal(err)
			}
			for i := range c.want {
				c.want[i].Node, c.want[i].Started = "wf-1", time.Date(2026, 1, 1, 8, 0, 1, 0, time.UTC)
			}
			if diff := cmp.Diff(c.want, got.Pauses, cmpopts.EquateEmpty()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestManyPausesFitIntoOneMessageAndTheOpenOnesStay(t *testing.T) {
	t.Parallel()
	nodes := map[string]node{}
	for i := range 500 {
		n := node{ID: fmt.Sprint("wf-", i), Type: "Suspend", Phase: "Succeeded", StartedAt: at(i), Message: strings.Repeat("é", 5000)}
		if i == 0 {
			n.Phase = "Running"
		}
		for j := range 100 {
			choices := []any{strings.Repeat("x", 100), strings.Repeat("y", 100)}
			n.Inputs.Parameters = append(n.Inputs.Parameters, parameter{Name: fmt.Sprint(j), Description: strings.Repeat("ü", 5000), Enum: choices})
			asked := parameter{Name: fmt.Sprint(j)}
			asked.ValueFrom = &struct {
				Supplied *struct{} `json:"supplied"`
				Default  any       `json:"default"`
			}{Supplied: &struct{}{}}
			n.Outputs.Parameters = append(n.Outputs.Parameters, asked)
		}
		nodes[n.ID] = n
	}
	got := pauses(nodes, timers{})
	if len(got) != maxPauses || got[0].Node != "wf-0" || got[1].Node != "wf-451" || len(got[0].Inputs) != maxInputs {
		t.Fatalf("%d pauses, the first are %s and %s", len(got), got[0].Node, got[1].Node)
	}
	data, err := json.Marshal(got)
	if err != nil || len(data) > 500<<10 {
		t.Errorf("%d bytes, %v", len(data), err)
	}
}

func TestARunIsReportedAgainWhenItIsRetriedOrAPauseChanges(t *testing.T) {
	t.Parallel()
	l, m := &listener{}, &mark{}
	// The pause has opened while nobody watched.
	client := run(t, l, m, paused(t, "Running", morning, suspended("Running", "")))
	workflows := client.Resource(gvr).Namespace("team")
	step := func(o *unstructured.Unstructured) {
		t.Helper()
		if _, err := workflows.Update(t.Context(), o, metav1.UpdateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	hears(t, l, "wf Running")
	step(paused(t, "Running", morning, suspended("Running", "")))              // nothing new
	step(paused(t, "Running", morning, suspended("Failed", "no")))             // the pause closes
	step(paused(t, "Failed", morning, suspended("Failed", "no")))              // and with it the run
	step(paused(t, "Failed", morning, suspended("Failed", "no")))              // nothing new
	step(paused(t, "Running", "2026-01-01T09:00:00Z", suspended("", "")))      // a retry
	step(paused(t, "Running", "2026-01-01T09:00:00Z", suspended("", "")))      // nothing new
	step(paused(t, "Failed", "2026-01-01T10:00:00Z", suspended("", "")))       // fails
	step(paused(t, "Failed", "2026-01-01T11:00:00Z", suspended("Failed", ""))) // was retried and failed again while nobody watched
	hears(t, l, "wf Running", "wf Running", "wf Failed", "wf Running", "wf Failed", "wf Failed")
}
