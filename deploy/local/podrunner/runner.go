package podrunner

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"sync"
	"time"

	wfclientset "github.com/argoproj/argo-workflows/v3/pkg/client/clientset/versioned"
	"github.com/argoproj/argo-workflows/v3/workflow/common"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/workqueue"
)

// workers is how many pods are started or ended at the same time. How many run
// at the same time is not bounded: a running pod costs one timer.
const workers = 64

// Runner starts and ends pods. It decides from a pod's state alone, so that it
// may be stopped and started again at any time.
type Runner struct {
	pods      kubernetes.Interface
	workflows wfclientset.Interface
	informer  cache.SharedIndexInformer
	queue     workqueue.TypedRateLimitingInterface[string]
	// started has the exact start of running pods by UID; a pod's status knows
	// it only to the second.
	started sync.Map
	now     func() time.Time
}

// New returns a runner that talks to one API server through both clients.
func New(pods kubernetes.Interface, workflows wfclientset.Interface) (*Runner, error) {
	factory := informers.NewSharedInformerFactoryWithOptions(pods, 0,
		informers.WithTweakListOptions(func(options *metav1.ListOptions) {
			options.LabelSelector = common.LabelKeyWorkflow
			options.FieldSelector = "status.phase!=Succeeded,status.phase!=Failed"
		}),
		informers.WithTransform(withoutManagedFields))
	r := &Runner{
		pods: pods, workflows: workflows, informer: factory.Core().V1().Pods().Informer(), now: time.Now,
		queue: workqueue.NewTypedRateLimitingQueue(
			workqueue.NewTypedItemExponentialFailureRateLimiter[string](50*time.Millisecond, 5*time.Second)),
	}
	_, err := r.informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(object any) { r.enqueue(object) },
		UpdateFunc: func(_, object any) { r.enqueue(object) },
		DeleteFunc: r.forget,
	})
	return r, err
}

func withoutManagedFields(object any) (any, error) {
	if pod, ok := object.(*corev1.Pod); ok {
		pod.ManagedFields = nil
	}
	return object, nil
}

// Synced says whether the runner has seen all pods that there were.
func (r *Runner) Synced() bool { return r.informer.HasSynced() }

// Run runs pods until ctx is done.
func (r *Runner) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	wg.Go(func() { r.informer.Run(ctx.Done()) })
	if cache.WaitForCacheSync(ctx.Done(), r.informer.HasSynced) {
		for range workers {
			wg.Go(func() {
				for r.next(ctx) {
				}
			})
		}
	}
	<-ctx.Done()
	r.queue.ShutDown()
	wg.Wait()
	return nil
}

func (r *Runner) enqueue(object any) {
	if key, err := cache.MetaNamespaceKeyFunc(object); err == nil {
		r.queue.Add(key)
	}
}

// forget drops what is remembered of a pod that has ended or is gone.
func (r *Runner) forget(object any) {
	if gone, ok := object.(cache.DeletedFinalStateUnknown); ok {
		object = gone.Obj
	}
	if pod, ok := object.(*corev1.Pod); ok {
		r.started.Delete(pod.UID)
	}
}

func (r *Runner) next(ctx context.Context) bool {
	key, shutdown := r.queue.Get()
	if shutdown {
		return false
	}
	defer r.queue.Done(key)
	if err := r.sync(ctx, key); err != nil && ctx.Err() == nil {
		log.Printf("pod %s: %v (tried again later)", key, err)
		r.queue.AddRateLimited(key)
		return true
	}
	r.queue.Forget(key)
	return true
}

// sync brings one pod a step further: to running, or to its end.
func (r *Runner) sync(ctx context.Context, key string) error {
	object, exists, err := r.informer.GetStore().GetByKey(key)
	if err != nil || !exists {
		return err
	}
	pod, ok := object.(*corev1.Pod)
	if !ok || finished(pod) {
		return nil
	}
	decision, started := Decide(pod), r.startOf(pod)
	if left := started.Add(decision.Duration).Sub(r.now()); left > 0 {
		r.queue.AddAfter(key, left)
		if pod.Status.Phase == corev1.PodRunning {
			return nil
		}
		return r.patchStatus(ctx, pod, runningStatus(pod, started))
	}
	if err := r.report(ctx, pod, decision); err != nil {
		return err
	}
	return r.patchStatus(ctx, pod, finishedStatus(pod, decision, started, r.now()))
}

func (r *Runner) startOf(pod *corev1.Pod) time.Time {
	start := r.now()
	if pod.Status.StartTime != nil {
		start = pod.Status.StartTime.Time
	}
	known, _ := r.started.LoadOrStore(pod.UID, start)
	if exact, ok := known.(time.Time); ok {
		return exact
	}
	return start
}

// report comes before the pod's end: Argo reads outputs when it sees the end.
func (r *Runner) report(ctx context.Context, pod *corev1.Pod, d Decision) error {
	result := taskResult(pod, d)
	if result == nil {
		return nil
	}
	_, err := r.workflows.ArgoprojV1alpha1().WorkflowTaskResults(pod.Namespace).Create(ctx, result, metav1.CreateOptions{})
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("report outputs: %w", err)
	}
	return nil
}

func (r *Runner) patchStatus(ctx context.Context, pod *corev1.Pod, status corev1.PodStatus) error {
	// The UID keeps the patch from a new pod of the same name.
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"uid": pod.UID}, "status": status})
	if err != nil {
		return err
	}
	_, err = r.pods.CoreV1().Pods(pod.Namespace).Patch(ctx, pod.Name, types.MergePatchType, patch, metav1.PatchOptions{}, "status")
	if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
		return fmt.Errorf("set status %s: %w", status.Phase, err)
	}
	return nil
}
