package flow

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/dynamic"
	watchtools "k8s.io/client-go/tools/watch"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/submit"
)

// A run is the state of one Workflow, as far as the promises speak of it.
type run struct {
	name, template string
	ours           bool   // an event started it
	event          string // its hash
	group          string // the label
	done           bool
	shutdown       string
	reason         string // why a bridge has stopped it
}

func runOf(o *unstructured.Unstructured) run {
	labels := o.GetLabels()
	shutdown, _, _ := unstructured.NestedString(o.Object, "spec", "shutdown")
	return run{
		name: o.GetName(), template: labels[submit.LabelTemplate],
		ours: labels[bridge.LabelEvent] != "", event: labels[bridge.LabelEvent], group: labels[bridge.LabelGroup],
		done: labels[labelCompleted] == "true", shutdown: shutdown, reason: o.GetAnnotations()[bridge.AnnotationStopped],
	}
}

// A change is one state of a run, in the order in which the API server made them.
type change struct {
	at   time.Time // when the test saw it
	kind watch.EventType
	run
}

// A recorder keeps every state of every Workflow of a namespace. Safe for concurrent use.
type recorder struct {
	changed func(change)

	mu      sync.Mutex
	log     map[string][]change       // by template
	running map[string]map[string]run // by template and name
	failed  error
}

// record watches until ctx ends; changed hears of each state.
func record(ctx context.Context, client dynamic.ResourceInterface, changed func(change)) (*recorder, error) {
	list, err := client.List(ctx, metav1.ListOptions{Limit: 1})
	if err != nil {
		return nil, err
	}
	r := &recorder{changed: changed, log: map[string][]change{}, running: map[string]map[string]run{}}
	// It goes on behind the last state that it has seen when the API server ends the watch.
	watcher, err := watchtools.NewRetryWatcherWithContext(ctx, list.GetResourceVersion(), watching{client})
	if err != nil {
		return nil, err
	}
	go func() {
		for e := range watcher.ResultChan() {
			r.see(e)
		}
	}()
	return r, nil
}

type watching struct{ client dynamic.ResourceInterface }

func (w watching) WatchWithContext(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
	return w.client.Watch(ctx, o)
}

func (r *recorder) see(e watch.Event) {
	o, ok := e.Object.(*unstructured.Unstructured)
	if !ok || e.Type == watch.Error {
		r.fail(fmt.Errorf("watch workflows: %v", e.Object))
		return
	}
	c := change{at: time.Now(), kind: e.Type, run: runOf(o)}
	r.mu.Lock()
	r.log[c.template] = append(r.log[c.template], c)
	if r.running[c.template] == nil {
		r.running[c.template] = map[string]run{}
	}
	if c.kind == watch.Deleted || c.done {
		delete(r.running[c.template], c.name)
	} else {
		r.running[c.template][c.name] = c.run
	}
	r.mu.Unlock()
	r.changed(c)
}

func (r *recorder) fail(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failed = err
}

// broken says that states may be missing.
func (r *recorder) broken() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.failed
}

// live are the runs of a template that have not ended, by name.
func (r *recorder) live(template string) []run {
	r.mu.Lock()
	defer r.mu.Unlock()
	runs := r.running[template]
	all := make([]run, 0, len(runs))
	for _, name := range slices.Sorted(maps.Keys(runs)) {
		all = append(all, runs[name])
	}
	return all
}

// saw says whether an event's Workflow was ever there.
func (r *recorder) saw(template, event string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.ContainsFunc(r.log[template], func(c change) bool { return c.event == event })
}

// last is when something of a template has changed.
func (r *recorder) last(template string) time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	log := r.log[template]
	if len(log) == 0 {
		return time.Time{}
	}
	return log[len(log)-1].at
}

// changes are all states of the runs of a template.
func (r *recorder) changes(template string) []change {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.log[template])
}
