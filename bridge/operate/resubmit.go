package operate

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base32"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/argoproj/argo-workflows/v3/pkg/apis/workflow"
	wfv1 "github.com/argoproj/argo-workflows/v3/pkg/apis/workflow/v1alpha1"
	"github.com/argoproj/argo-workflows/v3/workflow/util"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/jsonmergepatch"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// a fresh Workflow is one as it is made: without a status.
type fresh struct {
	APIVersion string          `json:"apiVersion"`
	Kind       string          `json:"kind"`
	Metadata   freshMetadata   `json:"metadata"`
	Spec       json.RawMessage `json:"spec"`
}

type freshMetadata struct {
	Name            string                  `json:"name"`
	Namespace       string                  `json:"namespace"`
	Labels          map[string]string       `json:"labels,omitempty"`
	Annotations     map[string]string       `json:"annotations,omitempty"`
	OwnerReferences []metav1.OwnerReference `json:"ownerReferences,omitempty"`
}

// own are the annotations that are of one run alone.
var own = []string{bridge.AnnotationStopped, bridge.AnnotationRetried, bridge.AnnotationOrders}

// Resubmit makes a new run like one that there is, as `argo resubmit` does: of the same spec, with the same labels and
// annotations but for those of the stamp. Its name comes from the stamp's ID, so that doing it again finds it.
func (o *Operator) Resubmit(ctx context.Context, run bridge.RunID, s bridge.Stamp) (name string, err error) {
	d, err := o.get(ctx, run)
	if err != nil {
		return "", err
	}
	object, err := resubmission(ctx, d, s)
	if err != nil {
		return "", bridge.Permanent(fmt.Errorf("%s cannot be resubmitted: %w", run.Name, err))
	}
	body, err := json.Marshal(object)
	if err != nil {
		return "", bridge.Permanent(err)
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	err = o.workflows.Post().Namespace(run.Namespace).Resource(workflow.WorkflowPlural).
		SetHeader("Content-Type", "application/json").Body(body).Do(ctx).Error()
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return "", classify(bridge.RunID{}, fmt.Errorf("make the run %s: %w", object.Metadata.Name, err))
	}
	return object.Metadata.Name, nil
}

// resubmission is the new Workflow.
func resubmission(ctx context.Context, d document, s bridge.Stamp) (fresh, error) {
	next, err := util.FormulateResubmitWorkflow(ctx, d.wf.DeepCopy(), false, nil)
	if err != nil {
		return fresh{}, err
	}
	spec, err := specOf(d, next)
	if err != nil {
		return fresh{}, err
	}
	for _, key := range own {
		delete(next.Annotations, key)
	}
	next.Annotations[bridge.AnnotationResubmitOf] = d.wf.Namespace + "/" + d.wf.Name
	next.Annotations[bridge.AnnotationActor] = s.By
	return fresh{
		APIVersion: workflow.APIVersion, Kind: workflow.WorkflowKind, Spec: spec,
		Metadata: freshMetadata{
			Name: nameOf(d.wf, s.ID), Namespace: d.wf.Namespace, OwnerReferences: next.OwnerReferences,
			Labels: stamped(next.Labels, s.Labels), Annotations: stamped(next.Annotations, s.Annotations),
		},
	}, nil
}

// specOf is the spec as it was read, with what Argo's library changes in it: fields that its types do not know stay.
func specOf(d document, next *wfv1.Workflow) (json.RawMessage, error) {
	var read struct {
		Spec json.RawMessage `json:"spec"`
	}
	if err := json.Unmarshal(d.raw, &read); err != nil {
		return nil, err
	}
	before, err := json.Marshal(d.wf.Spec)
	if err != nil {
		return nil, err
	}
	after, err := json.Marshal(next.Spec)
	if err != nil {
		return nil, err
	}
	difference, err := jsonmergepatch.CreateThreeWayJSONMergePatch(before, after, before)
	if err != nil {
		return nil, err
	}
	return merge(read.Spec, difference)
}

// merge applies a JSON merge patch: https://www.rfc-editor.org/rfc/rfc7396
func merge(document, patch json.RawMessage) (json.RawMessage, error) {
	var to, from any
	if err := json.Unmarshal(document, &to); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(patch, &from); err != nil {
		return nil, err
	}
	return json.Marshal(merged(to, from))
}

func merged(to, from any) any {
	patch, ok := from.(map[string]any)
	if !ok {
		return from
	}
	object, ok := to.(map[string]any)
	if !ok {
		object = map[string]any{}
	}
	for key, value := range patch {
		if value == nil {
			delete(object, key)
			continue
		}
		object[key] = merged(object[key], value)
	}
	return object
}

func stamped(all, stamp map[string]string) map[string]string {
	for key, value := range stamp {
		if value == "" {
			delete(all, key)
			continue
		}
		all[key] = value
	}
	return all
}

// nameOf is the name of the template, or of the run, with a digest of the run and the order.
func nameOf(wf *wfv1.Workflow, id string) string {
	base := wf.Name
	if ref := wf.Spec.WorkflowTemplateRef; ref != nil {
		base = cmp.Or(ref.Name, base)
	}
	sum := sha256.Sum256([]byte("resubmit\n" + string(wf.UID) + "\n" + id))
	suffix := "-" + strings.ToLower(base32.StdEncoding.EncodeToString(sum[:10]))
	return strings.TrimRight(base[:min(len(base), bridge.MaxLabel-len(suffix))], "-.") + suffix
}
