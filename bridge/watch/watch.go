// Package watch follows Workflows and reports each change of phase at least once, across restarts: runs
// of the bridge, of schedules and of people alike, also those that ended before a pod was ever made.
//
// It keeps no cache of Workflows. A list is read page by page and thrown away; what has ended before
// the watermark, a time kept on the bus up to which everything has been reported, is passed over.
package watch

import (
	"context"
	"sync"
	"time"

	"go.uber.org/zap"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/tools/cache"

	wfapi "github.com/argoproj/argo-workflows/v3/pkg/apis/workflow"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// started selects the Workflows that a controller has begun to work on.
const started = "workflows.argoproj.io/phase"

// A Handler hears of every change of a run's phase, at least once and in the order of the ends when
// several are caught up. It is called by one goroutine; an error makes the watcher wait and repeat.
type Handler interface {
	Changed(ctx context.Context, run bridge.Run) error
}

// A Watermark keeps a time on stable storage.
type Watermark interface {
	Load(ctx context.Context) (time.Time, error) // zero when none was ever saved
	Save(ctx context.Context, t time.Time) error
}

// A Watcher follows the Workflows of one namespace, or of all when namespace is empty.
type Watcher struct {
	client    dynamic.ResourceInterface
	handler   Handler
	watermark Watermark
	log       *zap.Logger
	now       func() time.Time

	mu     sync.Mutex
	phases map[string]string // uid → the phase last reported
	since  time.Time         // what ended before is known to be reported
	saved  time.Time         // when the watermark was last saved
	synced bool
}

// New makes a watcher.
func New(client dynamic.Interface, namespace string, handler Handler, watermark Watermark, log *zap.Logger) *Watcher {
	resource := client.Resource(schema.GroupVersionResource{
		Group: wfapi.Group, Version: wfapi.Version, Resource: wfapi.WorkflowPlural,
	})
	w := &Watcher{
		client: resource, handler: handler, watermark: watermark, log: log,
		now: time.Now, phases: map[string]string{},
	}
	if namespace != "" {
		w.client = resource.Namespace(namespace)
	}
	return w
}

// Run follows the Workflows until ctx ends.
func (w *Watcher) Run(ctx context.Context) error {
	if err := w.loadWatermark(ctx); err != nil {
		return err
	}
	r := cache.NewReflectorWithOptions(&pager{w, ctx}, nil, &sink{w, ctx}, cache.ReflectorOptions{
		Name: "workflows", TypeDescription: "workflows.argoproj.io",
	})
	r.RunWithContext(ctx)
	return nil
}

// Synced says whether everything that had ended before the start has been reported.
func (w *Watcher) Synced() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.synced
}

// report hands a run on if its phase is new, and repeats until the handler has taken it.
func (w *Watcher) report(ctx context.Context, run bridge.Run) {
	if run.Phase == "" || w.known(run) {
		return
	}
	for wait := 100 * time.Millisecond; ; wait = min(2*wait, 10*time.Second) {
		err := w.handler.Changed(ctx, run)
		if err == nil {
			break
		}
		w.log.Warn("report run; trying again", zap.String(bridge.LogWorkflow, run.Namespace+"/"+run.Name),
			zap.String(bridge.LogPhase, run.Phase), zap.Error(err))
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.phases[run.UID] = run.Phase
}

func (w *Watcher) known(run bridge.Run) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.phases[run.UID] == run.Phase
}

func (w *Watcher) forget(uid string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.phases, uid)
}

func (w *Watcher) read(obj any) (bridge.Run, bool) {
	if last, ok := obj.(cache.DeletedFinalStateUnknown); ok {
		obj = last.Obj
	}
	o, ok := obj.(*unstructured.Unstructured)
	if !ok {
		return bridge.Run{}, false
	}
	run, err := read(o)
	if err != nil {
		w.log.Error("a workflow cannot be read; its end is not reported", zap.Error(err))
		return run, false
	}
	return run, true
}
