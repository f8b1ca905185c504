package e2e

import (
	"fmt"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

const (
	stormRuns      = 1000
	stormTemplates = 20
	stormChannels  = 5
	stormMessages  = 60 // less than these
)

// breaking is a template whose runs fail before any pod is made: what it is to loop over is no list.
func breaking(name, channel string) string {
	return fmt.Sprintf(`
metadata:
  name: %s
  annotations:
    bridge.argoproj.io/notify: |
      failed: slack:#%s
spec:
  entrypoint: main
  templates:
  - name: main
    steps:
    - - {name: each, template: nothing, withParam: "no list"}
  - name: nothing
    suspend: {duration: "0"}
`, name, channel)
}

// TestAStormOfFailuresIsFewMessagesThatCountThemAll lets a thousand Workflows fail within a minute, and kills the bridge in
// the middle.
func TestAStormOfFailuresIsFewMessagesThatCountThemAll(t *testing.T) {
	t.Parallel()
	var templates []string
	for i := range stormTemplates {
		templates = append(templates, breaking(fmt.Sprintf("storm-%d", i), fmt.Sprintf("storm-%d", i%stormChannels)))
	}
	w := newTeam(t, "storm-0", false, templates...)
	for i := 1; i < stormChannels; i++ {
		w.slack.AddChannel(fmt.Sprintf("storm-%d", i))
	}
	begun := time.Now()
	for i := range stormRuns {
		time.Sleep(time.Until(begun.Add(time.Duration(i) * time.Minute / stormRuns)))
		w.breaks(fmt.Sprintf("run-%d", i), fmt.Sprintf("storm-%d", i%stormTemplates))
		if i == stormRuns/2 {
			w.kill()
			w.proc.start()
		}
	}
	within(t, 6*time.Minute, "all failures are counted", func() error {
		counted := 0
		for _, m := range tops(w.slack.Messages()) {
			counted += failuresIn(m.Text)
		}
		return whether(counted == stormRuns, fmt.Sprintf("%d of %d", counted, stormRuns))
	})
	if n := len(w.slack.Messages()); n >= stormMessages {
		t.Errorf("%d messages, want less than %d", n, stormMessages)
	}
	if n := w.slack.Unheeded(); n > 0 {
		t.Errorf("%d calls came before Slack's Retry-After was over", n)
	}
	t.Logf("%d failures, counted after %s: %d messages, %d updates, %d times 429", stormRuns, time.Since(begun).Round(time.Second),
		len(w.slack.Messages()), w.slack.Calls("chat.update"), w.slack.Limited())
}

// breaks makes a run of a template.
func (w *team) breaks(name, template string) {
	w.t.Helper()
	wf := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": map[string]any{"name": name},
		"spec": map[string]any{"workflowTemplateRef": map[string]any{"name": template}},
	}}
	if _, err := w.office.c.workflowsOf(w.ns).Create(w.t.Context(), wf, metav1.CreateOptions{}); err != nil {
		w.t.Fatal(err)
	}
}
