package chaos

import (
	"fmt"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// body is a run that needs no pod: it has one step per item of a list, and there are none. It fails when
// items is no list.
const body = `
spec:
  entrypoint: main
  arguments: {parameters: [{name: items, value: "[]"}]}
  templates:
  - name: main
    steps:
    - - {name: each, template: nothing, withParam: "{{workflow.parameters.items}}"}
  - name: nothing
    suspend: {duration: "0"}
`

// The channels of the templates. Nothing is ever rejected, so that a message there is a breach.
const (
	channelFailed   = "data-alerts"
	channelRejected = "rejections"
)

const tells = `
    bridge.argoproj.io/notify: |
      failed: slack:#data-alerts
      rejected: slack:#rejections
`

// queueLimit is how many runs of a group of the template in-queue may go on at once.
const queueLimit = 2

// templates are those of every world, by name. A push to a release branch starts two of them, a mention two
// rules of one. The runs of on-object are deleted soon after their end, as many a cluster does.
func templates(deleteAfter int) map[string]string {
	ttl := fmt.Sprintf("  ttlStrategy: {secondsAfterCompletion: %d}\n", deleteAfter)
	return map[string]string{
		"on-push": `
    bridge.argoproj.io/on: |
      github.push: {repositories: [acme/app]}
    bridge.argoproj.io/parameters: |
      items: github.event.head_commit.message
` + tells + body,
		"on-release": `
    bridge.argoproj.io/on: |
      github.push: {repositories: [acme/app], branches: ["release/**"]}
` + tells + body,
		"on-object": `
    bridge.argoproj.io/on: |
      gcs.finalized: {buckets: [landing-prod], objects: ["exports/**/*.json"]}
    bridge.argoproj.io/parameters: |
      items: 'gcs.name contains "bad" ? "bad" : "[]"'
` + tells + body + ttl,
		"on-command": `
    bridge.argoproj.io/on: |
      slack.command: {commands: [/run]}
    bridge.argoproj.io/parameters: |
      items: slack.text
` + tells + body,
		"in-batch": `
    bridge.argoproj.io/on: |
      github.push: {repositories: [acme/batch]}
    bridge.argoproj.io/batch: "{max-items: 5, max-wait: 2s}"
    bridge.argoproj.io/parameters: |
      ids: toJSON(map(events, .event.id))
` + tells + strings.Replace(body, "parameters: [", "parameters: [{name: ids}, ", 1),
		"in-queue": `
    bridge.argoproj.io/on: |
      github.push: {repositories: [acme/queue]}
    bridge.argoproj.io/concurrency: ` + fmt.Sprintf("'{group: github.ref_name, limit: %d}'", queueLimit) + `
` + tells + body,
		"on-mention": `
    bridge.argoproj.io/on: slack.app_mention
    bridge.argoproj.io/parameters: |
      items: 'slack.text contains "bad" ? "bad" : "[]"'
    bridge.argoproj.io/on.second: |
      slack.app_mention: {text: "twice"}
` + tells + body,
	}
}

// apply creates the templates of a world.
func (w *world) apply(t testing.TB) {
	t.Helper()
	for name, text := range templates(w.options.deleteAfter) {
		o := &unstructured.Unstructured{}
		manifest := "metadata:\n  name: " + name + "\n  annotations:\n" + strings.TrimPrefix(text, "\n")
		if err := yaml.Unmarshal([]byte(manifest), &o.Object); err != nil {
			t.Fatalf("%v\n%s", err, manifest)
		}
		o.SetAPIVersion("argoproj.io/v1alpha1")
		o.SetKind("WorkflowTemplate")
		_, err := w.cluster.dynamic.Resource(templatesGVR).Namespace(w.namespace).Create(t.Context(), o, metav1.CreateOptions{})
		if err != nil {
			t.Fatal(err)
		}
	}
}
