package install

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/argoproj/argo-workflows/v3/manifests"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
)

//go:embed manifests/*.yaml
var own embed.FS

// crds are the definitions of one set, "minimal" or "full".
func crds(set string) ([]*unstructured.Unstructured, error) {
	objects, err := read(manifests.Files, "base/crds/"+set+"/argoproj.io_*.yaml")
	if err == nil && len(objects) == 0 {
		err = fmt.Errorf("no CRDs %q: want minimal or full", set)
	}
	return objects, err
}

// argoObjects are Argo's service accounts and roles, with the namespace that
// its kustomization would set.
func argoObjects() ([]*unstructured.Unstructured, error) {
	var all []*unstructured.Unstructured
	for _, pattern := range []string{"base/*/*-sa.yaml", "cluster-install-no-crds/*-rbac/[^k]*.yaml"} {
		objects, err := read(manifests.Files, pattern)
		if err != nil {
			return nil, err
		}
		all = append(all, objects...)
	}
	for _, object := range all {
		if namespaced(object) {
			object.SetNamespace(namespace)
		}
		if err := bindHere(object); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// bindHere adds the namespace to the service accounts that a binding names.
func bindHere(object *unstructured.Unstructured) error {
	subjects, found, err := unstructured.NestedSlice(object.Object, "subjects")
	if err != nil || !found {
		return err
	}
	for _, subject := range subjects {
		if fields, ok := subject.(map[string]any); ok && fields["namespace"] == nil {
			fields["namespace"] = namespace
		}
	}
	return unstructured.SetNestedSlice(object.Object, subjects, "subjects")
}

func read(files fs.FS, pattern string) ([]*unstructured.Unstructured, error) {
	names, err := fs.Glob(files, pattern)
	if err != nil {
		return nil, err
	}
	var all []*unstructured.Unstructured
	for _, name := range names {
		raw, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, err
		}
		objects, err := decode(raw)
		if err != nil {
			return nil, fmt.Errorf("read manifest %s: %w", name, err)
		}
		all = append(all, objects...)
	}
	return all, nil
}

func decode(raw []byte) ([]*unstructured.Unstructured, error) {
	decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(raw), 4096)
	var objects []*unstructured.Unstructured
	for {
		object := &unstructured.Unstructured{}
		err := decoder.Decode(object)
		if errors.Is(err, io.EOF) {
			return objects, nil
		}
		if err != nil {
			return nil, err
		}
		if object.GetKind() != "" {
			objects = append(objects, object)
		}
	}
}
