package watch

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/argo-bridge/argo-bridge/bridge"
)

func at(second int) metav1.Time { return metav1.NewTime(time.Unix(int64(second), 0)) }

func pod(id, display, boundary, phase, message string, second int) node {
	n := node{ID: id, DisplayName: display, Type: "Pod", TemplateName: "t-" + display, Phase: phase, Message: message, BoundaryID: boundary, FinishedAt: at(second)}
	if phase == "Failed" {
		n.Outputs.ExitCode = "1"
	}
	return n
}

func TestFailuresAreTheStepsThatMadeTheRunFail(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		nodes []node
		want  []bridge.Failure
	}{
		"a single pod is named after its template": {
			nodes: []node{pod("wf", "wf", "", "Failed", "boom", 1)},
			want:  []bridge.Failure{{Path: "t-wf", Message: "boom", ExitCode: "1"}},
		},
		"of a root with retries the last attempt": {
			nodes: []node{
				{ID: "wf", DisplayName: "wf", Type: "Retry", TemplateName: "load", Phase: "Failed", Message: "No more retries left", Children: []string{"wf0", "wf1"}},
				pod("wf0", "wf(0)", "", "Failed", "first", 1), pod("wf1", "wf(1)", "", "Failed", "second", 2),
			},
			want: []bridge.Failure{{Path: "load", Template: "t-wf(1)", Message: "second", Attempts: 2, ExitCode: "1"}},
		},
		"nested steps give the way, without the root": {
			nodes: []node{
				{ID: "wf", DisplayName: "wf", Type: "Steps", Phase: "Failed", Children: []string{"g"}},
				{ID: "g", DisplayName: "[0]", Type: "StepGroup", Phase: "Failed", BoundaryID: "wf", Children: []string{"dag"}},
				{ID: "dag", DisplayName: "build", Type: "DAG", Phase: "Failed", BoundaryID: "wf", Children: []string{"p"}},
				pod("p", "compile", "dag", "Failed", "no", 1),
			},
			want: []bridge.Failure{{Path: "build / compile", Message: "no", ExitCode: "1"}},
		},
		"an attempt that a later one made good is none": {
			nodes: []node{
				{ID: "wf", DisplayName: "wf", Type: "Steps", Phase: "Failed", Children: []string{"r", "b"}},
				{ID: "r", DisplayName: "flaky", Type: "Retry", Phase: "Succeeded", BoundaryID: "wf", Children: []string{"r0", "r1"}},
				pod("r0", "flaky(0)", "wf", "Failed", "once", 1), pod("r1", "flaky(1)", "wf", "Succeeded", "", 2),
				pod("b", "broken", "wf", "Failed", "always", 3),
			},
			want: []bridge.Failure{{Path: "broken", Message: "always", ExitCode: "1"}},
		},
		"a step that never got a pod": {
			nodes: []node{
				{ID: "wf", DisplayName: "wf", Type: "Steps", Phase: "Error", Children: []string{"g"}},
				{ID: "x", DisplayName: "missing", Type: "Skipped", TemplateName: "t-missing", Phase: "Error", Message: "template not found", BoundaryID: "wf"},
			},
			want: []bridge.Failure{{Path: "missing", Phase: "Error", Message: "template not found"}},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			nodes := map[string]node{}
			for _, n := range c.nodes {
				nodes[n.ID] = n
			}
			got := failures(nodes)
			for i := range got {
				got[i].Finished, got[i].Node = time.Time{}, ""
				if c.want[i].Phase == "" {
					c.want[i].Phase = "Failed"
				}
				if c.want[i].Template == "" {
					c.want[i].Template = got[i].Template
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A Workflow is written by many: people, controllers of other versions, other programs.
func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"metadata":{"name":"a","namespace":"n","uid":"u","labels":{"workflows.argoproj.io/phase":"Failed"}},
		"spec":{"arguments":{"parameters":[{"name":"p","value":3}]}},"status":{"phase":"Failed","nodes":{"a":{"id":"a","phase":"Failed","type":"Retry","children":["b"]},"b":{"id":"b","boundaryID":"a","phase":"Error"}}}}`))
	f.Add([]byte(`{"metadata":{},"status":{"phase":"Error","compressedNodes":"H4sIAAAAAAAA/6pWqgUEAAD//w=="}}`))
	f.Add([]byte(`{"metadata":{"labels":7},"status":{"nodes":{"a":{"id":"a","phase":"Failed","boundaryID":"a","children":["a"]}},"phase":"Failed"}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var object map[string]any
		if json.Unmarshal(data, &object) != nil || object == nil {
			return
		}
		run, err := read(&unstructured.Unstructured{Object: object})
		if err == nil && !run.Completed() && len(run.Failures) > 0 {
			t.Errorf("a run that goes on has failed: %+v", run)
		}
	})
}
