// Package submit makes one Workflow per Submission, through the Kubernetes API.
package submit

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/argoproj/argo-workflows/v3/pkg/apis/workflow"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// timeout bounds one request to the API server.
const timeout = 15 * time.Second

// Kubernetes is a bridge.Submitter on the Kubernetes API. Safe for concurrent use.
type Kubernetes struct{ client rest.Interface }

var _ bridge.Submitter = (*Kubernetes)(nil)

// NewKubernetes makes a submitter; client must be set up for Argo's API group (see kube.Argo).
func NewKubernetes(client rest.Interface) *Kubernetes { return &Kubernetes{client} }

// Submit creates the Workflow. That it exists already is success: its name is derived from the event.
func (k *Kubernetes) Submit(ctx context.Context, s bridge.Submission) error {
	body, err := json.Marshal(Workflow(s))
	if err != nil {
		return bridge.Permanent(fmt.Errorf("encode workflow %s/%s: %w", s.Namespace, s.Name, err))
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	err = k.client.Post().Namespace(s.Namespace).Resource(workflow.WorkflowPlural).
		SetHeader("Content-Type", "application/json").Body(body).Do(ctx).Error()
	if err == nil || apierrors.IsAlreadyExists(err) {
		return nil
	}
	return classify(fmt.Errorf("create workflow %s/%s: %w", s.Namespace, s.Name, err))
}

// Validate asks the API server for a dry run: the object as it would be stored, with defaults and what
// admission webhooks change, or the error that Submit would meet.
func (k *Kubernetes) Validate(ctx context.Context, s bridge.Submission) (object any, err error) {
	body, err := json.Marshal(Workflow(s))
	if err != nil {
		return nil, fmt.Errorf("encode workflow %s/%s: %w", s.Namespace, s.Name, err)
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	answer, err := k.client.Post().Namespace(s.Namespace).Resource(workflow.WorkflowPlural).Param("dryRun", "All").
		SetHeader("Content-Type", "application/json").Body(body).Do(ctx).Raw()
	if err != nil {
		return nil, fmt.Errorf("dry run of workflow %s/%s: %w", s.Namespace, s.Name, err)
	}
	return json.RawMessage(answer), nil
}

// Stop asks Argo to stop a run, namespace/name, and stamps the reason on it as AnnotationStopped. A run that is gone is
// no error.
func (k *Kubernetes) Stop(ctx context.Context, workflowName string, how bridge.Shutdown, reason string) error {
	namespace, name, _ := strings.Cut(workflowName, "/")
	patch, err := json.Marshal(map[string]any{
		"metadata": map[string]any{"annotations": map[string]string{bridge.AnnotationStopped: reason}},
		"spec":     map[string]any{"shutdown": how},
	})
	if err != nil {
		return fmt.Errorf("encode the stop of workflow %s: %w", workflowName, err)
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	err = k.client.Patch(types.MergePatchType).Namespace(namespace).Resource(workflow.WorkflowPlural).Name(name).
		Body(patch).Do(ctx).Error()
	if err == nil || apierrors.IsNotFound(err) {
		return nil
	}
	return fmt.Errorf("stop workflow %s: %w", workflowName, err)
}

// classify says which of the API server's answers are worth another try.
func classify(err error) error {
	if wait, ok := apierrors.SuggestsClientDelay(err); ok {
		return bridge.RetryAfter(err, time.Duration(wait)*time.Second)
	}
	switch {
	case apierrors.IsInvalid(err), apierrors.IsBadRequest(err), apierrors.IsRequestEntityTooLargeError(err),
		apierrors.IsMethodNotSupported(err), apierrors.IsNotAcceptable(err), apierrors.IsUnsupportedMediaType(err):
		return bridge.Permanent(err)
	case apierrors.IsForbidden(err) && strings.Contains(err.Error(), "exceeded quota"):
		return err // runs end and make room
	case apierrors.IsForbidden(err), apierrors.IsNotFound(err):
		return bridge.Refusal(err)
	}
	return err
}
