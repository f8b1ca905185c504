package logs

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// A cluster answers as the API server does to who lists pods by label, page by page, and reads their logs.
type cluster struct {
	pods      []corev1.Pod
	logs      map[string]string // by pod/container
	forbidden string            // pods or log
	pageSize  int

	mu    sync.Mutex
	calls []string
}

func (c *cluster) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls = append(c.calls, r.URL.Path)
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/") // api v1 namespaces team pods [name log]
	switch {
	case c.forbidden != "" && parts[len(parts)-1] == c.forbidden:
		c.refuse(w, http.StatusForbidden, metav1.StatusReasonForbidden)
	case len(parts) == 5:
		c.list(w, r, parts[3])
	default:
		c.log(w, r, parts[5])
	}
}

func (c *cluster) list(w http.ResponseWriter, r *http.Request, namespace string) {
	var list corev1.PodList
	list.Kind, list.APIVersion = "PodList", "v1"
	offset, _ := strconv.Atoi(r.URL.Query().Get("continue"))
	for i, pod := range c.pods[offset:] {
		if len(list.Items) == c.pageSize {
			list.Continue = strconv.Itoa(offset + i)
			break
		}
		if pod.Namespace == namespace && r.URL.Query().Get("labelSelector") == labelWorkflow+"="+pod.Labels[labelWorkflow] {
			list.Items = append(list.Items, pod)
		}
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(list)
}

func (c *cluster) log(w http.ResponseWriter, r *http.Request, pod string) {
	text, ok := c.logs[pod+"/"+r.URL.Query().Get("container")]
	if !ok {
		c.refuse(w, http.StatusNotFound, metav1.StatusReasonNotFound)
		return
	}
	lines := strings.SplitAfter(text, "\n")
	tail, _ := strconv.Atoi(r.URL.Query().Get("tailLines"))
	_, _ = fmt.Fprint(w, strings.Join(lines[max(0, len(lines)-tail-1):], ""))
}

func (c *cluster) refuse(w http.ResponseWriter, code int32, reason metav1.StatusReason) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(int(code))
	_ = json.NewEncoder(w).Encode(metav1.Status{
		TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}, Status: metav1.StatusFailure, Code: code, Reason: reason,
	})
}

// add puts a pod of the run there that has run a node.
func (c *cluster) add(name, node string, uid types.UID, containers ...string) {
	pod := corev1.Pod{ObjectMeta: metav1.ObjectMeta{
		Namespace: "team", Name: name, Labels: map[string]string{labelWorkflow: "wf"}, Annotations: map[string]string{annotationNode: node},
		OwnerReferences: []metav1.OwnerReference{{UID: uid}},
	}}
	for _, container := range append(containers, "wait") {
		pod.Spec.Containers = append(pod.Spec.Containers, corev1.Container{Name: container})
	}
	c.pods = append(c.pods, pod)
}

func newTailer(t *testing.T, c *cluster) (*Tailer, *observer.ObservedLogs) {
	t.Helper()
	server := httptest.NewServer(c)
	t.Cleanup(server.Close)
	client, err := kubernetes.NewForConfig(&rest.Config{Host: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	core, told := observer.New(zapcore.WarnLevel)
	return &Tailer{Pods: client.CoreV1(), Log: zap.New(core)}, told
}

func failedRun(nodes ...string) bridge.Run {
	run := bridge.Run{Namespace: "team", Name: "wf", UID: "u1", Phase: "Failed"}
	for _, node := range nodes {
		run.Failures = append(run.Failures, bridge.Failure{Path: "build / " + node, Node: node, Phase: "Failed"})
	}
	return run
}

func logsOf(run bridge.Run) (all [][]string) {
	for _, f := range run.Failures {
		all = append(all, f.Log)
	}
	return all
}

func TestTheFirstFailuresGetWhatTheirStepsWroteLast(t *testing.T) {
	t.Parallel()
	c := &cluster{pageSize: 2, logs: map[string]string{
		"p-old/main": "of an earlier Workflow\n", "p-a/main": "one\npassword=abc\n", "p-set/unpack": "from the container\n",
		"p-d/main": "the fourth\n",
	}}
	c.add("p-other", "x", "u1", "main")
	c.add("p-old", "a", "u0", "main")
	c.add("p-a", "a", "u1", "main")
	c.add("p-set", "unpack", "u1", "fetch", "unpack")
	c.add("p-d", "d", "u1", "main")
	tailer, told := newTailer(t, c)
	run := failedRun("a", "gone", "unpack", "d")
	n := bridge.Notification{Run: run}
	tailer.Complete(t.Context(), &n)
	want := [][]string{{"one", "password=***"}, nil, {"from the container"}, nil}
	if diff := cmp.Diff(want, logsOf(n.Run)); diff != "" {
		t.Error(diff)
	}
	if run.Failures[0].Log != nil {
		t.Error("the run that was given has changed")
	}
	if told.Len() != 0 {
		t.Errorf("told: %v", told.All())
	}
}

func TestARightThatIsMissingIsToldOnce(t *testing.T) {
	t.Parallel()
	for resource, right := range map[string]string{"pods": "list pods", "log": "get pods/log"} {
		c := &cluster{pageSize: 9, forbidden: resource}
		c.add("p", "a", "u1", "main")
		tailer, told := newTailer(t, c)
		for range 3 {
			if got := tailer.Tail(t.Context(), failedRun("a")); got.Failures[0].Log != nil {
				t.Errorf("%s: got %q", resource, got.Failures[0].Log)
			}
		}
		if told.Len() != 1 || !strings.Contains(told.All()[0].Message, right) {
			t.Errorf("%s: told %v", resource, told.All())
		}
	}
}

func TestARunWithoutFailuresAsksForNothing(t *testing.T) {
	t.Parallel()
	c := &cluster{}
	tailer, _ := newTailer(t, c)
	tailer.Tail(t.Context(), failedRun())
	tailer.Tail(t.Context(), bridge.Run{Failures: []bridge.Failure{{Path: "a step of which no node is known"}}})
	if len(c.calls) != 0 {
		t.Errorf("asked for %v", c.calls)
	}
}

func TestWhatIsShownHasBounds(t *testing.T) {
	t.Parallel()
	numbered := strings.Builder{}
	for i := range 1000 {
		fmt.Fprintf(&numbered, "line %d\n", i)
	}
	wide := strings.Repeat(strings.Repeat("ü", 500)+"\n", 10)
	cases := map[string]struct {
		text        string
		lines       int
		first, last string
	}{
		"the last lines":                 {numbered.String(), maxLines, "line 980", "line 999"},
		"as many as fit":                 {wide, 4, strings.Repeat("ü", 500), strings.Repeat("ü", 500)},
		"of a long line the end":         {"x" + strings.Repeat("ü", 3000), 1, "…" + strings.Repeat("ü", 2046), "…" + strings.Repeat("ü", 2046)},
		"nothing":                        {"\n\n", 0, "", ""},
		"not half of a word":             {strings.Repeat("ghp", readBytes), 0, "", ""},
		"not half of a line":             {strings.Repeat("a", readBytes) + "\nb\n", 1, "b", "b"},
		"a long line from a word":        {strings.Repeat("a", readBytes) + " b", 1, "b", "b"},
		"a key that began far above":     {"a\n" + strings.Repeat(strings.Repeat("A", 64)+"\n", 190) + "-----END RSA PRIVATE " + "KEY-----" + "\nafter\n", 3, "a", "after"},
		"empty lines at the end are cut": {"a\n\n\n", 1, "a", "a"},
	}
	for name, tt := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := &cluster{pageSize: 9, logs: map[string]string{"p/main": tt.text}}
			c.add("p", "a", "u1", "main")
			tailer, _ := newTailer(t, c)
			got := tailer.Tail(t.Context(), failedRun("a")).Failures[0].Log
			if len(got) != tt.lines || len(got) > 0 && (got[0] != tt.first || got[len(got)-1] != tt.last) {
				t.Errorf("%d lines: %.100q", len(got), got)
			}
			if size := len(strings.Join(got, "\n")); size > maxBytes {
				t.Errorf("%d bytes", size)
			}
		})
	}
}
