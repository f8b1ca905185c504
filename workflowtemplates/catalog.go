package workflowtemplates

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/tools/cache"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/match"
)

var (
	templateResource        = schema.GroupVersionResource{Group: "argoproj.io", Version: "v1alpha1", Resource: "workflowtemplates"}
	clusterTemplateResource = schema.GroupVersionResource{Group: "argoproj.io", Version: "v1alpha1", Resource: "clusterworkflowtemplates"}
)

// quiet is how long the catalog waits for further changes before it swaps the view, and patience how
// long a stream of changes can put the swap off.
const (
	quiet    = 50 * time.Millisecond
	patience = 500 * time.Millisecond
)

// A Reporter hears of the faults of templates that changed.
type Reporter interface {
	// Faults is called with all faults of a template (none: they are gone) after it was read. It is
	// called from one goroutine, which it must not hold up.
	Faults(t bridge.Template, uid string, faults []Fault)
}

// CatalogOptions say what a catalog follows.
type CatalogOptions struct {
	Client dynamic.Interface
	// Namespace is the one namespace to follow; "" for all.
	Namespace string
	// Cluster says whether to follow ClusterWorkflowTemplates, which needs rights in the cluster.
	Cluster  bool
	Language Language
	Access   match.Access
	// Reporter hears of faults; nil for none.
	Reporter Reporter
}

// A Catalog follows the templates of a cluster and holds the current [View].
type Catalog struct {
	options CatalogOptions
	view    atomic.Pointer[View]
	synced  chan struct{}
	wake    chan struct{}

	mu      sync.Mutex
	changed map[bridge.Template]*Input // what is to be read; nil for a template that is gone
}

// NewCatalog returns a catalog with an empty view; [Catalog.Run] fills it.
func NewCatalog(o CatalogOptions) *Catalog {
	c := &Catalog{
		options: o,
		synced:  make(chan struct{}),
		wake:    make(chan struct{}, 1),
		changed: map[bridge.Template]*Input{},
	}
	c.view.Store(NewView(nil, o.Access))
	return c
}

// View returns the current view. It is empty until Synced is closed, and never nil.
func (c *Catalog) View() *View { return c.view.Load() }

// Synced is closed once the view holds all templates that there were at the start.
func (c *Catalog) Synced() <-chan struct{} { return c.synced }

// Run follows the templates until ctx ends, and returns once all of its goroutines have.
func (c *Catalog) Run(ctx context.Context) error {
	factory := dynamicinformer.NewFilteredDynamicSharedInformerFactory(c.options.Client, 0, c.options.Namespace, nil)
	resources := []schema.GroupVersionResource{templateResource}
	if c.options.Cluster {
		resources = append(resources, clusterTemplateResource)
	}
	var synced []cache.InformerSynced
	for _, r := range resources {
		handler, err := c.follow(factory.ForResource(r).Informer())
		if err != nil {
			return fmt.Errorf("follow %s: %w", r.Resource, err)
		}
		synced = append(synced, handler.HasSynced)
	}
	ctx, stop := context.WithCancel(ctx)
	factory.Start(ctx.Done())
	defer factory.Shutdown()
	defer stop()
	if !cache.WaitForCacheSync(ctx.Done(), synced...) {
		return ended(ctx)
	}
	read := map[bridge.Template]*Template{}
	c.swap(read)
	close(c.synced)
	for c.waitForChanges(ctx) {
		c.swap(read)
	}
	return ended(ctx)
}

// ended is nil when somebody asked for the end.
func ended(ctx context.Context) error {
	if err := context.Cause(ctx); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

func (c *Catalog) follow(informer cache.SharedIndexInformer) (cache.ResourceEventHandlerRegistration, error) {
	if err := informer.SetTransform(slim); err != nil {
		return nil, err
	}
	return informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(object any) { c.note(object, false) },
		UpdateFunc: func(_, object any) { c.note(object, false) },
		DeleteFunc: func(object any) { c.note(object, true) },
	})
}

// note remembers that a template changed.
func (c *Catalog) note(object any, gone bool) {
	if tombstone, ok := object.(cache.DeletedFinalStateUnknown); ok {
		object = tombstone.Obj
	}
	u, ok := object.(*unstructured.Unstructured)
	if !ok {
		return
	}
	in := inputOf(u.Object)
	c.mu.Lock()
	c.changed[in.Ref] = &in
	if gone || !in.Speaks() {
		c.changed[in.Ref] = nil
	}
	c.mu.Unlock()
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// waitForChanges returns after a change and a quiet time; false when ctx ends.
func (c *Catalog) waitForChanges(ctx context.Context) bool {
	select {
	case <-ctx.Done():
		return false
	case <-c.wake:
	}
	limit := time.NewTimer(patience)
	defer limit.Stop()
	for {
		pause := time.NewTimer(quiet)
		select {
		case <-ctx.Done():
			pause.Stop()
			return false
		case <-limit.C:
			pause.Stop()
			return true
		case <-pause.C:
			return true
		case <-c.wake:
			pause.Stop()
		}
	}
}

// swap reads the templates that changed, and swaps the view if any did.
func (c *Catalog) swap(read map[bridge.Template]*Template) {
	c.mu.Lock()
	changed := c.changed
	c.changed = map[bridge.Template]*Input{}
	c.mu.Unlock()
	swap := false
	for ref, in := range changed {
		swap = c.read(read, ref, in) || swap
	}
	if !swap {
		return
	}
	templates := make([]*Template, 0, len(read))
	for _, t := range read {
		templates = append(templates, t)
	}
	c.view.Store(NewView(templates, c.options.Access))
}

// read compiles one template and says whether the view changes.
func (c *Catalog) read(read map[bridge.Template]*Template, ref bridge.Template, in *Input) bool {
	old, known := read[ref]
	if in == nil {
		delete(read, ref)
		return known
	}
	if known && old.of(*in) {
		return false
	}
	t := Parse(*in, c.options.Language)
	t.input = *in
	read[ref] = t
	hadFaults := known && len(old.Faults) > 0
	if c.options.Reporter != nil && (hadFaults || len(t.Faults) > 0) {
		c.options.Reporter.Faults(ref, t.UID, t.Faults)
	}
	return true
}
