package workflowtemplates_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// flowText is a flow in one line, its unset parts left out.
func flowText(f bridge.Flow) string {
	var parts []string
	add := func(format string, arguments ...any) { parts = append(parts, fmt.Sprintf(format, arguments...)) }
	if c := f.Concurrency; c != nil {
		add("concurrency %v limit %d %s waiting %d shutdown %q", c.Group, c.Limit, c.Policy, c.MaxWaiting, c.Shutdown)
	}
	if f.Ordered != nil {
		add("ordered %v", f.Ordered)
	}
	if f.LatestOnly {
		add("latest-only")
	}
	if f.Rate != (bridge.Rate{}) {
		add("rate %d in %s", f.Rate.Count, f.Rate.Per)
	}
	if b := f.Batch; b != nil {
		add("batch %d or %s of %v", b.MaxItems, b.MaxWait, b.Group)
	}
	return strings.Join(parts, "; ")
}

func TestFlowIsThatOfTheAnnotations(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ key, value, want string }{
		"a group alone has the defaults":          {"concurrency", "github.ref", `concurrency github.ref limit 1 queue waiting 0 shutdown ""`},
		"no group is the rule's own":              {"concurrency", "limit: 3", `concurrency <nil> limit 3 queue waiting 0 shutdown ""`},
		"an empty map has the defaults":           {"concurrency", "{}", `concurrency <nil> limit 1 queue waiting 0 shutdown ""`},
		"every field of a queue":                  {"concurrency", "{group: github.sha, limit: 2, policy: queue, max-waiting: 9}", `concurrency github.sha limit 2 queue waiting 9 shutdown ""`},
		"a run is stopped with its exit handlers": {"concurrency", "policy: cancel-in-progress", `concurrency <nil> limit 1 cancel-in-progress waiting 0 shutdown "Stop"`},
		"or at once":                                {"concurrency", "policy: cancel-in-progress\nshutdown: Terminate", `concurrency <nil> limit 1 cancel-in-progress waiting 0 shutdown "Terminate"`},
		"skip":                                      {"concurrency", "policy: skip", `concurrency <nil> limit 1 skip waiting 0 shutdown ""`},
		"replace-pending":                           {"concurrency", "policy: replace-pending", `concurrency <nil> limit 1 replace-pending waiting 0 shutdown ""`},
		"a choice is an expression, not a map":      {"concurrency", `github.ref == "a" ? "b" : github.sha`, `concurrency github.ref == "a" ? "b" : github.sha limit 1 queue waiting 0 shutdown ""`},
		"a text that begins with a quote is one":    {"concurrency", `"a-" + github.ref`, `concurrency "a-" + github.ref limit 1 queue waiting 0 shutdown ""`},
		"a constant group":                          {"concurrency", `"production"`, `concurrency "production" limit 1 queue waiting 0 shutdown ""`},
		"a constant group in a map":                 {"concurrency", `group: '"production"'`, `concurrency "production" limit 1 queue waiting 0 shutdown ""`},
		"ordered is an expression":                  {"ordered", "github.ref", "ordered github.ref"},
		"a text with a colon is ordered by":         {"ordered", `github.ref + ": " + github.sha`, `ordered github.ref + ": " + github.sha`},
		"latest-only":                               {"latest-only", "true\n", "latest-only"},
		"latest-only can be told that it is not":    {"latest-only", "false", ""},
		"a rate by the minute":                      {"rate", "10/min", "rate 10 in 1m0s"},
		"a rate by the second":                      {"rate", "1000/s", "rate 1000 in 1s"},
		"a rate with spaces":                        {"rate", " 3 / hour\n", "rate 3 in 1h0m0s"},
		"a rate by the day":                         {"rate", "1/d", "rate 1 in 24h0m0s"},
		"a batch has defaults":                      {"batch", "{}", "batch 100 or 10s of <nil>"},
		"every field of a batch":                    {"batch", "max-items: 1000\nmax-wait: 1h30m\ngroup: github.ref", "batch 1000 or 1h30m0s of github.ref"},
		"a batch of one waits for nothing":          {"batch", "{max-items: 1, max-wait: 1s}", "batch 1 or 1s of <nil>"},
		"a batch may wait for a day, as events may": {"batch", "max-wait: 24h", "batch 100 or 24h0m0s of <nil>"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := parse("on.b", "github.push", test.key+".b", test.value)
			if len(got.Rules) != 1 || len(got.Faults) > 0 {
				t.Fatal(got.Faults)
			}
			if text := flowText(got.Rules[0].Flow); text != test.want {
				t.Errorf("got  %s\nwant %s", text, test.want)
			}
			if free := got.Rules[0].Flow.Free(); free != (test.want == "") {
				t.Errorf("Free is %v", free)
			}
		})
	}
}

func TestTheUnitsOfARate(t *testing.T) {
	t.Parallel()
	for unit, want := range map[string]time.Duration{
		"s": time.Second, "sec": time.Second, "second": time.Second, "m": time.Minute, "min": time.Minute, "minute": time.Minute,
		"h": time.Hour, "hour": time.Hour, "d": 24 * time.Hour, "day": 24 * time.Hour,
	} {
		got := parse("on", "github.push", "rate", "4/"+unit)
		if len(got.Rules) != 1 || got.Rules[0].Flow.Rate.Interval() != want/4 {
			t.Errorf("4/%s: got %+v, %v", unit, got.Rules, got.Faults)
		}
	}
}

// The parameters of a batch see the events; the parameters of a rule beside it do not.
func TestExpressionsOfABatchSeeItsEvents(t *testing.T) {
	t.Parallel()
	got := parse(
		"on", "gcs.finalized", "batch", "max-items: 2", "labels", `n: "{{=len(events)}}"`, "priority", "{{=len(events)}}",
		"entrypoint", `{{=len(events) > 1 ? "many" : "one"}}`, "service-account", "{{=events[0].gcs.bucket}}",
		"on.b", "gcs.finalized", "labels.b", `n: "{{=len(events)}}"`,
	)
	if names(got.Rules) != "default" || names(got.Faulty) != "b" {
		t.Fatalf("rules %q, faulty %q: %v", names(got.Rules), names(got.Faulty), got.Faults)
	}
	event := func(name string) map[string]any {
		return map[string]any{"gcs": map[string]any{"bucket": "b", "name": name}}
	}
	text, err := got.Rules[0].Submit.Labels["n"].Render(map[string]any{"events": []any{event("x"), event("y")}})
	if err != nil || text != "2" {
		t.Errorf("got %q, %v", text, err)
	}
}

func FuzzParseFlow(f *testing.F) {
	f.Add("github.ref", "github.ref", "true", "10/min", "max-items: 5")
	f.Add("{group: github.ref, limit: 2}", "a ? b : c", "no", "99999999999999999999/s", "{max-wait: -1s, group: events}")
	f.Add("policy: skip\nmax-waiting: 1", "(", "", "0/d", "a: [b]")
	f.Fuzz(func(t *testing.T, concurrency, ordered, latestOnly, rate, batch string) {
		got := parse("on", "github.push", "concurrency", concurrency, "ordered", ordered, "latest-only", latestOnly, "rate", rate, "batch", batch)
		wellFormed(t, got)
		for _, r := range got.Rules {
			wantValid(t, r.Flow)
		}
	})
}

// wantValid holds the bounds that the parts which obey a Flow rely on.
func wantValid(t *testing.T, f bridge.Flow) {
	t.Helper()
	if c := f.Concurrency; c == nil || c.Limit < 1 || c.Policy == "" || c.MaxWaiting < 0 || (c.Policy == bridge.CancelInProgress) != (c.Shutdown != "") {
		t.Errorf("concurrency %+v", c)
	}
	if b := f.Batch; b == nil || b.MaxItems < 1 || b.MaxItems > bridge.MaxBatchItems || b.MaxWait < time.Second || b.MaxWait > 24*time.Hour {
		t.Errorf("batch %+v", b)
	}
	if f.Ordered == nil || f.Rate.Interval() < time.Millisecond {
		t.Errorf("ordered %v, rate %+v", f.Ordered, f.Rate)
	}
}
