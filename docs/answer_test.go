package docs_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/app"
	"github.com/argo-bridge/argo-bridge/bridge/dispatch"
	"github.com/argo-bridge/argo-bridge/bridge/mapping"
	"github.com/argo-bridge/argo-bridge/bridge/match"
	"github.com/argo-bridge/argo-bridge/workflowtemplates"
)

// load makes a template of some annotations that declares the parameters which they fill, and lints it.
func load(t *testing.T, annotations string) *workflowtemplates.Template {
	t.Helper()
	var set map[string]string
	if err := yaml.Unmarshal([]byte(annotations), &set); err != nil {
		t.Fatal(err)
	}
	manifest, err := yaml.Marshal(map[string]any{
		"apiVersion": "argoproj.io/v1alpha1", "kind": "WorkflowTemplate",
		"metadata": map[string]any{"name": "example", "namespace": "argo", "annotations": set},
		"spec": map[string]any{
			"entrypoint": "main", "templates": []any{map[string]any{"name": "main", "suspend": map[string]any{}}},
			"arguments": map[string]any{"parameters": declarations(t, set)},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "example.yaml")
	if err := os.WriteFile(path, manifest, 0o600); err != nil {
		t.Fatal(err)
	}
	report, err := workflowtemplates.Lint([]string{path}, nil, app.Language())
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range report.Faults {
		t.Errorf("%s: %s (%s)", f.Key, f.Message, f.Suggestion)
	}
	files, err := workflowtemplates.Load([]string{path}, nil)
	if err != nil || len(files.Inputs) != 1 {
		t.Fatalf("%v, %v", files, err)
	}
	return workflowtemplates.Parse(files.Inputs[0], app.Language())
}

// declarations are the parameters that the annotations fill. One that only some rules fill has a default.
func declarations(t *testing.T, annotations map[string]string) []any {
	t.Helper()
	rules, filled := 0, map[string]int{}
	for key, text := range annotations {
		base, _, _ := strings.Cut(strings.TrimPrefix(key, bridge.Prefix), ".")
		switch base {
		case "on":
			rules++
		case "parameters":
			var expressions map[string]any
			if err := yaml.Unmarshal([]byte(text), &expressions); err != nil {
				t.Fatal(err)
			}
			for name := range expressions {
				filled[name]++
			}
		}
	}
	declared := []any{}
	for _, name := range slices.Sorted(maps.Keys(filled)) {
		d := map[string]any{"name": name}
		if filled[name] < rules {
			d["value"] = ""
		}
		declared = append(declared, d)
	}
	return declared
}

// answer says in one line what a template makes of events: of one, or of a batch.
func answer(t *testing.T, template *workflowtemplates.Template, events []occurrence) string {
	t.Helper()
	first := events[0]
	view := workflowtemplates.NewView([]*workflowtemplates.Template{template}, match.AllowAll())
	var parts []string
	for _, d := range view.Explain(first.facts, first.scope.Variables) {
		if d.Verdict == bridge.OtherEvent {
			continue
		}
		text := ruleAnswer(t, d, events)
		if len(template.Rules) > 1 {
			text = "rule " + code(d.Rule.Name) + ": " + text
		}
		parts = append(parts, text)
	}
	if len(parts) == 0 {
		return "nothing: it is another event"
	}
	return strings.Join(parts, "; ")
}

func ruleAnswer(t *testing.T, d bridge.Decision, events []occurrence) string {
	t.Helper()
	if d.Verdict != bridge.Matched {
		return fmt.Sprintf("nothing: %s, %s", d.Verdict, code(d.Detail))
	}
	first := events[0]
	keys, err := mapping.Keys(d.Rule, first.variables(t))
	if err != nil {
		return "nothing: rejected, " + code(err.Error())
	}
	s, err := dispatch.Plan(dispatch.Start{
		Event: first.event, Facts: first.facts, Rule: d.Rule, Variables: first.variables(t), Batch: members(t, events),
	})
	if err != nil {
		return "nothing: rejected, " + code(err.Error())
	}
	parts := workflowParts(s, d.Rule)
	if len(parts) == 0 {
		parts = []string{"a Workflow"}
	}
	if condition := dispatch.Condition(d.Rule, first.facts); condition != "" {
		parts = append(parts, condition)
	}
	return strings.Join(append(parts, keyParts(keys)...), ", ")
}

func members(t *testing.T, events []occurrence) []dispatch.Member {
	t.Helper()
	var all []dispatch.Member
	for _, e := range events {
		all = append(all, dispatch.Member{Event: e.event, Variables: e.variables(t)})
	}
	return all
}

// workflowParts are what the rule, not the bridge, sets on the Workflow.
func workflowParts(s bridge.Submission, rule *bridge.Rule) []string {
	var parts []string
	for _, p := range s.Parameters {
		parts = append(parts, code(p.Name)+" = "+code(p.Value))
	}
	for _, name := range slices.Sorted(maps.Keys(rule.Submit.Labels)) {
		parts = append(parts, "label "+code(name)+" = "+code(s.Labels[name]))
	}
	add := func(what, value string) {
		if value != "" {
			parts = append(parts, what+" "+code(value))
		}
	}
	add("entrypoint", s.Entrypoint)
	add("service account", s.ServiceAccount)
	if s.Priority != nil {
		add("priority", fmt.Sprint(*s.Priority))
	}
	return parts
}

func keyParts(keys bridge.FlowKeys) []string {
	var parts []string
	add := func(what, value string) {
		if value != "" {
			parts = append(parts, what+" "+code(value))
		}
	}
	add("in the group", keys.Group)
	add("in the order of", keys.Order)
	add("in a batch of", keys.Batch)
	return parts
}

// code is text as Markdown's code, in one line; a bar would end the table's cell.
func code(text string) string {
	text = strings.ReplaceAll(strings.Join(strings.Fields(text), " "), "|", "¦")
	if strings.Contains(text, "`") {
		return "`` " + text + " ``"
	}
	if text == "" {
		return "an empty text"
	}
	return "`" + text + "`"
}
