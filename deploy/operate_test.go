package deploy_test

import (
	"fmt"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/kube"
	"github.com/argo-bridge/argo-bridge/bridge/operate"
)

// retry does, as the bridge's identity, what the buttons of an alert ask for: to retry a run that has failed needs more
// rights than the others.
func (i *install) retry(t *testing.T, identity *rest.Config, r *recorder) {
	t.Helper()
	config, err := clientcmd.BuildConfigFromFlags("", i.kubeconfig(t, identity, r))
	if err != nil {
		t.Fatal(err)
	}
	argo, err := kube.Argo(config)
	if err != nil {
		t.Fatal(err)
	}
	o := operate.New(argo, kubernetes.NewForConfigOrDie(config).CoreV1(), time.Now)
	_, err = i.cluster.dynamic.Resource(workflows).Namespace(i.serves).Create(t.Context(), &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": map[string]any{"name": "to-retry"},
		"spec": map[string]any{
			"entrypoint": "main",
			"templates": []any{map[string]any{"name": "main", "container": map[string]any{
				"image": "busybox", "command": []any{"false"},
				// The second attempt is to begin in another second than the first.
				"env": []any{map[string]any{"name": "LOCAL_EXIT_CODE", "value": "1"}, map[string]any{"name": "LOCAL_DURATION", "value": "1100ms"}},
			}}},
		},
	}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	ended := func(after time.Time) (run bridge.Run) {
		t.Helper()
		eventually(t, "the run fails", func() (err error) {
			if run, err = o.Find(t.Context(), i.serves, "to-retry"); err == nil && (run.Phase != "Failed" || !run.Started.After(after)) {
				err = fmt.Errorf("it is %s: %s", run.Phase, run.Message)
			}
			return err
		})
		return run
	}
	first := ended(time.Time{})
	if err := o.Retry(t.Context(), first.ID(), bridge.Stamp{ID: "1", By: "anna"}); err != nil {
		t.Fatal(err)
	}
	ended(first.Started)
	if _, err := o.List(t.Context(), i.serves, "", 1); err != nil {
		t.Error(err)
	}
}
