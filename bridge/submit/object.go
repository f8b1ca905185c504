package submit

import (
	"github.com/argoproj/argo-workflows/v3/pkg/apis/workflow"
	wfv1 "github.com/argoproj/argo-workflows/v3/pkg/apis/workflow/v1alpha1"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// Labels that Argo's own submit sets, so that its UI and CLI list the run under its template.
const (
	LabelTemplate        = workflow.WorkflowFullName + "/workflow-template"
	LabelClusterTemplate = workflow.WorkflowFullName + "/cluster-workflow-template"
)

// An Object is a Workflow as the bridge creates it: without the empty status that Argo's own type
// always writes.
type Object struct {
	APIVersion string            `json:"apiVersion"`
	Kind       string            `json:"kind"`
	Metadata   Metadata          `json:"metadata"`
	Spec       wfv1.WorkflowSpec `json:"spec"`
}

// Metadata is the part of an object's metadata that the bridge sets.
type Metadata struct {
	Name        string            `json:"name"`
	Namespace   string            `json:"namespace"`
	Labels      map[string]string `json:"labels,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty"`
}

// Workflow is the object that a submission creates: it refers to the template and injects nothing,
// so that controllers with templateReferencing: Strict take it.
func Workflow(s bridge.Submission) Object {
	o := Object{
		APIVersion: workflow.APIVersion,
		Kind:       workflow.WorkflowKind,
		Metadata:   Metadata{Name: s.Name, Namespace: s.Namespace, Labels: map[string]string{}, Annotations: s.Annotations},
		Spec: wfv1.WorkflowSpec{
			WorkflowTemplateRef: &wfv1.WorkflowTemplateRef{Name: s.Template.Name, ClusterScope: s.Template.Cluster()},
			Entrypoint:          s.Entrypoint,
			ServiceAccountName:  s.ServiceAccount,
			Priority:            s.Priority,
		},
	}
	for name, value := range s.Labels {
		o.Metadata.Labels[name] = value
	}
	if s.Template.Cluster() {
		o.Metadata.Labels[LabelClusterTemplate] = s.Template.Name
	} else {
		o.Metadata.Labels[LabelTemplate] = s.Template.Name
	}
	for _, p := range s.Parameters {
		o.Spec.Arguments.Parameters = append(o.Spec.Arguments.Parameters,
			wfv1.Parameter{Name: p.Name, Value: wfv1.AnyStringPtr(p.Value)})
	}
	return o
}
