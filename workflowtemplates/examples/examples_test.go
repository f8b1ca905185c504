package examples_test

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/argo-bridge/argo-bridge/adapters/gcs"
	"github.com/argo-bridge/argo-bridge/adapters/github"
	"github.com/argo-bridge/argo-bridge/adapters/slack"
	"github.com/argo-bridge/argo-bridge/adapters/workflow"
	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/app"
	"github.com/argo-bridge/argo-bridge/bridge/dispatch"
	"github.com/argo-bridge/argo-bridge/bridge/expression"
	"github.com/argo-bridge/argo-bridge/bridge/match"
	"github.com/argo-bridge/argo-bridge/bridge/submit"
	"github.com/argo-bridge/argo-bridge/workflowtemplates"
)

var update = flag.Bool("update", false, "write the golden files anew")

func TestEveryExampleLintsClean(t *testing.T) {
	report, err := workflowtemplates.Lint([]string{"."}, nil, app.Language())
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range report.Faults {
		t.Errorf("%s:%d: %s: %s: %s (%s)", f.File, f.Line, f.Key, f.Severity, f.Message, f.Suggestion)
	}
}

// A happening is what a source would send.
type happening func(t *testing.T) (bridge.Event, error)

var sent = time.Date(2026, 11, 23, 8, 10, 0, 0, time.UTC)

func fromGCS(resource, attributes string) happening {
	return func(t *testing.T) (bridge.Event, error) {
		var a map[string]string
		if err := json.Unmarshal(payload(t, attributes), &a); err != nil {
			t.Fatal(err)
		}
		return gcs.Translate(a, payload(t, resource), sent)
	}
}

func fromGitHub(event, file string) happening {
	return func(t *testing.T) (bridge.Event, error) {
		return github.Translate(event, "72d3162e-cc78-11e3-81ab-4c9367dc0958", payload(t, file))
	}
}

// fromFork is a pull request whose head is in somebody else's repository.
func fromFork(file string) happening {
	return func(t *testing.T) (bridge.Event, error) {
		var p map[string]any
		if err := json.Unmarshal(payload(t, file), &p); err != nil {
			t.Fatal(err)
		}
		p["pull_request"].(map[string]any)["head"].(map[string]any)["repo"] = map[string]any{"full_name": "stranger/app", "fork": true}
		body, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		return github.Translate("pull_request", "72d3162e-cc78-11e3-81ab-4c9367dc0958", body)
	}
}

func fromSlack(file string) happening {
	return func(t *testing.T) (bridge.Event, error) { return slack.TranslateCommand(payload(t, file), sent) }
}

// loadEnded is the end of a run of load-telemetry.
func loadEnded(*testing.T) (bridge.Event, error) {
	return workflow.Translate(bridge.Run{
		Namespace: "argo", Name: "load-telemetry-4x2c", UID: "6f6f2c3e-1d1b-4a53-9f0c-0d6f8b1d2f11", Phase: "Succeeded",
		Template: bridge.Template{Namespace: "argo", Name: "load-telemetry"},
		Started:  sent, Finished: sent.Add(time.Minute),
		Parameters: []bridge.Parameter{{Name: "kind", Value: "thermostats"}}, Outputs: []bridge.Parameter{{Name: "rows", Value: "4812"}},
	}, bridge.Succeeded, nil)
}

// An answer is what the examples make of an event: every rule's decision, and the Workflows.
type answer struct {
	Event     string          `json:"event"`
	Decisions []bridge.Result `json:"decisions"`
	Workflows []submit.Object `json:"workflows"`
}

func TestExamplesAnswerEvents(t *testing.T) {
	view := view(t)
	for name, event := range map[string]happening{
		"a-file-arrives":             fromGCS("gcs-finalized.json", "gcs-finalized.attributes.json"),
		"a-folder-is-made":           fromGCS("gcs-folder.json", "gcs-folder.attributes.json"),
		"a-device-writes-a-file":     fromGCS("gcs-telemetry.json", "gcs-telemetry.attributes.json"),
		"a-load-has-ended":           loadEnded,
		"a-push-to-main":             fromGitHub("push", "github-push.json"),
		"a-push-that-changes-docs":   fromGitHub("push", "github-push-docs.json"),
		"a-pull-request-is-opened":   fromGitHub("pull_request", "github-pull-request.json"),
		"a-fork-proposes-a-change":   fromFork("github-pull-request.json"),
		"a-command-is-typed":         fromSlack("slack-command.form"),
		"a-command-lacks-its-words":  fromSlack("slack-command-short.form"),
		"a-command-of-somebody-else": fromSlack("slack-command-stranger.form"),
	} {
		t.Run(name, func(t *testing.T) {
			e, err := event(t)
			if err != nil {
				t.Fatal(err)
			}
			compare(t, name, answerTo(t, view, e))
		})
	}
}

// answerTo goes the way of an event up to, but not into, the Kubernetes API.
func answerTo(t *testing.T, view *workflowtemplates.View, e bridge.Event) answer {
	facts, err := dispatch.Describe(app.Finders(github.Identity{}, ""), e)
	if err != nil {
		t.Fatal(err)
	}
	scope := expression.NewScope(e, facts)
	a := answer{Event: facts.Title, Decisions: []bridge.Result{}, Workflows: []submit.Object{}}
	for _, d := range view.Matcher.Match(facts, scope.Variables) {
		if d.Verdict == bridge.Matched {
			variables, err := scope.Variables()
			if err != nil {
				t.Fatal(err)
			}
			s, err := dispatch.Plan(dispatch.Start{Event: e, Facts: facts, Rule: d.Rule, Variables: variables, ClusterNamespace: "argo"})
			if err != nil {
				d.Verdict, d.Reason, d.Detail = bridge.Rejected, bridge.ReasonParameter, err.Error()
			} else {
				a.Workflows = append(a.Workflows, submit.Workflow(s))
			}
		}
		a.Decisions = append(a.Decisions, bridge.Result{
			Template: d.Rule.Template.String(), Rule: d.Rule.Name, Verdict: d.Verdict, Reason: d.Reason, Detail: d.Detail,
		})
	}
	return a
}

func view(t *testing.T) *workflowtemplates.View {
	files, err := workflowtemplates.Load([]string{"."}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var templates []*workflowtemplates.Template
	for _, in := range files.Inputs {
		in.Ref.Namespace = "argo"
		templates = append(templates, workflowtemplates.Parse(in, app.Language()))
	}
	return workflowtemplates.NewView(templates, match.AllowAll())
}

func payload(t *testing.T, file string) []byte {
	data, err := os.ReadFile(filepath.Join("payloads", file))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func compare(t *testing.T, name string, a answer) {
	got, err := json.MarshalIndent(a, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	got = append(got, '\n')
	golden := filepath.Join("testdata", name+".json")
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatalf("%v (make it by go test ./workflowtemplates/examples -update)", err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("the answer has changed (-want +got):\n%s", diff)
	}
}
