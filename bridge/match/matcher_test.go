package match_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/expression"
	"github.com/argo-bridge/argo-bridge/bridge/match"
)

// decision is a Decision with its rule's name.
type decision struct {
	Rule    string
	Verdict bridge.Verdict
	Reason  bridge.Reason
	Detail  string
}

func flatten(decisions []bridge.Decision) []decision {
	var flat []decision
	for _, d := range decisions {
		flat = append(flat, decision{d.Rule.Name, d.Verdict, d.Reason, d.Detail})
	}
	return flat
}

func rule(name, event string, filters ...bridge.Filter) *bridge.Rule {
	return &bridge.Rule{
		Template: bridge.Template{Namespace: "team", Name: "t"}, Name: name,
		Triggers: []bridge.Trigger{{Event: event, Filters: filters}},
	}
}

func globs(t testing.TB, key string, patterns ...string) bridge.Filter {
	f, err := match.Globs(key, patterns)
	return filterOf(t, f, err)
}

func withWhen(t testing.TB, r *bridge.Rule, source string) *bridge.Rule {
	t.Helper()
	when, err := expression.Compile(source)
	if err != nil {
		t.Fatal(err)
	}
	r.When = when
	return r
}

func variables() (map[string]any, error) {
	return map[string]any{"github": map[string]any{"ref": "refs/heads/dev", "draft": false}}, nil
}

func pushFacts() bridge.Facts {
	return bridge.Facts{Name: "github.push", Values: values{"repositories": {"acme/app"}, "branches": {"dev"}}}
}

func TestDecisions(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		rule *bridge.Rule
		want decision
	}{
		"a rule without conditions matches": {
			rule("r", "github.push"), decision{"r", bridge.Matched, bridge.ReasonMatched, ""}},
		"another event": {
			rule("r", "github.release"), decision{"r", bridge.OtherEvent, bridge.ReasonOtherEvent, "event: got github.push, want github.release"}},
		"the first filter that fails is named": {
			rule("r", "github.push", globs(t, "repositories", "acme/*"), globs(t, "branches", "main", "release/**"), globs(t, "labels", "x")),
			decision{"r", bridge.Filtered, "branches", `branches: got "dev", want main or release/**`}},
		"all filters hold": {
			rule("r", "github.push", globs(t, "repositories", "acme/*"), globs(t, "branches", "dev")),
			decision{"r", bridge.Matched, bridge.ReasonMatched, ""}},
		"when holds": {
			withWhen(t, rule("r", "github.push"), `github.ref endsWith "dev"`), decision{"r", bridge.Matched, bridge.ReasonMatched, ""}},
		"when does not hold": {
			withWhen(t, rule("r", "github.push"), `github.ref == "x"`), decision{"r", bridge.Filtered, bridge.ReasonWhen, `when: github.ref == "x" is false`}},
		"when is null": {
			withWhen(t, rule("r", "github.push"), `github.event.draft`), decision{"r", bridge.Rejected, bridge.ReasonWhen, "when: github.event.draft is null, want true or false"}},
		"when is a text": {
			withWhen(t, rule("r", "github.push"), `github.ref`), decision{"r", bridge.Rejected, bridge.ReasonWhen, `when: github.ref is the string "refs/heads/dev", want true or false`}},
		"when fails": {
			withWhen(t, rule("r", "github.push"), `github.ref.x`), decision{"r", bridge.Rejected, bridge.ReasonWhen, `when: evaluate github.ref.x: github.ref is a string, it has no member "x"`}},
		"when never overrides a filter": {
			withWhen(t, rule("r", "github.push", globs(t, "branches", "main")), `true`), decision{"r", bridge.Filtered, "branches", `branches: got "dev", want main`}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := match.New([]*bridge.Rule{test.rule}, match.AllowAll())
			if diff := cmp.Diff([]decision{test.want}, flatten(m.Explain(pushFacts(), variables))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAccessIsTestedBeforeFilters(t *testing.T) {
	t.Parallel()
	m := match.New([]*bridge.Rule{rule("r", "github.push", globs(t, "branches", "main"))}, match.AllowNone())
	want := []decision{{"r", bridge.Filtered, bridge.ReasonAccess, `access: namespace "team" has no access to repository acme/app`}}
	if diff := cmp.Diff(want, flatten(m.Match(pushFacts(), variables))); diff != "" {
		t.Error(diff)
	}
}

func TestOneOfSeveralTriggersIsEnough(t *testing.T) {
	t.Parallel()
	r := rule("r", "github.push", globs(t, "branches", "main"))
	r.Triggers = append(r.Triggers, bridge.Trigger{Event: "github.push"}, bridge.Trigger{Event: "github.release"})
	m := match.New([]*bridge.Rule{r}, match.AllowAll())
	want := []decision{{"r", bridge.Matched, bridge.ReasonMatched, ""}}
	if diff := cmp.Diff(want, flatten(m.Match(pushFacts(), variables))); diff != "" {
		t.Error(diff)
	}
}

func TestVariablesAreBuiltOnlyForWhen(t *testing.T) {
	t.Parallel()
	fails := func() (map[string]any, error) { return nil, errors.New("no JSON") }
	m := match.New([]*bridge.Rule{
		rule("a", "github.push"),
		withWhen(t, rule("b", "github.push"), `true`),
	}, match.AllowAll())
	want := []decision{{"a", bridge.Matched, bridge.ReasonMatched, ""}, {"b", bridge.Rejected, bridge.ReasonPayload, "no JSON"}}
	if diff := cmp.Diff(want, flatten(m.Match(pushFacts(), fails))); diff != "" {
		t.Error(diff)
	}
}

func TestMatchMeetsCandidatesOnly(t *testing.T) {
	t.Parallel()
	m := match.New([]*bridge.Rule{
		rule("other-event", "github.release"),
		rule("other-repository", "github.push", globs(t, "repositories", "acme/web")),
		rule("other-prefix", "github.push", globs(t, "repositories", "other/*")),
		rule("literal", "github.push", globs(t, "repositories", "x/y", "ACME/app")),
		rule("prefix", "github.push", globs(t, "repositories", "acme/**", "!acme/app")),
		rule("any", "github.push", globs(t, "branches", "main")),
	}, match.AllowAll())
	var names []string
	for _, d := range m.Match(pushFacts(), variables) {
		names = append(names, d.Rule.Name)
	}
	if diff := cmp.Diff([]string{"literal", "prefix", "any"}, names); diff != "" {
		t.Error(diff)
	}
	if got := len(m.Explain(pushFacts(), variables)); got != 6 {
		t.Errorf("explain decided %d rules of 6", got)
	}
}

// FuzzMatch holds the index against the plain loop over all rules.
func FuzzMatch(f *testing.F) {
	for _, s := range [][3]string{{"acme/*", "acme/app", "acme/app"}, {"a?b", "ab+c", "abbc"}, {`\*x`, "!a", "*x"}, {"é?a", "**", "a"}, {"[a-c]x", "A/B", "a/b"}} {
		f.Add(s[0], s[1], s[2])
	}
	f.Fuzz(func(t *testing.T, first, second, value string) {
		for _, key := range []string{"repositories", "buckets", "channels"} {
			var rules []*bridge.Rule
			for i, patterns := range [][]string{{first}, {second}, {first, second}, {second, first}} {
				if filter, err := match.Globs(key, patterns); err == nil {
					rules = append(rules, rule(fmt.Sprint("glob", i), "e", filter))
				}
				if filter, err := match.Set(key, patterns); err == nil {
					rules = append(rules, rule(fmt.Sprint("set", i), "e", filter))
				}
			}
			m := match.New(rules, match.AllowAll())
			facts := bridge.Facts{Name: "e", Values: values{key: {value}}}
			if diff := cmp.Diff(matched(m.Explain(facts, variables)), matched(m.Match(facts, variables))); diff != "" {
				t.Errorf("%s %q %q %q: %s", key, first, second, value, diff)
			}
		}
	})
}

func matched(decisions []bridge.Decision) []string {
	var names []string
	for _, d := range decisions {
		if d.Verdict == bridge.Matched {
			names = append(names, d.Rule.Name)
		}
	}
	return names
}

func BenchmarkMatch(b *testing.B) {
	for _, n := range []int{100, 1_000, 10_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			rules := make([]*bridge.Rule, n)
			for i := range rules {
				pattern := fmt.Sprintf("org-%d/app", i)
				if i%2 == 1 {
					pattern = fmt.Sprintf("org-%d/*", i)
				}
				rules[i] = withWhen(b, rule("r", "github.push", globs(b, "repositories", pattern), globs(b, "branches", "main", "release/**")), `github.draft == false`)
				rules[i].Template.Name = fmt.Sprint("t", i)
			}
			m := match.New(rules, match.AllowAll())
			facts := bridge.Facts{Name: "github.push", Values: values{"repositories": {"org-77/app"}, "branches": {"main"}}}
			vars, _ := variables()
			scope := func() (map[string]any, error) { return vars, nil }
			b.ReportAllocs()
			for b.Loop() {
				if d := m.Match(facts, scope); len(d) != 1 || d[0].Verdict != bridge.Matched {
					b.Fatal(d)
				}
			}
		})
	}
}

func TestWantsTellsWithoutVariablesWhetherARuleMayFit(t *testing.T) {
	t.Parallel()
	end := func(outcome, namespace, template string) bridge.Facts {
		return bridge.Facts{Name: "workflow." + outcome, Values: values{"templates": {namespace + "/" + template}, "namespaces": {namespace}}}
	}
	access, err := match.NewAccess([]match.Entry{{Namespaces: []string{"team"}, Workflows: []string{"open"}}}, "argo")
	if err != nil {
		t.Fatal(err)
	}
	m := match.New([]*bridge.Rule{
		withWhen(t, rule("conditional", "workflow.succeeded", globs(t, "templates", "team/load-*", "!team/load-x")), "false"),
		rule("elsewhere", "workflow.failed", globs(t, "templates", "open/a", "closed/a")),
	}, access)
	for name, test := range map[string]struct {
		facts bridge.Facts
		want  bool
	}{
		"a rule that waits for it, whatever its when says": {end("succeeded", "team", "load-a"), true},
		"another outcome":                     {end("failed", "team", "load-a"), false},
		"another template":                    {end("succeeded", "team", "extract"), false},
		"a template that is excluded":         {end("succeeded", "team", "load-x"), false},
		"a namespace that access allows":      {end("failed", "open", "a"), true},
		"a namespace that access leaves shut": {end("failed", "closed", "a"), false},
		"an outcome that nobody knows":        {end("completed", "team", "load-a"), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := m.Wants(test.facts); got != test.want {
				t.Errorf("got %v", got)
			}
			if wanted := len(m.Match(test.facts, variables)) > 0; test.want && !wanted {
				t.Error("it is wanted, and Match knows no rule for it")
			}
		})
	}
}
