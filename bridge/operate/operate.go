// Package operate acts on runs as Argo's own CLI does, through Argo's own library: retry, resubmit, stop, and let a
// suspended step go on or fail.
//
// Each act reads the Workflow, and writes only what it changes, as a merge patch that holds for the version that was read:
// fields that this version of Argo's types does not know survive, and whatever changes meanwhile is looked at again. What
// an act has done already it does not do twice. A Permanent error says, for people, what is not so.
package operate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/argoproj/argo-workflows/v3/pkg/apis/workflow"
	wfv1 "github.com/argoproj/argo-workflows/v3/pkg/apis/workflow/v1alpha1"
	"github.com/argoproj/argo-workflows/v3/workflow/packer"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/jsonmergepatch"
	corev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/rest"

	"github.com/argo-bridge/argo-bridge/bridge"
)

const (
	// timeout bounds one request to the API server.
	timeout = 15 * time.Second
	// maxTries is how often a change is tried that another change of the Workflow has overtaken.
	maxTries = 8
)

// An Operator acts on the Workflows of one API server. Safe for concurrent use.
type Operator struct {
	workflows rest.Interface
	pods      corev1.PodsGetter
	now       func() time.Time
}

// New makes an operator. workflows must be set up for Argo's API group (see kube.Argo).
func New(workflows rest.Interface, pods corev1.PodsGetter, now func() time.Time) *Operator {
	return &Operator{workflows, pods, now}
}

// A document is a Workflow as it was read.
type document struct {
	raw []byte
	wf  *wfv1.Workflow
}

// get reads the Workflow of an id; when that is gone, or another one has its name, the error is Permanent.
func (o *Operator) get(ctx context.Context, id bridge.RunID) (document, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	result := o.workflows.Get().Namespace(id.Namespace).Resource(workflow.WorkflowPlural).Name(id.Name).Do(ctx)
	raw, _ := result.Raw() // whose error does not say what the server said
	if err := result.Error(); err != nil {
		return document{}, classify(id, fmt.Errorf("read the run %s: %w", id, err))
	}
	wf := &wfv1.Workflow{}
	if err := json.Unmarshal(raw, wf); err != nil {
		return document{}, bridge.Permanent(fmt.Errorf("read the run %s: %w", id, err))
	}
	if id.UID != "" && id.UID != string(wf.UID) {
		return document{}, bridge.Permanent(fmt.Errorf("the run %s is gone: another one has its name now", id))
	}
	return document{raw, wf}, nil
}

// errNothing says that there is nothing to change.
var errNothing = errors.New("nothing to change")

// change lets alter change a Workflow, and writes what it has changed. alter may be called several times.
func (o *Operator) change(ctx context.Context, id bridge.RunID, alter func(ctx context.Context, d document) error) error {
	for try := 1; ; try++ {
		d, err := o.get(ctx, id)
		if err != nil {
			return err
		}
		before, err := json.Marshal(d.wf)
		if err != nil {
			return bridge.Permanent(err)
		}
		if err := alter(ctx, d); errors.Is(err, errNothing) {
			return nil
		} else if err != nil {
			return err
		}
		err = o.patch(ctx, id, before, d.wf)
		if !apierrors.IsConflict(err) || try == maxTries {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(bridge.Backoff(1) / 4):
		}
	}
}

// patch writes what is different from before, if the Workflow is still the one that was read.
func (o *Operator) patch(ctx context.Context, id bridge.RunID, before []byte, wf *wfv1.Workflow) error {
	version := wf.ResourceVersion
	after, err := json.Marshal(wf)
	if err != nil {
		return bridge.Permanent(err)
	}
	difference, err := jsonmergepatch.CreateThreeWayJSONMergePatch(before, after, before)
	if err != nil {
		return bridge.Permanent(fmt.Errorf("compare the run %s: %w", id, err))
	}
	var body map[string]any
	if err := json.Unmarshal(difference, &body); err != nil {
		return bridge.Permanent(fmt.Errorf("compare the run %s: %w", id, err))
	}
	metadata, _ := body["metadata"].(map[string]any)
	if metadata == nil {
		metadata = map[string]any{}
		body["metadata"] = metadata
	}
	metadata["resourceVersion"] = version
	data, err := json.Marshal(body)
	if err != nil {
		return bridge.Permanent(err)
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	err = o.workflows.Patch(types.MergePatchType).Namespace(id.Namespace).Resource(workflow.WorkflowPlural).Name(id.Name).
		Body(data).Do(ctx).Error()
	if err == nil {
		return nil
	}
	return classify(id, fmt.Errorf("change the run %s: %w", id, err))
}

// unpack makes the nodes readable; pack is its opposite. Nodes in Argo's database are out of the bridge's reach:
// https://argo-workflows.readthedocs.io/en/latest/offloading-large-workflows/
func unpack(wf *wfv1.Workflow, command string) error {
	if wf.Status.IsOffloadNodeStatus() {
		return bridge.Permanent(fmt.Errorf("the steps of %s stand in Argo's database, which the bridge does not read: use `argo %s -n %s %s`",
			wf.Name, command, wf.Namespace, wf.Name))
	}
	if err := packer.DecompressWorkflow(wf); err != nil {
		return bridge.Permanent(fmt.Errorf("unpack the steps of %s: %w", wf.Name, err))
	}
	return nil
}

func pack(wf *wfv1.Workflow) error {
	if err := packer.CompressWorkflowIfNeeded(wf); err != nil {
		return bridge.Permanent(fmt.Errorf("pack the steps of %s: %w", wf.Name, err))
	}
	return nil
}

// annotate sets an annotation.
func annotate(wf *wfv1.Workflow, key, value string) {
	if wf.Annotations == nil {
		wf.Annotations = map[string]string{}
	}
	wf.Annotations[key] = value
}

// classify says which of the API server's answers no retry can cure. That a Workflow is not there is for people; an API
// server that starts up does not know the path yet.
func classify(id bridge.RunID, err error) error {
	if wait, ok := apierrors.SuggestsClientDelay(err); ok {
		return bridge.RetryAfter(err, time.Duration(wait)*time.Second)
	}
	switch {
	case apierrors.IsNotFound(err) && !apierrors.IsUnexpectedServerError(err) && id.Name != "":
		return bridge.Permanent(fmt.Errorf("the run %s is gone", id))
	case apierrors.IsForbidden(err):
		return bridge.Refusal(err)
	case apierrors.IsInvalid(err), apierrors.IsBadRequest(err), apierrors.IsRequestEntityTooLargeError(err):
		return bridge.Permanent(err)
	}
	return err
}
