package podrunner

import (
	"encoding/json"

	wfv1 "github.com/argoproj/argo-workflows/v3/pkg/apis/workflow/v1alpha1"
	"github.com/argoproj/argo-workflows/v3/workflow/common"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

// templateOf is the template that the pod runs, as far as the pod carries it:
// one over 128 KiB stands in a config map, and is treated as without outputs.
func templateOf(pod *corev1.Pod) *wfv1.Template {
	template := &wfv1.Template{}
	for _, containers := range [][]corev1.Container{pod.Spec.InitContainers, pod.Spec.Containers} {
		for i := range containers {
			raw := variable(&containers[i], common.EnvVarTemplate)
			if raw != "" && json.Unmarshal([]byte(raw), template) == nil {
				return template
			}
		}
	}
	return template
}

// taskResult is what Argo's wait container would report, or nil for a pod that
// is not a node of a workflow.
func taskResult(pod *corev1.Pod, d Decision) *wfv1.WorkflowTaskResult {
	node, workflow := pod.Annotations[common.AnnotationKeyNodeID], pod.Labels[common.LabelKeyWorkflow]
	if node == "" || workflow == "" {
		return nil
	}
	result := &wfv1.WorkflowTaskResult{ObjectMeta: metav1.ObjectMeta{
		Name: node, Namespace: pod.Namespace,
		Labels: map[string]string{
			common.LabelKeyWorkflow:               workflow,
			common.LabelKeyReportOutputsCompleted: "true",
		},
		OwnerReferences: ownerWorkflow(pod),
	}}
	if id := pod.Labels[common.LabelKeyControllerInstanceID]; id != "" {
		result.Labels[common.LabelKeyControllerInstanceID] = id
	}
	if outputs := nodeOutputs(pod, d); outputs.HasOutputs() {
		result.Outputs = outputs
	}
	return result
}

// ownerWorkflow makes the result go when the Workflow goes.
func ownerWorkflow(pod *corev1.Pod) []metav1.OwnerReference {
	for _, owner := range pod.OwnerReferences {
		if owner.Kind == "Workflow" {
			owner.Controller, owner.BlockOwnerDeletion = nil, nil
			return []metav1.OwnerReference{owner}
		}
	}
	return nil
}

// nodeOutputs joins what the template declares with what the pod said. Argo
// keeps a node running until everything that is declared has been reported.
func nodeOutputs(pod *corev1.Pod, d Decision) *wfv1.Outputs {
	declared := templateOf(pod).Outputs
	outputs := &wfv1.Outputs{Artifacts: declared.Artifacts}
	seen := map[string]bool{}
	for _, parameter := range declared.Parameters {
		seen[parameter.Name] = true
		outputs.Parameters = append(outputs.Parameters, wfv1.Parameter{
			Name: parameter.Name, GlobalName: parameter.GlobalName, Value: parameterValue(parameter, d),
		})
	}
	for name, value := range d.Outputs {
		if !seen[name] {
			outputs.Parameters = append(outputs.Parameters, wfv1.Parameter{Name: name, Value: wfv1.AnyStringPtr(value)})
		}
	}
	if d.Result != "" || variable(mainContainer(pod), common.EnvVarIncludeScriptOutput) == "true" {
		outputs.Result = ptr.To(d.Result)
	}
	return outputs
}

func parameterValue(parameter wfv1.Parameter, d Decision) *wfv1.AnyString {
	if value, said := d.Outputs[parameter.Name]; said {
		return wfv1.AnyStringPtr(value)
	}
	if parameter.ValueFrom != nil && parameter.ValueFrom.Default != nil {
		return parameter.ValueFrom.Default
	}
	return wfv1.AnyStringPtr("")
}
