package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/restmapper"

	"github.com/argo-bridge/argo-bridge/workflowtemplates/examples"
)

// fieldManager is who the demo is to the API server.
const fieldManager = "argo-bridge-demo"

// exampleObjects are the examples as users copy them, with what the local cluster's pods are to do.
func exampleObjects() ([]*unstructured.Unstructured, error) {
	files, err := fs.Glob(examples.Files, "*.yaml")
	if err != nil {
		return nil, err
	}
	var all []*unstructured.Unstructured
	for _, name := range files {
		data, err := examples.Files.ReadFile(name)
		if err != nil {
			return nil, err
		}
		objects, err := decodeObjects(data)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
		all = append(all, objects...)
	}
	for _, o := range all {
		if o.GetKind() == "WorkflowTemplate" {
			adapt(o)
		}
	}
	return all, nil
}

// bridgeObjects are the bridge's ServiceAccount and Role, as an installation has them.
func bridgeObjects(root string) ([]*unstructured.Unstructured, error) {
	var all []*unstructured.Unstructured
	for _, name := range []string{"serviceaccount.yaml", "role.yaml"} {
		data, err := os.ReadFile(filepath.Join(root, "deploy", "base", name))
		if err != nil {
			return nil, fmt.Errorf("read the bridge's role: %w", err)
		}
		objects, err := decodeObjects(data)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
		all = append(all, objects...)
	}
	return all, nil
}

func decodeObjects(data []byte) ([]*unstructured.Unstructured, error) {
	decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(data), 4096)
	var all []*unstructured.Unstructured
	for {
		o := &unstructured.Unstructured{}
		err := decoder.Decode(o)
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		if o.GetKind() != "" {
			all = append(all, o)
		}
	}
}

// apply makes the objects by server-side apply, as kubectl apply --server-side does.
func (c *cluster) apply(ctx context.Context, objects []*unstructured.Unstructured) error {
	groups, err := restmapper.GetAPIGroupResources(c.client.Discovery())
	if err != nil {
		return fmt.Errorf("discover the API: %w", err)
	}
	mapper := restmapper.NewDiscoveryRESTMapper(groups)
	for _, o := range objects {
		resource, err := c.resource(mapper, o)
		if err != nil {
			return err
		}
		if _, err := resource.Apply(ctx, o.GetName(), o, metav1.ApplyOptions{FieldManager: fieldManager, Force: true}); err != nil {
			return fmt.Errorf("apply %s %s: %w", o.GetKind(), o.GetName(), err)
		}
	}
	return nil
}

func (c *cluster) resource(mapper meta.RESTMapper, o *unstructured.Unstructured) (dynamic.ResourceInterface, error) {
	kind := o.GroupVersionKind()
	mapping, err := mapper.RESTMapping(kind.GroupKind(), kind.Version)
	if err != nil {
		return nil, fmt.Errorf("apply %s %s: %w", o.GetKind(), o.GetName(), err)
	}
	if mapping.Scope.Name() != meta.RESTScopeNameNamespace {
		return c.dynamic.Resource(mapping.Resource), nil
	}
	o.SetNamespace(namespace)
	return c.dynamic.Resource(mapping.Resource).Namespace(namespace), nil
}
