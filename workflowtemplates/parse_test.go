package workflowtemplates_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/match"
	"github.com/argo-bridge/argo-bridge/workflowtemplates"
)

var ref = bridge.Template{Namespace: "team", Name: "t"}

// parse takes the annotations as key, value, key, value.
func parse(annotations ...string) *workflowtemplates.Template {
	in := workflowtemplates.Input{Ref: ref, Annotations: map[string]string{}}
	for i := 0; i+1 < len(annotations); i += 2 {
		in.Annotations[bridge.Prefix+annotations[i]] = annotations[i+1]
	}
	return workflowtemplates.Parse(in, language())
}

func names(rules []*bridge.Rule) string {
	var all []string
	for _, r := range rules {
		all = append(all, r.Name)
	}
	return strings.Join(all, " ")
}

func TestFaultsStopTheirRuleAlone(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		annotations   []string
		rules, faulty string
	}{
		"no fault":                                      {[]string{"on", "github.push", "on.b", "github.push", "on.a", "github.push"}, "default a b", ""},
		"a fault in on":                                 {[]string{"on", "nonsense", "on.b", "github.push"}, "b", "default"},
		"a fault in when":                               {[]string{"on", "github.push", "when.b", "(", "on.b", "github.push"}, "default", "b"},
		"a fault in parameters":                         {[]string{"on", "github.push", "parameters", "x: github.sha"}, "", "default"},
		"a fault in concurrency":                        {[]string{"on", "github.push", "concurrency.b", "group: a", "on.b", "github.push"}, "default", "b"},
		"an unknown key of one rule":                    {[]string{"on", "github.push", "whn.b", "true", "on.b", "github.push"}, "default", "b"},
		"an unknown key of nobody stops all":            {[]string{"on", "github.push", "whn", "false", "on.b", "github.push"}, "", "default b"},
		"a suffix that is no rule stops no rule":        {[]string{"on", "github.push", "when.c", "false"}, "default", ""},
		"a fault in notify stops no rule":               {[]string{"on", "github.push", "notify", "failed: nonsense", "message", "{{=(}}"}, "default", ""},
		"a warning stops no rule":                       {[]string{"on", "slack.something_new"}, "default", ""},
		"a template may notify without rules":           {[]string{"notify", "failed: slack:#x"}, "", ""},
		"annotations of others are no business of ours": {nil, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := parse(test.annotations...)
			if names(got.Rules) != test.rules || names(got.Faulty) != test.faulty {
				t.Errorf("got rules %q and faulty %q, want %q and %q: %v", names(got.Rules), names(got.Faulty), test.rules, test.faulty, got.Faults)
			}
		})
	}
}

func TestOnTakesANameAListOrAMap(t *testing.T) {
	t.Parallel()
	for on, want := range map[string]string{
		"github.push":                      "github.push",
		"[github.push, gcs.finalized]":     "github.push gcs.finalized",
		"github.push:\ngcs.finalized: {}":  "github.push gcs.finalized",
		"com.acme.thing.happened":          "com.acme.thing.happened",
		"{slack.command: {commands: /go}}": "slack.command",
	} {
		got := parse("on", on)
		if len(got.Rules) != 1 || len(got.Faults) != 0 {
			t.Errorf("%s: %v", on, got.Faults)
			continue
		}
		var events []string
		for _, trigger := range got.Rules[0].Triggers {
			events = append(events, trigger.Event)
		}
		if strings.Join(events, " ") != want {
			t.Errorf("%s: got %v", on, events)
		}
	}
}

// verdict decides the one rule of the template.
func verdict(t *testing.T, template *workflowtemplates.Template, event string, values map[string][]string) string {
	t.Helper()
	if len(template.Rules) != 1 {
		t.Fatal(template.Faults)
	}
	none := func() (map[string]any, error) { return map[string]any{}, nil }
	d := match.New(template.Rules, match.AllowAll()).Explain(bridge.Facts{Name: event, Values: values}, none)
	return string(d[0].Reason)
}

func TestFiltersAreThoseOfTheAnnotation(t *testing.T) {
	t.Parallel()
	branch, tag := map[string][]string{"types": {"updated"}, "branches": {"main"}, "paths": {"src/a"}}, map[string][]string{"types": {"created"}, "tags": {"v1"}}
	for name, test := range map[string]struct {
		on     string
		event  string
		values map[string][]string
		want   string
	}{
		"branches alone refuse tags":            {"github.push: {branches: [main]}", "github.push", tag, "branches"},
		"branches beside tags do not":           {"github.push: {branches: [main], tags: ['v*']}", "github.push", tag, "matched"},
		"tags-ignore beside branches let pass":  {"github.push: {branches: [main], tags-ignore: [x]}", "github.push", branch, "matched"},
		"branches and paths must both hold":     {"github.push: {branches: [main], paths: [docs/**]}", "github.push", branch, "paths"},
		"a pull request is opened by default":   {"github.pull_request", "github.pull_request", map[string][]string{"types": {"opened"}}, "matched"},
		"a pull request is not closed":          {"github.pull_request", "github.pull_request", map[string][]string{"types": {"closed"}}, "types"},
		"a push does not delete by default":     {"github.push", "github.push", map[string][]string{"types": {"deleted"}}, "types"},
		"types replace the default":             {"github.pull_request: {types: closed}", "github.pull_request", map[string][]string{"types": {"closed"}}, "matched"},
		"folders: true is no filter":            {"gcs.finalized: {folders: true}", "gcs.finalized", map[string][]string{"objects": {"a/"}}, "matched"},
		"folders: false is one":                 {"gcs.finalized: {folders: false}", "gcs.finalized", map[string][]string{"objects": {"a/"}}, "folders"},
		"an emoji is written with its colons":   {"slack.message: {emoji: ':tada:'}", "slack.message", map[string][]string{"emoji": {"tada"}}, "matched"},
		"objects and objects-ignore are ANDed":  {"gcs.finalized: {objects: [a/**], objects-ignore: [a/tmp/**]}", "gcs.finalized", map[string][]string{"objects": {"a/tmp/x"}}, "objects-ignore"},
		"the first filter that fails is named":  {"gcs.finalized: {max-size: 1, min-size: 3}", "gcs.finalized", map[string][]string{"size": {"2"}}, "max-size"},
		"the order is that of the annotation":   {"gcs.finalized: {min-size: 3, max-size: 1}", "gcs.finalized", map[string][]string{"size": {"2"}}, "min-size"},
		"an event of another name is no match":  {"gcs.finalized", "gcs.deleted", nil, "event"},
		"metadata takes a text or a list":       {"gcs.finalized: {metadata: {a: [x, y], b: z}}", "gcs.finalized", map[string][]string{"objects": {"a"}, "metadata": {"a=y", "b=z"}}, "matched"},
		"attributes are tested like metadata":   {"gcs.finalized: {attributes: {env: 'prod*'}}", "gcs.finalized", map[string][]string{"objects": {"a"}, "attributes": {"env=test"}}, "attributes"},
		"folders are refused unless asked for":  {"gcs.finalized", "gcs.finalized", map[string][]string{"objects": {"a/"}}, "folders"},
		"what is overwritten is no deletion":    {"gcs.deleted", "gcs.deleted", map[string][]string{"objects": {"a"}, "overwritten": {"7"}}, "overwritten"},
		"overwritten: false says the same":      {"gcs.deleted: {overwritten: false}", "gcs.deleted", map[string][]string{"objects": {"a"}, "overwritten": {"7"}}, "overwritten"},
		"overwritten: true takes it":            {"gcs.deleted: {overwritten: true}", "gcs.deleted", map[string][]string{"objects": {"a"}, "overwritten": {"7"}}, "matched"},
		"a real deletion is one":                {"gcs.deleted", "gcs.deleted", map[string][]string{"objects": {"a"}}, "matched"},
		"a command stands in a line of its own": {"github.release: {comment: /deploy}", "github.release", map[string][]string{"comment": {"no"}}, "comment"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := verdict(t, parse("on", test.on), test.event, test.values); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func TestParametersKeepTheirOrderAndTheTemplatesDeclaration(t *testing.T) {
	t.Parallel()
	template := workflowtemplates.Parse(workflowtemplates.Input{
		Ref:         ref,
		Annotations: map[string]string{bridge.Prefix + "on": "github.push", bridge.Prefix + "parameters": "z: github.sha\na: 5\n"},
		Parameters:  []workflowtemplates.Parameter{{Name: "a", Default: true, Enum: []string{"5", "6"}}, {Name: "z"}},
	}, language())
	if len(template.Rules) != 1 {
		t.Fatal(template.Faults)
	}
	p := template.Rules[0].Parameters
	if len(p) != 2 || p[0].Name != "z" || p[0].Default || p[1].Name != "a" || !p[1].Default || !cmp.Equal(p[1].Enum, []string{"5", "6"}) {
		t.Errorf("got %+v", p)
	}
	if p[0].Value.String() != "github.sha" || p[1].Value.String() != "5" {
		t.Errorf("got %s and %s", p[0].Value, p[1].Value)
	}
}

func TestACheckFollowsTheRunFromItsMatchToItsEnd(t *testing.T) {
	t.Parallel()
	template := parse("notify", "completed: [github:check, github:comment]\nfailed: slack:#x", "github", "annotations: true")
	told := map[string][]bridge.Outcome{}
	for _, r := range template.Routes("") {
		told[r.To.String()] = append(told[r.To.String()], r.Outcome)
		if _, annotated := r.Options["annotations"]; annotated != (r.To.Scheme == "github") {
			t.Errorf("%s has the settings %v", r.To, r.Options)
		}
	}
	want := map[string][]bridge.Outcome{
		"github:check": {
			bridge.Completed, bridge.Queued, bridge.EventHeld, bridge.EventSkipped, bridge.Started, bridge.EventRejected,
		},
		"github:comment": {bridge.Completed},
		"slack:#x":       {bridge.Failed},
	}
	if diff := cmp.Diff(want, told); diff != "" || len(template.Faults) > 0 {
		t.Error(template.Faults, diff)
	}
}

func TestTrustAndWhatARuleReads(t *testing.T) {
	t.Parallel()
	template := parse("on", "github.push", "when", `len(data.files) > 3 && github.sha != ""`,
		"trust", "{permission: maintain, teams: [acme/release], users: octocat}", "labels", "ref: \"{{=github.ref_name}}\"")
	if len(template.Faults) > 0 {
		t.Fatal(template.Faults)
	}
	r := template.Rules[0]
	want := &bridge.Trust{Permission: "maintain", Teams: []string{"acme/release"}, Users: []string{"octocat"}}
	if diff := cmp.Diff(want, r.Trust); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"data.files", "github.ref_name", "github.sha"}, r.Reads); diff != "" {
		t.Error(diff)
	}
	if r := parse("on", "github.push", "trust", "anyone").Rules[0]; r.Trust == nil || !r.Trust.Anyone {
		t.Errorf("anyone: %+v", r.Trust)
	}
}

func TestRoutes(t *testing.T) {
	t.Parallel()
	template := parse(
		"on", "github.push", "on.nightly", "github.push", "on.quiet", "github.push",
		"notify", "failed: [slack:#all, slack:#all]\nstarted: slack:#all",
		"message", "all",
		"notify.nightly", "failed: [slack:#nightly, slack:#all]",
		"message.nightly", "nightly",
	)
	if len(template.Faults) > 0 {
		t.Fatal(template.Faults)
	}
	all := []string{"failed slack:#all: all", "started slack:#all: all"}
	for rule, want := range map[string][]string{
		"": all, "default": all, "quiet": all, "gone": all,
		"nightly": {"failed slack:#all: nightly", "started slack:#all: nightly", "failed slack:#nightly: nightly"},
	} {
		var got []string
		for _, r := range template.Routes(rule) {
			got = append(got, string(r.Outcome)+" "+r.To.String()+": "+r.Message.String())
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q: %s", rule, diff)
		}
	}
}

func TestARouteWithoutAMessageHasNone(t *testing.T) {
	t.Parallel()
	routes := parse("notify", "failed: slack:#x").Routes("")
	if len(routes) != 1 || routes[0].Message != nil {
		t.Errorf("got %+v", routes)
	}
}

func TestExplainNamesTheFaultOfARule(t *testing.T) {
	t.Parallel()
	view := workflowtemplates.NewView([]*workflowtemplates.Template{parse("on", "github.push", "on.bad", "nonsense")}, match.AllowAll())
	decisions := view.Explain(bridge.Facts{Name: "github.push", Values: map[string][]string{"types": {"updated"}}}, nil)
	if len(decisions) != 2 || decisions[0].Verdict != bridge.Matched || decisions[1].Verdict != bridge.Fault {
		t.Fatalf("got %+v", decisions)
	}
	if want := "on.bad: line 1: error: unknown event nonsense"; !strings.HasPrefix(decisions[1].Detail, want) {
		t.Errorf("got %q", decisions[1].Detail)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("github.push: {branches: [main]}", "github.sha == 'x'", "a: github.sha", "failed: slack:#x", "{{=1}}")
	f.Add("[github.push, x]", "a[", "a: &a [*a]", "failed: [a:b]", "{{")
	f.Fuzz(func(t *testing.T, on, when, parameters, notify, text string) {
		got := parse("on", on, "when", when, "parameters", parameters, "notify", notify, "message", text, "labels", parameters, "entrypoint", text)
		wellFormed(t, got)
	})
}

// wellFormed says that the one rule of a template is there, and that its faults have places.
func wellFormed(t *testing.T, got *workflowtemplates.Template) {
	t.Helper()
	if len(got.Rules)+len(got.Faulty) != 1 {
		t.Errorf("got %d rules", len(got.Rules)+len(got.Faulty))
	}
	for _, fault := range got.Faults {
		if fault.Line < 1 || fault.Key == "" || fault.Message == "" {
			t.Errorf("a fault without a place: %+v", fault)
		}
	}
}
