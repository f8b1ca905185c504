package watch

import (
	"encoding/json"
	"fmt"
	"time"

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
			Parameters []struct {
				Name  string `json:"name"`
				Value any    `json:"value"` // a text, or a number or boolean that somebody left unquoted
			} `json:"parameters"`
		} `json:"arguments"`
	} `json:"spec"`
	Status struct {
		Phase           string          `json:"phase"`
		Message         string          `json:"message"`
		StartedAt       metav1.Time     `json:"startedAt"`
		FinishedAt      metav1.Time     `json:"finishedAt"`
		Nodes           map[string]node `json:"nodes"`
		CompressedNodes string          `json:"compressedNodes"`
	} `json:"status"`
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
	FinishedAt   metav1.Time `json:"finishedAt"`
	Children     []string    `json:"children"`
	Outputs      struct {
		ExitCode string `json:"exitCode"`
	} `json:"outputs"`
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
		Labels: wf.Metadata.Labels, Annotations: wf.Metadata.Annotations,
	}
	for _, p := range wf.Spec.Arguments.Parameters {
		if p.Value != nil {
			run.Parameters = append(run.Parameters, bridge.Parameter{Name: p.Name, Value: fmt.Sprint(p.Value)})
		}
	}
	if run.Phase == "Failed" || run.Phase == "Error" {
		run.Failures = failures(wf.Status.Nodes)
	}
	return run, nil
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
