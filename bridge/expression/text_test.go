package expression_test

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/expression"
)

func TestRender(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ source, want string }{
		"a constant":                       {"nightly", "nightly"},
		"a path":                           {"sha {{github.sha}}!", "sha abc1234567!"},
		"a path with spaces":               {"{{ github.sha }}", "abc1234567"},
		"an unknown path is left as it is": {"{{ inputs.parameters.x }}", "{{ inputs.parameters.x }}"},
		"null is empty":                    {"[{{github.base_ref}}]", "[]"},
		"an expression":                    {"{{= sprig.upper(github.sha) }}", "ABC1234567"},
		"a number is JSON":                 {"#{{=github.event.number}}", "#42"},
		"a list is JSON, without escaped brackets": {`{{=["<a>"]}}`, `["<a>"]`},
		"an expression with closing braces":        {`{{={"a": {"b": 1}}}}.`, `{"a":{"b":1}}.`},
		"several tags on several lines":            {"a {{github.sha}}\nb {{=1+1}}\n", "a abc1234567\nb 2\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text, err := expression.CompileText(test.source)
			if err != nil {
				t.Fatal(err)
			}
			got, err := text.Render(variables(t))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestScope(t *testing.T) {
	t.Parallel()
	when := time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC)
	event := bridge.Event{
		ID: "1", Type: "t", Source: "s", Subject: "u", Time: when, Extensions: map[string]string{"tenant": "a"}, Data: json.RawMessage(`{"a":1}`),
	}
	attributes := map[string]any{
		"id": "1", "type": "t", "source": "s", "subject": "u", "time": "2024-05-06T07:08:09Z", "extensions": map[string]any{"tenant": "a"},
	}
	for name, test := range map[string]struct {
		own  map[string]any
		want map[string]any
	}{
		"the payload is parsed":               {nil, map[string]any{"event": attributes, "data": map[string]any{"a": 1.0}}},
		"the source's variables are added":    {map[string]any{"gcs": 2}, map[string]any{"event": attributes, "gcs": 2, "data": map[string]any{"a": 1.0}}},
		"the source's data is the payload":    {map[string]any{"data": "parsed"}, map[string]any{"event": attributes, "data": "parsed"}},
		"no source can forge event's members": {map[string]any{"event": "x", "data": 1}, map[string]any{"event": attributes, "data": 1}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			calls := 0
			scope := expression.NewScope(event, bridge.Facts{Variables: func() (map[string]any, error) { calls++; return test.own, nil }})
			for range 2 {
				got, err := scope.Variables()
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(test.want, got); diff != "" {
					t.Error(diff)
				}
			}
			if calls != 1 {
				t.Errorf("the source was asked %d times", calls)
			}
		})
	}
}

func TestScopeReportsWhatItCannotRead(t *testing.T) {
	t.Parallel()
	_, err := expression.NewScope(bridge.Event{Data: json.RawMessage(`{`)}, bridge.Facts{}).Variables()
	wantError(t, err, "read the event's data")
	fails := func() (map[string]any, error) { return nil, errors.New("no such field") }
	_, err = expression.NewScope(bridge.Event{}, bridge.Facts{Name: "gcs.finalized", Variables: fails}).Variables()
	wantError(t, err, "build the variables of gcs.finalized: no such field")
}

func TestNearest(t *testing.T) {
	t.Parallel()
	names := []string{"branches", "branches-ignore", "paths", "tags"}
	for name, want := range map[string]string{
		"branch": "branches", "brnaches": "branches", "path": "paths", "Tags": "tags", "zebra": "", "tgas": "tags", "pathss": "paths",
	} {
		if got := expression.Nearest(name, names); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}

func FuzzCompile(f *testing.F) {
	for _, s := range []string{`github.sha`, `a.b[0]?.c`, `sprig.upper(a)`, `map(a, .b)`, `let x = a; x[1:2]`, `{"a": 1}`, `{{=a}}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, source string) {
		vars := map[string]any{"a": []any{map[string]any{"b": "c"}}}
		if p, err := expression.Compile(source); err == nil {
			_, _ = p.Evaluate(vars)
		}
		for _, p := range expression.Check(source, shapes()) {
			if p.Line < 1 || p.Column < 1 {
				t.Errorf("problem without a place: %v", p)
			}
		}
		expression.Paths(source)
		if text, err := expression.CompileText(source); err == nil {
			_, _ = text.Render(vars)
		}
	})
}
