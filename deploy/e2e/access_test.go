package e2e

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

func TestAClusterWideInstallWithoutAccessServesNobodyAndSaysSo(t *testing.T) {
	t.Parallel()
	c := shared(t)
	ns := c.newNamespace(t)
	c.apply(t, ns, pushTemplate)
	p := newBridge(t, setup{cluster: c, namespace: ns, config: "clusterWide: true\n"})
	p.startReady()
	p.github("push", "1", push(t, 1, 0))
	eventually(t, "the event is handled", func() error {
		if p.metric(`argo_bridge_decisions_total{decision="filtered",reason="access"}`) == "0" {
			return errors.New("not yet")
		}
		return nil
	})
	if items, err := c.workflows(ns); err != nil || len(items) != 0 {
		t.Errorf("%d Workflows, %v", len(items), err)
	}
	if !strings.Contains(p.log(), "serves nobody") {
		t.Error("the log does not say that nobody is served")
	}
}

func TestAClusterWideInstallServesWhatAccessAllows(t *testing.T) {
	t.Parallel()
	c := shared(t)
	allowed, other := c.newNamespace(t), c.newNamespace(t)
	c.apply(t, allowed, pushTemplate)
	c.apply(t, other, pushTemplate)
	clusterTemplate(t, c, "cluster-"+allowed)
	p := newBridge(t, setup{cluster: c, namespace: allowed, config: fmt.Sprintf(
		"clusterWide: true\naccess: [{namespaces: [%s], repositories: ['acme/*']}]\n", allowed)})
	p.startReady()
	p.github("push", "1", push(t, 1, 0))
	sha := fmt.Sprintf("%040d", 1)
	eventually(t, "both templates run", func() error {
		got, err := c.byParameter(allowed)
		if err != nil {
			return err
		}
		return exactly(got, []string{"on-push " + sha, "cluster-" + allowed + " " + sha})
	})
	if items, err := c.workflows(other); err != nil || len(items) != 0 {
		t.Errorf("a namespace without access has %d Workflows, %v", len(items), err)
	}
}

// clusterTemplate makes a ClusterWorkflowTemplate that a push starts.
func clusterTemplate(t *testing.T, c *cluster, name string) {
	t.Helper()
	o := &unstructured.Unstructured{}
	if err := yaml.Unmarshal([]byte(strings.Replace(pushTemplate, "name: on-push", "name: "+name, 1)), &o.Object); err != nil {
		t.Fatal(err)
	}
	o.SetAPIVersion("argoproj.io/v1alpha1")
	o.SetKind("ClusterWorkflowTemplate")
	resource := templatesGVR
	resource.Resource = "clusterworkflowtemplates"
	if _, err := c.dynamic.Resource(resource).Create(t.Context(), o, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.dynamic.Resource(resource).Delete(context.Background(), name, metav1.DeleteOptions{}) })
}
