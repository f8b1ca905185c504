package orders_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// names finds what is in the namespace team.
type names struct{}

func (names) Template(_ context.Context, _ bridge.Facts, name string) (bridge.Template, string, error) {
	if name == "nope" {
		return bridge.Template{}, "there is no template nope here; is load meant?", nil
	}
	return bridge.Template{Namespace: "team", Name: name}, "", nil
}

func (names) Run(_ context.Context, _ bridge.Facts, name string) (bridge.RunID, string, error) {
	if name == "nope" {
		return bridge.RunID{}, "there is no workflow nope here", nil
	}
	return bridge.RunID{Namespace: "team", Name: name, UID: "uid-" + name}, "", nil
}

func TestWhatIsNamedWithoutItsNamespaceIsFound(t *testing.T) {
	t.Parallel()
	bare := func(name string) bridge.RunID { return bridge.RunID{Name: name} }
	for name, c := range map[string]struct {
		order       bridge.Order
		answer, did string
	}{
		"a run":               {bridge.Order{Act: bridge.Retry, Run: bare("load-1")}, "true load-1 tries its failed steps again", "retry load-1"},
		"no run":              {bridge.Order{Act: bridge.Retry, Run: bare("nope")}, "false there is no workflow nope here", ""},
		"a run of another":    {bridge.Order{Act: bridge.Retry, Run: bare("secret-1")}, "false only @oncall may retry secret", ""},
		"no template":         {bridge.Order{Act: bridge.Start, Template: "nope"}, "false there is no template nope here; is load meant?", ""},
		"a template of which": {bridge.Order{Act: bridge.Mute, Template: "load"}, "true alerts of load are silent until 13:00 UTC", ""},
		"with its namespace":  {bridge.Order{Act: bridge.Mute, Template: "team/load"}, "true alerts of load are silent until 13:00 UTC", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newChat(t)
			w.clerk.Names = names{}
			w.clerk.Now = func() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }
			if got := w.outcome(t, w.gives(t, "anna", c.order)); got != c.answer {
				t.Errorf("answered %q", got)
			}
			if did := strings.Join(w.did, "; "); !strings.HasPrefix(did, c.did) || c.did == "" && did != "" {
				t.Errorf("did %q", did)
			}
		})
	}
}

func TestTheStepThatWaitsIsFound(t *testing.T) {
	t.Parallel()
	pause := func(node, path, phase string) bridge.Pause {
		return bridge.Pause{Node: node, Path: path, Phase: phase}
	}
	one := []bridge.Pause{pause("n0", "load / first", "Succeeded"), pause("n1", "load / gate", "Running")}
	two := append(one, pause("n2", "load / last gate", "Running"))
	for name, c := range map[string]struct {
		pauses       []bridge.Pause
		node, answer string
	}{
		"the only one":           {one, "", "resume load-1 uid-load-1 n1"},
		"by its name":            {two, "last gate", "resume load-1 uid-load-1 n2"},
		"by its path":            {two, "load / gate", "resume load-1 uid-load-1 n1"},
		"by its id":              {two, "n2", "resume load-1 uid-load-1 n2"},
		"one of two":             {two, "", "load-1 waits at several steps: name one of load / gate and load / last gate"},
		"none":                   {one[:1], "", "load-1 waits at no step"},
		"what the operator says": {one, "other", "resume load-1 uid-load-1 other"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newChat(t)
			run := w.runs["load-1"]
			run.Pauses = c.pauses
			w.runs["load-1"] = run
			got := w.outcome(t, w.gives(t, "anna", bridge.Order{Act: bridge.Resume, Run: load, Node: c.node}))
			if did := strings.Join(w.did, "; "); !strings.HasPrefix(did, c.answer+" ") && got != "false "+c.answer {
				t.Errorf("did %q, answered %q", did, got)
			}
		})
	}
}

func TestOneSilenceEndsByItsID(t *testing.T) {
	t.Parallel()
	w := newChat(t)
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	w.clerk.Now = func() time.Time { return now }
	w.silent = []bridge.Silence{
		{ID: "a", Template: "team/load", Until: now.Add(time.Hour)}, {ID: "b", Template: "team/load", Until: now.Add(time.Hour)},
		{ID: "c", Template: "team/secret", Until: now.Add(time.Hour)}, {ID: "d", Until: now.Add(time.Hour)},
	}
	for i, c := range []struct{ id, answer string }{
		{"b", "true alerts of load are not silent any more"}, {"c", "false only @oncall may silence secret"}, {"d", "false only @oncall may silence anything"},
		{"e", "false there is no silence e any more"},
	} {
		w.handle(t, uint64(10+i), payload{Name: "forge.press", Sender: "anna", Order: &bridge.Order{Act: bridge.Unmute, Word: "/argo unsilence", Silence: c.id}}, nil)
		if got := w.answers[len(w.answers)-1]; got != c.answer {
			t.Errorf("%s: answered %q", c.id, got)
		}
	}
	if len(w.silent) != 3 {
		t.Errorf("left: %+v", w.silent)
	}
	w.handle(t, 20, payload{Name: "forge.press", Sender: "anna", Order: &bridge.Order{Act: bridge.Mute, Word: "/argo silence", Template: "team/load", Reason: "known"}}, nil)
	if s := w.silent[len(w.silent)-1]; s.Reason != "known" {
		t.Errorf("%+v", s)
	}
}
