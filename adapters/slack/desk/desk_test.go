package desk_test

import (
	"strings"
	"testing"
	"time"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// furnish puts some runs, logs and silences into the world, some of which want to harm whoever reads of them.
func (w *world) furnish() {
	at := midnight.Add(-time.Hour)
	w.runs = []bridge.Run{
		{Namespace: "team", Name: "etl-3", UID: "u3", Template: etl, Phase: "Running", Created: at, Started: at.Add(57 * time.Minute)},
		{Namespace: "team", Name: "etl-2", UID: "u2", Template: etl, Phase: "Failed", Created: at, Started: at, Finished: at.Add(90 * time.Second),
			Message: "<!channel> child failed", Failures: []bridge.Failure{{Path: "load / <@U0EVIL>", Message: "password=hunter2 <http://evil.example|x>"}}},
		{Namespace: "team", Name: "etl-1", UID: "u1", Template: etl, Phase: "Succeeded", Created: at.Add(-time.Hour), Started: at.Add(-time.Hour), Finished: at},
		{Namespace: "team", Name: "gate-1", UID: "u4", Template: bridge.Template{Namespace: "team", Name: "nightly"}, Phase: "Running", Created: at, Started: at,
			Pauses: []bridge.Pause{{Node: "n1", Path: "gate", Phase: "Running"}}},
		{Namespace: "team", Name: "secret-1", UID: "u5", Template: bridge.Template{Namespace: "team", Name: "secret"}, Phase: "Failed", Created: at},
		{Namespace: "vault", Name: "etl-9", UID: "u9", Template: bridge.Template{Namespace: "vault", Name: "etl"}, Phase: "Failed", Created: at},
	}
	w.logs = []bridge.StepLog{
		{Path: "load", Lines: []string{"begin", "```<!channel>", "end"}}, {Path: "extract", Lines: []string{strings.Repeat("x", 3000), "last of extract"}}, {Path: "empty"},
	}
	w.silenced = []bridge.Silence{
		{ID: "order-1", Template: "team/etl", Until: midnight.Add(time.Hour), By: "ann", Reason: "<!here> known"},
		{ID: "order-2", Until: midnight.Add(time.Hour)}, {ID: "order-3", Template: "vault/etl", Until: midnight.Add(time.Hour)},
		{ID: "order-4", Template: "team/secret", Until: midnight.Add(time.Hour)},
	}
}

func TestTheDeskShows(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		line     string
		has, not []string
	}{
		"the templates": {"list", []string{
			"*team/etl* – loads &lt;!channel&gt; what is new", "*date*, mode=`fast`, query=`{\"a\": 1}`, api-token", "*team/nightly*", "> in #ops may run it",
		}, []string{"secret", "vault", "hunter2"}},
		"some of them":                 {"list NIGHT", []string{"team/nightly"}, []string{"etl"}},
		"none of them":                 {"list zebra", []string{"No template that you can see here has `zebra` in its name."}, nil},
		"none that is hidden":          {"list vault", []string{"No template that you can see here"}, nil},
		"the runs":                     {"status", []string{":arrow_forward: <https://argo.example/team/etl-3|team/etl-3> of team/etl runs for 3 m", ":x: ", "failed after 1 m 30 s, 58 m 30 s ago", ":raised_hand: "}, []string{"secret", "vault"}},
		"those of a template":          {"status etl", []string{"*Runs of team/etl*", "etl-3", "etl-1"}, []string{"gate-1", "vault"}},
		"one run":                      {"status team/etl-2", []string{":x: ", "&lt;!channel&gt; child failed", "password=***", "`/argo logs team/etl-2`"}, []string{"hunter2"}},
		"one that waits":               {"status gate-1", []string{"waits at `gate` for somebody's approval", "`/argo approve team/gate-1`"}, nil},
		"one with a wrong name":        {"status etl-4", []string{"There is no workflow etl-4 here; is etl-1 meant?"}, nil},
		"one that is hidden":           {"status team/secret-1", []string{"There is no workflow team/secret-1 here"}, nil},
		"one of another namespace":     {"status vault/etl-9", []string{"There is no workflow vault/etl-9 here."}, nil},
		"no name":                      {"status <!channel>", []string{"is no name of a workflow or template"}, nil},
		"logs":                         {"logs etl-2", []string{"`load`\n```\nbegin\n'''&lt;!channel&gt;\nend\n```", "last of extract", "`empty` wrote nothing"}, nil},
		"the log of a step":            {"logs etl-2 load", []string{"`load`"}, []string{"extract"}},
		"the log of no step":           {"logs etl-2 zebra", []string{"No step whose name has `zebra` has left a log."}, nil},
		"logs of nothing":              {"logs", []string{"Name a workflow: `/argo logs &lt;workflow&gt; [step]`"}, nil},
		"logs of a template":           {"logs nightly", []string{"nightly is a template, and gate-1 its newest run"}, nil},
		"logs of what is hidden":       {"logs secret-1", []string{"There is no workflow secret-1 here"}, nil},
		"what is silent":               {"silences", []string{"*team/etl* until <!date^1772326800^", "by ann: &lt;!here&gt; known – `/argo unsilence order-1`", "*all templates*"}, []string{"order-3", "order-4"}},
		"help":                         {"help", []string{"`/argo run &lt;template&gt; [key=value ...]`"}, nil},
		"nothing":                      {"", []string{"`/argo list [part of a name]`"}, nil},
		"a verb that is none":          {"rnu etl", []string{"There is no `/argo rnu`. Is `/argo run` meant?", "`/argo help`"}, nil},
		"a mention for a verb":         {"<!channel> x", []string{"There is no `/argo !channel`."}, nil},
		"bad usage":                    {"retry", []string{":warning: `/argo retry`: name a workflow: write /argo retry &lt;workflow&gt;"}, nil},
		"ten thousand arguments":       {"run etl" + strings.Repeat(" a=b", 10000), []string{"more than 200 arguments"}, nil},
		"a megabyte":                   {"status " + strings.Repeat("<!channel>", 100000), []string{"longer than 64 KiB"}, nil},
		"a template that is not there": {"run elt", []string{":grey_question: There is no template elt here; is etl meant?"}, nil},
		"a template that is hidden":    {"run vault/etl date=x", []string{"There is no template vault/etl here"}, nil},
		"an unknown parameter":         {"run etl dat=x", []string{"team/etl has no parameter \"dat\"; is date meant?"}, nil},
		"a value that is not allowed":  {"run etl date=x mode=<!channel>", []string{"the parameter mode is one of fast, slow, not \"&lt;!channel&gt;\""}, nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.furnish()
			got := w.types(t, w.bob, w.ops, tt.line)
			for _, want := range tt.has {
				if !strings.Contains(got, want) {
					t.Errorf("%q is not in:\n%s", want, got)
				}
			}
			for _, bad := range tt.not {
				if strings.Contains(got, bad) {
					t.Errorf("%q is in:\n%s", bad, got)
				}
			}
			if w.stored() != 0 {
				t.Error("what only shows something is stored")
			}
		})
	}
}

func TestAChannelWithoutAccessSeesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.furnish()
	nowhere := w.slack.AddChannel("nowhere")
	for line, want := range map[string]string{
		"list": "There are no templates here that you can see.", "status": "There are none.", "status team/etl-2": "There is no workflow team/etl-2 here.",
		"logs team/etl-2": "There is no workflow", "run team/etl": "There is no template team/etl here.",
	} {
		if got := w.types(t, w.ann, nowhere, line); !strings.Contains(got, want) || strings.Contains(got, "load") {
			t.Errorf("%s: got %q", line, got)
		}
	}
	if got := w.types(t, w.ann, nowhere, "silences"); strings.Contains(got, "etl") || !strings.Contains(got, "all templates") {
		t.Errorf("got %q", got)
	}
}

func TestWhatCannotBeLookedUpNowIsSaid(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.furnish()
	w.down = errDown
	for _, line := range []string{"status", "status etl", "status etl-2", "logs etl-2"} {
		if got := w.types(t, w.bob, w.ops, line); !strings.Contains(got, "try again in a moment") || strings.Contains(got, "API server") {
			t.Errorf("%s: got %q", line, got)
		}
	}
}

func TestAVerbThatARuleWantsIsAnEvent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.wants = true
	w.types(t, w.bob, w.ops, "deploy prod")
	if w.stored() != 1 {
		t.Errorf("%d events", w.stored())
	}
	if got := w.types(t, w.bob, w.ops, "list"); !strings.Contains(got, "team/etl") || w.stored() != 1 {
		t.Errorf("got %q", got)
	}
}

func TestManyTemplatesAreOnePage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for i := range 300 {
		w.templates[0].Declared = append(w.templates[0].Declared, bridge.Declared{Name: strings.Repeat("p", i+1)})
		w.templates = append(w.templates, w.templates[0])
	}
	if got := w.types(t, w.ann, w.ops, "list"); !strings.Contains(got, "more") || len(got) < 2000 {
		t.Errorf("got %d bytes: %.200s", len(got), got)
	}
}
