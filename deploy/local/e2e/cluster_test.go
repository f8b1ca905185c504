package e2e

import (
	"context"
	"os/exec"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/argo-bridge/argo-bridge/deploy/local/cluster"
)

// template runs one pod that does what the parameters say.
func template() map[string]any {
	parameter := func(name, value string) any { return map[string]any{"name": name, "value": value} }
	variable := func(name, value string) any { return map[string]any{"name": name, "value": value} }
	return map[string]any{
		"apiVersion": "argoproj.io/v1alpha1", "kind": "WorkflowTemplate",
		"metadata": map[string]any{"name": "load"},
		"spec": map[string]any{
			"entrypoint": "load",
			"arguments":  map[string]any{"parameters": []any{parameter("code", "0"), parameter("duration", "0s")}},
			"templates": []any{map[string]any{
				"name":    "load",
				"outputs": map[string]any{"parameters": []any{map[string]any{"name": "rows", "valueFrom": map[string]any{"path": "/rows"}}}},
				"container": map[string]any{"image": "example/load", "env": []any{
					variable("LOCAL_EXIT_CODE", "{{workflow.parameters.code}}"),
					variable("LOCAL_DURATION", "{{workflow.parameters.duration}}"),
					variable("LOCAL_MESSAGE", "ended with {{workflow.parameters.code}}"),
					variable("LOCAL_OUTPUTS", `{"rows": 42}`),
				}},
			}},
		},
	}
}

// submission is a Workflow from the template with one parameter set.
func submission(parameter, value string) map[string]any {
	return map[string]any{
		"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow",
		"metadata": map[string]any{"generateName": "load-"},
		"spec": map[string]any{
			"workflowTemplateRef": map[string]any{"name": "load"},
			"arguments":           map[string]any{"parameters": []any{map[string]any{"name": parameter, "value": value}}},
		},
	}
}

// TestCluster is one story, because every cluster costs seconds.
func TestCluster(t *testing.T) {
	l := up(t)
	if again := l.run("up"); !strings.Contains(again, "already running") {
		t.Errorf("a second up says %q", again)
	}
	l.create(templates, template())

	l.waitPhase(l.create(workflows, submission("code", "0")), "Succeeded")
	failed := l.waitPhase(l.create(workflows, submission("code", "7")), "Failed")
	if message := nodeMessage(failed); message != "main: Error (exit code 7): ended with 7" {
		t.Errorf("the failed pod says %q", message)
	}
	l.terminated()
	l.accounts()
	l.outage()
	l.garbage(failed.GetName())
	l.down()
}

func nodeMessage(workflow *unstructured.Unstructured) string {
	nodes, _, _ := unstructured.NestedMap(workflow.Object, "status", "nodes")
	for _, node := range nodes {
		if fields := node.(map[string]any); fields["type"] == "Pod" {
			message, _ := fields["message"].(string)
			return message
		}
	}
	return ""
}

// terminated: a pod in the middle of its run stops when its Workflow is told to.
func (l *local) terminated() {
	l.t.Helper()
	name := l.create(workflows, submission("duration", "1h"))
	selector := metav1.ListOptions{LabelSelector: "workflows.argoproj.io/workflow=" + name}
	inPhase := func(want string) func() bool {
		return func() bool {
			list, err := l.client.Resource(pods).Namespace("argo").List(context.Background(), selector)
			return err == nil && len(list.Items) == 1 && phase(&list.Items[0]) == want
		}
	}
	l.eventually("the pod runs", inPhase("Running"))
	_, err := l.client.Resource(workflows).Namespace("argo").Patch(context.Background(), name, types.MergePatchType,
		[]byte(`{"spec": {"shutdown": "Terminate"}}`), metav1.PatchOptions{})
	if err != nil {
		l.t.Fatal(err)
	}
	l.waitPhase(name, "Failed")
	l.eventually("the pod has ended", inPhase("Failed"))
}

// outage: the API server goes and comes back, and everybody else goes on.
func (l *local) outage() {
	l.t.Helper()
	l.run("stop", cluster.APIServer)
	if _, err := l.client.Resource(workflows).Namespace("argo").List(context.Background(), metav1.ListOptions{}); err == nil {
		l.t.Error("the API server answers although it is stopped")
	}
	if l.status().Running {
		l.t.Error("the status says that all is well")
	}
	l.run("start", cluster.APIServer)
	l.waitPhase(l.create(workflows, submission("code", "0")), "Succeeded")
}

// garbage: pods go when their Workflow goes.
func (l *local) garbage(name string) {
	l.t.Helper()
	if err := l.client.Resource(workflows).Namespace("argo").Delete(context.Background(), name, metav1.DeleteOptions{}); err != nil {
		l.t.Fatal(err)
	}
	selector := metav1.ListOptions{LabelSelector: "workflows.argoproj.io/workflow=" + name}
	l.eventually("the pods of a deleted Workflow are gone", func() bool {
		list, err := l.client.Resource(pods).Namespace("argo").List(context.Background(), selector)
		return err == nil && len(list.Items) == 0
	})
}

// down: no process is left.
func (l *local) down() {
	l.t.Helper()
	l.run("down")
	out, err := exec.Command("ps", "-axo", "pid,args").Output()
	if err != nil {
		l.t.Fatal(err)
	}
	for line := range strings.Lines(string(out)) {
		if strings.Contains(line, l.dir) {
			l.t.Errorf("still running: %s", line)
		}
	}
}
