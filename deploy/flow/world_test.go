package flow

import (
	"context"
	"fmt"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"

	"golang.org/x/sync/errgroup"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// A world is everything around the schedules.
type world struct {
	workflows  dynamic.ResourceInterface
	bus        *testBus
	recorder   *recorder
	controller *controller
	ledger     *ledgerView
	restarts   *restarts
}

// newWorld starts a world that has the templates of the schedules, and returns when its bridges are ready. What
// ends it early is told to failed.
func newWorld(t testing.TB, bridges int, schedules []schedule, failed func(error)) *world {
	t.Helper()
	c := needCluster(t)
	namespace, err := c.newNamespace(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	w := &world{workflows: c.dynamic.Resource(workflowsGVR).Namespace(namespace), bus: newBus(t)}
	if err := apply(t.Context(), c.dynamic.Resource(templatesGVR).Namespace(namespace), schedules); err != nil {
		t.Fatal(err)
	}
	w.controller = &controller{workflows: w.workflows, stopped: make(chan string, 1<<14), failed: failed}
	if w.recorder, err = record(t.Context(), w.workflows, w.controller.see); err != nil {
		t.Fatal(err)
	}
	w.controller.run(t.Context())
	w.restarts = &restarts{asked: make(chan step)}
	for i := range bridges {
		b := newReplica(t, fmt.Sprintf("bridge-%d", i), bridgeSettings{Kubeconfig: c.kubeconfig, Namespace: namespace, Bus: w.bus.url})
		if err := b.start(); err != nil {
			t.Fatal(err)
		}
		if err := until(t.Context(), 2*time.Minute, b.name+" is ready", b.ready); err != nil {
			t.Fatal(err)
		}
		w.restarts.bridges = append(w.restarts.bridges, b)
	}
	if w.ledger, err = w.bus.follow(t.Context()); err != nil {
		t.Fatal(err)
	}
	return w
}

// apply creates the templates.
func apply(ctx context.Context, templates dynamic.ResourceInterface, schedules []schedule) error {
	creating, ctx := errgroup.WithContext(ctx)
	creating.SetLimit(8)
	for _, s := range schedules {
		creating.Go(func() error {
			_, err := templates.Create(ctx, &unstructured.Unstructured{Object: s.manifest()}, metav1.CreateOptions{})
			return err
		})
	}
	return creating.Wait()
}

// outcome is what is known of a trial.
func (x *trial) outcome() outcome {
	o := outcome{schedule: x.schedule, events: x.events, changes: x.recorder.changes(x.template())}
	o.results = map[string]bridge.Result{}
	for _, e := range x.events {
		if r, ok := x.ledger.result(e.hash); ok {
			o.results[e.hash] = r
		}
	}
	return o
}
