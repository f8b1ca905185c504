package workflow

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/argo-bridge/argo-bridge/bridge"
)

var update = flag.Bool("update", false, "write the golden files")

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

// ended is a run that a push has started.
func ended(phase string, change ...func(*bridge.Run)) bridge.Run {
	r := bridge.Run{
		Namespace: "data", Name: "extract-abc", UID: "uid-1", Template: bridge.Template{Namespace: "data", Name: "extract"},
		Rule: "default", Phase: phase, Created: noon, Started: noon.Add(time.Second), Finished: noon.Add(time.Minute),
		Parameters: []bridge.Parameter{{Name: "sha", Value: "abc"}}, Outputs: []bridge.Parameter{{Name: "rows", Value: "17"}},
		Labels: map[string]string{bridge.LabelEvent: push.Hash()},
		Annotations: map[string]string{
			bridge.AnnotationEventID: push.ID, bridge.AnnotationEventType: push.Type, bridge.AnnotationEventSource: push.Source,
			bridge.AnnotationEventSubject: push.Subject, bridge.AnnotationEventTime: noon.Format(time.RFC3339Nano),
			bridge.AnnotationEventURL: "https://github.com/acme/app/commit/abc", bridge.AnnotationEventTitle: "push to main",
			bridge.AnnotationActor: "mona", bridge.AnnotationReplyTo: "C1/1.2",
		},
	}
	for _, c := range change {
		c(&r)
	}
	return r
}

var push = bridge.Event{
	ID: "delivery-1", Source: "https://github.com/acme/app", Type: "com.github.push", Subject: "refs/heads/main", Time: noon,
	Extensions: map[string]string{"tenant": "a"}, Data: json.RawMessage(`{"after":"abc"}`),
}

// byHand takes away what the bridge stamps.
func byHand(r *bridge.Run) { r.Rule, r.Labels, r.Annotations = "", nil, nil }

func failed(r *bridge.Run) {
	r.Message = "step failed"
	r.Failures = []bridge.Failure{{Path: "load", Phase: "Failed", Message: "exit code 1", ExitCode: "1", Finished: noon}}
}

// second is a run that the end of another has started, with that end.
func second(t *testing.T) (bridge.Run, *bridge.Event) {
	t.Helper()
	start, err := Translate(ended("Succeeded"), bridge.Succeeded, &push)
	if err != nil {
		t.Fatal(err)
	}
	return ended("Succeeded", func(r *bridge.Run) {
		r.Name, r.UID, r.Template.Name = "load-def", "uid-2", "load"
		r.Annotations[bridge.AnnotationDepth] = "1"
		r.Annotations[bridge.AnnotationEventID], r.Annotations[bridge.AnnotationEventType] = start.ID, start.Type
		r.Annotations[bridge.AnnotationEventTitle] = "extract-abc succeeded: push to main"
	}), &start
}

// github stands for the finders of other sources.
func github(e bridge.Event) (map[string]any, error) {
	var data map[string]any
	if err := json.Unmarshal(e.Data, &data); err != nil {
		return nil, err
	}
	return map[string]any{"event": map[string]any{"id": e.ID}, "data": data, "github": map[string]any{"sha": data["after"]}}, nil
}

func TestEveryEndHasItsEventAndFacts(t *testing.T) {
	t.Parallel()
	inner, start := second(t)
	large := push
	large.Data = json.RawMessage(`{"text":"` + strings.Repeat("x", MaxRoot) + `"}`)
	for name, test := range map[string]struct {
		run     bridge.Run
		outcome bridge.Outcome
		start   *bridge.Event
	}{
		"succeeded":                         {ended("Succeeded"), bridge.Succeeded, &push},
		"failed-by-error":                   {ended("Error", failed), bridge.Failed, &push},
		"completed":                         {ended("Failed", failed), bridge.Completed, &push},
		"by-hand":                           {ended("Succeeded", byHand), bridge.Succeeded, nil},
		"in-the-middle-of-a-chain":          {inner, bridge.Succeeded, start},
		"its-event-has-aged":                {ended("Succeeded"), bridge.Succeeded, nil},
		"in-a-chain-whose-event-has-aged":   {inner, bridge.Succeeded, nil},
		"the-data-of-its-event-is-large":    {ended("Succeeded"), bridge.Succeeded, &large},
		"its-depth-is-no-number":            {ended("Succeeded", func(r *bridge.Run) { r.Annotations[bridge.AnnotationDepth] = "-7x" }), bridge.Succeeded, nil},
		"a-cluster-template-in-a-namespace": {ended("Succeeded", func(r *bridge.Run) { r.Template.Namespace = "" }), bridge.Succeeded, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, err := Translate(test.run, test.outcome, test.start)
			if err != nil {
				t.Fatal(err)
			}
			golden(t, name, e)
		})
	}
}

func golden(t *testing.T, name string, e bridge.Event) {
	t.Helper()
	f, ok, err := FactFinder{Root: github}.Facts(e)
	if !ok || err != nil {
		t.Fatalf("facts: %v, %v", ok, err)
	}
	v, err := f.Variables()
	if err != nil {
		t.Fatal(err)
	}
	delete(v, "data")
	for name := range Dialect(bridge.Dialect{Source: "github"}).Variables(f.Name) {
		if fields, ok := v[name].(map[string]any); ok {
			undeclared(t, name, fields)
		}
	}
	out, err := json.MarshalIndent(map[string]any{
		"id": e.ID, "source": e.Source, "type": e.Type, "subject": e.Subject, "time": e.Time, "extensions": e.Extensions,
		"name": f.Name, "values": f.Values, "url": f.URL, "title": f.Title, "actor": f.Actor, "replyTo": f.ReplyTo,
		"depth": f.Depth, "chain": f.Chain, "variables": v,
	}, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	path := "testdata/" + name + ".json"
	if *update {
		if err := os.WriteFile(path, append(out, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(out)+"\n"); diff != "" {
		t.Errorf("run with -update when it should change:\n%s", diff)
	}
}

// undeclared reports what lint would not know.
func undeclared(t *testing.T, name string, fields map[string]any) {
	t.Helper()
	known := Dialect(bridge.Dialect{Source: "github"}).Variables("workflow.succeeded")[name]
	for field := range fields {
		if _, ok := known.Fields[field]; !ok {
			t.Errorf("%s.%s is not in the dialect", name, field)
		}
	}
}

func TestTheIdentityOfAnEndIsItsOwn(t *testing.T) {
	t.Parallel()
	later := func(r *bridge.Run) { r.Finished = r.Finished.Add(time.Second) }
	ids := map[string]bool{}
	for _, c := range []struct {
		run     bridge.Run
		outcome bridge.Outcome
	}{
		{ended("Failed"), bridge.Failed}, {ended("Failed"), bridge.Completed}, {ended("Failed", later), bridge.Failed},
		{ended("Succeeded", later), bridge.Succeeded}, {ended("Succeeded", later), bridge.Completed},
	} {
		withRoot, err1 := Translate(c.run, c.outcome, &push)
		without, err2 := Translate(c.run, c.outcome, nil)
		if err := errors.Join(err1, err2); err != nil || withRoot.Key() != without.Key() {
			t.Errorf("%v: %s, or after its event has aged %s", err, withRoot.Key(), without.Key())
		}
		ids[withRoot.Key()] = true
	}
	if len(ids) != 5 {
		t.Errorf("two of five ends are the same event: %v", ids)
	}
}

func TestALongChainRemembersItsNewestTemplates(t *testing.T) {
	t.Parallel()
	start, run := push, ended("Succeeded")
	for i := range 3 * maxPath {
		run.Template.Name, run.Annotations[bridge.AnnotationDepth] = fmt.Sprint("t", i), fmt.Sprint(i)
		var err error
		if start, err = Translate(run, bridge.Succeeded, &start); err != nil {
			t.Fatal(err)
		}
	}
	f, _, err := FactFinder{}.Facts(start)
	if err != nil || f.Depth != 3*maxPath || len(f.Chain) != maxPath || f.Chain[maxPath-1] != fmt.Sprint("data/t", 3*maxPath-1) {
		t.Errorf("depth %d, %v, chain %v", f.Depth, err, f.Chain)
	}
	v, err := f.Variables()
	if err != nil || v["chain"].(map[string]any)["event"].(map[string]any)["id"] != push.ID {
		t.Errorf("%v: the first event is %v", err, v["chain"])
	}
}

func TestWhatOutsidersWroteIsUntrustedAlongTheChain(t *testing.T) {
	t.Parallel()
	d := Dialect(bridge.Dialect{Source: "github", Untrusted: []string{"github.event.title", "data.title"}})
	for _, path := range []string{"chain.github.event.title", "chain.data.title", "origin.title", "data.chain"} {
		if !slices.Contains(d.Untrusted, path) {
			t.Errorf("%s is trusted", path)
		}
	}
}

// Whoever may publish on the bus may publish anything under the type of an end.
func FuzzFacts(f *testing.F) {
	for _, outcome := range []bridge.Outcome{bridge.Succeeded, bridge.Failed} {
		e, err := Translate(ended("Succeeded"), outcome, &push)
		if err != nil {
			f.Fatal(err)
		}
		f.Add([]byte(e.Data), "1")
	}
	f.Add([]byte(`{"workflow":{"annotations":7},"origin":{},"chain":{"depth":-1,"path":[""],"event":{},"data":null}}`), "2")
	f.Fuzz(func(t *testing.T, data []byte, depth string) {
		facts, ok, err := FactFinder{Root: github}.Facts(bridge.Event{
			ID: "1", Source: "s", Type: TypePrefix + "succeeded", Data: data, Extensions: map[string]string{extDepth: depth},
		})
		if !ok {
			t.Fatal("an end is not known as one")
		}
		if err != nil {
			return
		}
		if facts.Depth < 1 {
			t.Errorf("a chain of %d runs", facts.Depth)
		}
		_, _ = facts.Variables()
	})
}

func TestARunThatWasStoppedForANewerEventHasNotFailed(t *testing.T) {
	t.Parallel()
	run := bridge.Run{Phase: "Failed", Annotations: map[string]string{bridge.AnnotationStopped: "a later event takes its place"}}
	if got := run.Outcomes(); len(got) != 1 || got[0] != bridge.Completed {
		t.Errorf("got %v, want completed alone: a rule that tries again would bring it back", got)
	}
}
