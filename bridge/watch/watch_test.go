package watch

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic/fake"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// A listener keeps what it is told.
type listener struct {
	mu    sync.Mutex
	heard []string
	errs  []error
}

func (l *listener) Changed(_ context.Context, run bridge.Run) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.errs) > 0 {
		err := l.errs[0]
		l.errs = l.errs[1:]
		return err
	}
	l.heard = append(l.heard, run.Name+" "+run.Phase)
	return nil
}

func (l *listener) told() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]string{}, l.heard...)
}

// A mark is a watermark in memory.
type mark struct {
	mu sync.Mutex
	at time.Time
}

func (m *mark) Load(context.Context) (Mark, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return Mark{Since: m.at}, nil
}
func (m *mark) Save(_ context.Context, saved Mark) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.at = saved.Since
	return nil
}

func workflowObject(name, phase string, finished time.Time) *unstructured.Unstructured {
	o := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow",
		"metadata": map[string]any{
			"name": name, "namespace": "team", "uid": "uid-" + name,
			"labels": map[string]any{"workflows.argoproj.io/phase": phase, bridge.LabelRule: "nightly"},
		},
		"spec": map[string]any{
			"workflowTemplateRef": map[string]any{"name": "load"},
			"arguments":           map[string]any{"parameters": []any{map[string]any{"name": "n", "value": int64(3)}, map[string]any{"name": "unset"}}},
			"aFieldOfArgo5":       map[string]any{"x": []any{1.5}},
		},
		"status": map[string]any{"phase": phase, "startedAt": "2026-01-01T00:00:00Z"},
	}}
	if !finished.IsZero() {
		_ = unstructured.SetNestedField(o.Object, finished.UTC().Format(time.RFC3339), "status", "finishedAt")
	}
	return o
}

// run starts a watcher on a cluster with the objects and returns the cluster.
func run(t *testing.T, l *listener, m *mark, objects ...runtime.Object) *fake.FakeDynamicClient {
	t.Helper()
	client := fake.NewSimpleDynamicClientWithCustomListKinds(runtime.NewScheme(),
		map[schema.GroupVersionResource]string{gvr: "WorkflowList"}, objects...)
	ready := make(chan struct{})
	close(ready)
	w := New(Options{
		Client: client, Namespace: "team", Handler: l, Watermark: m, Ready: ready, Saw: func(string) {},
		Log: zaptest.NewLogger(t, zaptest.Level(zap.ErrorLevel)), Now: time.Now,
	})
	ctx, cancel := context.WithCancel(t.Context())
	var done sync.WaitGroup
	done.Go(func() { _ = w.Run(ctx) })
	t.Cleanup(func() { cancel(); done.Wait() })
	eventually(t, "the list is read", w.Synced)
	eventually(t, "the watch is open", func() bool {
		for _, a := range client.Actions() {
			if a.GetVerb() == "watch" {
				return true
			}
		}
		return false
	})
	return client
}

var gvr = schema.GroupVersionResource{Group: "argoproj.io", Version: "v1alpha1", Resource: "workflows"}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("never: " + what)
		}
	}
}

func hears(t *testing.T, l *listener, want ...string) {
	t.Helper()
	eventually(t, "the listener hears it", func() bool { return len(l.told()) >= len(want) })
	if diff := cmp.Diff(want, l.told()); diff != "" {
		t.Error(diff)
	}
}

func TestAfterAStartWhatEndedSinceTheWatermarkIsReportedInItsOrder(t *testing.T) {
	t.Parallel()
	now := time.Now()
	l, m := &listener{}, &mark{at: now.Add(-time.Hour)}
	run(t, l, m,
		workflowObject("long-ago", "Failed", now.Add(-2*time.Hour)),
		workflowObject("a-later", "Succeeded", now.Add(-time.Minute)),
		workflowObject("b-earlier", "Failed", now.Add(-2*time.Minute)))
	hears(t, l, "b-earlier Failed", "a-later Succeeded")
}

func TestRunsThatEndedBeforeTheFirstStartAreNobodysAlert(t *testing.T) {
	t.Parallel()
	l, m := &listener{}, &mark{}
	run(t, l, m, workflowObject("old", "Failed", time.Now().Add(-time.Minute)))
	if got := l.told(); len(got) != 0 {
		t.Errorf("reported %v", got)
	}
	if m.at.IsZero() {
		t.Error("the watermark was not saved")
	}
}

func TestEachChangeOfPhaseIsReportedOnceAndADeletionTellsTheLastState(t *testing.T) {
	t.Parallel()
	l, m := &listener{}, &mark{}
	client := run(t, l, m)
	workflows := client.Resource(gvr).Namespace("team")
	step := func(o *unstructured.Unstructured, create bool) {
		t.Helper()
		var err error
		if create {
			_, err = workflows.Create(t.Context(), o, metav1.CreateOptions{})
		} else {
			_, err = workflows.Update(t.Context(), o, metav1.UpdateOptions{})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	step(workflowObject("a", "Running", time.Time{}), true)
	step(workflowObject("a", "Running", time.Time{}), false)
	step(workflowObject("a", "Failed", time.Now()), false)
	step(workflowObject("a", "Failed", time.Now()), false)
	hears(t, l, "a Running", "a Failed")
	step(workflowObject("b", "Succeeded", time.Now()), true)
	if err := workflows.Delete(t.Context(), "b", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	hears(t, l, "a Running", "a Failed", "b Succeeded")
}

func TestAHandlerThatFailsIsAskedAgain(t *testing.T) {
	t.Parallel()
	l, m := &listener{errs: []error{errors.New("bus"), errors.New("bus")}}, &mark{at: time.Now().Add(-time.Hour)}
	run(t, l, m, workflowObject("a", "Failed", time.Now()))
	hears(t, l, "a Failed")
}

func TestARunIsReadFromFieldsThatAllVersionsOfArgoHave(t *testing.T) {
	t.Parallel()
	got, err := read(workflowObject("a", "Succeeded", time.Unix(1767225660, 0)))
	if err != nil {
		t.Fatal(err)
	}
	if got.Template != (bridge.Template{Namespace: "team", Name: "load"}) || got.Rule != "nightly" || got.Duration() != time.Minute {
		t.Errorf("%+v", got)
	}
	if diff := cmp.Diff([]bridge.Parameter{{Name: "n", Value: "3"}}, got.Parameters); diff != "" {
		t.Error(diff)
	}
}
