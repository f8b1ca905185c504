package mapping_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/expression"
	"github.com/argo-bridge/argo-bridge/bridge/mapping"
)

func rule(t *testing.T, source string, configure func(*bridge.ParameterRule)) *bridge.Rule {
	t.Helper()
	p := bridge.ParameterRule{Name: "p", Value: program(t, source)}
	if configure != nil {
		configure(&p)
	}
	return &bridge.Rule{Parameters: []bridge.ParameterRule{p}}
}

func program(t *testing.T, source string) bridge.Expression {
	t.Helper()
	p, err := expression.Compile(source)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

var variables = map[string]any{"github": map[string]any{
	"sha": "abc", "ref": "feature/x", "number": 42.0, "big": strings.Repeat("x", mapping.MaxValue+1),
	"labels": []any{"<a>", "b"},
}}

func TestParameters(t *testing.T) {
	t.Parallel()
	hasDefault := func(p *bridge.ParameterRule) { p.Default = true }
	enum := func(p *bridge.ParameterRule) { p.Enum = []string{"dev", "prod"} }
	for name, test := range map[string]struct {
		source    string
		configure func(*bridge.ParameterRule)
		want      []bridge.Parameter
		err       string
	}{
		"a string is taken as it is":                     {source: `github.sha`, want: []bridge.Parameter{{Name: "p", Value: "abc"}}},
		"a number is JSON":                               {source: `github.number`, want: []bridge.Parameter{{Name: "p", Value: "42"}}},
		"a list is JSON":                                 {source: `github.labels`, want: []bridge.Parameter{{Name: "p", Value: `["<a>","b"]`}}},
		"an empty string is a value":                     {source: `""`, want: []bridge.Parameter{{Name: "p", Value: ""}}},
		"null leaves the template's default":             {source: `github.nothing`, configure: hasDefault},
		"null without a default is an error":             {source: `github.nothing`, err: `parameter "p": github.nothing is null and the template has no default`},
		"a value over 64 KiB is an error that says so":   {source: `github.big`, err: `parameter "p": github.big has 65537 bytes, the limit for a value is 65536 (64 KiB)`},
		"a value of exactly 64 KiB is taken":             {source: `github.big[1:]`, want: []bridge.Parameter{{Name: "p", Value: strings.Repeat("x", mapping.MaxValue)}}},
		"a value of the template's enum is taken":        {source: `"dev"`, configure: enum, want: []bridge.Parameter{{Name: "p", Value: "dev"}}},
		"a value outside the template's enum is refused": {source: `github.sha`, configure: enum, err: `parameter "p": github.sha is "abc", the template allows only dev, prod`},
		"an expression that fails is an error":           {source: `github.sha.x`, err: `parameter "p": evaluate github.sha.x: github.sha is a string`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := mapping.Parameters(rule(t, test.source, test.configure), variables, nil)
			wantError(t, err, test.err)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestParametersReportsAllFaultsAndNoParameter(t *testing.T) {
	t.Parallel()
	r := rule(t, `github.a`, nil)
	r.Parameters = append(r.Parameters, rule(t, `github.sha`, nil).Parameters[0], rule(t, `github.b`, nil).Parameters[0])
	got, err := mapping.Parameters(r, variables, nil)
	wantError(t, err, "github.a is null")
	wantError(t, err, "github.b is null")
	if len(got) != 0 {
		t.Errorf("got parameters %v beside an error", got)
	}
}

func TestRender(t *testing.T) {
	t.Parallel()
	two := int32(2)
	for name, test := range map[string]struct {
		labels               map[string]string
		entrypoint, priority string
		want                 mapping.Settings
		err                  string
	}{
		"nothing is set":                  {want: mapping.Settings{}},
		"constants and expressions":       {labels: map[string]string{"a": "b", "n": "{{=github.number}}"}, entrypoint: "load", priority: "2", want: mapping.Settings{Labels: map[string]string{"a": "b", "n": "42"}, Entrypoint: "load", Priority: &two}},
		"a label value must be valid":     {labels: map[string]string{"a": "{{=github.ref}}"}, err: `label "a": "feature/x" is no label value`},
		"a priority must be a number":     {priority: "{{=github.sha}}", err: `priority: "abc" is no whole number`},
		"a priority must have 32 bits":    {priority: "99999999999", err: `priority: "99999999999" is no whole number`},
		"an expression that fails is one": {entrypoint: "{{=github.sha.x}}", err: `entrypoint: evaluate github.sha.x`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := &bridge.Rule{Submit: bridge.SubmitRule{Entrypoint: text(t, test.entrypoint), Priority: text(t, test.priority)}}
			for k, v := range test.labels {
				if r.Submit.Labels == nil {
					r.Submit.Labels = map[string]bridge.Text{}
				}
				r.Submit.Labels[k] = text(t, v)
			}
			got, err := mapping.Render(r, variables)
			wantError(t, err, test.err)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func text(t *testing.T, source string) bridge.Text {
	t.Helper()
	if source == "" {
		return nil
	}
	compiled, err := expression.CompileText(source)
	if err != nil {
		t.Fatal(err)
	}
	return compiled
}

func wantError(t *testing.T, err error, want string) {
	t.Helper()
	if want == "" && err != nil {
		t.Fatal(err)
	}
	if want != "" && (err == nil || !strings.Contains(err.Error(), want) || !bridge.IsPermanent(err)) {
		t.Fatalf("got error %v, want a permanent one with %q", err, want)
	}
}
