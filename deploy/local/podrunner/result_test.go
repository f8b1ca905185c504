package podrunner

import (
	"testing"

	wfv1 "github.com/argoproj/argo-workflows/v3/pkg/apis/workflow/v1alpha1"
	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

func TestTaskResultReportsEveryDeclaredOutput(t *testing.T) {
	pod := newPod(map[string]string{"ARGO_INCLUDE_SCRIPT_OUTPUT": "true"},
		map[string]string{"workflows.argoproj.io/node-id": "wf-1"})
	pod.OwnerReferences = []metav1.OwnerReference{{Kind: "Workflow", Name: "wf", UID: "2", Controller: ptr.To(true)}}
	pod.Spec.InitContainers[0].Env = []corev1.EnvVar{{Name: "ARGO_TEMPLATE", Value: `{"outputs": {"parameters": [
		{"name": "rows"}, {"name": "path", "valueFrom": {"default": "none"}}, {"name": "left-out"}]}}`}}

	result := taskResult(pod, Decision{Outputs: map[string]string{"rows": "42"}})

	want := &wfv1.Outputs{
		Parameters: []wfv1.Parameter{
			{Name: "rows", Value: wfv1.AnyStringPtr("42")},
			{Name: "path", Value: wfv1.AnyStringPtr("none")},
			{Name: "left-out", Value: wfv1.AnyStringPtr("")},
		},
		Result: ptr.To(""),
	}
	if diff := cmp.Diff(want, result.Outputs); diff != "" {
		t.Errorf("outputs (-want +got):\n%s", diff)
	}
	if got := result.Labels["workflows.argoproj.io/report-outputs-completed"]; got != "true" {
		t.Errorf("outputs are marked complete: %q", got)
	}
	if len(result.OwnerReferences) != 1 || result.OwnerReferences[0].Controller != nil {
		t.Errorf("owner references %+v, want the Workflow, not as controller", result.OwnerReferences)
	}
}

func TestPodWithoutNodeReportsNothing(t *testing.T) {
	if result := taskResult(newPod(nil, nil), Decision{}); result != nil {
		t.Errorf("reported %+v", result)
	}
}
