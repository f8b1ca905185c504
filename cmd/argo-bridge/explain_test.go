package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/urfave/cli/v2"

	"github.com/argo-bridge/argo-bridge/bridge/app"
)

// one keeps apps apart: urfave/cli has its help flag in a package variable.
var one sync.Mutex

// invoke runs the program in process and returns its exit code and output.
func invoke(t *testing.T, args ...string) (code int, out string) {
	t.Helper()
	one.Lock()
	defer one.Unlock()
	var b bytes.Buffer
	a := newApp()
	a.Writer, a.ErrWriter = &b, &b
	err := a.RunContext(t.Context(), arrange(append([]string{"argo-bridge"}, args...)))
	var exit cli.ExitCoder
	switch {
	case err == nil:
		return 0, b.String()
	case errors.As(err, &exit):
		return exit.ExitCode(), b.String() + exit.Error()
	}
	return 1, b.String() + err.Error()
}

func file(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func template(on, parameters string) string {
	return "apiVersion: argoproj.io/v1alpha1\nkind: WorkflowTemplate\nmetadata:\n  name: t\n  annotations:\n" +
		"    bridge.argoproj.io/on: |\n      " + on + "\n    bridge.argoproj.io/parameters: |\n      " + parameters + "\n" +
		"spec:\n  arguments: {parameters: [{name: p}]}\n  entrypoint: main\n  templates: [{name: main, suspend: {}}]\n"
}

const (
	pushPayload   = `{"ref":"refs/heads/dev","after":"1111111111111111111111111111111111111111","repository":{"full_name":"a/b","url":"https://github.com/a/b"},"commits":[]}`
	endedWorkflow = `{"kind":"Workflow","metadata":{"name":"load-x","namespace":"default","uid":"u","annotations":{
		"bridge.argoproj.io/event-id":"d-1","bridge.argoproj.io/event-type":"com.github.push"}},
		"spec":{"workflowTemplateRef":{"name":"load"}},
		"status":{"phase":"Succeeded","nodes":{"load-x":{"id":"load-x","outputs":{"parameters":[{"name":"rows","value":"17"}]}}}}}`
	objectPayload = `{"kind":"storage#object","bucket":"b","name":"x/y.json","generation":"12","metageneration":"1","size":"3"}`
)

func TestExplainSaysWhatAnEventWouldStartAndWhyNot(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		on, parameters, source, event, payload string
		code                                   int
		decision, reason, detail, value        string
	}{
		"a push that fits": {"github.push", "p: github.ref_name", "github", "push", pushPayload, 0, "matched", "matched", "", "dev"},
		"a push to another branch": {"github.push: {branches: [main]}", "p: github.ref_name", "github", "push", pushPayload,
			1, "filtered", "branches", `branches: got "dev"`, ""},
		"another event":       {"github.release", "p: github.ref_name", "github", "push", pushPayload, 1, "other-event", "event", "github.push", ""},
		"a parameter is null": {"github.push", "p: github.head_ref", "github", "push", pushPayload, 1, "rejected", "parameter", `"p"`, ""},
		"a faulty template":   {"github.psuh", "p: github.ref", "github", "push", pushPayload, 2, "fault", "annotation", "github.push", ""},
		"an object": {"gcs.finalized: {objects: ['x/**']}", "p: gcs.name", "gcs", "OBJECT_FINALIZE", objectPayload,
			0, "matched", "matched", "", "x/y.json"},
		"the end of a workflow": {"workflow.succeeded: {templates: [load]}", "p: workflow.outputs.rows + chain.event.id", "workflow", "succeeded",
			endedWorkflow, 0, "matched", "matched", "", "17d-1"},
		"the end of another": {"workflow.completed: {templates: [extract]}", "p: workflow.name", "workflow", "completed",
			endedWorkflow, 1, "filtered", "templates", `templates: got "default/load", want default/extract`, ""},
		"the data of a CloudEvent": {"com.example.order", "p: data.total", "cloudevents", "com.example.order", `{"total":7}`, 0, "matched", "matched", "", "7"},
		"a whole CloudEvent": {"com.example.order", "p: event.extensions.tenant", "cloudevents", "com.example.order",
			`{"specversion":"1.0","id":"1","source":"s","type":"com.example.order","tenant":"a"}`, 0, "matched", "matched", "", "a"},
		"a slash command as Slack sends it": {"slack.command: {commands: [/run]}", "p: slack.args[1]", "slack", "command",
			"command=%2Frun&text=a+b&trigger_id=1.2&team_id=T1&channel_id=C1&user_id=U1", 0, "matched", "matched", "", "b"},
		"a slash command as a JSON object": {"slack.command: {commands: [/run]}", "p: slack.text", "slack", "command",
			`{"command":"/run","text":"now","trigger_id":"1.2","team_id":"T1","channel_id":"C1","user_id":"U1"}`, 0, "matched", "matched", "", "now"},
		"a mention, the inner event alone": {"slack.app_mention", "p: slack.user", "slack", "app_mention",
			`{"type":"app_mention","user":"U1","channel":"C1","text":"<@A> hi","ts":"1.1"}`, 0, "matched", "matched", "", "U1"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			code, out := invoke(t, "explain", "--template", file(t, "t.yaml", template(c.on, c.parameters)), "--source", c.source,
				"--event", c.event, "--payload", file(t, "p", c.payload), "--output", "json")
			if code != c.code {
				t.Fatalf("exit code %d, want %d\n%s", code, c.code, out)
			}
			var got struct {
				Event map[string]any
				Rules []struct {
					Template, Rule, Decision, Reason, Detail string
					Parameters                               map[string]string
					Workflow                                 map[string]any
				}
			}
			if err := json.Unmarshal([]byte(out), &got); err != nil || len(got.Rules) != 1 {
				t.Fatalf("%v\n%s", err, out)
			}
			r := got.Rules[0]
			if r.Decision != c.decision || r.Reason != c.reason || !strings.Contains(r.Detail, c.detail) || r.Template != "default/t" || r.Rule != "default" {
				t.Errorf("%+v", r)
			}
			if c.value != "" && (r.Parameters["p"] != c.value || r.Workflow["kind"] != "Workflow") {
				t.Errorf("parameters %v, workflow %v", r.Parameters, r.Workflow)
			}
		})
	}
}

func TestExplainNamesWhatItCannotRead(t *testing.T) {
	t.Parallel()
	good := file(t, "t.yaml", template("github.push", "p: github.ref"))
	body := file(t, "p", pushPayload)
	cases := map[string]struct {
		args []string
		want string
	}{
		"an unknown source":    {[]string{"--template", good, "--source", "gitlab", "--event", "push", "--payload", body}, "none of github, gcs, slack"},
		"a missing payload":    {[]string{"--template", good, "--source", "github", "--event", "push", "--payload", "/nowhere"}, "read payload"},
		"a malformed payload":  {[]string{"--template", good, "--source", "github", "--event", "push", "--payload", file(t, "x", "{")}, "payload"},
		"no template in files": {[]string{"--template", file(t, "x.yaml", "kind: Pod\napiVersion: v1\n"), "--source", "github", "--event", "push", "--payload", body}, "no WorkflowTemplate"},
		"an unknown format":    {[]string{"--template", good, "--source", "github", "--event", "push", "--payload", body, "--output", "xml"}, "text and json"},
		"a missing flag":       {[]string{"--template", good}, "source"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			code, out := invoke(t, append([]string{"explain"}, c.args...)...)
			if code != 2 || !strings.Contains(out, c.want) {
				t.Errorf("exit code %d, want 2 and %q\n%s", code, c.want, out)
			}
		})
	}
}

func TestArgumentsMayStandInTheOrderInWhichPeopleWriteThem(t *testing.T) {
	t.Parallel()
	cases := map[string][2]string{
		"flags behind files":    {"argo-bridge lint a.yaml b --output json", "argo-bridge lint --output json -- a.yaml b"},
		"several templates":     {"argo-bridge explain --template a b --source github", "argo-bridge explain --template a --template b --source github"},
		"an equals sign":        {"argo-bridge lint d --output=json", "argo-bridge lint --output=json -- d"},
		"help":                  {"argo-bridge lint --help", "argo-bridge lint --help"},
		"other commands":        {"argo-bridge serve --config x", "argo-bridge serve --config x"},
		"standard input is '-'": {"argo-bridge lint -", "argo-bridge lint -- -"},
	}
	for name, c := range cases {
		if got := arrange(strings.Fields(c[0])); !slices.Equal(got, strings.Fields(c[1])) {
			t.Errorf("%s: got %v, want %s", name, got, c[1])
		}
	}
}

func TestFlagsOverrideEnvironmentOverridesFile(t *testing.T) {
	t.Setenv("ARGO_BRIDGE_LOG_LEVEL", "warn")
	t.Setenv("ARGO_BRIDGE_DATA_DIR", "/from/environment")
	config := file(t, "c.yaml", "namespace: from-file\nlog: {level: debug}\nbus: {dataDir: /from/file, maxAge: 48h}\n")
	var got app.Options
	a := newApp()
	for _, c := range a.Commands {
		if c.Name == "serve" {
			c.Action = func(c *cli.Context) (err error) { got, err = readOptions(c); return err }
		}
	}
	one.Lock()
	defer one.Unlock()
	if err := a.Run([]string{"argo-bridge", "serve", "--config", config, "--data-dir", "/from/flag"}); err != nil {
		t.Fatal(err)
	}
	want := []string{"from-file", "warn", "/from/flag", "48h0m0s"}
	if diff := cmp.Diff(want, []string{got.Namespace, got.Log.Level, got.Bus.DataDir, got.Bus.MaxAge.String()}); diff != "" {
		t.Error(diff)
	}
}

func TestABadConfigNamesEveryFault(t *testing.T) {
	t.Parallel()
	code, out := invoke(t, "serve", "--config", file(t, "c.yaml",
		"log: {level: loud}\nbus: {replicas: 2, sync: never}\nargo: {ui: nowhere}\nhttp: {listen: x}\ngithub: {}\ngcs: {subscriptions: [x]}\n"))
	for _, want := range []string{"log.level", "bus.replicas", "bus.sync", "argo.ui", "http.listen", "github.webhookSecretFiles", "gcs.subscriptions[0]"} {
		if !strings.Contains(out, want) {
			t.Errorf("no word of %s in\n%s", want, out)
		}
	}
	if code != 2 {
		t.Errorf("exit code %d, want 2", code)
	}
	if code, out := invoke(t, "serve", "--config", file(t, "c.yaml", "log:\n  lewel: info\n")); code != 2 || !strings.Contains(out, "line 2") || !strings.Contains(out, "lewel") {
		t.Errorf("an unknown field: %d %s", code, out)
	}
}

func TestAFlagThatDoesNotExistIsCode2(t *testing.T) {
	t.Parallel()
	for _, command := range []string{"lint", "explain", "serve"} {
		if code, out := invoke(t, command, "--nope", "x"); code != 2 || !strings.Contains(out, "nope") {
			t.Errorf("%s: %d %s", command, code, out)
		}
	}
}

func TestCompletionIsPrintedForEachShell(t *testing.T) {
	t.Parallel()
	for _, shell := range []string{"bash", "zsh", "fish"} {
		if code, out := invoke(t, "completion", shell); code != 0 || !strings.Contains(out, "argo-bridge") {
			t.Errorf("%s: %d %s", shell, code, out)
		}
	}
	if code, _ := invoke(t, "completion", "tcsh"); code != 2 {
		t.Errorf("tcsh: %d", code)
	}
}
