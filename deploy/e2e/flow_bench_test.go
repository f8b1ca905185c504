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

// BenchmarkFlowBesideOthers measures the way from a POST to the Workflow of a rule without flow control: alone, and
// while thousands of events of rules with it wait and more of them come.
func BenchmarkFlowBesideOthers(b *testing.B) {
	x := newBench(b, 1)
	x.c.apply(x, x.ns, flowTemplates...)
	seen := x.watchOnly("workflows.argoproj.io/workflow-template=on-push")
	for range b.N {
		x.latency(seen, 50)
		alone := x.latency(seen, 300)
		for _, repository := range []string{"acme/ordered", "acme/rated", "acme/grouped"} {
			requests := x.requests(repository, 2000)
			each(2000, func() time.Duration { return x.post(<-requests) })
		}
		ctx, cancel := context.WithCancel(b.Context())
		var more sync.WaitGroup
		more.Go(func() { x.drip(ctx) })
		beside := x.latency(seen, 300)
		cancel()
		more.Wait()
		x.ReportMetric(ms(alone, 0.5), "alone-ms-p50")
		x.ReportMetric(ms(beside, 0.5), "beside-ms-p50")
		x.ReportMetric(ms(beside, 0.5)/ms(alone, 0.5), "beside/alone-p50")
		x.ReportMetric(ms(beside, 0.99)/ms(alone, 0.99), "beside/alone-p99")
		x.ReportMetric(0, "ns/op")
	}
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

// drip sends thirty more events a second to the rules that wait.
func (x *bench) drip(ctx context.Context) {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			for _, repository := range []string{"acme/ordered", "acme/rated", "acme/grouped"} {
				x.post(x.request(repository))
			}
		}
	}
}
