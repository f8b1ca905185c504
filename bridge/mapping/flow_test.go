package mapping_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/mapping"
)

func TestKeys(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		group, ordered, batch string // expressions; "-": the part without an expression
		want                  bridge.FlowKeys
		errs                  []string
	}{
		"a rule without flow control has no keys":    {},
		"the rule is the group unless one is named":  {group: "-", batch: "-", want: bridge.FlowKeys{Group: "nightly"}},
		"each key is of its own expression":          {group: `github.ref`, ordered: `github.sha`, batch: `github.ref + "x"`, want: bridge.FlowKeys{Group: "feature/x", Order: "abc", Batch: "feature/xx"}},
		"a number is JSON":                           {group: `github.number`, want: bridge.FlowKeys{Group: "42"}},
		"a list is JSON":                             {ordered: `github.labels`, want: bridge.FlowKeys{Order: `["<a>","b"]`}},
		"a boolean is JSON":                          {batch: `github.number > 3`, want: bridge.FlowKeys{Batch: "true"}},
		"a null group names key and expression":      {group: `github.reff`, errs: []string{`concurrency.group: github.reff is null`}},
		"all faults are reported":                    {group: `github.a`, ordered: `github.b`, batch: `github.c`, errs: []string{"concurrency.group: github.a is null", "ordered: github.b is null", "batch.group: github.c is null"}},
		"an empty group is none":                     {group: `""`, errs: []string{`concurrency.group: "" is empty`}},
		"an empty key of ordered is none":            {ordered: `github.ref[:0]`, errs: []string{`ordered: github.ref[:0] is empty`}},
		"a batch may be of what has no folder":       {batch: `""`, want: bridge.FlowKeys{}},
		"an expression that fails is an error":       {group: `github.sha.x`, errs: []string{`concurrency.group: evaluate github.sha.x: github.sha is a string`}},
		"a key over 4 KiB is an error that says so":  {group: `github.big`, errs: []string{`concurrency.group: github.big has 65537 bytes, the limit for a key is 4096 (4 KiB)`}},
		"a key of exactly 4 KiB is taken as it is":   {batch: `github.big[:4096]`, want: bridge.FlowKeys{Batch: strings.Repeat("x", mapping.MaxKey)}},
		"a fault of one key leaves no other key set": {group: `github.ref`, batch: `github.c`, errs: []string{"batch.group"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := mapping.Keys(flowRule(t, test.group, test.ordered, test.batch), variables)
			if len(test.errs) == 0 {
				wantError(t, err, "")
			}
			for _, want := range test.errs {
				wantError(t, err, want)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func flowRule(t *testing.T, group, ordered, batch string) *bridge.Rule {
	t.Helper()
	optional := func(source string) bridge.Expression {
		if source == "" || source == "-" {
			return nil
		}
		return program(t, source)
	}
	r := &bridge.Rule{Name: "nightly"}
	if group != "" {
		r.Flow.Concurrency = &bridge.Concurrency{Group: optional(group), Limit: 1, Policy: bridge.Queue}
	}
	if batch != "" {
		r.Flow.Batch = &bridge.Batch{Group: optional(batch)}
	}
	r.Flow.Ordered = optional(ordered)
	return r
}
