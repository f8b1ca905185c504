package workflowtemplates

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// slim is what the informers keep of a template: its names, the bridge's annotations, the declared
// parameters, the entrypoint and the names of its templates. It is the transform of the informers'
// stores, so that scripts and pod specs take no memory.
func slim(object any) (any, error) {
	u, ok := object.(*unstructured.Unstructured)
	if !ok {
		return object, nil // a tombstone
	}
	metadata := map[string]any{}
	for _, field := range []string{"name", "namespace", "uid", "resourceVersion", "generation", "creationTimestamp"} {
		if v, ok, _ := unstructured.NestedFieldNoCopy(u.Object, "metadata", field); ok {
			metadata[field] = v
		}
	}
	if annotations := ownAnnotations(u); len(annotations) > 0 {
		metadata["annotations"] = annotations
	}
	slimmed := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": u.GetAPIVersion(),
		"kind":       u.GetKind(),
		"metadata":   metadata,
	}}
	if _, speaks := metadata["annotations"]; speaks {
		slimmed.Object["spec"] = slimSpec(u)
	}
	return slimmed, nil
}

// description is Argo's own annotation for what a template is for.
const description = "workflows.argoproj.io/description"

func ownAnnotations(u *unstructured.Unstructured) map[string]any {
	annotations := map[string]any{}
	for k, v := range u.GetAnnotations() {
		if strings.HasPrefix(k, bridge.Prefix) {
			annotations[k] = v
		}
	}
	if text, ok := u.GetAnnotations()[description]; ok && len(annotations) > 0 {
		annotations[description] = text
	}
	return annotations
}

func slimSpec(u *unstructured.Unstructured) map[string]any {
	spec := map[string]any{}
	if entrypoint, ok, _ := unstructured.NestedString(u.Object, "spec", "entrypoint"); ok {
		spec["entrypoint"] = entrypoint
	}
	if _, ok, _ := unstructured.NestedFieldNoCopy(u.Object, "spec", "workflowTemplateRef"); ok {
		spec["workflowTemplateRef"] = map[string]any{}
	}
	if parameters, ok, _ := unstructured.NestedFieldNoCopy(u.Object, "spec", "arguments", "parameters"); ok {
		spec["arguments"] = map[string]any{"parameters": parameters}
	}
	var names []any
	templates, _, _ := unstructured.NestedFieldNoCopy(u.Object, "spec", "templates")
	list, _ := templates.([]any)
	for _, t := range list {
		if m, ok := t.(map[string]any); ok {
			names = append(names, map[string]any{"name": m["name"]})
		}
	}
	spec["templates"] = names
	return spec
}

// inputOf reads a template as the API server or a file gives it. Fields of the wrong type are passed
// over; the API server does not let them in.
func inputOf(object map[string]any) Input {
	u := &unstructured.Unstructured{Object: object}
	in := Input{
		Ref:         bridge.Template{Namespace: u.GetNamespace(), Name: u.GetName()},
		UID:         string(u.GetUID()),
		Description: u.GetAnnotations()[description],
		Annotations: u.GetAnnotations(),
	}
	in.Entrypoint, _, _ = unstructured.NestedString(object, "spec", "entrypoint")
	parameters, _, _ := unstructured.NestedFieldNoCopy(object, "spec", "arguments", "parameters")
	list, _ := parameters.([]any)
	for _, p := range list {
		if m, ok := p.(map[string]any); ok {
			in.Parameters = append(in.Parameters, parameterOf(m))
		}
	}
	if _, refers, _ := unstructured.NestedFieldNoCopy(object, "spec", "workflowTemplateRef"); !refers {
		in.Templates = templateNames(object)
	}
	return in
}

func parameterOf(m map[string]any) Parameter {
	name, _ := m["name"].(string)
	p := Parameter{Name: name}
	for _, field := range []string{"value", "default", "valueFrom"} {
		p.Default = p.Default || m[field] != nil
	}
	p.Description, _ = m["description"].(string)
	for _, field := range []string{"default", "value"} {
		if m[field] != nil {
			text := fmt.Sprint(m[field])
			p.Value = &text
		}
	}
	enum, _ := m["enum"].([]any)
	for _, v := range enum {
		if s, ok := v.(string); ok {
			p.Enum = append(p.Enum, s)
		}
	}
	return p
}

// templateNames are sorted; nil when there is none.
func templateNames(object map[string]any) []string {
	templates, _, _ := unstructured.NestedFieldNoCopy(object, "spec", "templates")
	list, _ := templates.([]any)
	var names []string
	for _, t := range list {
		m, _ := t.(map[string]any)
		if name, ok := m["name"].(string); ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
