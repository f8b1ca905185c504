package expression_test

import (
	"encoding/json"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/argo-bridge/argo-bridge/bridge/expression"
)

func variables(t testing.TB) map[string]any {
	t.Helper()
	var v map[string]any
	err := json.Unmarshal([]byte(`{
		"github": {"sha": "abc1234567", "base_ref": null, "event": {
			"number": 42, "draft": false, "title": "fix \"it\"",
			"labels": [{"name": "bug"}, {"name": "ui"}], "missing_list": null
		}},
		"gcs": {"name": "exports/a.json", "size": "1024"}
	}`), &v)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestEvaluate(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		source string
		want   any
		err    string
	}{
		"a member is read":                           {source: `github.sha`, want: "abc1234567"},
		"a member of a missing member is null":       {source: `github.event.pull_request.head.sha`, want: nil},
		"a member of a missing variable is null":     {source: `slack.channel.id`, want: nil},
		"a member of null is null":                   {source: `github.base_ref.x`, want: nil},
		"an author's optional chain works":           {source: `github?.event?.pull_request?.head`, want: nil},
		"null can be replaced":                       {source: `github.base_ref ?? "main"`, want: "main"},
		"an element beyond the end is null":          {source: `github.event.labels[7].name`, want: nil},
		"an element is found by its index":           {source: `github.event.labels[-1].name`, want: "ui"},
		"a member with a quoted name is read":        {source: `github["sha"]`, want: "abc1234567"},
		"a slice of a text":                          {source: `github.sha[:7]`, want: "abc1234"},
		"a slice of null is null":                    {source: `github.base_ref[:7]`, want: nil},
		"a slice beyond the end stops at the end":    {source: `github.sha[8:100]`, want: "67"},
		"a member of a string is an error":           {source: `github.sha.short`, err: `github.sha is a string, it has no member "short"`},
		"a member of a number is an error":           {source: `github.event.number.x`, err: `github.event.number is a number, it has no member "x"`},
		"a list has no named members":                {source: `github.event.labels.name`, err: `github.event.labels is a list, it has no member "name"`},
		"members in predicates are members as well":  {source: `any(github.event.labels, .name == "bug")`, want: true},
		"predicates propagate null as well":          {source: `map(github.event.labels, .a.b)`, want: []any{nil, nil}},
		"a list that is null is an error in words":   {source: `any(github.event.missing_list, true)`, err: "null"},
		"sprig functions are called by Argo's names": {source: `sprig.upper(github.sha)`, want: "ABC1234567"},
		"sprig takes a whole JSON number as int":     {source: `sprig.trunc(github.event.number - 39, github.sha)`, want: "abc"},
		"sprig names a wrong argument":               {source: `sprig.trunc("x", github.sha)`, err: "sprig.trunc: argument 1 is a string, want int"},
		"sprig names a missing argument":             {source: `sprig.trunc(1)`, err: "sprig.trunc wants 2 arguments, got 1"},
		"a sprig error is an error":                  {source: `sprig.fail("no")`, err: "no"},
		"a sprig panic is an error":                  {source: `sprig.semver("1.x.y.z").Major()`, err: "semver"},
		"a huge repetition is refused":               {source: `sprig.repeat(1000000000, "ab")`, err: "more than"},
		"a huge range is refused":                    {source: `sprig.untilStep(0, 2000000000, 1)`, err: "more than"},
		"a huge list exceeds the memory budget":      {source: `map(1..900000, 1..900000)`, err: "memory budget"},
		"asInt is Argo's":                            {source: `asInt(gcs.size) > 1000`, want: true},
		"asFloat is Argo's":                          {source: `asFloat("1.5")`, want: 1.5},
		"toJson is Argo's":                           {source: `toJson(github.event.labels)`, want: `[{"name":"bug"},{"name":"ui"}]`},
		"jsonpath is Argo's":                         {source: `jsonpath(toJson(github), "$.sha")`, want: "abc1234567"},
		"jsonpath's panic is an error":               {source: `jsonpath("{", "$.sha")`, err: "unexpected end of JSON"},
		"a method of a builtin's result is called":   {source: `date("2024-05-06").Year()`, want: 2024},
		"a number compares with an integer":          {source: `github.event.number == 42`, want: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, err := expression.Compile(test.source)
			if err != nil {
				t.Fatal(err)
			}
			got, err := p.Evaluate(variables(t))
			wantError(t, err, test.err)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestCompileRefuses(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ source, err string }{
		"nothing":                            {"  ", "empty"},
		"a syntax error, with its column":    {`github. == 1`, "1:12: expected name"},
		"a syntax error, with its line":      {"github.sha\n== )", "2:4: "},
		"an unknown function":                {`asInteger(1)`, "unknown function asInteger"},
		"an unknown sprig function":          {`sprig.uper("a")`, "did you mean sprig.upper?"},
		"a look-up on the network":           {`sprig.getHostByName("localhost")`, "unknown function sprig.getHostByName"},
		"the bridge's environment":           {`sprig.env("HOME")`, "unknown function sprig.env"},
		"an expression of too many nodes":    {"1" + strings.Repeat("+1", 3000), "node"},
		"an expression of too many bytes":    {`"` + strings.Repeat("x", 20_000) + `"`, "limit"},
		"a regular expression that is wrong": {`github.sha matches "("`, "missing closing"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := expression.Compile(test.source)
			if err == nil {
				t.Fatal("compiled")
			}
			wantError(t, err, test.err)
		})
	}
}

func TestNoExpressionChangesTheVariables(t *testing.T) {
	t.Parallel()
	for _, source := range []string{
		`sprig.set(github, "sha", "evil")`,
		`sprig.unset(github, "sha")`,
		`sprig.merge(github.event, {"pwned": true})`,
		`sprig.mergeOverwrite(github, {"sha": "evil"})`,
		`sprig.mustMergeOverwrite(github, {"sha": "evil"})`,
	} {
		t.Run(source, func(t *testing.T) {
			t.Parallel()
			p, err := expression.Compile(source)
			if err != nil {
				t.Fatal(err)
			}
			vars := variables(t)
			if _, err := p.Evaluate(vars); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(variables(t), vars); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestEvaluateIsSafeForConcurrentUse(t *testing.T) {
	t.Parallel()
	p, err := expression.Compile(`sprig.upper(github.sha) + string(len(github.event.labels))`)
	if err != nil {
		t.Fatal(err)
	}
	vars := variables(t)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 100 {
				if got, err := p.Evaluate(vars); err != nil || got != "ABC12345672" {
					t.Errorf("got %v, %v", got, err)
				}
			}
		})
	}
	wg.Wait()
}

func wantError(t *testing.T, err error, want string) {
	t.Helper()
	if want == "" && err != nil {
		t.Fatal(err)
	}
	if want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
		t.Fatalf("got error %v, want one with %q", err, want)
	}
}

func BenchmarkEvaluate(b *testing.B) {
	for _, source := range []string{
		`github.sha`,
		`github.event.pull_request.head.sha`,
		`github.event.number == 42 && any(github.event.labels, .name == "ui")`,
		`sprig.upper(github.sha)`,
	} {
		b.Run(source, func(b *testing.B) {
			p, err := expression.Compile(source)
			if err != nil {
				b.Fatal(err)
			}
			vars := variables(b)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := p.Evaluate(vars); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkCompile(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := expression.Compile(`github.event.pull_request.head.sha`); err != nil {
			b.Fatal(err)
		}
	}
}
