package e2e

import (
	"context"
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"sigs.k8s.io/yaml"
)

var (
	templatesGVR = schema.GroupVersionResource{Group: "argoproj.io", Version: "v1alpha1", Resource: "workflowtemplates"}
	workflowsGVR = schema.GroupVersionResource{Group: "argoproj.io", Version: "v1alpha1", Resource: "workflows"}
)

// body runs one pod that ends with the exit code in the parameter code.
const body = `
spec:
  entrypoint: main
  arguments: {parameters: [{name: id}, {name: code, value: "0"}]}
  templates:
  - name: main
    container:
      image: busybox
      command: ["true"]
      env:
      - {name: LOCAL_EXIT_CODE, value: "{{workflow.parameters.code}}"}
      - {name: LOCAL_MESSAGE, value: "column price is missing"}
`

const pushTemplate = `
metadata:
  name: on-push
  annotations:
    bridge.argoproj.io/on: |
      github.push:
        repositories: [acme/app]
        branches: [main]
    bridge.argoproj.io/parameters: |
      id: github.sha
      code: split(github.event.head_commit.message, " ")[1]
    bridge.argoproj.io/notify: |
      failed: slack:#data-alerts
` + body

const objectTemplate = `
metadata:
  name: on-object
  annotations:
    bridge.argoproj.io/on: |
      gcs.finalized:
        buckets: [landing-prod]
        objects: ["exports/**/*.json"]
        folders: false
    bridge.argoproj.io/parameters: |
      id: gcs.name
      code: 'gcs.name contains "bad" ? "1" : "0"'
    bridge.argoproj.io/notify: |
      failed: slack:#data-alerts
` + body

const commandTemplate = `
metadata:
  name: on-command
  annotations:
    bridge.argoproj.io/on: |
      slack.command:
        commands: [/run]
    bridge.argoproj.io/parameters: |
      id: slack.args[0]
      code: slack.args[1]
    bridge.argoproj.io/notify: |
      failed: slack:#data-alerts
` + body

// newNamespace makes a namespace whose default service account may do what Argo's executor needs.
func (c *cluster) newNamespace(t testing.TB) string {
	t.Helper()
	ns, err := c.client.CoreV1().Namespaces().Create(t.Context(),
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "e2e-"}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = c.client.CoreV1().Namespaces().Delete(context.Background(), ns.Name, metav1.DeleteOptions{})
	})
	return ns.Name
}

// apply creates or replaces templates.
func (c *cluster) apply(t testing.TB, namespace string, manifests ...string) {
	t.Helper()
	for _, m := range manifests {
		o := &unstructured.Unstructured{}
		if err := yaml.Unmarshal([]byte(m), &o.Object); err != nil {
			t.Fatalf("%v\n%s", err, m)
		}
		o.SetAPIVersion("argoproj.io/v1alpha1")
		o.SetKind("WorkflowTemplate")
		o.SetNamespace(namespace)
		_, err := c.dynamic.Resource(templatesGVR).Namespace(namespace).Apply(t.Context(), o.GetName(), o,
			metav1.ApplyOptions{FieldManager: "e2e", Force: true})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func (c *cluster) workflowsOf(namespace string) dynamic.ResourceInterface {
	return c.dynamic.Resource(workflowsGVR).Namespace(namespace)
}

// workflows lists the Workflows of a namespace.
func (c *cluster) workflows(namespace string) ([]unstructured.Unstructured, error) {
	list, err := c.workflowsOf(namespace).List(context.Background(), metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	return list.Items, nil
}

// byParameter counts the Workflows by template and the parameter id.
func (c *cluster) byParameter(namespace string) (map[string]int, error) {
	items, err := c.workflows(namespace)
	if err != nil {
		return nil, err
	}
	count := map[string]int{}
	for _, wf := range items {
		name, _, _ := unstructured.NestedString(wf.Object, "spec", "workflowTemplateRef", "name")
		count[name+" "+parameter(wf, "id")]++
	}
	return count, nil
}

func parameter(wf unstructured.Unstructured, name string) string {
	all, _, _ := unstructured.NestedSlice(wf.Object, "spec", "arguments", "parameters")
	for _, p := range all {
		if m, ok := p.(map[string]any); ok && m["name"] == name {
			return fmt.Sprint(m["value"])
		}
	}
	return ""
}

func phase(wf unstructured.Unstructured) string {
	p, _, _ := unstructured.NestedString(wf.Object, "status", "phase")
	return p
}

// exactly compares the Workflows with what there should be: one of each.
func exactly(got map[string]int, want []string) error {
	var faults []string
	for _, w := range want {
		if got[w] != 1 {
			faults = append(faults, fmt.Sprintf("%q: %d Workflows", w, got[w]))
		}
		delete(got, w)
	}
	for extra, n := range got {
		faults = append(faults, fmt.Sprintf("%q: %d Workflows too many", extra, n))
	}
	if len(faults) > 10 {
		faults = append(faults[:10], fmt.Sprintf("and %d more", len(faults)-10))
	}
	if len(faults) > 0 {
		return fmt.Errorf("%s", strings.Join(faults, "; "))
	}
	return nil
}
