package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// realPayloads is a folder with GitHub's own webhook bodies, event/action.json, beside the repository; it is
// no part of it.
const realPayloads = "../../../shared/payloads/github"

// anyPullRequest is started by every pull request, so that real bodies start something.
const anyPullRequest = `
metadata:
  name: any-pull-request
  annotations:
    bridge.argoproj.io/on: |
      github.pull_request: {types: [opened, closed, labeled, assigned]}
      github.push:
      github.release:
    bridge.argoproj.io/parameters: |
      id: string(github.event.pull_request.number ?? "") + " " + (github.ref ?? "")
` + body

func TestEveryRealBodyGoesThroughWebhookBusAndExplain(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(realPayloads + "/*/*.json")
	if err != nil || len(files) == 0 {
		t.Skip("no real payloads at " + realPayloads)
	}
	c := shared(t)
	ns := c.newNamespace(t)
	example := string(mustRead(t, "../../workflowtemplates/examples/ci.yaml"))
	c.apply(t, ns, example, anyPullRequest)
	templates := t.TempDir()
	write(t, templates, "ci.yaml", example)
	write(t, templates, "any.yaml", "apiVersion: argoproj.io/v1alpha1\nkind: WorkflowTemplate"+anyPullRequest)
	p := newBridge(t, setup{cluster: c, namespace: ns})
	p.startReady()

	want := map[string]int{}
	received := 0
	for i, file := range files {
		event := filepath.Base(filepath.Dir(file))
		status, answer := p.github(event, fmt.Sprint("real-", i), mustRead(t, file))
		if event == "ping" {
			if status != http.StatusOK {
				t.Errorf("%s: %d %s", file, status, answer)
			}
			continue
		}
		received++
		if status != http.StatusAccepted {
			t.Errorf("%s: %d %s", file, status, answer)
		}
		for _, w := range explain(t, templates, event, file) {
			want[w]++
		}
	}
	if len(want) < 3 {
		t.Errorf("the bodies start %v only", want)
	}
	eventually(t, "every event is handled", func() error {
		if got := p.metric("argo_bridge_stream_pending") + p.metric("argo_bridge_stream_in_flight"); got != "00" {
			return errors.New(got)
		}
		return nil
	})
	items, err := c.workflows(ns)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]int{}
	for _, wf := range items {
		object := mustJSON(t, wf.Object["spec"])
		got[signature(t, object)]++
	}
	for w, n := range want {
		if got[w] != n {
			t.Errorf("%d Workflows, want %d, of %s", got[w], n, w)
		}
	}
	if len(got) != len(want) {
		t.Errorf("the cluster has %v\nexplain says %v", got, want)
	}
	t.Logf("%d bodies, %d events, %d Workflows", len(files), received, len(items))
}

func mustRead(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// explain asks the program what a body would start; a fault fails the test.
func explain(t *testing.T, templates, event, file string) []string {
	t.Helper()
	binary, err := program()
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(binary, "explain", "--template", templates, "--source", "github", "--event", event,
		"--payload", file, "--output", "json").Output()
	var exit *exec.ExitError
	if err != nil && (!errors.As(err, &exit) || exit.ExitCode() != 1) {
		t.Errorf("explain %s: %v\n%s", file, err, exit.Stderr)
		return nil
	}
	var answer struct {
		Rules []struct {
			Rule, Decision, Detail string
			Workflow               struct{ Spec json.RawMessage }
		}
	}
	if err := json.Unmarshal(out, &answer); err != nil {
		t.Errorf("explain %s: %v\n%s", file, err, out)
	}
	var started []string
	for _, r := range answer.Rules {
		switch r.Decision {
		case "matched":
			started = append(started, signature(t, r.Workflow.Spec))
		case "filtered", "other-event":
		default:
			t.Errorf("explain %s: rule %s: %s: %s", file, r.Rule, r.Decision, r.Detail)
		}
	}
	return started
}

// signature is a Workflow's template and parameters.
func signature(t *testing.T, spec []byte) string {
	t.Helper()
	var s struct {
		WorkflowTemplateRef struct{ Name string }
		Arguments           struct {
			Parameters []struct{ Name, Value string }
		}
	}
	if err := json.Unmarshal(spec, &s); err != nil {
		t.Fatal(err)
	}
	parts := []string{s.WorkflowTemplateRef.Name}
	for _, p := range s.Arguments.Parameters {
		parts = append(parts, p.Name+"="+p.Value)
	}
	slices.Sort(parts[1:])
	return strings.Join(parts, " ")
}
