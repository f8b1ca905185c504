// Package install puts Argo Workflows' objects into a cluster: the custom
// resource definitions, the service accounts and roles of Argo's own manifests,
// and the controller's config.
//
// Everything is applied server-side, so that installing twice is harmless and
// fields which somebody else set stay as they are.
package install

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
)

const (
	namespace    = "argo"
	fieldManager = "local-cluster"
)

var crdResource = schema.GroupVersionResource{
	Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions",
}

// Argo installs everything, with the given set of CRDs, and returns when the
// API server serves them.
func Argo(ctx context.Context, config *rest.Config, crdSet string) error {
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		return err
	}
	definitions, err := crds(crdSet)
	if err != nil {
		return err
	}
	base, err := read(own, "manifests/workflow-pods.yaml")
	if err != nil {
		return err
	}
	rest, err := argoObjects()
	if err != nil {
		return err
	}
	configMap, err := read(own, "manifests/controller-config.yaml")
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return applyCRDs(ctx, client, definitions) })
	group.Go(func() error {
		if err := applyAll(ctx, client, base); err != nil {
			return err
		}
		return applyAll(ctx, client, append(rest, configMap...))
	})
	return group.Wait()
}

// applyAll applies one after the other, because namespaces come first.
func applyAll(ctx context.Context, client dynamic.Interface, objects []*unstructured.Unstructured) error {
	for _, object := range objects {
		if err := apply(ctx, client, object); err != nil {
			return err
		}
	}
	return nil
}

// applyCRDs applies all at once, since each takes a while until it is served.
func applyCRDs(ctx context.Context, client dynamic.Interface, definitions []*unstructured.Unstructured) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, definition := range definitions {
		group.Go(func() error {
			if err := apply(ctx, client, definition); err != nil {
				return err
			}
			return waitEstablished(ctx, client, definition.GetName())
		})
	}
	return group.Wait()
}

func apply(ctx context.Context, client dynamic.Interface, object *unstructured.Unstructured) error {
	resource, _ := meta.UnsafeGuessKindToResource(object.GroupVersionKind())
	var target dynamic.ResourceInterface = client.Resource(resource)
	if object.GetNamespace() != "" {
		target = client.Resource(resource).Namespace(object.GetNamespace())
	}
	options := metav1.ApplyOptions{FieldManager: fieldManager, Force: true}
	if _, err := target.Apply(ctx, object.GetName(), object, options); err != nil {
		return fmt.Errorf("apply %s %s: %w", object.GetKind(), object.GetName(), err)
	}
	return nil
}

func namespaced(object *unstructured.Unstructured) bool {
	switch object.GetKind() {
	case "ServiceAccount", "ConfigMap", "Role", "RoleBinding":
		return true
	}
	return false
}

func waitEstablished(ctx context.Context, client dynamic.Interface, name string) error {
	err := wait.PollUntilContextCancel(ctx, 50*time.Millisecond, true, func(ctx context.Context) (bool, error) {
		definition, err := client.Resource(crdResource).Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			return false, err
		}
		return established(definition), nil
	})
	if err != nil {
		return fmt.Errorf("wait for CRD %s: %w", name, err)
	}
	return nil
}

func established(definition *unstructured.Unstructured) bool {
	conditions, _, _ := unstructured.NestedSlice(definition.Object, "status", "conditions")
	for _, condition := range conditions {
		fields, ok := condition.(map[string]any)
		if ok && fields["type"] == "Established" && fields["status"] == "True" {
			return true
		}
	}
	return false
}
