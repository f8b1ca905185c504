package main

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

func TestThePodsOfEveryNamedTemplateAreToldHowToEnd(t *testing.T) {
	t.Parallel()
	objects, err := exampleObjects()
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]int{}
	var all strings.Builder
	for _, o := range objects {
		kinds[o.GetKind()]++
		text, err := yaml.Marshal(o.Object)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(text)
	}
	if kinds["WorkflowTemplate"] != 6 || kinds["CronWorkflow"] != 1 {
		t.Errorf("the examples hold %v", kinds)
	}
	for name, variables := range pods {
		if !strings.Contains(all.String(), "name: "+name+"\n") {
			t.Errorf("no example has a template %q any more", name)
		}
		for _, v := range variables {
			if !strings.Contains(all.String(), v.name) {
				t.Errorf("%s is told nobody", v.name)
			}
		}
	}
}

func TestOnlyTheEnvironmentAndThePauseBetweenAttemptsAreChanged(t *testing.T) {
	t.Parallel()
	o := &unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{"templates": []any{map[string]any{
		"name": "make", "container": map[string]any{"image": "golang", "env": []any{map[string]any{"name": "A", "value": "1"}}},
		"retryStrategy": map[string]any{"limit": int64(2), "backoff": map[string]any{"duration": "3s", "factor": int64(2)}},
	}}}}}
	adapt(o)
	got, err := yaml.Marshal(o.Object)
	if err != nil {
		t.Fatal(err)
	}
	want := `spec:
  templates:
  - container:
      env:
      - name: A
        value: "1"
      - name: LOCAL_DURATION
        value: 400ms
      image: golang
    name: make
    retryStrategy:
      backoff:
        duration: 1s
        factor: 2
      limit: 2
`
	if string(got) != want {
		t.Errorf("got\n%s", got)
	}
}
