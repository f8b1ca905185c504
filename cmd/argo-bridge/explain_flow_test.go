package main

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/argo-bridge/argo-bridge/bridge"
)

const flowTemplate = `apiVersion: argoproj.io/v1alpha1
kind: WorkflowTemplate
metadata:
  name: load
  annotations:
    bridge.argoproj.io/on: gcs.finalized
    bridge.argoproj.io/concurrency: |
      group: gcs.bucket
      limit: 2
      max-waiting: 50
    bridge.argoproj.io/ordered: gcs.name
    bridge.argoproj.io/rate: 10/min
    bridge.argoproj.io/batch: |
      max-items: 500
      max-wait: 30s
      group: split(gcs.name, "/")[0]
    bridge.argoproj.io/parameters: "paths: toJson(map(events, .gcs.name))"
    bridge.argoproj.io/on.newest: gcs.finalized
    bridge.argoproj.io/concurrency.newest: |
      policy: cancel-in-progress
      shutdown: Terminate
    bridge.argoproj.io/batch.plain: "{}"
    bridge.argoproj.io/on.plain: gcs.finalized
    bridge.argoproj.io/on.nowhere: gcs.finalized
    bridge.argoproj.io/concurrency.nowhere: gcs.metadata.team
    bridge.argoproj.io/ordered.nowhere: gcs.metadata.team
    bridge.argoproj.io/on.free: gcs.finalized
spec:
  arguments: {parameters: [{name: paths, value: ""}]}
`

func explainedFlows(t *testing.T, format string) string {
	t.Helper()
	code, out := invoke(t, "explain", "--template", file(t, "t.yaml", flowTemplate), "--source", "gcs",
		"--event", "OBJECT_FINALIZE", "--payload", file(t, "p", objectPayload), "--output", format)
	if code != 0 {
		t.Fatalf("exit code %d\n%s", code, out)
	}
	return out
}

func TestExplainSaysWhenAWorkflowWouldBeMade(t *testing.T) {
	t.Parallel()
	var lines []string
	for _, line := range strings.Split(explainedFlows(t, "text"), "\n") {
		if line != "" && !strings.HasPrefix(line, "      ") {
			lines = append(lines, line+"\n")
		}
	}
	golden(t, filepath.Join("explain", "flow.txt"), strings.Join(lines, ""))
}

func TestExplainNamesWhatIsCompared(t *testing.T) {
	t.Parallel()
	rule := &bridge.Rule{Flow: bridge.Flow{LatestOnly: true}}
	for name, test := range map[string]struct {
		event bridge.Event
		facts bridge.Facts
		want  string
	}{
		"the object of the facts":         {bridge.Event{Subject: "s"}, bridge.Facts{Object: "o", Version: "7"}, "latest-only: object o, version 7\n"},
		"else the event's subject, time":  {bridge.Event{Subject: "s", Time: minute(1)}, bridge.Facts{}, "latest-only: object s, version 2026-03-01T12:01:00Z\n"},
		"and nothing of what has neither": {bridge.Event{}, bridge.Facts{}, "latest-only: object -, version -\n"},
	} {
		x, err := explainFlow(test.event, test.facts, rule, nil)
		if err != nil || x.text() != test.want {
			t.Errorf("%s: got %q, %v", name, x.text(), err)
		}
	}
}

func TestExplainHasTheFlowAsJSON(t *testing.T) {
	t.Parallel()
	var got struct {
		Rules []struct {
			Rule, Decision, Detail string
			Flow                   any
			Parameters             map[string]string
		}
	}
	if err := json.Unmarshal([]byte(explainedFlows(t, "json")), &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"default": map[string]any{
			"concurrency": map[string]any{"group": "b", "limit": 2.0, "policy": "queue", "maxWaiting": 50.0},
			"ordered":     "x/y.json",
			"rate":        map[string]any{"count": 10.0, "per": "1m0s", "interval": "6s"},
			"batch":       map[string]any{"group": "x", "maxItems": 500.0, "maxWait": "30s"},
		},
		"newest":  map[string]any{"concurrency": map[string]any{"group": "newest", "limit": 1.0, "policy": "cancel-in-progress", "shutdown": "Terminate"}},
		"plain":   map[string]any{"batch": map[string]any{"group": "", "maxItems": 100.0, "maxWait": "10s"}},
		"nowhere": nil, "free": nil,
	}
	for _, r := range got.Rules {
		if diff := cmp.Diff(want[r.Rule], r.Flow); diff != "" {
			t.Errorf("%s: %s", r.Rule, diff)
		}
		if r.Rule == "default" && r.Parameters["paths"] != `["x/y.json"]` {
			t.Errorf("parameters %v", r.Parameters)
		}
		if r.Rule == "nowhere" && (r.Decision != "rejected" || !strings.Contains(r.Detail, "concurrency.group: gcs.metadata.team is null") ||
			!strings.Contains(r.Detail, "ordered: gcs.metadata.team is null")) {
			t.Errorf("%s: %s", r.Decision, r.Detail)
		}
	}
}
