package chaos

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/dynamic"

	"github.com/argo-bridge/argo-bridge/bridge"
)

const (
	labelTemplate = "workflows.argoproj.io/workflow-template"
	labelPhase    = "workflows.argoproj.io/phase"
)

// A run is one Workflow that was made at some time.
type run struct {
	uid, name, template, rule, group, phase string
	events                                  []string // one, or those of a batch
	deleted                                 bool
}

func (r run) going() bool { return !r.ended() && !r.deleted }

func (r run) ended() bool { return r.phase == "Succeeded" || r.phase == "Failed" || r.phase == "Error" }

// A recorder follows all Workflows of a namespace from before the first one is made, past the bridges' own
// way to the API server, and remembers each for ever. Safe for concurrent use.
type recorder struct {
	client dynamic.ResourceInterface

	mu       sync.Mutex
	runs     map[string]run // by uid
	crowding []string       // runs that were made beside too many of their group
}

func newRecorder(t testing.TB, client dynamic.ResourceInterface) *recorder {
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
	return all.GetResourceVersion(), nil
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
		if o, ok := e.Object.(*unstructured.Unstructured); ok {
			r.saw(o, e.Type == watch.Deleted)
			version = o.GetResourceVersion()
			if e.Type == watch.Added {
				r.count(string(o.GetUID()))
			}
		}
	}
	return version, nil
}

func (r *recorder) saw(o *unstructured.Unstructured, deleted bool) {
	labels, uid := o.GetLabels(), string(o.GetUID())
	r.mu.Lock()
	defer r.mu.Unlock()
	r.runs[uid] = run{
		uid: uid, name: o.GetName(), template: labels[labelTemplate], rule: labels[bridge.LabelRule],
		group: o.GetAnnotations()[bridge.AnnotationGroup], phase: labels[labelPhase], events: eventsOf(o),
		deleted: deleted || r.runs[uid].deleted,
	}
}

// eventsOf are the ids of the events that started a Workflow: a batch has them in a parameter.
func eventsOf(o *unstructured.Unstructured) (ids []string) {
	parameters, _, _ := unstructured.NestedSlice(o.Object, "spec", "arguments", "parameters")
	for _, p := range parameters {
		if m, ok := p.(map[string]any); ok && m["name"] == "ids" {
			_ = json.Unmarshal([]byte(fmt.Sprint(m["value"])), &ids)
			return ids
		}
	}
	return []string{o.GetAnnotations()[bridge.AnnotationEventID]}
}

// count notes a run that was just made while as many of its group were going as may. It is told in the order of the
// changes.
func (r *recorder) count(uid string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	made, beside := r.runs[uid], 0
	for _, one := range r.runs {
		if one.uid != uid && one.going() && one.template == made.template && one.group == made.group {
			beside++
		}
	}
	if made.group != "" && beside >= queueLimit {
		r.crowding = append(r.crowding, fmt.Sprintf("%s of group %s was made beside %d", made.name, made.group, beside))
	}
}

// crowded are the runs that were made beside too many.
func (r *recorder) crowded() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.crowding)
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
		if one.going() {
			n++
		}
	}
	return n
}
