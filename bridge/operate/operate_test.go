package operate

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	wfv1 "github.com/argoproj/argo-workflows/v3/pkg/apis/workflow/v1alpha1"
	"github.com/argoproj/argo-workflows/v3/util/file"
	"github.com/argoproj/argo-workflows/v3/workflow/util"
	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/rest"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/kube"
)

// A server answers as the API server does for one Workflow; what a real one does, deploy/e2e tries.
type server struct {
	mu      sync.Mutex
	object  string
	answers []string // of the next writes: an error's status as JSON; empty: it takes it
	written []map[string]any
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	answer := s.object
	if r.Method != http.MethodGet {
		data, _ := io.ReadAll(r.Body)
		var body map[string]any
		_ = json.Unmarshal(data, &body)
		s.written, answer = append(s.written, body), "{}"
		if len(s.answers) > 0 {
			answer, s.answers = s.answers[0], s.answers[1:]
		}
	}
	var status metav1.Status
	switch err := json.Unmarshal([]byte(answer), &status); {
	case err == nil && status.Kind == "Status":
		w.WriteHeader(int(status.Code))
	case strings.HasPrefix(answer, "404 "):
		w.Header().Set("Content-Type", "text/plain")
		w.WriteHeader(http.StatusNotFound)
	}
	_, _ = io.WriteString(w, answer)
}

const conflict = `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Conflict","code":409}`

func newOperator(t testing.TB, object string, pods ...corev1.Pod) (*Operator, *server, *fake.Clientset) {
	t.Helper()
	s := &server{object: object}
	web := httptest.NewServer(s)
	t.Cleanup(web.Close)
	client, err := kube.Argo(&rest.Config{Host: web.URL})
	if err != nil {
		t.Fatal(err)
	}
	cluster := fake.NewClientset()
	for i := range pods {
		if err := cluster.Tracker().Add(&pods[i]); err != nil {
			t.Fatal(err)
		}
	}
	return New(client, cluster.CoreV1(), func() time.Time { return time.Unix(1_800_000_000, 0) }), s, cluster
}

// workflowIn is a Workflow whose status has more fields, and whose spec has one of a later Argo.
func workflowIn(status string) string {
	return `{"apiVersion":"argoproj.io/v1alpha1","kind":"Workflow",
		"metadata":{"name":"load-1","namespace":"team","uid":"u1","resourceVersion":"7","labels":{"workflows.argoproj.io/completed":"true"}},
		"spec":{"workflowTemplateRef":{"name":"load","later":true},"ofArgo5":{"x":1},"shutdown":"Stop"},
		"status":{"startedAt":"2026-01-01T08:00:00Z","finishedAt":"2026-01-01T08:01:00Z",` + status + `}}`
}

const (
	failedNodes = `{"load-1":{"id":"load-1","name":"load-1","displayName":"load-1","type":"Steps","phase":"Failed","children":["load-1-1"],"outboundNodes":["load-1-3"],"ofArgo5":1},
		"load-1-1":{"id":"load-1-1","name":"load-1[0]","displayName":"[0]","type":"StepGroup","boundaryID":"load-1","phase":"Failed","children":["load-1-2","load-1-3"]},
		"load-1-2":{"id":"load-1-2","name":"load-1[0].a","displayName":"a","type":"Pod","templateName":"t","boundaryID":"load-1","phase":"Succeeded","ofArgo5":2},
		"load-1-3":{"id":"load-1-3","name":"load-1[0].b","displayName":"b","type":"Pod","templateName":"t","boundaryID":"load-1","phase":"Failed"}}`
	waitingNodes = `{"load-1":{"id":"load-1","name":"load-1","type":"Steps","phase":"Running","children":["load-1-1"]},
		"load-1-1":{"id":"load-1-1","name":"load-1[0]","type":"Suspend","boundaryID":"load-1","phase":"Running","ofArgo5":1},
		"load-1-2":{"id":"load-1-2","name":"load-1[1]","type":"Pod","boundaryID":"load-1","phase":"Running"}}`
)

var run = bridge.RunID{Namespace: "team", Name: "load-1", UID: "u1"}

func TestAChangeWritesOnlyWhatIsDifferent(t *testing.T) {
	t.Parallel()
	o, s, _ := newOperator(t, workflowIn(`"phase":"Failed","nodes":`+failedNodes))
	if err := o.Retry(t.Context(), run, bridge.Stamp{ID: "i1", By: "anna"}); err != nil {
		t.Fatal(err)
	}
	if len(s.written) != 1 {
		t.Fatalf("%d writes", len(s.written))
	}
	patch := s.written[0]
	want := map[string]any{
		"resourceVersion": "7", "labels": map[string]any{"workflows.argoproj.io/completed": nil, "workflows.argoproj.io/phase": "Running"},
		"annotations": map[string]any{bridge.AnnotationRetried: "anna", bridge.AnnotationOrders: "i1"},
	}
	if diff := cmp.Diff(want, patch["metadata"]); diff != "" {
		t.Errorf("metadata: %s", diff)
	}
	if diff := cmp.Diff(map[string]any{"shutdown": nil}, patch["spec"]); diff != "" {
		t.Errorf("spec: %s", diff)
	}
	nodes := patch["status"].(map[string]any)["nodes"].(map[string]any)
	if diff := cmp.Diff([]string{"load-1", "load-1-1", "load-1-3"}, slices.Sorted(maps.Keys(nodes))); diff != "" || nodes["load-1-3"] != nil {
		t.Errorf("nodes: %v %s", nodes, diff)
	}
}

func TestWhatOthersChangeMeanwhileIsLookedAtAgain(t *testing.T) {
	t.Parallel()
	o, s, _ := newOperator(t, workflowIn(`"phase":"Running","nodes":`+waitingNodes))
	s.answers = []string{conflict, conflict}
	if err := o.Resume(t.Context(), run, "load-1-1", bridge.Stamp{ID: "i1", By: "anna"}, nil); err != nil || len(s.written) != 3 {
		t.Errorf("%d writes, %v", len(s.written), err)
	}
	s.answers = slices.Repeat([]string{conflict}, maxTries)
	if err := o.Reject(t.Context(), run, "load-1-1", bridge.Stamp{ID: "i2", By: "anna"}); err == nil || bridge.IsPermanent(err) {
		t.Errorf("a Workflow that never stands still: %v", err)
	}
}

func TestPackedStepsAreUnpackedAndThoseInADatabaseRefused(t *testing.T) {
	t.Parallel()
	packed := file.CompressEncodeString(waitingNodes)
	o, s, _ := newOperator(t, workflowIn(fmt.Sprintf(`"phase":"Running","compressedNodes":%q`, packed)))
	if err := o.Resume(t.Context(), run, "load-1-1", bridge.Stamp{ID: "i1", By: "anna"}, nil); err != nil {
		t.Fatal(err)
	}
	status := s.written[0]["status"].(map[string]any)
	if value, there := status["compressedNodes"]; !there || value != nil {
		t.Errorf("the packed steps stay: %v", status)
	}
	node := status["nodes"].(map[string]any)["load-1-1"].(map[string]any)
	if node["phase"] != "Succeeded" || node["message"] != "approved by anna" || node["finishedAt"] != "2027-01-15T08:00:00Z" {
		t.Errorf("%v", node)
	}
	o, _, _ = newOperator(t, workflowIn(`"phase":"Failed","offloadNodeStatusVersion":"fnv:1"`))
	for name, act := range map[string]func() error{
		"retry":  func() error { return o.Retry(t.Context(), run, bridge.Stamp{ID: "i1"}) },
		"resume": func() error { return o.Resume(t.Context(), run, "load-1-1", bridge.Stamp{ID: "i1", By: "anna"}, nil) },
	} {
		if err := act(); !bridge.IsPermanent(err) || !strings.Contains(err.Error(), "argo "+name+" -n team load-1") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestARetryDeletesThePodsOfTheAttemptThatHasEnded(t *testing.T) {
	t.Parallel()
	made := func(name, owner string, second int) corev1.Pod {
		controls := true
		return corev1.Pod{ObjectMeta: metav1.ObjectMeta{
			Namespace: "team", Name: name, UID: "p", Labels: map[string]string{"workflows.argoproj.io/workflow": "load-1"},
			CreationTimestamp: metav1.NewTime(time.Date(2026, 1, 1, 8, 0, second, 0, time.UTC)),
			OwnerReferences:   []metav1.OwnerReference{{Kind: "Workflow", Name: "load-1", UID: "u1", Controller: &controls}},
		}}
	}
	b := util.GeneratePodName("load-1", "load-1[0].b", "t", "load-1-3", util.PodNameV2)
	for name, c := range map[string]struct {
		pods []corev1.Pod
		left []string
	}{
		"the failed one, not those that succeeded": {[]corev1.Pod{made("load-1-t-2", "u1", 5), made(b, "u1", 5)}, []string{"load-1-t-2"}},
		"none that a later attempt has made":       {[]corev1.Pod{made(b, "u1", 600)}, []string{b}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o, _, cluster := newOperator(t, workflowIn(`"phase":"Failed","nodes":`+failedNodes), c.pods...)
			if err := o.Retry(t.Context(), run, bridge.Stamp{ID: "i1", By: "anna"}); err != nil {
				t.Fatal(err)
			}
			list, err := cluster.CoreV1().Pods("team").List(t.Context(), metav1.ListOptions{})
			if err != nil {
				t.Fatal(err)
			}
			var left []string
			for _, pod := range list.Items {
				left = append(left, pod.Name)
			}
			if diff := cmp.Diff(c.left, left); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestTheAnswersOfTheServerAreToldApart(t *testing.T) {
	t.Parallel()
	status := func(code int, reason, details string) string {
		return fmt.Sprintf(`{"kind":"Status","apiVersion":"v1","status":"Failure","message":"no","reason":%q,"code":%d,"details":{%s}}`, reason, code, details)
	}
	for name, c := range map[string]struct {
		answer             string
		permanent, refusal bool
	}{
		"the run is gone":               {status(404, "NotFound", `"name":"load-1"`), true, false},
		"a server that is starting":     {"404 page not found", false, false},
		"a right that is lacking":       {status(403, "Forbidden", ``), false, true},
		"a server that is in trouble":   {status(500, "InternalError", ``), false, false},
		"something that is no Workflow": {`{"kind":"Workflow","metadata":7}`, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o, _, _ := newOperator(t, c.answer)
			_, err := o.Find(t.Context(), "team", "load-1")
			if err == nil || bridge.IsPermanent(err) != c.permanent || bridge.IsRefusal(err) != c.refusal {
				t.Errorf("%v: permanent %v, refusal %v", err, bridge.IsPermanent(err), bridge.IsRefusal(err))
			}
		})
	}
}

func TestAResubmissionKeepsFieldsOfALaterArgo(t *testing.T) {
	t.Parallel()
	o, s, _ := newOperator(t, workflowIn(`"phase":"Failed"`))
	name, err := o.Resubmit(t.Context(), run, bridge.Stamp{ID: "i1", By: "anna"})
	if err != nil || len(s.written) != 1 {
		t.Fatal(err)
	}
	want := map[string]any{"workflowTemplateRef": map[string]any{"name": "load", "later": true}, "ofArgo5": map[string]any{"x": 1.0}}
	if diff := cmp.Diff(want, s.written[0]["spec"]); diff != "" {
		t.Error(diff)
	}
	if got := s.written[0]["metadata"].(map[string]any)["name"]; got != name || !strings.HasPrefix(name, "load-") || len(name) > bridge.MaxLabel {
		t.Errorf("name %v", got)
	}
	s.answers = []string{`{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"AlreadyExists","code":409}`}
	if again, err := o.Resubmit(t.Context(), run, bridge.Stamp{ID: "i1", By: "anna"}); err != nil || again != name {
		t.Errorf("again: %q, %v", again, err)
	}
}

func TestStepsThatDoNotBelongTogetherAreRefused(t *testing.T) {
	t.Parallel()
	node := func(id string, children ...string) wfv1.NodeStatus {
		return wfv1.NodeStatus{ID: id, Name: id, Type: wfv1.NodeTypePod, Phase: wfv1.NodeFailed, Children: children}
	}
	nodes := func(all ...wfv1.NodeStatus) wfv1.Nodes {
		m := wfv1.Nodes{}
		for _, n := range all {
			m[n.ID] = n
		}
		return m
	}
	layers := []wfv1.NodeStatus{node("load-1", "0a", "0b")}
	for i := range 40 {
		next := []string{fmt.Sprint(i+1, "a"), fmt.Sprint(i+1, "b")}
		if i == 39 {
			next = nil
		}
		layers = append(layers, node(fmt.Sprint(i, "a"), next...), node(fmt.Sprint(i, "b"), next...))
	}
	inside := node("x")
	inside.BoundaryID = "x"
	for name, all := range map[string]wfv1.Nodes{
		"a step after itself":         nodes(node("load-1", "a"), node("a", "b"), node("b", "a")),
		"a step that is missing":      nodes(node("load-1", "a")),
		"a step within itself":        nodes(node("load-1", "x"), inside),
		"a step under another name":   {"load-1": node("other")},
		"no root":                     nodes(node("a")),
		"more ways than one can walk": nodes(layers...),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wf := &wfv1.Workflow{ObjectMeta: metav1.ObjectMeta{Name: "load-1"}, Status: wfv1.WorkflowStatus{Phase: wfv1.WorkflowFailed, Nodes: all}}
			if _, _, err := formulate(t.Context(), wf); !bridge.IsPermanent(err) {
				t.Errorf("got %v", err)
			}
		})
	}
	deep := []wfv1.NodeStatus{node("load-1", "n0")}
	for i := range 5000 {
		deep = append(deep, node(fmt.Sprint("n", i), fmt.Sprint("n", i+1)))
	}
	if err := coherent(nodes(append(deep, node("n5000"))...)); err != nil {
		t.Errorf("a long run: %v", err)
	}
}

// A Workflow is written by many: people, controllers of other versions, other programs.
func FuzzActs(f *testing.F) {
	f.Add([]byte(workflowIn(`"phase":"Failed","nodes":`+failedNodes)), "load-1-3")
	f.Add([]byte(workflowIn(`"phase":"Running","nodes":`+waitingNodes)), "load-1-1")
	f.Add([]byte(workflowIn(`"phase":"Error","nodes":{"load-1":{"id":"load-1","name":"load-1","type":"Retry","phase":"Failed","children":["load-1"]}}`)), "load-1")
	f.Fuzz(func(t *testing.T, raw []byte, id string) {
		wf := &wfv1.Workflow{}
		if json.Unmarshal(raw, wf) != nil {
			return
		}
		d := document{raw, wf}
		if _, err := resubmission(context.Background(), d, bridge.Stamp{ID: "1"}); err != nil && strings.Contains(err.Error(), "panic") {
			t.Error(err)
		}
		if unpack(wf, "retry") != nil {
			return
		}
		if n, ok := wf.Status.Nodes[id]; ok {
			_ = supply(d, &n, []bridge.Parameter{{Name: "x", Value: "y"}})
		}
		if retryable(wf) == nil {
			_, _, _ = formulate(context.Background(), wf)
		}
	})
}
