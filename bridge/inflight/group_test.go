package inflight

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/metadata/fake"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// grouped is a Workflow of the template a in a concurrency group, created at a second of the clock.
func grouped(name, group string, second int64) *metav1.PartialObjectMetadata {
	w := workflow(name, "a")
	w.Labels[bridge.LabelRule], w.Labels[bridge.LabelGroup] = "default", group
	w.CreationTimestamp = metav1.Unix(second, 0)
	return w
}

// byHand is a Workflow of the template a that a person has started.
func byHand(name string) *metav1.PartialObjectMetadata {
	w := workflow(name, "a")
	delete(w.Labels, bridge.LabelEvent)
	return w
}

func inGroup(name, group string, limit int) bridge.Submission {
	s := submission(name, "a")
	s.Labels[bridge.LabelRule], s.Labels[bridge.LabelGroup] = "default", group
	s.Bounds = []bridge.Bound{{
		Reason: bridge.ReasonConcurrency, Label: bridge.LabelGroup, Value: group, Limit: limit, Name: `group "` + group + `"`,
	}}
	return s
}

func ofRule(name string, limit int) bridge.Submission {
	s := submission(name, "a")
	s.Labels[bridge.LabelRule] = "default"
	s.Bounds = []bridge.Bound{{
		Reason: bridge.ReasonConcurrency, Label: bridge.LabelRule, Value: "default", Hand: true, Limit: limit, Name: "rule default",
	}}
	return s
}

func unlimited(tracker *Tracker) *Gate { return &Gate{Tracker: tracker, Limits: Limits{}.Defaults()} }

func TestAGroupIsCountedByItsLabel(t *testing.T) {
	t.Parallel()
	labelled := byHand("by-hand-in-main")
	labelled.Labels[bridge.LabelGroup] = "main"
	tracker, _ := follow(t, func(...string) {}, grouped("a-1", "main", 1), grouped("a-2", "dev", 2), byHand("by-hand"), labelled)
	gate := unlimited(tracker)
	if denial := gate.Enter(inGroup("a-3", "main", 3), true); denial != nil {
		t.Errorf("two of three are in flight: %s", denial.Detail)
	}
	denial := gate.Enter(inGroup("a-4", "main", 3), true)
	if denial == nil || denial.Reason != bridge.ReasonConcurrency {
		t.Fatalf("the fourth of three was let in: %+v", denial)
	}
	if want := `concurrency: 3 of at most 3 runs of the group "main" are in flight`; denial.Detail != want {
		t.Errorf("got %s, want %s", denial.Detail, want)
	}
	if denial := gate.Enter(inGroup("a-3", "main", 3), true); denial != nil {
		t.Errorf("one that has its place lost it: %s", denial.Detail)
	}
}

func TestARunByHandCountsForTheRuleThatIsItsOwnGroup(t *testing.T) {
	t.Parallel()
	tracker, client := follow(t, func(...string) {}, byHand("by-hand"))
	gate := unlimited(tracker)
	denial := gate.Enter(ofRule("a-1", 1), true)
	if denial == nil {
		t.Fatal("beside a run by hand")
	}
	if len(denial.Stop) != 0 {
		t.Errorf("it would stop a person's run: %v", denial.Stop)
	}
	if err := client.Resource(gvr).Namespace("team").Delete(t.Context(), "by-hand", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "there is room", func() bool { return gate.Enter(ofRule("a-1", 1), true) == nil })
}

func TestTheOldestRunsAreTheOnesToStop(t *testing.T) {
	t.Parallel()
	stopped := grouped("a-2", "main", 2)
	stopped.Annotations = map[string]string{bridge.AnnotationStopped: "a later one came"}
	tracker, _ := follow(t, func(...string) {}, grouped("a-3", "main", 3), grouped("a-1", "main", 1), stopped, grouped("b-1", "dev", 0))
	denial := unlimited(tracker).Enter(inGroup("a-4", "main", 1), true)
	if denial == nil {
		t.Fatal("let in beside three")
	}
	if diff := cmp.Diff([]string{"team/a-1", "team/a-3"}, denial.Stop); diff != "" {
		t.Error(diff)
	}
	denial = unlimited(tracker).Enter(inGroup("a-4", "main", 3), true)
	if diff := cmp.Diff([]string{"team/a-1"}, denial.Stop); diff != "" {
		t.Error(diff)
	}
}

func TestTheEndOfARunTellsWhatItFrees(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var told []string
	ordered := grouped("a-1", "main", 1)
	ordered.Labels[bridge.LabelOrder] = "key"
	tracker, client := follow(t, func(limits ...string) {
		mu.Lock()
		defer mu.Unlock()
		told = append(told, limits...)
	}, ordered)
	gate := unlimited(tracker)
	byOrder := submission("a-2", "a")
	byOrder.Bounds = []bridge.Bound{{Reason: bridge.ReasonOrdered, Label: bridge.LabelOrder, Value: "key", Limit: 1, Name: "key"}}
	for name, s := range map[string]bridge.Submission{"group": inGroup("a-2", "main", 1), "order": byOrder, "rule": ofRule("a-2", 1)} {
		denial := gate.Enter(s, true)
		if denial == nil || denial.On == "" {
			t.Fatalf("%s: %+v", name, denial)
		}
		defer func() {
			mu.Lock()
			defer mu.Unlock()
			if !slices.Contains(told, denial.On) {
				t.Errorf("who waits for the %s is not told: %q is not in %q", name, denial.On, told)
			}
		}()
	}
	if err := client.Resource(gvr).Namespace("team").Delete(t.Context(), "a-1", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the end is told", func() bool { mu.Lock(); defer mu.Unlock(); return len(told) > 0 })
}

func TestALimitPerNamespaceCountsTheBridgesOwn(t *testing.T) {
	t.Parallel()
	tracker, _ := follow(t, func(...string) {}, workflow("a-1", "a"), workflow("b-1", "b"), byHand("by-hand"))
	gate := &Gate{Tracker: tracker, Limits: Limits{WorkflowsPerNamespace: 3}.Defaults()}
	if denial := gate.Enter(submission("c-1", "c"), true); denial != nil {
		t.Fatal(denial.Detail)
	}
	if denial := gate.Enter(submission("c-2", "c"), true); denial == nil || denial.On == "" || denial.Reason != bridge.ReasonLimit {
		t.Errorf("the fourth of three: %+v", denial)
	}
}

func TestWhoBeginsToLeadCountsWhatTheOneBeforeHasMade(t *testing.T) {
	t.Parallel()
	tracker, _ := follow(t, func(...string) {})
	// A run that the watch has not shown: the tracker's own is on another client.
	scheme := fake.NewTestScheme()
	if err := metav1.AddMetaToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	tracker.client = fake.NewSimpleMetadataClient(scheme, grouped("a-1", "main", 1))
	if err := tracker.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	gate := unlimited(tracker)
	if denial := gate.Enter(inGroup("a-2", "main", 1), true); denial == nil {
		t.Error("what the leader before has made does not count")
	}
	// It stays as long as the API server says that it is there.
	tracker.review(t.Context(), time.Now().Add(2*expect))
	if denial := gate.Enter(inGroup("a-2", "main", 1), true); denial == nil {
		t.Error("what no watch has shown, but is there, does not count any more")
	}
}

func TestAPlaceThatIsGivenBackIsTold(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	told := 0
	tracker, _ := follow(t, func(...string) { mu.Lock(); told++; mu.Unlock() })
	gate := unlimited(tracker)
	s := inGroup("a-1", "main", 1)
	if denial := gate.Enter(s, true); denial != nil {
		t.Fatal(denial.Detail)
	}
	gate.Leave(s)
	gate.Leave(s)
	if told != 1 {
		t.Errorf("told %d times, want once", told)
	}
	if denial := gate.Enter(inGroup("a-2", "main", 1), true); denial != nil {
		t.Error(denial.Detail)
	}
}

func TestTheEndOfARunTellsWhichLimitsOfTheInstallItFrees(t *testing.T) {
	t.Parallel()
	freed := make(chan []string, 1)
	tracker, client := follow(t, func(limits ...string) { freed <- limits }, workflow("a-1", "a"))
	var on []string
	for _, l := range []Limits{{Workflows: 1}, {WorkflowsPerNamespace: 1}, {WorkflowsPerTemplate: 1}} {
		gate := &Gate{Tracker: tracker, Limits: l.Defaults()}
		denial := gate.Enter(submission("a-2", "a"), true)
		if denial == nil {
			t.Fatalf("%+v is not reached", l)
		}
		on = append(on, denial.On)
	}
	if err := client.Resource(gvr).Namespace("team").Delete(t.Context(), "a-1", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	told := <-freed
	for _, limit := range on {
		if !slices.Contains(told, limit) {
			t.Errorf("%q is not in %q", limit, told)
		}
	}
}

// The answer to the first request never came, so that the place is kept; then the author of the template changes the group.
func TestAPlaceThatIsKeptIsNoneInAnotherGroup(t *testing.T) {
	t.Parallel()
	tracker, _ := follow(t, func(...string) {}, grouped("a-1", "dev", 1))
	gate := unlimited(tracker)
	for range 2 {
		if denial := gate.Enter(inGroup("a-2", "main", 1), true); denial != nil {
			t.Fatal(denial.Detail)
		}
	}
	if denial := gate.Enter(inGroup("a-2", "dev", 1), true); denial == nil {
		t.Error("two runs in a group of one")
	}
	if denial := gate.Enter(inGroup("a-2", "other", 1), true); denial != nil {
		t.Error(denial.Detail)
	}
	if denial := gate.Enter(inGroup("a-3", "main", 1), true); denial != nil {
		t.Error("it counts in both groups: ", denial.Detail)
	}
}
