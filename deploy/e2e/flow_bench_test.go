package e2e

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// flowTemplates wait: the runs never end, since there is no controller.
var flowTemplates = []string{
	flowTemplate("in-order", "acme/ordered", `ordered: github.sha[38:]`), // a hundred keys
	flowTemplate("at-a-rate", "acme/rated", `rate: 10/s`),
	flowTemplate("in-a-group", "acme/grouped", `concurrency: "{limit: 3}"`),
}

func flowTemplate(name, repository, annotation string) string {
	m := strings.NewReplacer("name: on-push", "name: "+name, "acme/app", repository).Replace(pushTemplate)
	return strings.Replace(m, "annotations:\n", "annotations:\n    bridge.argoproj.io/"+annotation+"\n", 1)
}

// flowing are the repositories of the rules that wait.
var flowing = []string{"acme/ordered", "acme/rated", "acme/grouped"}

// BenchmarkFlowBesideOthers measures the way from a POST to the Workflow of a rule without flow control: alone, beside
// thirty events a second that start nothing, and beside as many of rules with flow control of which thousands wait.
func BenchmarkFlowBesideOthers(b *testing.B) {
	x := newBench(b, 1)
	x.c.apply(x, x.ns, flowTemplates...)
	seen := x.watchOnly("workflows.argoproj.io/workflow-template=on-push")
	for range b.N {
		x.latency(seen, 50)
		alone := x.latency(seen, 300)
		idle := x.beside([]string{"acme/nobody", "acme/nobody", "acme/nobody"}, seen)
		for _, repository := range flowing {
			requests := x.requests(repository, 2000)
			each(2000, func() time.Duration { return x.post(<-requests) })
		}
		waiting := x.beside(flowing, seen)
		x.ReportMetric(ms(alone, 0.5), "alone-ms-p50")
		x.ReportMetric(ms(idle, 0.5), "idle-ms-p50")
		x.ReportMetric(ms(waiting, 0.5), "waiting-ms-p50")
		x.ReportMetric(ms(waiting, 0.5)/ms(idle, 0.5), "waiting/idle-p50")
		x.ReportMetric(ms(waiting, 0.99)/ms(idle, 0.99), "waiting/idle-p99")
		x.ReportMetric(0, "ns/op")
	}
}

// beside is the latency while events of other repositories come.
func (x *bench) beside(repositories []string, seen <-chan time.Time) []time.Duration {
	ctx, cancel := context.WithCancel(x.Context())
	var more sync.WaitGroup
	more.Go(func() { x.drip(ctx, repositories) })
	defer more.Wait()
	defer cancel()
	return x.latency(seen, 300)
}

// latency sends n pushes, ten a second, and returns how long each took to its Workflow, sorted.
func (x *bench) latency(seen <-chan time.Time, n int) []time.Duration {
	times := make([]time.Duration, n)
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for i := range times {
		<-tick.C
		request := x.request("acme/app")
		began := time.Now()
		x.post(request)
		times[i] = (<-seen).Sub(began)
	}
	slices.Sort(times)
	return times
}

// drip sends ten events a second of each repository.
func (x *bench) drip(ctx context.Context, repositories []string) {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			for _, repository := range repositories {
				x.post(x.request(repository))
			}
		}
	}
}
