package logs

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// begin makes the last pod that was added one of a step that has begun so many minutes after midnight.
func (c *cluster) begin(node string, minutes int, phase corev1.PodPhase) {
	pod := &c.pods[len(c.pods)-1]
	pod.Annotations[annotationNodeName] = node
	at := metav1.NewTime(time.Date(2026, 3, 1, 0, minutes, 0, 0, time.UTC))
	pod.Status = corev1.PodStatus{Phase: phase, StartTime: &at}
}

func TestTheNewestStepsAreShown(t *testing.T) {
	t.Parallel()
	c := &cluster{pageSize: 2, logs: map[string]string{
		"p-a/main": "one\npassword=abc\n", "p-b/main": "two\n", "p-d/main": "four\n", "p-old/main": "of an earlier Workflow\n",
	}}
	for i, pod := range []struct {
		name, node string
		phase      corev1.PodPhase
	}{
		{"p-a", "wf[0].extract", corev1.PodSucceeded}, {"p-b", "wf[1].load.fetch(0)", corev1.PodRunning},
		{"p-c", "wf[2].later", corev1.PodPending}, {"p-d", "wf", corev1.PodSucceeded}, {"p-e", "wf.gone", corev1.PodFailed},
	} {
		c.add(pod.name, pod.node, "u1", "main")
		c.begin(pod.node, i, pod.phase)
	}
	c.add("p-old", "x", "u0", "main")
	c.begin("wf[0].extract", 9, corev1.PodSucceeded)
	tailer, _ := newTailer(t, c)
	run := bridge.Run{Namespace: "team", Name: "wf", UID: "u1"}
	shown := func(step string) (all [][]string) {
		logs, err := tailer.Steps(t.Context(), run, step)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range logs {
			all = append(all, append([]string{l.Path, l.Phase}, l.Lines...))
		}
		return all
	}
	if diff := cmp.Diff([][]string{{"gone", "Failed"}, {"wf", "Succeeded", "four"}, {"load / fetch(0)", "Running", "two"}}, shown("")); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([][]string{{"extract", "Succeeded", "one", "password=***"}}, shown("Extract")); diff != "" {
		t.Error(diff)
	}
	if got := shown("none"); got != nil {
		t.Errorf("got %q", got)
	}
}

func TestWhyNoStepIsShownIsAnError(t *testing.T) {
	t.Parallel()
	c := &cluster{pageSize: 9, forbidden: "pods"}
	tailer, told := newTailer(t, c)
	if _, err := tailer.Steps(t.Context(), bridge.Run{Namespace: "team", Name: "wf", UID: "u1"}, ""); err == nil {
		t.Error("no error")
	}
	if told.Len() != 1 {
		t.Errorf("told %v", told.All())
	}
}
