package watch

import (
	"context"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// pageSize bounds the Workflows in memory while a list is read; one may be a megabyte.
const pageSize = 50

// A pager is the reflector's view of the API server: a list that reports as it goes, and a watch.
type pager struct {
	*Watcher
	ctx context.Context // of Run; the reflector's interface has no other way
}

// List reads all Workflows page by page, reports those that are new, oldest end first, and returns an
// empty list with the version from which to watch.
func (p *pager) List(metav1.ListOptions) (runtime.Object, error) {
	var fresh []bridge.Run
	options := metav1.ListOptions{LabelSelector: started, Limit: pageSize}
	for {
		page, err := p.client.List(p.ctx, options)
		if err != nil {
			return nil, err
		}
		for i := range page.Items {
			if run, ok := p.read(&page.Items[i]); ok && p.fresh(run) {
				fresh = append(fresh, run)
			}
		}
		if options.Continue = page.GetContinue(); options.Continue == "" {
			slices.SortStableFunc(fresh, func(a, b bridge.Run) int { return a.Finished.Compare(b.Finished) })
			for _, run := range fresh {
				p.report(p.ctx, run)
			}
			p.save(p.ctx, page.GetResourceVersion())
			p.setSynced()
			empty := &unstructured.UnstructuredList{Object: map[string]any{"kind": "WorkflowList", "apiVersion": "argoproj.io/v1alpha1"}}
			empty.SetResourceVersion(page.GetResourceVersion())
			return empty, nil
		}
	}
}

// Watch follows the changes from the list's version on.
func (p *pager) Watch(options metav1.ListOptions) (watch.Interface, error) {
	options.LabelSelector = started
	return p.client.Watch(p.ctx, options)
}

// fresh says whether a listed run may not have been reported: it goes on, or ended after the watermark.
func (w *Watcher) fresh(run bridge.Run) bool {
	return !w.known(run) && (!run.Completed() || !run.Finished.Before(w.mark.Since))
}

func (w *Watcher) setSynced() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.synced = true
}
