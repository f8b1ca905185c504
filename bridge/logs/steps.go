package logs

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/argo-bridge/argo-bridge/bridge"
)

const (
	// annotationNodeName holds the way to a step by names, workflow.group[0].step:
	// https://github.com/argoproj/argo-workflows/blob/v3.7.4/workflow/common/common.go
	annotationNodeName = "workflows.argoproj.io/node-name"
	// maxPods bounds the pods of one run that are looked at.
	maxPods = 5000
)

// Steps returns the last lines of the run's newest steps that have begun, the newest first: of at most three steps, 20 lines
// and 4 KiB of each, masked. step limits it to steps whose path holds it. What is gone, or never wrote anything, has no
// lines. It takes five seconds at most. An error is to be tried again.
func (t *Tailer) Steps(ctx context.Context, run bridge.Run, step string) (logs []bridge.StepLog, err error) {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	pods, err := t.pods(ctx, run, strings.ToLower(step))
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(pods, func(a, b corev1.Pod) int { return began(b).Compare(began(a).Time) })
	for i := range pods[:min(len(pods), maxFailures)] {
		pod := &pods[i]
		path := pathOf(*pod, run)
		logs = append(logs, bridge.StepLog{
			Path: path, Started: began(*pod).Time, Phase: string(pod.Status.Phase), Lines: t.read(ctx, pod, bridge.Failure{Path: path}),
		})
	}
	return logs, nil
}

// pods are those of the run that have begun.
func (t *Tailer) pods(ctx context.Context, run bridge.Run, step string) (found []corev1.Pod, err error) {
	options := metav1.ListOptions{LabelSelector: labelWorkflow + "=" + run.Name, Limit: pageSize}
	for seen := 0; seen < maxPods; {
		list, err := t.Pods.Pods(run.Namespace).List(ctx, options)
		if err != nil {
			t.failed(run, "list pods", err)
			return nil, fmt.Errorf("list the pods of %s: %w", run.ID(), err)
		}
		for _, pod := range list.Items {
			if owned(pod, run) && pod.Status.Phase != corev1.PodPending && strings.Contains(strings.ToLower(pathOf(pod, run)), step) {
				found = append(found, pod)
			}
		}
		seen += len(list.Items)
		if options.Continue = list.Continue; options.Continue == "" {
			break
		}
	}
	return found, nil
}

// began is when the pod has started, or was made.
func began(pod corev1.Pod) metav1.Time {
	if pod.Status.StartTime != nil {
		return *pod.Status.StartTime
	}
	return pod.CreationTimestamp
}

// stepGroup is the place of a step group in a node's name, which says nothing to people.
var stepGroup = regexp.MustCompile(`^\[\d+\]$`)

// pathOf is the way to a pod's step as people know it: build / test(0). Of a step whose way is not known, the pod's name.
func pathOf(pod corev1.Pod, run bridge.Run) string {
	name := strings.TrimPrefix(pod.Annotations[annotationNodeName], run.Name)
	if name == pod.Annotations[annotationNodeName] && name != run.Name {
		return pod.Name
	}
	var parts []string
	for _, part := range strings.Split(strings.ReplaceAll(name, "[", ".["), ".") {
		if part != "" && !stepGroup.MatchString(part) {
			parts = append(parts, part)
		}
	}
	if len(parts) == 0 {
		return run.Name
	}
	return strings.Join(parts, " / ")
}
