package chaos

import (
	"context"
	"sync"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/metadata"

	"github.com/argo-bridge/argo-bridge/bridge"
)

const (
	labelTemplate = "workflows.argoproj.io/workflow-template"
	labelPhase    = "workflows.argoproj.io/phase"
)

// A run is one Workflow that was made at some time.
type run struct {
	uid, name, template, rule, event, phase string
	deleted                                 bool
}

func (r run) ended() bool { return r.phase == "Succeeded" || r.phase == "Failed" || r.phase == "Error" }

// A recorder follows all Workflows of a namespace from before the first one is made, past the bridges' own
// way to the API server, and remembers each for ever. Safe for concurrent use.
type recorder struct {
	client metadata.ResourceInterface

	mu   sync.Mutex
	runs map[string]run // by uid
}

func newRecorder(t testing.TB, client metadata.ResourceInterface) *recorder {
	t.Helper()
	r := &recorder{client: client, runs: map[string]run{}}
	version, err := r.list(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	var following sync.WaitGroup
	following.Go(func() { r.follow(ctx, version) })
	t.Cleanup(func() { stop(); following.Wait() })
	return r
}

// follow watches from a version on. While the API server is away nothing is made, so that a watch that is
// taken up again, or a list where the server has forgotten the version, misses nothing.
func (r *recorder) follow(ctx context.Context, version string) {
	for ctx.Err() == nil {
		next, err := r.watch(ctx, version)
		if version = next; err == nil {
			continue
		}
		if apierrors.IsResourceExpired(err) || apierrors.IsGone(err) {
			if listed, err := r.list(ctx); err == nil {
				version = listed
				continue
			}
		}
		select {
		case <-ctx.Done():
		case <-time.After(200 * time.Millisecond):
		}
	}
}

func (r *recorder) list(ctx context.Context) (version string, err error) {
	all, err := r.client.List(ctx, metav1.ListOptions{})
	if err != nil {
		return "", err
	}
	for i := range all.Items {
		r.saw(&all.Items[i], false)
	}
	return all.ResourceVersion, nil
}

// watch returns the version from which to go on when the watch ends.
func (r *recorder) watch(ctx context.Context, version string) (string, error) {
	w, err := r.client.Watch(ctx, metav1.ListOptions{ResourceVersion: version})
	if err != nil {
		return version, err
	}
	defer w.Stop()
	for e := range w.ResultChan() {
		if e.Type == watch.Error {
			return version, apierrors.FromObject(e.Object)
		}
		if o, ok := e.Object.(*metav1.PartialObjectMetadata); ok {
			r.saw(o, e.Type == watch.Deleted)
			version = o.ResourceVersion
		}
	}
	return version, nil
}

func (r *recorder) saw(o *metav1.PartialObjectMetadata, deleted bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.runs[string(o.UID)] = run{
		uid: string(o.UID), name: o.Name, template: o.Labels[labelTemplate], rule: o.Labels[bridge.LabelRule],
		event: o.Annotations[bridge.AnnotationEventID], phase: o.Labels[labelPhase],
		deleted: deleted || r.runs[string(o.UID)].deleted,
	}
}

// all are the runs so far.
func (r *recorder) all() []run {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := make([]run, 0, len(r.runs))
	for _, one := range r.runs {
		all = append(all, one)
	}
	return all
}

// going is how many runs have not ended.
func (r *recorder) going() (n int) {
	for _, one := range r.all() {
		if !one.ended() && !one.deleted {
			n++
		}
	}
	return n
}
