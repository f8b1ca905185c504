package watch

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	wfapi "github.com/argoproj/argo-workflows/v3/pkg/apis/workflow"
	wfv1 "github.com/argoproj/argo-workflows/v3/pkg/apis/workflow/v1alpha1"
	"github.com/argoproj/argo-workflows/v3/workflow/packer"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/submit"
)

// workflow is the part of a Workflow that is read. Argo 3.5 to 4.1 agree on these fields; reading no
// more keeps a change of any other from mattering.
type workflow struct {
	Metadata metav1.ObjectMeta `json:"metadata"`
	Spec     struct {
		WorkflowTemplateRef *wfv1.WorkflowTemplateRef `json:"workflowTemplateRef"`
		Arguments           struct {
			Parameters parameters `json:"parameters"`
		} `json:"arguments"`
	} `json:"spec"`
	Status struct {
		Phase           string          `json:"phase"`
		Message         string          `json:"message"`
		StartedAt       metav1.Time     `json:"startedAt"`
		FinishedAt      metav1.Time     `json:"finishedAt"`
		Nodes           map[string]node `json:"nodes"`
		CompressedNodes string          `json:"compressedNodes"`
		// Outputs are those that a step has exported by a globalName.
		Outputs struct {
			Parameters parameters `json:"parameters"`
		} `json:"outputs"`
	} `json:"status"`
}

type parameters []parameter

// A parameter's values are texts, or numbers and booleans that somebody left unquoted.
type parameter struct {
	Name        string `json:"name"`
	Value       any    `json:"value"`
	Default     any    `json:"default"`
	Description any    `json:"description"`
	Enum        []any  `json:"enum"`
	ValueFrom   *struct {
		Supplied *struct{} `json:"supplied"`
		Default  any       `json:"default"`
	} `json:"valueFrom"`
}

// values are the parameters that have one.
func (p parameters) values() (values []bridge.Parameter) {
	for _, one := range p {
		if one.Value != nil {
			values = append(values, bridge.Parameter{Name: one.Name, Value: fmt.Sprint(one.Value)})
		}
	}
	return values
}

type node struct {
	ID           string      `json:"id"`
	Name         string      `json:"name"`
	DisplayName  string      `json:"displayName"`
	Type         string      `json:"type"`
	TemplateName string      `json:"templateName"`
	Phase        string      `json:"phase"`
	Message      string      `json:"message"`
	BoundaryID   string      `json:"boundaryID"`
	StartedAt    metav1.Time `json:"startedAt"`
	FinishedAt   metav1.Time `json:"finishedAt"`
	Children     []string    `json:"children"`
	// TemplateRef or TemplateName name the node's template, within TemplateScope: local/..., or namespaced/NAME.
	TemplateScope string `json:"templateScope"`
	TemplateRef   *struct {
		Name     string `json:"name"`
		Template string `json:"template"`
	} `json:"templateRef"`
	Inputs struct {
		Parameters parameters `json:"parameters"`
	} `json:"inputs"`
	Outputs struct {
		ExitCode   string     `json:"exitCode"`
		Parameters parameters `json:"parameters"`
	} `json:"outputs"`
}

// Read reads a Workflow that is written as JSON.
func Read(data []byte) (bridge.Run, error) {
	o := &unstructured.Unstructured{}
	if err := json.Unmarshal(data, &o.Object); err != nil {
		return bridge.Run{}, fmt.Errorf("read workflow: %w", err)
	}
	if o.GetKind() != wfapi.WorkflowKind {
		return bridge.Run{}, fmt.Errorf("read workflow: it is of kind %q", o.GetKind())
	}
	return read(o)
}

// read reads a Workflow as the API server sent it.
func read(o *unstructured.Unstructured) (bridge.Run, error) {
	var wf workflow
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(o.Object, &wf); err != nil {
		return bridge.Run{}, fmt.Errorf("read workflow %s/%s: %w", o.GetNamespace(), o.GetName(), err)
	}
	if err := wf.unpack(); err != nil {
		return bridge.Run{}, fmt.Errorf("read workflow %s/%s: unpack its nodes: %w", o.GetNamespace(), o.GetName(), err)
	}
	run := bridge.Run{
		Namespace: wf.Metadata.Namespace, Name: wf.Metadata.Name, UID: string(wf.Metadata.UID),
		Template: wf.template(), Rule: wf.Metadata.Labels[bridge.LabelRule],
		Phase: wf.Status.Phase, Message: wf.Status.Message,
		Created: utc(wf.Metadata.CreationTimestamp), Started: utc(wf.Status.StartedAt), Finished: utc(wf.Status.FinishedAt),
		Parameters: wf.Spec.Arguments.Parameters.values(),
		Labels:     wf.Metadata.Labels, Annotations: wf.Metadata.Annotations,
	}
	run.Pauses = pauses(wf.Status.Nodes, timers{o.Object})
	if run.Completed() {
		run.Outputs = wf.outputs()
		run.Steps = steps(wf.Metadata.Name, wf.Status.Nodes)
	}
	if run.Phase == "Failed" || run.Phase == "Error" {
		run.Failures = failures(wf.Status.Nodes)
	}
	return run, nil
}

// outputs are the output parameters of the entrypoint, whose node bears the Workflow's name, and those that steps
// have exported for the whole Workflow.
func (wf *workflow) outputs() []bridge.Parameter {
	all := wf.Status.Nodes[wf.Metadata.Name].Outputs.Parameters.values()
	for _, global := range wf.Status.Outputs.Parameters.values() {
		if !slices.ContainsFunc(all, func(p bridge.Parameter) bool { return p.Name == global.Name }) {
			all = append(all, global)
		}
	}
	return all
}

// unpack restores the nodes that Argo has compressed to stay below etcd's limit.
func (wf *workflow) unpack() error {
	if wf.Status.CompressedNodes == "" || len(wf.Status.Nodes) > 0 {
		return nil
	}
	packed := wfv1.Workflow{Status: wfv1.WorkflowStatus{CompressedNodes: wf.Status.CompressedNodes}}
	if err := packer.DecompressWorkflow(&packed); err != nil {
		return err
	}
	data, err := json.Marshal(packed.Status.Nodes)
	if err != nil {
		return err
	}
	return json.Unmarshal(data, &wf.Status.Nodes)
}

// template is the template that the run was made from, whoever made it; zero for none. A schedule's
// run has the reference only, a submission through argo-server the label as well.
func (wf *workflow) template() bridge.Template {
	if ref := wf.Spec.WorkflowTemplateRef; ref != nil {
		if ref.ClusterScope {
			return bridge.Template{Name: ref.Name}
		}
		return bridge.Template{Namespace: wf.Metadata.Namespace, Name: ref.Name}
	}
	if name := wf.Metadata.Labels[submit.LabelTemplate]; name != "" {
		return bridge.Template{Namespace: wf.Metadata.Namespace, Name: name}
	}
	return bridge.Template{Name: wf.Metadata.Labels[submit.LabelClusterTemplate]}
}

func utc(t metav1.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.UTC()
}
