package watch

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/argo-bridge/argo-bridge/bridge"
)

func TestOutputsAreThoseOfTheEntrypointAndTheExported(t *testing.T) {
	t.Parallel()
	list := func(pairs ...any) map[string]any {
		var all []any
		for i := 0; i < len(pairs); i += 2 {
			all = append(all, map[string]any{"name": pairs[i], "value": pairs[i+1]})
		}
		return map[string]any{"parameters": all}
	}
	run := func(phase string) *unstructured.Unstructured {
		return &unstructured.Unstructured{Object: map[string]any{
			"metadata": map[string]any{"name": "wf", "namespace": "n"},
			"status": map[string]any{
				"phase": phase, "outputs": list("table", "t", "rows", "0"),
				"nodes": map[string]any{
					"wf":   map[string]any{"id": "wf", "outputs": list("rows", "17", "count", int64(3))},
					"wf-1": map[string]any{"id": "wf-1", "boundaryID": "wf", "outputs": list("inner", "x")},
				},
			},
		}}
	}
	for phase, want := range map[string][]bridge.Parameter{
		"Succeeded": {{Name: "rows", Value: "17"}, {Name: "count", Value: "3"}, {Name: "table", Value: "t"}},
		"Running":   nil,
	} {
		got, err := read(run(phase))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got.Outputs); diff != "" {
			t.Errorf("%s: %s", phase, diff)
		}
	}
}
