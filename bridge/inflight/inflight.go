// Package inflight knows the bridge's own Workflows that have not ended, and the names of those that it has
// seen. It follows the cluster's Workflows by label, so that what it counts is true after any restart, with
// any number of replicas, and when people delete runs by hand.
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
	"github.com/argo-bridge/argo-bridge/bridge/submit"
)

// selector is the bridge's own Workflows that have not ended.
const selector = bridge.LabelEvent + ",workflows.argoproj.io/completed!=true"

const (
	// remember is how long the name of a Workflow that was seen is known: longer than a message may
	// stay unacknowledged after the process that handled it has died.
	remember = 10 * time.Minute
	// expect is how long a Workflow that was made counts although no watch shows it.
	expect = time.Minute
)

// A Tracker follows the Workflows of one namespace, or of all. Safe for concurrent use; Run must be running.
type Tracker struct {
	client    metadata.Interface
	namespace string
	freed     func()
	now       func() time.Time
	synced    chan struct{}

	mu       sync.Mutex
	running  map[string]bridge.Template // namespace/name → template
	expected map[string]expectation     // made by this process, and not shown by the watch yet
	counts   map[bridge.Template]int    // of running and expected
	seen     map[name]uint32            // → Unix seconds when
}

// A name is a digest of namespace/name: many are remembered.
type name [16]byte

func nameOf(workflow string) (n name) {
	sum := sha256.Sum256([]byte(workflow))
	copy(n[:], sum[:])
	return n
}

type expectation struct {
	template bridge.Template
	until    time.Time
}

// New makes a tracker of a namespace, or of all when it is empty. freed is called when a run has ended.
func New(client metadata.Interface, namespace string, freed func(), now func() time.Time) *Tracker {
	return &Tracker{
		client: client, namespace: namespace, freed: freed, now: now, synced: make(chan struct{}),
		running: map[string]bridge.Template{}, expected: map[string]expectation{},
		counts: map[bridge.Template]int{}, seen: map[name]uint32{},
	}
}

// Run follows the Workflows until ctx ends.
func (t *Tracker) Run(ctx context.Context) error {
	resource := schema.GroupVersionResource{Group: wfapi.Group, Version: wfapi.Version, Resource: wfapi.WorkflowPlural}
	informer := metadatainformer.NewFilteredMetadataInformer(t.client, resource, t.namespace, 0, cache.Indexers{},
		func(o *metav1.ListOptions) { o.LabelSelector = selector }).Informer()
	if err := informer.SetTransform(slim); err != nil {
		return fmt.Errorf("follow workflows in flight: %w", err)
	}
	handler, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    t.added,
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
	if m, ok := o.(*metav1.PartialObjectMetadata); ok {
		m.Annotations, m.ManagedFields, m.OwnerReferences, m.Finalizers = nil, nil, nil, nil
	}
	return o, nil
}

// Synced is closed once all Workflows that were in flight at the start are known.
func (t *Tracker) Synced() <-chan struct{} { return t.synced }

// enter counts a Workflow that is about to be made, if fits agrees to the counts as they are.
func (t *Tracker) enter(s bridge.Submission, fits func(ofTemplate, all int) bool) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !fits(t.counts[s.Template], len(t.running)+len(t.expected)) {
		return false
	}
	key := s.Namespace + "/" + s.Name
	if _, known := t.expected[key]; !known && !t.knows(key) {
		t.expected[key] = expectation{s.Template, t.now().Add(expect)}
		t.counts[s.Template]++
	}
	return true
}

func (t *Tracker) knows(key string) bool {
	_, running := t.running[key]
	_, seen := t.seen[nameOf(key)]
	return running || seen
}

// leave takes back what enter has counted.
func (t *Tracker) leave(s bridge.Submission) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.drop(t.expected, s.Namespace+"/"+s.Name)
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

// Count returns how many Workflows are in flight of a template, and in all.
func (t *Tracker) Count(template bridge.Template) (ofTemplate, all int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.counts[template], len(t.running) + len(t.expected)
}

func (t *Tracker) added(o any) {
	m, ok := o.(*metav1.PartialObjectMetadata)
	if !ok {
		return
	}
	key, template := m.Namespace+"/"+m.Name, templateOf(m)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.drop(t.expected, key)
	t.see(key)
	if _, known := t.running[key]; !known {
		t.running[key] = template
		t.counts[template]++
	}
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
	t.drop(t.expected, key)
	if template, known := t.running[key]; known {
		delete(t.running, key)
		t.less(template)
	}
	t.mu.Unlock()
	t.freed()
}

func (t *Tracker) drop(expected map[string]expectation, key string) {
	if x, ok := expected[key]; ok {
		delete(expected, key)
		t.less(x.template)
	}
}

func (t *Tracker) less(template bridge.Template) {
	if t.counts[template]--; t.counts[template] <= 0 {
		delete(t.counts, template)
	}
}

func templateOf(m *metav1.PartialObjectMetadata) bridge.Template {
	if name := m.Labels[submit.LabelTemplate]; name != "" {
		return bridge.Template{Namespace: m.Namespace, Name: name}
	}
	return bridge.Template{Name: m.Labels[submit.LabelClusterTemplate]}
}

// forgetOld drops names that nobody asks for any more, and expectations that were not met.
func (t *Tracker) forgetOld(ctx context.Context) {
	tick := time.NewTicker(10 * time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			t.forget(t.now())
		}
	}
}

func (t *Tracker) forget(now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for key, x := range t.expected {
		if x.until.Before(now) {
			t.drop(t.expected, key)
		}
	}
	for n, at := range t.seen {
		if at < uint32(now.Add(-remember).Unix()) {
			delete(t.seen, n)
		}
	}
}
