package inflight

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/metadata/fake"
	clienttesting "k8s.io/client-go/testing"

	"github.com/argo-bridge/argo-bridge/bridge"
)

var gvr = schema.GroupVersionResource{Group: "argoproj.io", Version: "v1alpha1", Resource: "workflows"}

func workflow(name, template string) *metav1.PartialObjectMetadata {
	return &metav1.PartialObjectMetadata{
		TypeMeta: metav1.TypeMeta{APIVersion: "argoproj.io/v1alpha1", Kind: "Workflow"},
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "team", Labels: map[string]string{
			"workflows.argoproj.io/workflow-template": template, bridge.LabelEvent: bridge.Event{ID: name}.Hash(),
		}},
	}
}

func submission(name, template string) bridge.Submission {
	return bridge.Submission{
		Namespace: "team", Name: name, Template: bridge.Template{Namespace: "team", Name: template},
		Labels: map[string]string{bridge.LabelEvent: bridge.Event{ID: name}.Hash()},
	}
}

// follow follows a cluster that holds the objects.
func follow(t *testing.T, freed func(...string), objects ...runtime.Object) (*Tracker, *fake.FakeMetadataClient) {
	t.Helper()
	scheme := fake.NewTestScheme()
	if err := metav1.AddMetaToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	client := fake.NewSimpleMetadataClient(scheme, objects...)
	// The stand-in loses what happens between its list and its watch: wait for both.
	opened := make(chan struct{})
	var once sync.Once
	client.PrependWatchReactor("*", func(action clienttesting.Action) (bool, watch.Interface, error) {
		w, err := client.Tracker().Watch(action.GetResource(), action.GetNamespace())
		once.Do(func() { close(opened) })
		return true, w, err
	})
	tracker := New(client, "team", freed, time.Now)
	ctx, cancel := context.WithCancel(t.Context())
	var done sync.WaitGroup
	done.Go(func() { _ = tracker.Run(ctx) })
	t.Cleanup(func() { cancel(); done.Wait() })
	<-tracker.Synced()
	<-opened
	return tracker, client
}

func counted(tracker *Tracker, template string) [2]int {
	of, all := tracker.Count(bridge.Template{Namespace: "team", Name: template})
	return [2]int{of, all}
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("never: " + what)
		}
	}
}

func TestWhatIsInFlightIsCountedFromTheCluster(t *testing.T) {
	t.Parallel()
	var freed atomic.Int32
	tracker, client := follow(t, func(...string) { freed.Add(1) }, workflow("a-1", "a"), workflow("a-2", "a"), workflow("b-1", "b"))
	if got := counted(tracker, "a"); got != [2]int{2, 3} {
		t.Fatalf("a, all: %v, want 2, 3", got)
	}
	if err := client.Resource(gvr).Namespace("team").Delete(t.Context(), "a-1", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the run that is gone no longer counts", func() bool { return counted(tracker, "a") == [2]int{1, 2} })
	if freed.Load() != 1 {
		t.Errorf("told %d times that there is room, want once", freed.Load())
	}
	if !tracker.Seen("team/a-1") || tracker.Seen("team/a-9") {
		t.Error("a run that is gone is remembered, one that never was is not")
	}
}

func TestWhatWasJustMadeCountsBeforeTheWatchShowsItAndOnce(t *testing.T) {
	t.Parallel()
	tracker, client := follow(t, func(...string) {})
	gate := &Gate{Tracker: tracker, Limits: Limits{Workflows: Unlimited, WorkflowsPerTemplate: 2}.Defaults()}
	for _, name := range []string{"a-1", "a-2"} {
		if denial := gate.Enter(submission(name, "a"), true); denial != nil {
			t.Fatalf("%s: %s", name, denial.Detail)
		}
	}
	if denial := gate.Enter(submission("a-3", "a"), true); denial == nil || denial.Detail == "" {
		t.Fatal("the third of two was let in")
	}
	if denial := gate.Enter(submission("b-1", "b"), true); denial != nil {
		t.Error("another template was kept out")
	}
	resource := client.Resource(gvr).Namespace("team").(fake.MetadataClient)
	if _, err := resource.CreateFake(workflow("a-1", "a"), metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the watch has shown it", func() bool { return tracker.Seen("team/a-1") })
	if got := counted(tracker, "a"); got != [2]int{2, 3} {
		t.Errorf("a, all: %v, want 2, 3", got)
	}
	gate.Leave(submission("a-2", "a"))
	if denial := gate.Enter(submission("a-3", "a"), true); denial != nil {
		t.Errorf("after one could not be made: %s", denial.Detail)
	}
}

func TestTheLastPartOfALimitIsTheLeadersAlone(t *testing.T) {
	t.Parallel()
	tracker, _ := follow(t, func(...string) {})
	gate := &Gate{Tracker: tracker, Limits: Limits{Workflows: 3, WorkflowsPerTemplate: Unlimited}.Defaults(), Margin: 2}
	if denial := gate.Enter(submission("1", "a"), false); denial != nil {
		t.Error("the first was kept out")
	}
	if denial := gate.Enter(submission("2", "a"), false); denial == nil {
		t.Error("a replica that does not lead took of the margin")
	}
	for _, name := range []string{"2", "3"} {
		if denial := gate.Enter(submission(name, "a"), true); denial != nil {
			t.Errorf("the leader was kept out: %s", denial.Detail)
		}
	}
	if denial := gate.Enter(submission("4", "a"), true); denial == nil {
		t.Error("more than the limit")
	}
}

func TestAWorkflowThatNobodyEverShowsStopsCounting(t *testing.T) {
	t.Parallel()
	tracker, _ := follow(t, func(...string) {})
	gate := &Gate{Tracker: tracker, Limits: Limits{}.Defaults()}
	if denial := gate.Enter(submission("1", "a"), true); denial != nil {
		t.Fatal("kept out")
	}
	tracker.review(t.Context(), time.Now().Add(expect+time.Second))
	if got := counted(tracker, "a"); got != [2]int{0, 0} {
		t.Errorf("a, all: %v, want none", got)
	}
	tracker.See("team/gone")
	tracker.forget(time.Now().Add(remember + time.Minute))
	if tracker.Seen("team/gone") {
		t.Error("names are kept for ever")
	}
}

func TestBadLimitsAreNamed(t *testing.T) {
	t.Parallel()
	if err := (Limits{Workflows: -2}).Defaults().Validate(); err == nil {
		t.Error("-2 was taken")
	}
	if err := (Limits{Workflows: Unlimited}).Defaults().Validate(); err != nil {
		t.Error(err)
	}
}
