package main

import "k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

// badFile is part of the name of the file that cannot be loaded.
const badFile = "without-price"

// pods says how the pods of each template end on the local cluster, which runs no containers: by variables of the main
// container (deploy/local/README.md). Nothing else of the examples is changed but the pause between attempts.
var pods = map[string][]variable{
	"load": {
		{"LOCAL_DURATION", "300ms"},
		{"LOCAL_EXIT_CODE", `{{=inputs.parameters.path contains "` + badFile + `" ? "1" : "0"}}`},
		{"LOCAL_MESSAGE", `{{=inputs.parameters.path contains "` + badFile + `" ? "table orders: column 'price' is missing" : ""}}`},
	},
	"make":   {{"LOCAL_DURATION", "400ms"}},
	"deploy": {{"LOCAL_DURATION", "600ms"}},
}

type variable struct{ name, value string }

// adapt changes a WorkflowTemplate for the demo.
func adapt(o *unstructured.Unstructured) {
	templates, _, _ := unstructured.NestedSlice(o.Object, "spec", "templates")
	for _, t := range templates {
		t, ok := t.(map[string]any)
		if !ok {
			continue
		}
		name, _ := t["name"].(string)
		for _, field := range []string{"container", "script"} {
			if container, ok := t[field].(map[string]any); ok {
				container["env"] = withVariables(container["env"], pods[name])
			}
		}
		if _, found, _ := unstructured.NestedMap(t, "retryStrategy", "backoff"); found {
			_ = unstructured.SetNestedField(t, "1s", "retryStrategy", "backoff", "duration")
		}
	}
	_ = unstructured.SetNestedSlice(o.Object, templates, "spec", "templates")
}

func withVariables(env any, more []variable) []any {
	list, _ := env.([]any)
	for _, v := range more {
		list = append(list, map[string]any{"name": v.name, "value": v.value})
	}
	return list
}
