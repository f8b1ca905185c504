// Package logs reads the last lines that the failed steps of a run wrote, for those who are told of the failure: from
// the Kubernetes API, as far as the pods are still there, with what looks like a secret masked.
package logs

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	typed "k8s.io/client-go/kubernetes/typed/core/v1"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/mask"
)

// Bounds of what is shown.
const (
	maxFailures = 3       // failures that have a log
	maxLines    = 20      // of each
	maxBytes    = 4 << 10 // of each
)

const (
	// within bounds all the reading for one run: who is told of a failure waits for it.
	within = 5 * time.Second
	// More lines are read than are shown, since a secret may begin above the first that is.
	readLines = 200
	readBytes = 64 << 10
	// pageSize is how many pods are asked for at once.
	pageSize = 500

	// What Argo writes on its pods: https://argo-workflows.readthedocs.io/en/latest/workflow-pod-security-context/ and
	// workflow/common/common.go of Argo.
	labelWorkflow  = "workflows.argoproj.io/workflow"
	annotationNode = "workflows.argoproj.io/node-id"
	mainContainer  = "main"
)

// A Tailer reads logs. It needs the rights to list pods and to get pods/log where the runs are.
type Tailer struct {
	Pods typed.PodsGetter
	Log  *zap.Logger

	mu   sync.Mutex
	told map[string]bool // rights whose lack was told
}

// Complete gives the notification of a failed run what the failed steps wrote last.
func (t *Tailer) Complete(ctx context.Context, n *bridge.Notification) { n.Run = t.Tail(ctx, n.Run) }

// Tail returns the run with the Log of its first failures: at most 20 lines and 4 KiB of each, masked. It takes five
// seconds at most. What cannot be read, for the pod is gone or the bridge lacks the right, stays empty.
func (t *Tailer) Tail(ctx context.Context, run bridge.Run) bridge.Run {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	run.Failures = slices.Clone(run.Failures)
	shown := run.Failures[:min(len(run.Failures), maxFailures)]
	pods := t.find(ctx, run, shown)
	for i, failure := range shown {
		if pod, ok := pods[failure.Node]; ok {
			shown[i].Log = t.read(ctx, &pod, failure)
		}
	}
	return run
}

// find returns the pods of the failures by the node that each has run.
func (t *Tailer) find(ctx context.Context, run bridge.Run, failures []bridge.Failure) map[string]corev1.Pod {
	wanted, found := map[string]bool{}, map[string]corev1.Pod{}
	for _, failure := range failures {
		if failure.Node != "" {
			wanted[failure.Node] = true
		}
	}
	options := metav1.ListOptions{LabelSelector: labelWorkflow + "=" + run.Name, Limit: pageSize}
	for len(found) < len(wanted) {
		list, err := t.Pods.Pods(run.Namespace).List(ctx, options)
		if err != nil {
			t.failed(run, "list pods", err)
			break
		}
		for _, pod := range list.Items {
			if node := pod.Annotations[annotationNode]; wanted[node] && owned(pod, run) {
				found[node] = pod
			}
		}
		if options.Continue = list.Continue; options.Continue == "" {
			break
		}
	}
	return found
}

// owned says whether the pod is of this Workflow, and not of an earlier one with the same name.
func owned(pod corev1.Pod, run bridge.Run) bool {
	return slices.ContainsFunc(pod.OwnerReferences, func(o metav1.OwnerReference) bool { return string(o.UID) == run.UID })
}

func (t *Tailer) read(ctx context.Context, pod *corev1.Pod, failure bridge.Failure) []string {
	lines := int64(readLines)
	stream, err := t.Pods.Pods(pod.Namespace).GetLogs(pod.Name, &corev1.PodLogOptions{
		Container: container(pod, failure), TailLines: &lines,
	}).Stream(ctx)
	if err != nil {
		t.failed(bridge.Run{Namespace: pod.Namespace, Name: pod.Labels[labelWorkflow]}, "get pods/log", err)
		return nil
	}
	defer stream.Close()
	end := &ending{}
	// Of a stream that breaks off, what has come so far is shown.
	_, _ = io.Copy(end, stream)
	return last(mask.Secrets(end.text()))
}

// container is the one that ran the step: main, or, in a pod of a container set, the one that failed, whose name is the
// last of the path.
func container(pod *corev1.Pod, failure bridge.Failure) string {
	name := failure.Path[strings.LastIndex(failure.Path, "/")+1:]
	name = strings.TrimSpace(name)
	has := func(name string) bool {
		return slices.ContainsFunc(pod.Spec.Containers, func(c corev1.Container) bool { return c.Name == name })
	}
	if !has(mainContainer) && has(name) {
		return name
	}
	return mainContainer
}

// failed tells what keeps logs from being read: a right that is missing once, all else for who looks closer.
func (t *Tailer) failed(run bridge.Run, right string, err error) {
	workflow := zap.String(bridge.LogWorkflow, run.Namespace+"/"+run.Name)
	if !apierrors.IsForbidden(err) {
		if !apierrors.IsNotFound(err) && !errors.Is(err, context.Canceled) {
			t.Log.Debug("the log of a failed step cannot be read; it is left out", workflow, zap.Error(err))
		}
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	key := right + " " + run.Namespace
	if t.told[key] {
		return
	}
	if t.told == nil {
		t.told = map[string]bool{}
	}
	t.told[key] = true
	t.Log.Warn("the bridge may not read the logs of failed steps; they are left out: give its service account the right to "+right,
		workflow, zap.Error(err))
}
