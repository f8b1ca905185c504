package github

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/google/go-cmp/cmp"
)

// observe collects the paths of a payload in the notation of addField.
func observe(paths map[string]bool, at string, v any, depth int) {
	switch v := v.(type) {
	case map[string]any:
		if len(v) == 0 || depth == 0 || strings.HasSuffix(at, "custom_properties") {
			paths[at+"?"] = true
			return
		}
		for k, m := range v {
			if strings.ContainsAny(k, ".[]?") {
				continue
			}
			observe(paths, strings.TrimPrefix(at+"."+k, "."), m, depth-1)
		}
	case []any:
		if len(v) == 0 || depth == 0 {
			paths[at+"?"] = true
		}
		for _, m := range v {
			if depth > 0 {
				observe(paths, at+"[]", m, depth-1)
			}
		}
	case nil:
		paths[at+"?"] = true
	default:
		paths[at] = true
	}
}

// covered says whether a shape allows the path without any addition.
func covered(s *bridge.Shape, steps []string) bool {
	switch {
	case s == nil, len(steps) == 0 && s.Scalar, len(steps) > 0 && steps[0] == "?":
		return true
	case len(steps) == 0, s.Scalar:
		return false
	case steps[0] == "[]":
		return s.Items != nil && covered(s.Items, steps[1:])
	}
	m, ok := s.Fields[steps[0]]
	return ok && covered(m, steps[1:])
}

func collectFields(t *testing.T) map[string][]string {
	t.Helper()
	seen := map[string]map[string]bool{}
	for name, body := range payloads(t) {
		var v any
		if err := json.Unmarshal(body, &v); err != nil {
			t.Fatal(err)
		}
		event := eventOf(name)
		if slices.Contains(never, event) {
			continue
		}
		if seen[event] == nil {
			seen[event] = map[string]bool{}
		}
		observe(seen[event], "", v, maxDepth)
	}
	fields := map[string][]string{}
	for event, paths := range seen {
		s := structShape(event)
		all := slices.Sorted(maps.Keys(paths))
		lacking := []string{}
		for _, p := range all {
			bare, unknown := strings.CutSuffix(p, "?")
			if unknown && slices.ContainsFunc(all, func(o string) bool {
				return o == bare || strings.HasPrefix(o, bare+".") || strings.HasPrefix(o, bare+"[")
			}) {
				continue // its structure was seen elsewhere
			}
			if s == nil || !covered(s, stepsOf(p)) && !mayBe(s, p) {
				lacking = append(lacking, p)
			}
		}
		fields[event] = lacking
	}
	return fields
}

// mayBe says whether an unknown value is known to the struct.
func mayBe(s *bridge.Shape, path string) bool {
	bare, unknown := strings.CutSuffix(path, "?")
	return unknown && covered(s, stepsOf(bare))
}

func TestFieldsAreThoseOfTheRealPayloads(t *testing.T) {
	t.Parallel()
	got, err := json.MarshalIndent(collectFields(t), "", " ")
	if err != nil {
		t.Fatal(err)
	}
	got = append(got, '\n')
	if *update {
		if err := os.WriteFile("fields.json", got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if !bytes.Equal(got, fieldsJSON) {
		t.Errorf("fields.json is stale; run with -update\n%s", cmp.Diff(string(fieldsJSON), string(got)))
	}
}

func TestEveryFieldOfEveryRealPayloadIsKnown(t *testing.T) {
	t.Parallel()
	d := Dialect()
	for name, body := range payloads(t) {
		var v any
		if err := json.Unmarshal(body, &v); err != nil {
			t.Fatal(err)
		}
		event := eventOf(name)
		if slices.Contains(never, event) {
			continue
		}
		paths := map[string]bool{}
		observe(paths, "", v, maxDepth)
		shape := d.Variables("github." + event)["github"].Fields["event"]
		for p := range paths {
			if !covered(shape, stepsOf(strings.TrimSuffix(p, "?"))) && !coveredAsAnything(shape, p) {
				t.Errorf("%s: %s would be called unknown", name, p)
			}
		}
		if !slices.Contains(d.Events, "github."+event) {
			t.Errorf("%s is not an event of the dialect", event)
		}
	}
}

// coveredAsAnything says whether the path's parent has it, as a structure of whatever kind.
func coveredAsAnything(s *bridge.Shape, path string) bool {
	bare, unknown := strings.CutSuffix(path, "?")
	if !unknown {
		return false
	}
	for _, step := range stepsOf(bare) {
		if s == nil {
			return true
		}
		if step == "[]" {
			s = s.Items
			continue
		}
		m, ok := s.Fields[step]
		if !ok {
			return false
		}
		s = m
	}
	return true
}

func TestVariables(t *testing.T) {
	t.Parallel()
	d := Dialect()
	tests := map[string]struct {
		event, path string
		known       bool
	}{
		"a field of go-github's struct":                  {"github.pull_request", "pull_request.number", true},
		"a nested field":                                 {"github.pull_request", "pull_request.head.repo.full_name", true},
		"a field in a list":                              {"github.push", "commits[].message", true},
		"a misspelt field":                               {"github.pull_request", "pull_requst.number", false},
		"a misspelt nested field":                        {"github.push", "head_commit.massage", false},
		"a field below a text":                           {"github.push", "ref.name", false},
		"a free payload is anything":                     {"github.repository_dispatch", "client_payload.a.b", true},
		"a workflow's inputs are anything":               {"github.workflow_dispatch", "inputs.environment", true},
		"an edit's changes are anything":                 {"github.pull_request", "changes.base.ref.from", true},
		"an event that nobody has a struct or sample of": {"github.sub_issues", "parent_issue.title", true},
		"an event that does not exist":                   {"github.nonsense", "a.b", true},
		"too deep to be checked":                         {"github.pull_request", "pull_request.head.repo.parent.parent.parent.parent.parent.nonsense", true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := d.Variables(tt.event)
			if got := covered(v["github"].Fields["event"], stepsOf(tt.path)); got != tt.known {
				t.Errorf("github.event.%s: known is %v, want %v", tt.path, got, tt.known)
			}
			if got := covered(v["data"], stepsOf(tt.path)); got != tt.known {
				t.Errorf("data.%s: known is %v, want %v", tt.path, got, tt.known)
			}
		})
	}
	for _, n := range []string{"ref", "sha", "actor", "repository_owner", "head_ref"} {
		if !covered(d.Variables("github.push")["github"], []string{n}) {
			t.Errorf("github.%s is not known", n)
		}
	}
	if covered(d.Variables("github.push")["github"], []string{"run_id"}) {
		t.Error("github.run_id is known, and there is none")
	}
}

func TestUntrustedFieldsExistInSomeEvent(t *testing.T) {
	t.Parallel()
	d := Dialect()
	for _, path := range d.Untrusted {
		if !slices.ContainsFunc(d.Events, func(event string) bool {
			v := d.Variables(event)
			root, rest, _ := strings.Cut(path, ".")
			return v[root] != nil && (covered(v[root], stepsOf(rest)) || coveredAsAnything(v[root], rest+"?"))
		}) {
			t.Errorf("%s is a field of no event", path)
		}
	}
	for _, path := range []string{
		"github.event.pull_request.title", "github.event.pull_request.head.ref", "github.event.comment.body",
		"github.event.commits[].message", "github.head_ref", "github.ref_name", "data.issue.title",
	} {
		if !slices.Contains(d.Untrusted, path) {
			t.Errorf("%s is trusted", path)
		}
	}
}

func TestNothingIsPublishedAsPingOrPullRequestTarget(t *testing.T) {
	t.Parallel()
	for _, n := range []string{"github.ping", "github.pull_request_target"} {
		if slices.Contains(Dialect().Events, n) {
			t.Errorf("%s is an event of the dialect, and never comes", n)
		}
	}
}

// FuzzAddField holds that no path breaks the shapes.
func FuzzAddField(f *testing.F) {
	for _, p := range []string{"a", "a.b", "a[].b", "a?", "a[]?", "[]", "?", "", "a[][]", "."} {
		f.Add(p, "a.b")
	}
	f.Fuzz(func(t *testing.T, one, two string) {
		s := &bridge.Shape{Fields: map[string]*bridge.Shape{}}
		if s = addField(s, one); s != nil {
			addField(s, two)
		}
	})
}
