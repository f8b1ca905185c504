package watch

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/argo-bridge/argo-bridge/bridge"
)

func begun(n node, second int, children ...string) node {
	n.StartedAt, n.Children = at(second), children
	return n
}

func inner(kind, id, display, boundary string, second int, children ...string) node {
	return begun(node{ID: id, DisplayName: display, Type: kind, Phase: "Succeeded", BoundaryID: boundary}, second, children...)
}

// outline writes one line per step, indented by its depth.
func outline(steps []bridge.Step) string {
	var b strings.Builder
	for _, s := range steps {
		line := strings.Repeat("  ", s.Depth) + s.Name + " " + s.Phase
		if s.Message != "" {
			line += ": " + s.Message
		}
		b.WriteString(line + "\n")
	}
	return b.String()
}

func TestStepsAreTheTreeAsPeopleSeeIt(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		nodes []node
		want  string
	}{
		"a single pod is named after its template": {
			[]node{begun(pod("wf", "wf", "", "Failed", "boom", 2), 1)},
			"t-wf Failed: boom\n",
		},
		"a single pod that was retried is one step": {
			[]node{
				{ID: "wf", DisplayName: "wf", Type: "Retry", TemplateName: "load", Phase: "Failed", Message: "No more retries left", Children: []string{"wf0", "wf1"}},
				pod("wf0", "wf(0)", "", "Failed", "first", 1), pod("wf1", "wf(1)", "", "Failed", "second", 2),
			},
			"load Failed: second\n",
		},
		"groups are left out, and steps stand in the order of their starts": {
			[]node{
				inner("Steps", "wf", "wf", "", 1, "g0"),
				inner("StepGroup", "g0", "[0]", "wf", 1, "a", "b"),
				begun(pod("b", "second", "wf", "Succeeded", "", 3), 1),
				begun(pod("a", "first", "wf", "Succeeded", "", 4), 1, "g1"),
				inner("StepGroup", "g1", "[1]", "wf", 5, "c"),
				begun(pod("c", "last", "wf", "Failed", "no", 6), 5),
			},
			"first Succeeded\nsecond Succeeded\nlast Failed: no\n",
		},
		"items stand below the step that they are a part of": {
			[]node{
				inner("DAG", "wf", "wf", "", 1, "build"),
				inner("DAG", "build", "build", "wf", 1, "group"),
				inner("TaskGroup", "group", "compile", "build", 1, "i0", "i1"),
				begun(pod("i1", "compile(1:b)", "build", "Succeeded", "", 3), 1), begun(pod("i0", "compile(0:a)", "build", "Succeeded", "", 3), 1),
			},
			"build Succeeded\n  compile(0:a) Succeeded\n  compile(1:b) Succeeded\n",
		},
		"of a nested step that was retried the last attempt's parts are shown": {
			[]node{
				inner("Steps", "wf", "wf", "", 1, "r"),
				inner("Retry", "r", "deploy", "wf", 1, "r0", "r1"),
				inner("Steps", "r0", "deploy(0)", "wf", 1, "p0"), inner("Steps", "r1", "deploy(1)", "wf", 3, "p1"),
				begun(pod("p0", "apply", "r0", "Failed", "timeout", 2), 1), begun(pod("p1", "apply", "r1", "Succeeded", "", 4), 3),
			},
			"deploy Succeeded\n  apply Succeeded\n",
		},
		"the containers of a set stand below their pod, and an exit handler beside the rest": {
			[]node{
				inner("Pod", "wf", "wf", "", 1, "c"),
				inner("Container", "c", "unpack", "wf", 1), inner("Pod", "x", "wf.onExit", "", 5),
			},
			"unpack Succeeded\nonExit Succeeded\n",
		},
		"nodes that are parts of one another end": {
			[]node{inner("Steps", "wf", "wf", "", 1, "a", "b"), inner("Steps", "a", "a", "b", 1), inner("Steps", "b", "b", "a", 1)},
			"wf Succeeded\n",
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			nodes := map[string]node{}
			for _, n := range c.nodes {
				nodes[n.ID] = n
			}
			if diff := cmp.Diff(c.want, outline(steps("wf", nodes))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAnEndedRunHasItsStepsAndWhereTheLogsAre(t *testing.T) {
	t.Parallel()
	read := func(phase string) bridge.Run {
		run, err := Read(fmt.Appendf(nil, `{"kind":"Workflow","metadata":{"name":"wf","namespace":"n"},"status":{"phase":%q,"nodes":{
			"wf":{"id":"wf","type":"Steps","phase":"Failed","startedAt":"2026-01-01T00:00:00Z"},
			"wf-1":{"id":"wf-1","displayName":"test","type":"Pod","phase":"Failed","boundaryID":"wf",
				"startedAt":"2026-01-01T00:00:01Z","finishedAt":"2026-01-01T00:00:09Z"},
			"wf-2":{"id":"wf-2","displayName":"lint","type":"Container","phase":"Failed","boundaryID":"wf-1"}}}}`, phase))
		if err != nil {
			t.Fatal(err)
		}
		return run
	}
	run := read("Failed")
	if len(run.Steps) != 2 || run.Steps[0].Finished.Sub(run.Steps[0].Started).Seconds() != 8 {
		t.Errorf("steps: %+v", run.Steps)
	}
	if len(run.Failures) != 1 || run.Failures[0].Node != "wf-1" {
		t.Errorf("a container's log is in its pod: %+v", run.Failures)
	}
	if run = read("Running"); run.Steps != nil {
		t.Errorf("a run that goes on has steps: %+v", run.Steps)
	}
}

// TestALargeRunFitsIntoOneMessage: the bus takes 1 MiB.
func TestALargeRunFitsIntoOneMessage(t *testing.T) {
	t.Parallel()
	nodes := map[string]node{"wf": inner("DAG", "wf", "wf", "", 1)}
	for i := range 5000 {
		id := fmt.Sprint("wf-", i)
		nodes[id] = pod(id, strings.Repeat("ü", 200), "wf", "Failed", strings.Repeat("€", 3000), i)
	}
	run := bridge.Run{Steps: steps("wf", nodes), Failures: failures(nodes)}
	if len(run.Steps) != bridge.MaxSteps || len(run.Failures) != maxFailures {
		t.Errorf("%d steps, %d failures", len(run.Steps), len(run.Failures))
	}
	data, err := json.Marshal(run)
	if err != nil {
		t.Fatal(err)
	}
	if len(data) > 800<<10 || !utf8.Valid(data) {
		t.Errorf("%d bytes, valid %v", len(data), utf8.Valid(data))
	}
}
