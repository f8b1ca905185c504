package slack

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/google/go-cmp/cmp"
)

func TestTheCommandOrders(t *testing.T) {
	t.Parallel()
	parameters := func(pairs ...string) (all []bridge.Parameter) {
		for i := 0; i < len(pairs); i += 2 {
			all = append(all, bridge.Parameter{Name: pairs[i], Value: pairs[i+1]})
		}
		return all
	}
	run := bridge.RunID{Namespace: "team", Name: "etl-abc"}
	tests := map[string]struct {
		text string
		want *bridge.Order
	}{
		"nothing":                      {"", nil},
		"to see something":             {"list etl", nil},
		"a verb that is none":          {"rnu etl", nil},
		"run":                          {"run etl", &bridge.Order{Act: bridge.Start, Word: "/argo run etl", Template: "etl"}},
		"a phone's capital, backquote": {"Run `Team/ETL`", &bridge.Order{Act: bridge.Start, Word: "/argo run team/etl", Template: "team/etl"}},
		"run with parameters": {`run etl a=1 b="two words" c='x y' d=“q r” e= f=g=h`, &bridge.Order{
			Act: bridge.Start, Word: "/argo run etl", Template: "etl",
			Parameters: parameters("a", "1", "b", "two words", "c", "x y", "d", "q r", "e", "", "f", "g=h"),
		}},
		"what Slack has escaped": {"run etl q=a&amp;&lt;b&gt;&amp;amp;", &bridge.Order{
			Act: bridge.Start, Word: "/argo run etl", Template: "etl", Parameters: parameters("q", "a&<b>&amp;"),
		}},
		"an apostrophe":             {"run etl q=it's w=isn't", &bridge.Order{Act: bridge.Start, Word: "/argo run etl", Template: "etl", Parameters: parameters("q", "it's", "w", "isn't")}},
		"many lines":                {"run etl q=\"a\nb\"", &bridge.Order{Act: bridge.Start, Word: "/argo run etl", Template: "etl", Parameters: parameters("q", "a\nb")}},
		"run of nothing":            {"run", fault("run", bridge.Start, "name a template: write /argo run <template> [key=value ...]")},
		"run without a name":        {"run a=b", fault("run", bridge.Start, "name a template: write /argo run <template> [key=value ...]")},
		"run of no name":            {"run ../etl", fault("run", bridge.Start, `"../etl" is no name of a template: write /argo run <template> [key=value ...]`)},
		"run of an empty namespace": {"run /etl", fault("run", bridge.Start, `"/etl" is no name of a template: write /argo run <template> [key=value ...]`)},
		"run with a word too many": {"run etl a=b now", fault("run", bridge.Start,
			`"now" is no key=value; a value with spaces stands in quotes, key="two words": write /argo run <template> [key=value ...]`)},
		"a parameter twice": {"run etl a=b c=d a=e", fault("run", bridge.Start, `the parameter "a" is given twice: write /argo run <template> [key=value ...]`)},
		"retry":             {"retry team/etl-abc", &bridge.Order{Act: bridge.Retry, Word: "/argo retry team/etl-abc", Run: run}},
		"a bare name":       {"stop etl-abc", &bridge.Order{Act: bridge.Stop, Word: "/argo stop etl-abc", Run: bridge.RunID{Name: "etl-abc"}}},
		"resubmit":          {"resubmit team/etl-abc", &bridge.Order{Act: bridge.Resubmit, Word: "/argo resubmit team/etl-abc", Run: run}},
		"two workflows":     {"retry a b", fault("retry", bridge.Retry, "one workflow is all that this takes: write /argo retry <workflow>")},
		"retry with values": {"retry a b=c", fault("retry", bridge.Retry, "one workflow is all that this takes: write /argo retry <workflow>")},
		"approve":           {"approve team/etl-abc", &bridge.Order{Act: bridge.Resume, Word: "/argo approve team/etl-abc", Run: run}},
		"approve a step with values": {`approve team/etl-abc "wait for it" v=1`, &bridge.Order{
			Act: bridge.Resume, Word: "/argo approve team/etl-abc", Run: run, Node: "wait for it", Parameters: parameters("v", "1"),
		}},
		"approve two steps":  {"approve x a b", fault("approve", bridge.Resume, "one step is all that this takes; a step with spaces stands in quotes: write /argo approve <workflow> [step] [key=value ...]")},
		"reject":             {"reject team/etl-abc gate", &bridge.Order{Act: bridge.Reject, Word: "/argo reject team/etl-abc", Run: run, Node: "gate"}},
		"reject with values": {"reject x a=b", fault("reject", bridge.Reject, "what is rejected takes no parameters: write /argo reject <workflow> [step]")},
		"silence":            {"silence etl", &bridge.Order{Act: bridge.Mute, Word: "/argo silence etl", Template: "etl", For: time.Hour}},
		"silence all for a time and a reason": {"silence ALL for 2h known to be broken", &bridge.Order{
			Act: bridge.Mute, Word: "/argo silence all", For: 2 * time.Hour, Reason: "known to be broken",
		}},
		"silence without for":    {"silence etl 1h30m", &bridge.Order{Act: bridge.Mute, Word: "/argo silence etl", Template: "etl", For: 90 * time.Minute}},
		"silence in two words":   {"silence etl for 2 days it burns", &bridge.Order{Act: bridge.Mute, Word: "/argo silence etl", Template: "etl", For: 48 * time.Hour, Reason: "it burns"}},
		"silence with a reason":  {"silence etl it burns", &bridge.Order{Act: bridge.Mute, Word: "/argo silence etl", Template: "etl", For: time.Hour, Reason: "it burns"}},
		"silence for ever":       {"silence etl for ever", fault("silence", bridge.Mute, `"ever" is no time such as 30m, 2h or 1d: write /argo silence <template>|all [for 2h] [reason]`)},
		"silence for":            {"silence etl for", fault("silence", bridge.Mute, "say for how long: write /argo silence <template>|all [for 2h] [reason]")},
		"silence for a year":     {"silence etl for 52w", fault("silence", bridge.Mute, "a silence lasts from 1m to 30d: write /argo silence <template>|all [for 2h] [reason]")},
		"silence for a second":   {"silence etl for 1s", fault("silence", bridge.Mute, "a silence lasts from 1m to 30d: write /argo silence <template>|all [for 2h] [reason]")},
		"silence of nothing":     {"silence", fault("silence", bridge.Mute, "name a template, or all: write /argo silence <template>|all [for 2h] [reason]")},
		"unsilence":              {"unsilence Ab12", &bridge.Order{Act: bridge.Unmute, Word: "/argo unsilence ab12", Silence: "ab12"}},
		"unsilence of nothing":   {"unsilence", fault("unsilence", bridge.Unmute, "name a silence by its id: write /argo unsilence <id>")},
		"unsilence of no id":     {"unsilence <!channel>", fault("unsilence", bridge.Unmute, `"<!channel>" is no id of a silence, which the verb silences lists: write /argo unsilence <id>`)},
		"ten thousand arguments": {"run etl" + strings.Repeat(" a=b", 10000), fault("run", bridge.Start, "that are more than 200 arguments: write /argo run <template> [key=value ...]")},
		"a megabyte":             {"run etl a=" + strings.Repeat("b", 1<<20), fault("run", bridge.Start, "the command is longer than 64 KiB: write large values to an artifact: write /argo run <template> [key=value ...]")},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := ParseLine(tt.text).Order("/argo")
			if tt.want != nil && tt.want.Fault != "" && got != nil { // what else was understood of it does not count
				got = &bridge.Order{Act: got.Act, Word: got.Word, Fault: got.Fault}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func fault(verb string, act bridge.Act, text string) *bridge.Order {
	return &bridge.Order{Act: act, Word: "/argo " + verb, Fault: text}
}

func TestEveryVerbIsExplained(t *testing.T) {
	t.Parallel()
	if got, want := len(Usages()), len(acting)+len(reading); got != want {
		t.Errorf("%d of %d verbs", got, want)
	}
	for _, usage := range Usages() {
		if !strings.HasPrefix(usage[1], usage[0]) {
			t.Errorf("%s is used as %q", usage[0], usage[1])
		}
	}
	if got := NearestVerb("rnu"); got != "run" {
		t.Errorf("got %q", got)
	}
}

func TestQuotesThatAreNeverClosedTakeNoTime(t *testing.T) {
	t.Parallel()
	begun := time.Now()
	for _, quote := range []string{`"x `, "“", "‘ ", "' ", "a' "} {
		Args(strings.Repeat(quote, 300_000))
	}
	if took := time.Since(begun); took > 10*time.Second { // hours, where each quote looks for its end
		t.Errorf("took %v", took)
	}
}

func FuzzCommand(f *testing.F) {
	for _, s := range []string{
		"", "run etl a=1 b=“x y”", "silence all for 2 hours why", "approve a/b 'step' k=v", "unsilence x", "run a/b/c", "retry \\", "list", "run etl a=b a=c",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		line := ParseLine(text)
		o := line.Order("/argo")
		if o == nil {
			return
		}
		if line.Reads() {
			t.Errorf("%q both reads and orders", text)
		}
		if len(o.Word) > 3*maxName || len(o.Fault) > 600 || len(o.Parameters) > MaxArguments || len(o.Reason) > 4*maxReason {
			t.Errorf("an order without bounds: %+v", o)
		}
		if o.Fault != "" {
			return
		}
		names := []string{o.Template, o.Run.Namespace, o.Run.Name}
		if slices.ContainsFunc(names, func(s string) bool { return strings.ContainsAny(s, "<>&\n @!|") }) {
			t.Errorf("%q names %q", text, names)
		}
		switch o.Act {
		case bridge.Start:
			if o.Template == "" {
				t.Error("a run of nothing")
			}
		case bridge.Mute:
			if o.For < time.Minute || o.For > 30*24*time.Hour {
				t.Errorf("silent for %v", o.For)
			}
			if o.Template == "" && !strings.Contains(strings.ToLower(text), "all") {
				t.Errorf("%q silences all", text)
			}
		case bridge.Unmute:
			if o.Silence == "" {
				t.Error("ends no silence in particular")
			}
		default:
			if o.Run.Name == "" {
				t.Errorf("%q is about no run", text)
			}
		}
		if again := fmt.Sprint(ParseLine(text).Order("/argo")); again != fmt.Sprint(o) {
			t.Errorf("%q is first %v, then %v", text, o, again)
		}
	})
}
