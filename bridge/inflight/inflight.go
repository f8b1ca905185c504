// Package inflight knows the Workflows that have not ended, and the names of those that it has seen. It follows
// the cluster's Workflows by label, so that what it counts is true after any restart, with any number of replicas,
// and when people start or delete runs by hand.
//
// A Workflow that a process has just made counts before the watch shows it.
package inflight

import (
	"context"
	"crypto/sha256"
	"fmt"
	"sync"
	"time"

	wfapi "github.com/argoproj/argo-workflows/v3/pkg/apis/workflow"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/metadata/metadatainformer"
	"k8s.io/client-go/tools/cache"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// selector is the Workflows that have not ended.
const selector = "workflows.argoproj.io/completed!=true"

const (
	// remember is how long the name of a Workflow that was seen is known: longer than a message may
	// stay unacknowledged after the process that handled it has died.
	remember = 10 * time.Minute
	// expect is how long a Workflow that was made counts although no watch shows it; then the API server is asked.
	expect = time.Minute
)

// A Tracker follows the Workflows of one namespace, or of all. Safe for concurrent use; Run must be running.
type Tracker struct {
	client    metadata.Interface
	namespace string
	freed     func(limits ...string)
	now       func() time.Time
	synced    chan struct{}

	mu       sync.Mutex
	running  map[string]run         // namespace/name → shown by the watch
	expected map[string]expectation // known to be made, and not shown by the watch yet
	counts   counts                 // of running and expected
	arrivals uint64
	seen     map[name]uint32 // → Unix seconds when
}

// A name is a digest of namespace/name: many are remembered.
type name [16]byte

func nameOf(workflow string) (n name) {
	sum := sha256.Sum256([]byte(workflow))
	copy(n[:], sum[:])
	return n
}

type expectation struct {
	run
	until time.Time
}

// New makes a tracker of a namespace, or of all when it is empty. freed is called when a run has ended, with the
// limits for which it counted (see Denial.On).
func New(client metadata.Interface, namespace string, freed func(limits ...string), now func() time.Time) *Tracker {
	return &Tracker{
		client: client, namespace: namespace, freed: freed, now: now, synced: make(chan struct{}),
		running: map[string]run{}, expected: map[string]expectation{}, counts: counts{}, seen: map[name]uint32{},
	}
}

var workflows = schema.GroupVersionResource{Group: wfapi.Group, Version: wfapi.Version, Resource: wfapi.WorkflowPlural}

// Run follows the Workflows until ctx ends.
func (t *Tracker) Run(ctx context.Context) error {
	informer := metadatainformer.NewFilteredMetadataInformer(t.client, workflows, t.namespace, 0, cache.Indexers{},
		func(o *metav1.ListOptions) { o.LabelSelector = selector }).Informer()
	if err := informer.SetTransform(slim); err != nil {
		return fmt.Errorf("follow workflows in flight: %w", err)
	}
	handler, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    t.added,
		UpdateFunc: func(_, o any) { t.added(o) },
		DeleteFunc: t.ended,
	})
	if err != nil {
		return fmt.Errorf("follow workflows in flight: %w", err)
	}
	var others sync.WaitGroup
	defer others.Wait()
	others.Go(func() { t.forgetOld(ctx) })
	others.Go(func() {
		if cache.WaitForCacheSync(ctx.Done(), handler.HasSynced) {
			close(t.synced)
		}
	})
	informer.RunWithContext(ctx)
	return nil
}

// slim keeps of an object what is read here.
func slim(o any) (any, error) {
	m, ok := o.(*metav1.PartialObjectMetadata)
	if !ok {
		return o, nil
	}
	stopped, is := m.Annotations[bridge.AnnotationStopped]
	m.Annotations, m.ManagedFields, m.OwnerReferences, m.Finalizers = nil, nil, nil, nil
	if is {
		m.Annotations = map[string]string{bridge.AnnotationStopped: stopped}
	}
	return m, nil
}

// Synced is closed once all Workflows that were in flight at the start are known.
func (t *Tracker) Synced() <-chan struct{} { return t.synced }

// enter counts a Workflow that is about to be made, if deny does not object to the counts as they are. One that
// has its place already keeps it; when its rule has changed since, it needs one in its new group as well.
func (t *Tracker) enter(s bridge.Submission, deny func(c counts) *Denial) *Denial {
	t.mu.Lock()
	defer t.mu.Unlock()
	key := s.Namespace + "/" + s.Name
	r := runOf(s, t.now())
	x, expected := t.expected[key]
	if t.knows(key) || expected && x.sameGroups(r) {
		return nil
	}
	if d := deny(t.counts); d != nil {
		d.Stop = t.stoppable(s, d)
		return d
	}
	t.drop(key)
	t.expect(key, r)
	return nil
}

func (t *Tracker) expect(key string, r run) {
	t.arrivals++
	r.arrival = t.arrivals
	t.expected[key] = expectation{r, t.now().Add(expect)}
	t.counts.add(r, 1)
}

func (t *Tracker) knows(key string) bool {
	_, running := t.running[key]
	_, seen := t.seen[nameOf(key)]
	return running || seen
}

// leave takes back what enter has counted.
func (t *Tracker) leave(s bridge.Submission) {
	t.mu.Lock()
	x, dropped := t.drop(s.Namespace + "/" + s.Name)
	t.mu.Unlock()
	if dropped {
		t.freed(x.limits()...)
	}
}

// See notes the name of a Workflow that was once there, namespace/name.
func (t *Tracker) See(workflow string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.see(workflow)
}

func (t *Tracker) see(workflow string) { t.seen[nameOf(workflow)] = uint32(t.now().Unix()) }

// Seen says whether a Workflow of that name, namespace/name, is in flight or was seen within the last ten minutes.
func (t *Tracker) Seen(workflow string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.knows(workflow)
}

// Count returns how many Workflows of the bridge are in flight of a template, and in all.
func (t *Tracker) Count(template bridge.Template) (ofTemplate, all int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.counts[templateLimit(template)], t.counts[allLimit]
}

// added is called when a Workflow is shown, and when it has changed.
func (t *Tracker) added(o any) {
	m, ok := o.(*metav1.PartialObjectMetadata)
	if !ok {
		return
	}
	key, r := m.Namespace+"/"+m.Name, readRun(m)
	if !r.relevant() {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	x, made := t.drop(key)
	t.see(key)
	old, known := t.running[key]
	switch {
	case known:
		t.counts.add(old, -1)
		r.arrival = old.arrival
	case made:
		r.arrival = x.arrival
	default:
		t.arrivals++
		r.arrival = t.arrivals
	}
	t.running[key] = r
	t.counts.add(r, 1)
}

// ended is called when a Workflow is deleted, and when it has ended: it no longer fits the selector.
func (t *Tracker) ended(o any) {
	if last, ok := o.(cache.DeletedFinalStateUnknown); ok {
		o = last.Obj
	}
	m, ok := o.(*metav1.PartialObjectMetadata)
	if !ok {
		return
	}
	key := m.Namespace + "/" + m.Name
	t.mu.Lock()
	x, made := t.drop(key)
	r, known := t.running[key]
	if known {
		delete(t.running, key)
		t.counts.add(r, -1)
	} else {
		r = x.run
	}
	t.mu.Unlock()
	if known || made {
		t.freed(r.limits()...)
	}
}

// drop takes an expectation out.
func (t *Tracker) drop(key string) (expectation, bool) {
	x, ok := t.expected[key]
	if ok {
		delete(t.expected, key)
		t.counts.add(x.run, -1)
	}
	return x, ok
}
