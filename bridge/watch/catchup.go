package watch

import (
	"context"
	"time"

	"go.uber.org/zap"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// The API server sends what it remembers at once: a watch that is silent for idle has nothing more, and one
// that says nothing for patience never had.
const (
	idle     = 150 * time.Millisecond
	patience = 400 * time.Millisecond
)

// catchUp returns what happened since the mark was saved, by a watch from its resource version: so also runs
// that ended and were deleted while no bridge was there are told. The API server remembers the changes of
// some minutes; what is older, the list that follows knows, but for what was deleted.
func (w *Watcher) catchUp(ctx context.Context) (missed []bridge.Run) {
	if w.mark.Version == "" {
		w.begin(ctx)
		return nil
	}
	changes, err := w.client.Watch(ctx, metav1.ListOptions{LabelSelector: started, ResourceVersion: w.mark.Version})
	if err != nil {
		w.forgotten(err)
		return nil
	}
	defer changes.Stop()
	silence := time.NewTimer(patience)
	defer silence.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-silence.C:
			return missed
		case change, ok := <-changes.ResultChan():
			if !ok {
				return missed
			}
			if change.Type == watch.Error {
				w.forgotten(apierrors.FromObject(change.Object))
				return missed
			}
			missed = w.missed(missed, change)
			silence.Reset(idle)
		}
	}
}

// begin saves the first version of all, before anything is made that a restart would have to know of.
func (w *Watcher) begin(ctx context.Context) {
	page, err := w.client.List(ctx, metav1.ListOptions{LabelSelector: started, Limit: 1})
	if err == nil {
		w.mark.Version = page.GetResourceVersion()
		err = w.Watermark.Save(ctx, w.mark)
	}
	if err != nil && ctx.Err() == nil {
		w.Log.Warn("save the first watermark; the list that follows does", zap.Error(err))
	}
}

func (w *Watcher) missed(runs []bridge.Run, change watch.Event) []bridge.Run {
	o, ok := change.Object.(*unstructured.Unstructured)
	if !ok {
		return runs
	}
	if o.GetLabels()[bridge.LabelEvent] != "" {
		w.Saw(o.GetNamespace() + "/" + o.GetName())
	}
	if run, ok := w.read(o); ok && (change.Type != watch.Deleted || run.Completed()) {
		runs = append(runs, run)
	}
	return runs
}

func (w *Watcher) forgotten(err error) {
	w.Log.Warn("the API server no longer knows what happened while no bridge was there; "+
		"runs that ended and were deleted meanwhile are not reported", zap.Error(err))
}
