// Package watch follows Workflows and reports each change of phase at least once, across restarts: runs
// of the bridge, of schedules and of people alike, also those that ended before a pod was ever made. A run that is
// retried is reported again, and one that goes on when a pause opens or closes.
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

// A Handler hears of every change of a run's phase or pauses, at least once and in the order of the ends when
// several are caught up. It is called by one goroutine; an error makes the watcher wait and repeat.
type Handler interface {
	Changed(ctx context.Context, run bridge.Run) error
}

// A Mark says up to where everything has been reported.
type Mark struct {
	// Since is a time: runs that ended before it have been reported.
	Since time.Time `json:"since"`
	// Version is a resource version: changes up to it have been reported. Empty: not known.
	Version string `json:"version,omitempty"`
}

// A Watermark keeps a mark on stable storage.
type Watermark interface {
	Load(ctx context.Context) (Mark, error) // zero when none was ever saved
	Save(ctx context.Context, m Mark) error
}

// Options say what a watcher follows and whom it tells. All fields are needed but Namespace.
type Options struct {
	Client    dynamic.Interface
	Namespace string // empty: all
	Handler   Handler
	Watermark Watermark
	// Ready is closed when Handler can judge runs; until then nothing is reported.
	Ready <-chan struct{}
	// Saw is called with namespace/name of every Workflow of the bridge that was there while nobody watched,
	// also of those that are gone by now.
	Saw func(workflow string)
	Log *zap.Logger
	Now func() time.Time
}

// A Watcher follows the Workflows of one namespace, or of all.
type Watcher struct {
	Options
	client   dynamic.ResourceInterface
	caughtUp chan struct{}

	mu     sync.Mutex
	told   map[string]state // uid → what was last reported
	mark   Mark             // what was reported before the start
	saved  time.Time        // when the watermark was last saved
	synced bool
}

// New makes a watcher.
func New(o Options) *Watcher {
	resource := o.Client.Resource(schema.GroupVersionResource{
		Group: wfapi.Group, Version: wfapi.Version, Resource: wfapi.WorkflowPlural,
	})
	w := &Watcher{Options: o, client: resource, caughtUp: make(chan struct{}), told: map[string]state{}}
	if o.Namespace != "" {
		w.client = resource.Namespace(o.Namespace)
	}
	return w
}

// Run follows the Workflows until ctx ends.
func (w *Watcher) Run(ctx context.Context) error {
	if err := w.loadWatermark(ctx); err != nil {
		return err
	}
	missed := w.catchUp(ctx)
	close(w.caughtUp)
	select {
	case <-ctx.Done():
		return nil
	case <-w.Ready:
	}
	for _, run := range missed {
		w.report(ctx, run)
	}
	r := cache.NewReflectorWithOptions(&pager{w, ctx}, nil, &sink{w, ctx}, cache.ReflectorOptions{
		Name: "workflows", TypeDescription: "workflows.argoproj.io",
	})
	r.RunWithContext(ctx)
	return nil
}

// CaughtUp is closed once it is known what happened while nobody watched, as far as the API server still
// remembers.
func (w *Watcher) CaughtUp() <-chan struct{} { return w.caughtUp }

// Synced says whether everything that had ended before the start has been reported.
func (w *Watcher) Synced() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.synced
}

// report hands a run on if its state is new, and repeats until the handler has taken it.
func (w *Watcher) report(ctx context.Context, run bridge.Run) {
	if run.Phase == "" || w.known(run) {
		return
	}
	for wait := 100 * time.Millisecond; ; wait = min(2*wait, 10*time.Second) {
		err := w.Handler.Changed(ctx, run)
		if err == nil {
			break
		}
		w.Log.Warn("report run; trying again", zap.String(bridge.LogWorkflow, run.Namespace+"/"+run.Name),
			zap.String(bridge.LogPhase, run.Phase), zap.Error(err))
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.told[run.UID] = stateOf(run)
}

func (w *Watcher) known(run bridge.Run) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	have, ok := w.told[run.UID]
	return ok && have == stateOf(run)
}

func (w *Watcher) forget(uid string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.told, uid)
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
		w.Log.Error("a workflow cannot be read; its end is not reported", zap.Error(err))
		return run, false
	}
	return run, true
}
