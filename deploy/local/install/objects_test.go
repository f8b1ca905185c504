package install

import (
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

func TestBothSetsDefineTheSameKinds(t *testing.T) {
	names := func(set string) map[string]bool {
		definitions, err := crds(set)
		if err != nil {
			t.Fatal(err)
		}
		all := map[string]bool{}
		for _, definition := range definitions {
			all[definition.GetName()] = true
		}
		return all
	}
	minimal, full := names("minimal"), names("full")
	if len(minimal) != 8 || !minimal["workflowtemplates.argoproj.io"] {
		t.Errorf("minimal set: %v", minimal)
	}
	for name := range full {
		if !minimal[name] {
			t.Errorf("%s is in the full set only", name)
		}
	}
}

func TestUnknownSetIsRefused(t *testing.T) {
	if _, err := crds("large"); err == nil {
		t.Error("no error")
	}
}

func TestArgoObjectsBindAccountsOfTheirNamespace(t *testing.T) {
	objects, err := argoObjects()
	if err != nil {
		t.Fatal(err)
	}
	bindings := 0
	for _, object := range objects {
		if namespaced(object) && object.GetNamespace() != "argo" {
			t.Errorf("%s %s is in namespace %q", object.GetKind(), object.GetName(), object.GetNamespace())
		}
		subjects, _, _ := unstructured.NestedSlice(object.Object, "subjects")
		for _, subject := range subjects {
			bindings++
			if got := subject.(map[string]any)["namespace"]; got != "argo" {
				t.Errorf("%s %s names an account of namespace %v", object.GetKind(), object.GetName(), got)
			}
		}
	}
	if bindings < 3 {
		t.Errorf("%d bindings, want those of controller and server", bindings)
	}
}
