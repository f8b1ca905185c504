package e2e

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/argo-bridge/argo-bridge/adapters/github"
)

// The measurements of docs/performance.md. Each runs its own cluster with the workflow-controller stopped,
// and reports ratios of figures from the same run: the machine is shared.
const (
	burstSize   = 2000
	concurrency = 32
	bodySize    = 8500
)

// A bench is a cluster without controller, a bridge and its clients.
type bench struct {
	*testing.B
	c    *cluster
	ns   string
	p    *proc
	http *http.Client
	next atomic.Int64
}

func newBench(b *testing.B, templates int) *bench {
	b.Helper()
	c := own(b)
	c.component(b, "stop", "controller")
	ns := c.newNamespace(b)
	x := &bench{B: b, c: c, ns: ns, http: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: concurrency}}}
	x.addTemplates(templates)
	x.p = newBridge(b, setup{cluster: c, namespace: ns, config: "log: {level: warn}\nlimits: {workflows: -1, workflowsPerTemplate: -1}\n"})
	config := strings.Replace(readFile(b, x.p.dir+"/config.yaml"), "log: {level: debug}\n", "", 1)
	write(b, x.p.dir, "config.yaml", config)
	x.p.startReady()
	return x
}

func readFile(b testing.TB, path string) string {
	b.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		b.Fatal(err)
	}
	return string(data)
}

// addTemplates makes the template of acme/app and n-1 others that an event never starts.
func (x *bench) addTemplates(n int) {
	x.c.apply(x, x.ns, pushTemplate)
	var makers sync.WaitGroup
	numbers := make(chan int)
	for range concurrency {
		makers.Go(func() {
			for i := range numbers {
				m := strings.NewReplacer("name: on-push", fmt.Sprintf("name: other-%d", i), "acme/app", fmt.Sprintf("acme/other-%d", i)).Replace(pushTemplate)
				x.c.apply(x, x.ns, m)
			}
		})
	}
	for i := 1; i < n; i++ {
		numbers <- i
	}
	close(numbers)
	makers.Wait()
}

// body is a push of 8.5 KB with a commit of its own.
func (x *bench) body(repository string) (delivery string, body []byte) {
	id := int(x.next.Add(1))
	raw := bytes.ReplaceAll(push(x, id, 0), []byte("acme/app"), []byte(repository))
	return fmt.Sprint("bench-", id), padded(raw, id)
}

// padded adds commits to a push until it has the size that pushes usually have.
func padded(raw []byte, id int) []byte {
	commit := fmt.Sprintf(`{"id":"%040d","message":"a line of some length about the change","added":["src/one.go"],"removed":[],"modified":["src/two.go","docs/three.md"]},`, id)
	pad := strings.Repeat(commit, max(0, bodySize-len(raw))/len(commit))
	return bytes.Replace(raw, []byte(`"commits":[`), []byte(`"commits":[`+pad), 1)
}

// requests are n signed pushes, made before the time is taken.
func (x *bench) requests(repository string, n int) <-chan *http.Request {
	made := make(chan *http.Request, n)
	for range n {
		made <- x.request(repository)
	}
	return made
}

func (x *bench) request(repository string) *http.Request {
	delivery, body := x.body(repository)
	request, err := http.NewRequest(http.MethodPost, "http://"+x.p.address+"/webhooks/github", bytes.NewReader(body))
	if err != nil {
		x.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("X-GitHub-Event", "push")
	request.Header.Set("X-GitHub-Delivery", delivery)
	request.Header.Set("X-Hub-Signature-256", github.Sign(githubSecret, body))
	return request
}

// post sends a request and returns how long the answer took.
func (x *bench) post(request *http.Request) time.Duration {
	began := time.Now()
	response, err := x.http.Do(request)
	if err != nil {
		x.Error(err)
		return 0
	}
	_, _ = io.Copy(io.Discard, response.Body)
	response.Body.Close()
	if response.StatusCode != http.StatusAccepted {
		x.Errorf("status %d", response.StatusCode)
	}
	return time.Since(began)
}

// create makes a Workflow as a plain client does, of the same shape as the bridge's.
func (x *bench) create() string {
	id := x.next.Add(1)
	o := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow",
		"metadata": map[string]any{
			"name": fmt.Sprintf("plain-%d", id), "namespace": x.ns,
			"labels": map[string]any{
				"bridge.argoproj.io/source": "github", "bridge.argoproj.io/event-type": "com.github.push",
				"bridge.argoproj.io/rule": "default", "bridge.argoproj.io/event": fmt.Sprintf("%032d", id),
				"workflows.argoproj.io/workflow-template": "on-push",
			},
			"annotations": map[string]any{
				"bridge.argoproj.io/event-id": fmt.Sprintf("bench-%d", id), "bridge.argoproj.io/event-type": "com.github.push",
				"bridge.argoproj.io/event-source": "https://github.com/acme/app", "bridge.argoproj.io/event-subject": "refs/heads/main",
				"bridge.argoproj.io/event-title": "push to acme/app main: code 0", "bridge.argoproj.io/actor": "mona",
				"bridge.argoproj.io/event-url":      "https://github.com/acme/app/commit/0000000000000000000000000000000000000000",
				"workflows.argoproj.io/title":       "push to acme/app main: code 0",
				"workflows.argoproj.io/description": "Started by the rule `default` for `github.push`",
			},
		},
		"spec": map[string]any{
			"workflowTemplateRef": map[string]any{"name": "on-push"},
			"arguments": map[string]any{"parameters": []any{
				map[string]any{"name": "id", "value": fmt.Sprintf("%040d", id)}, map[string]any{"name": "code", "value": "0"},
			}},
		},
	}}
	if _, err := x.c.workflowsOf(x.ns).Create(context.Background(), o, metav1.CreateOptions{}); err != nil {
		x.Error(err)
	}
	return o.GetName()
}

// each runs do n times by 32 workers and returns the times that do returned.
func each(n int, do func() time.Duration) []time.Duration {
	times := make([]time.Duration, n)
	var index atomic.Int64
	var workers sync.WaitGroup
	for range concurrency {
		workers.Go(func() {
			for i := int(index.Add(1)) - 1; i < n; i = int(index.Add(1)) - 1 {
				times[i] = do()
			}
		})
	}
	workers.Wait()
	return times
}

// plainRate is Workflows per second by a plain client with 32 workers.
func (x *bench) plainRate(n int) float64 {
	began := time.Now()
	each(n, func() time.Duration { x.create(); return 0 })
	return float64(n) / time.Since(began).Seconds()
}

// bridgeRate is Workflows per second from the first POST to the last Workflow.
func (x *bench) bridgeRate(n int) float64 {
	requests, before := x.requests("acme/app", n), x.submitted()
	began := time.Now()
	each(n, func() time.Duration { return x.post(<-requests) })
	eventually(x, "all are submitted", func() error {
		if got := x.submitted() - before; got < n {
			return fmt.Errorf("%d of %d", got, n)
		}
		return nil
	})
	return float64(n) / time.Since(began).Seconds()
}

func (x *bench) submitted() int {
	n, err := strconv.ParseFloat(x.p.metric(`argo_bridge_workflows_submitted_total{source="github"}`), 64)
	if err != nil {
		x.Fatal(err)
	}
	return int(n)
}

// resident is the bridge's memory in MiB.
func (x *bench) resident() float64 {
	status := readFile(x, fmt.Sprintf("/proc/%d/status", x.p.cmd.Process.Pid))
	for line := range strings.Lines(status) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kib, _ := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			return kib / 1024
		}
	}
	return 0
}

// compare measures plain client and bridge in turns, and reports both and their ratio.
func (x *bench) compare(rounds int) {
	var plain, bridge float64
	x.plainRate(200)
	x.bridgeRate(200)
	for range rounds {
		plain += x.plainRate(burstSize) / float64(rounds)
		bridge += x.bridgeRate(burstSize) / float64(rounds)
	}
	x.ReportMetric(plain, "plain/s")
	x.ReportMetric(bridge, "bridge/s")
	x.ReportMetric(bridge/plain, "bridge/plain")
	x.ReportMetric(0, "ns/op")
}

func BenchmarkPushesToWorkflows(b *testing.B) {
	for _, templates := range []int{1, 50, 10000} {
		b.Run(fmt.Sprintf("templates=%d", templates), func(b *testing.B) {
			x := newBench(b, templates)
			for range b.N {
				x.compare(3)
			}
			x.ReportMetric(x.resident(), "MiB")
		})
	}
}

func BenchmarkMemory(b *testing.B) {
	x := newBench(b, 100)
	for range b.N {
		time.Sleep(20 * time.Second) // idle
		x.ReportMetric(x.resident(), "MiB-idle")
		highest := 0.0
		for range 3 {
			x.bridgeRate(burstSize)
			highest = max(highest, x.resident())
		}
		x.ReportMetric(highest, "MiB-loaded")
		x.ReportMetric(0, "ns/op")
	}
}

func BenchmarkIngest(b *testing.B) {
	x := newBench(b, 1)
	for range b.N {
		requests := x.requests("acme/nobody", 11000)
		each(1000, func() time.Duration { return x.post(<-requests) })
		began := time.Now()
		times := each(10000, func() time.Duration { return x.post(<-requests) })
		rate := float64(len(times)) / time.Since(began).Seconds()
		slices.Sort(times)
		x.ReportMetric(rate, "events/s")
		x.ReportMetric(ms(times, 0.5), "ms-p50")
		x.ReportMetric(ms(times, 0.99), "ms-p99")
		x.ReportMetric(0, "ns/op")
	}
}

// BenchmarkLatency sends five events a second and, between them, creates five Workflows a second; a watch
// says when each is there.
func BenchmarkLatency(b *testing.B) {
	x := newBench(b, 1)
	seen := x.watch()
	for range b.N {
		var plain, bridge []time.Duration
		tick := time.NewTicker(100 * time.Millisecond)
		for i := range 400 {
			<-tick.C
			request := x.request("acme/app")
			began := time.Now()
			if i%2 == 0 {
				x.create()
				plain = append(plain, (<-seen).Sub(began))
			} else {
				x.post(request)
				bridge = append(bridge, (<-seen).Sub(began))
			}
		}
		tick.Stop()
		slices.Sort(plain)
		slices.Sort(bridge)
		x.ReportMetric(ms(plain, 0.5), "plain-ms-p50")
		x.ReportMetric(ms(bridge, 0.5), "bridge-ms-p50")
		x.ReportMetric(ms(plain, 0.99), "plain-ms-p99")
		x.ReportMetric(ms(bridge, 0.99), "bridge-ms-p99")
		x.ReportMetric(0, "ns/op")
	}
}

// watch tells when each new Workflow is seen.
func (x *bench) watch() <-chan time.Time { return x.watchOnly("") }

// watchOnly tells when each new Workflow is seen that has the labels.
func (x *bench) watchOnly(labels string) <-chan time.Time {
	w, err := x.c.workflowsOf(x.ns).Watch(x.Context(), metav1.ListOptions{LabelSelector: labels})
	if err != nil {
		x.Fatal(err)
	}
	x.Cleanup(w.Stop)
	seen := make(chan time.Time, 16)
	go func() {
		for e := range w.ResultChan() {
			if e.Type == "ADDED" {
				seen <- time.Now()
			}
		}
	}()
	return seen
}

func ms(sorted []time.Duration, quantile float64) float64 {
	return float64(sorted[int(float64(len(sorted)-1)*quantile)].Microseconds()) / 1000
}
