package operate

import (
	"context"
	"errors"
	"fmt"
	"slices"

	wfv1 "github.com/argoproj/argo-workflows/v3/pkg/apis/workflow/v1alpha1"
	"github.com/argoproj/argo-workflows/v3/workflow/common"
	"github.com/argoproj/argo-workflows/v3/workflow/util"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// Retry lets a run that has failed try its failed steps again, as `argo retry` does: their pods are deleted, and the run
// goes on. A step that somebody has rejected waits again.
func (o *Operator) Retry(ctx context.Context, run bridge.RunID, s bridge.Stamp) error {
	return o.change(ctx, run, func(ctx context.Context, d document) error {
		wf := d.wf
		if bridge.Carried(wf.Annotations, s.ID) {
			return errNothing
		}
		if err := retryable(wf); err != nil {
			return err
		}
		if err := unpack(wf, "retry"); err != nil {
			return err
		}
		next, pods, err := formulate(ctx, wf)
		if err != nil {
			return err
		}
		// The pods first, as Argo does it: the controller would take those of the last attempt for new ones.
		if err := o.deletePods(ctx, wf, pods); err != nil {
			return err
		}
		delete(next.Annotations, bridge.AnnotationStopped)
		annotate(next, bridge.AnnotationRetried, s.By)
		annotate(next, bridge.AnnotationOrders, bridge.WithCarried(next.Annotations, s.ID))
		*wf = *next
		return pack(wf)
	})
}

// retryable says why a run cannot be retried, as it is.
func retryable(wf *wfv1.Workflow) error {
	switch wf.Status.Phase {
	case wfv1.WorkflowFailed, wfv1.WorkflowError:
		return nil
	case wfv1.WorkflowSucceeded:
		return bridge.Permanent(fmt.Errorf("%s has succeeded: there is nothing to retry", wf.Name))
	}
	return bridge.Permanent(fmt.Errorf("%s has not ended: there is nothing to retry yet", wf.Name))
}

// formulate is the run as it goes on, and the names of the pods that are in its way. Argo's library panics at nodes that do
// not belong together.
func formulate(ctx context.Context, wf *wfv1.Workflow) (next *wfv1.Workflow, pods []string, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = bridge.Permanent(fmt.Errorf("%s cannot be retried, its steps do not belong together: %v", wf.Name, r))
		}
	}()
	if err := coherent(wf.Status.Nodes); err != nil {
		return nil, nil, bridge.Permanent(fmt.Errorf("%s cannot be retried by the bridge, for its steps: %w", wf.Name, err))
	}
	rejected, err := rejectedStep(wf)
	if err != nil {
		return nil, nil, err
	}
	selector := ""
	if rejected != "" {
		selector = "id=" + rejected
	}
	if wf.Labels == nil {
		wf.Labels = map[string]string{}
	}
	next, pods, err = util.FormulateRetryWorkflow(ctx, wf, selector != "", selector, nil)
	if err != nil {
		return nil, nil, bridge.Permanent(fmt.Errorf("%s cannot be retried: %w", wf.Name, err))
	}
	return next, pods, nil
}

// rejectedStep is the suspended step that has failed; empty: none. Argo's retry leaves such a step as it is, unless it is
// asked to do one again.
func rejectedStep(wf *wfv1.Workflow) (id string, err error) {
	for _, n := range wf.Status.Nodes {
		if n.Type != wfv1.NodeTypeSuspend || !n.FailedOrError() {
			continue
		}
		if id != "" {
			return "", bridge.Permanent(fmt.Errorf("several steps of %s were rejected: resubmit it", wf.Name))
		}
		id = n.ID
	}
	return id, nil
}

// deletePods deletes the pods of that name which the attempt that has ended has made. One that is younger is of a retry
// which somebody else has begun meanwhile.
func (o *Operator) deletePods(ctx context.Context, wf *wfv1.Workflow, names []string) error {
	options := metav1.ListOptions{LabelSelector: common.LabelKeyWorkflow + "=" + wf.Name, Limit: 200}
	for len(names) > 0 {
		page, err := o.podsOf(ctx, wf, options)
		if err != nil {
			return err
		}
		for i := range page.Items {
			pod := &page.Items[i]
			if !slices.Contains(names, pod.Name) || !metav1.IsControlledBy(pod, wf) || pod.CreationTimestamp.After(wf.Status.FinishedAt.Time) {
				continue
			}
			if err := o.deletePod(ctx, pod); err != nil {
				return err
			}
		}
		if options.Continue = page.Continue; options.Continue == "" {
			break
		}
	}
	return nil
}

func (o *Operator) podsOf(ctx context.Context, wf *wfv1.Workflow, options metav1.ListOptions) (*corev1.PodList, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	page, err := o.pods.Pods(wf.Namespace).List(ctx, options)
	if err != nil {
		return nil, classify(bridge.RunID{}, fmt.Errorf("list the pods of %s: %w", wf.Name, err))
	}
	return page, nil
}

func (o *Operator) deletePod(ctx context.Context, pod *corev1.Pod) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	err := o.pods.Pods(pod.Namespace).Delete(ctx, pod.Name, metav1.DeleteOptions{Preconditions: metav1.NewUIDPreconditions(string(pod.UID))})
	if err == nil || apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
		return nil // gone, or another one by now
	}
	return classify(bridge.RunID{}, errors.Join(fmt.Errorf("delete the pod %s", pod.Name), err))
}
