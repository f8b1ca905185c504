package workflowtemplates_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/workflowtemplates"
)

// write reports to a new Events, as a bridge that starts does, and returns what failed.
func write(t *testing.T, c *fake.Clientset, report func(e *workflowtemplates.Events)) (failed []string) {
	t.Helper()
	e := workflowtemplates.NewEvents(c, time.Now, func(ref bridge.Template, err error) { failed = append(failed, ref.String()+": "+err.Error()) })
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- e.Run(ctx) }()
	report(e)
	synctest.Wait()
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
	return failed
}

func list(t *testing.T, c *fake.Clientset) []corev1.Event {
	t.Helper()
	events, err := c.CoreV1().Events("").List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return events.Items
}

func TestFaultsBecomeOneEventHoweverOftenTheBridgeStarts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := fake.NewClientset()
		faulty := parse("on", "nonsense", "when", "(")
		for range 2 {
			failed := write(t, c, func(e *workflowtemplates.Events) { e.Faults(faulty.Ref, "uid", faulty.Faults) })
			if len(failed) > 0 {
				t.Error(failed)
			}
		}
		events := list(t, c)
		if len(events) != 1 {
			t.Fatalf("got %d events", len(events))
		}
		e := events[0]
		want := corev1.ObjectReference{APIVersion: "argoproj.io/v1alpha1", Kind: "WorkflowTemplate", Namespace: "team", Name: "t", UID: "uid"}
		if diff := cmp.Diff(want, e.InvolvedObject); diff != "" {
			t.Error(diff)
		}
		if e.Type != "Warning" || e.Reason != "BridgeFault" || e.Namespace != "team" {
			t.Errorf("got %s %s in %s", e.Type, e.Reason, e.Namespace)
		}
		if lines := strings.Split(e.Message, "\n"); len(lines) != 2 || !strings.HasPrefix(lines[0], "on: line 1: error: unknown event nonsense") {
			t.Errorf("got %q", e.Message)
		}

		other := parse("on", "nonsense")
		write(t, c, func(e *workflowtemplates.Events) { e.Faults(other.Ref, "uid", other.Faults) })
		if got := len(list(t, c)); got != 2 {
			t.Errorf("other faults: got %d events", got)
		}
	})
}

func TestFaultsThatAreGoneAreNoEvent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := fake.NewClientset()
		write(t, c, func(e *workflowtemplates.Events) { e.Faults(ref, "uid", nil) })
		if got := list(t, c); len(got) != 0 {
			t.Errorf("got %v", got)
		}
	})
}

func TestAnEventOfAClusterTemplateStandsInDefault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := fake.NewClientset()
		long := []workflowtemplates.Fault{{Key: "on", Line: 1, Severity: workflowtemplates.Error, Message: strings.Repeat("é", 2000)}}
		write(t, c, func(e *workflowtemplates.Events) { e.Faults(bridge.Template{Name: "c"}, "uid", long) })
		events := list(t, c)
		if len(events) != 1 || events[0].Namespace != "default" || events[0].InvolvedObject.Kind != "ClusterWorkflowTemplate" {
			t.Fatalf("got %+v", events)
		}
		if got := len(events[0].Message); got > 1024 {
			t.Errorf("the message has %d bytes", got)
		}
	})
}

func TestAnEventThatCannotBeWrittenIsReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := fake.NewClientset()
		c.PrependReactor("create", "events", func(clienttesting.Action) (bool, runtime.Object, error) {
			return true, nil, errors.New("forbidden")
		})
		faulty := parse("on", "nonsense")
		failed := write(t, c, func(e *workflowtemplates.Events) { e.Faults(faulty.Ref, "uid", faulty.Faults) })
		if diff := cmp.Diff([]string{"team/t: forbidden"}, failed); diff != "" {
			t.Error(diff)
		}
	})
}
