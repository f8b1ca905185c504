package e2e

import (
	"context"
	"encoding/csv"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
)

// The soak: a steady rate for a long time, after which nothing may have grown. It runs when SOAK says for how
// long (make soak); SOAK_RATE is in events per second, SOAK_CSV a file for the samples.
const (
	soakRate   = 40
	soakSample = 30 * time.Second
	// soakWarmUp of the time is left out of the comparison: caches and tables fill up to their bounds.
	soakWarmUp = 0.4
	// soakGrowth is by how much the last third may be above the third before it.
	soakGrowth = 1.1
)

// A sample is what the process holds at one time.
type sample struct {
	at                       time.Duration
	sent                     int64
	rss, goroutines, files   float64
	streamMiB, diskMiB       float64
	pending, waiting, failed float64
}

func (s sample) record() []string {
	values := []float64{s.at.Seconds(), float64(s.sent), s.rss, s.goroutines, s.files, s.streamMiB, s.diskMiB, s.pending, s.waiting, s.failed}
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = strconv.FormatFloat(v, 'f', 1, 64)
	}
	return out
}

func TestSoak(t *testing.T) {
	period, err := time.ParseDuration(os.Getenv("SOAK"))
	if err != nil {
		t.Skip("SOAK names no duration, such as 1h")
	}
	rate, err := strconv.Atoi(os.Getenv("SOAK_RATE"))
	if err != nil {
		rate = soakRate
	}
	c := own(t)
	c.component(t, "stop", "controller")
	ns := c.newNamespace(t)
	c.apply(t, ns, pushTemplate)
	p := newBridge(t, setup{cluster: c, namespace: ns, config: "bus: {maxBytes: 67108864}\n"})
	p.slack.AddChannel("data-alerts")
	p.startReady()

	ctx, cancel := context.WithTimeout(t.Context(), period)
	defer cancel()
	var sent atomic.Int64
	var parts sync.WaitGroup
	parts.Go(func() { soakSend(ctx, t, p, rate, &sent) })
	parts.Go(func() { soakEnd(ctx, t, c, ns) })
	samples := soakWatch(ctx, t, p, &sent)
	parts.Wait()
	soakJudge(t, samples)
}

// soakSend posts pushes, one in ten a redelivery of an earlier one, one in fifty a run that fails.
//
// Its bodies are of the usual 8.5 KB, so that the stream, of 64 MiB here, fills up and is trimmed several times.
func soakSend(ctx context.Context, t *testing.T, p *proc, rate int, sent *atomic.Int64) {
	tick := time.NewTicker(time.Second / time.Duration(rate))
	defer tick.Stop()
	var senders sync.WaitGroup
	defer senders.Wait()
	for i := 1; ; i++ {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		id, code := i, 0
		if i%10 == 0 {
			id = max(1, i-1000)
		} else if i%50 == 1 {
			code = 1
		}
		senders.Go(func() {
			body := padded(push(t, id, code), id)
			if status, answer := p.github("push", fmt.Sprint("soak-", id), body); status != http.StatusAccepted {
				t.Errorf("event %d: %d %s", id, status, answer)
				return
			}
			sent.Add(1)
		})
	}
}

// soakEnd stands in for the controller, which would need a core of its own: it ends each Workflow, and
// deletes it.
func soakEnd(ctx context.Context, t *testing.T, c *cluster, ns string) {
	complain := func(err error) {
		if err != nil && ctx.Err() == nil {
			t.Log(err)
		}
	}
	for ctx.Err() == nil {
		page, err := c.workflowsOf(ns).List(ctx, metav1.ListOptions{Limit: 500, LabelSelector: "workflows.argoproj.io/completed!=true"})
		complain(err)
		if err == nil {
			items := page.Items
			var next atomic.Int64
			each(len(items), func() time.Duration {
				complain(soakFinish(ctx, c, items[next.Add(1)-1]))
				return 0
			})
		}
		complain(c.workflowsOf(ns).DeleteCollection(ctx, metav1.DeleteOptions{},
			metav1.ListOptions{LabelSelector: "workflows.argoproj.io/completed=true"}))
		select {
		case <-ctx.Done():
		case <-time.After(time.Second): // its pace, as a TTL would be
		}
	}
}

func soakFinish(ctx context.Context, c *cluster, wf unstructured.Unstructured) error {
	phase, now := "Succeeded", time.Now().UTC().Format(time.RFC3339)
	if parameter(wf, "code") == "1" {
		phase = "Failed"
	}
	_, err := c.workflowsOf(wf.GetNamespace()).Patch(ctx, wf.GetName(), types.MergePatchType, fmt.Appendf(nil,
		`{"metadata":{"labels":{"workflows.argoproj.io/phase":%[1]q,"workflows.argoproj.io/completed":"true"}},
		"status":{"phase":%[1]q,"startedAt":%[2]q,"finishedAt":%[2]q}}`, phase, now), metav1.PatchOptions{})
	return err
}

func soakWatch(ctx context.Context, t *testing.T, p *proc, sent *atomic.Int64) []sample {
	var out *csv.Writer
	if path := os.Getenv("SOAK_CSV"); path != "" {
		f, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		out = csv.NewWriter(f)
		_ = out.Write([]string{"seconds", "events", "rss_mib", "goroutines", "files", "stream_mib", "disk_mib", "pending", "waiting", "slack_messages"})
	}
	var samples []sample
	began := time.Now()
	tick := time.NewTicker(soakSample)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return samples
		case <-tick.C:
		}
		s := sample{
			at: time.Since(began), sent: sent.Load(), rss: p.gauge(t, "process_resident_memory_bytes") / (1 << 20),
			goroutines: p.gauge(t, "go_goroutines"), files: p.gauge(t, "process_open_fds"),
			streamMiB: p.gauge(t, "argo_bridge_stream_bytes") / (1 << 20), diskMiB: size(t, filepath.Join(p.dir, "data")) / (1 << 20),
			pending: p.gauge(t, "argo_bridge_stream_pending"), waiting: p.gauge(t, "argo_bridge_waiting_rules"),
			failed: float64(len(p.slack.Messages())),
		}
		samples = append(samples, s)
		fmt.Fprintln(os.Stderr, "soak", s.record())
		if out != nil {
			_ = out.Write(s.record())
			out.Flush()
		}
	}
}

func (p *proc) gauge(t *testing.T, name string) float64 {
	v, err := strconv.ParseFloat(p.metric(name), 64)
	if err != nil {
		t.Errorf("%s: %v", name, err)
	}
	return v
}

func size(t *testing.T, dir string) float64 {
	total := int64(0)
	err := filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return nil //nolint:nilerr // a file that was just removed has no size
		}
		if info, err := d.Info(); err == nil {
			total += info.Size()
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	return float64(total)
}

// soakJudge compares the last part of the time with the part before it.
func soakJudge(t *testing.T, samples []sample) {
	t.Helper()
	warm := samples[int(float64(len(samples))*soakWarmUp):]
	before, last := warm[:len(warm)/2], warm[len(warm)/2:]
	for name, of := range map[string]func(sample) float64{
		"resident memory, MiB": func(s sample) float64 { return s.rss },
		"goroutines":           func(s sample) float64 { return s.goroutines },
		"open files":           func(s sample) float64 { return s.files },
		"data directory, MiB":  func(s sample) float64 { return s.diskMiB },
		"waiting rules":        func(s sample) float64 { return s.waiting },
	} {
		a, b := mean(before, of), mean(last, of)
		t.Logf("%s: %.1f, then %.1f", name, a, b)
		if b > a*soakGrowth+3 {
			t.Errorf("%s grew: %.1f, then %.1f", name, a, b)
		}
	}
}

func mean(samples []sample, of func(sample) float64) float64 {
	sum := 0.0
	for _, s := range samples {
		sum += of(s)
	}
	return sum / float64(max(1, len(samples)))
}
