package orders_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/bus"
)

// A chat is what a clerk needs to take orders from the forge: a cluster with one run of each template, and who may what.
type chat struct {
	*world
	runs     map[string]bridge.Run // by name
	may      map[string]bool       // "who right template"
	silent   []bridge.Silence
	did      []string
	failures []error // of the next acts
	access   func(t bridge.Template) bool
}

func newChat(t *testing.T) *chat {
	t.Helper()
	c := &chat{world: newWorld(t, rule(t, "load")), runs: map[string]bridge.Run{}, may: map[string]bool{}}
	c.run("load-1", bridge.Template{Namespace: "team", Name: "load"})
	c.run("secret-1", bridge.Template{Namespace: "team", Name: "secret"})
	for _, right := range bridge.Rights {
		c.may["anna "+string(right)+" team/load"] = true
	}
	c.clerk.Wardens = map[string]bridge.Warden{"forge": c}
	c.clerk.Operator, c.clerk.Templates, c.clerk.Silences, c.clerk.Access = operator{c}, c, c, c
	return c
}

func (c *chat) run(name string, t bridge.Template) {
	c.runs[name] = bridge.Run{Namespace: "team", Name: name, UID: "uid-" + name, Template: t, Phase: "Failed"}
}

func (c *chat) May(_ context.Context, f bridge.Facts, right bridge.Right, t bridge.Template, said bridge.Allowances) (bool, string, error) {
	if slices.Contains(said[right].Users, f.Actor) || c.may[f.Actor+" "+string(right)+" "+t.String()] {
		return true, "", nil
	}
	return false, "only @oncall may " + string(right) + " " + cmp.Or(t.Name, "anything"), nil
}

func (c *chat) Allows(t bridge.Template, _ bridge.Facts) (bool, string) {
	if c.access != nil && !c.access(t) {
		return false, "the access section names no workspace for it"
	}
	return true, ""
}

func (c *chat) Allowances(t bridge.Template) (bridge.Allowances, bool) {
	switch t.String() {
	case "team/load":
		return nil, true
	case "team/open":
		return bridge.Allowances{bridge.RightRun: {Users: []string{"bob"}}}, true
	}
	return nil, false
}

func (c *chat) Declared(t bridge.Template) ([]bridge.Declared, bool) {
	_, known := c.Allowances(t)
	fast := "fast"
	return []bridge.Declared{
		{Name: "path", Description: "what\nto load"}, {Name: "mode", Default: &fast, Enum: []string{"fast", "slow"}},
	}, known
}

func (c *chat) Find(_ context.Context, namespace, name string) (bridge.Run, error) {
	run, ok := c.runs[name]
	if !ok || namespace != "team" {
		return run, bridge.Permanent(fmt.Errorf("the run %s/%s is gone", namespace, name))
	}
	return run, nil
}

func (c *chat) act(what string, run bridge.RunID, more ...any) error {
	if len(c.failures) > 0 {
		err := c.failures[0]
		c.failures = c.failures[1:]
		return err
	}
	c.did = append(c.did, strings.TrimSpace(fmt.Sprintln(append([]any{what, run.Name, run.UID}, more...)...)))
	return nil
}

func (c *chat) Retry(_ context.Context, run bridge.RunID, s bridge.Stamp) error {
	return c.act("retry", run, s.By, s.ID != "")
}

func (c *chat) Resubmit(_ context.Context, run bridge.RunID, s bridge.Stamp) (string, error) {
	return run.Name + "-" + s.ID, c.act("resubmit", run, s.By, "event "+s.Labels[bridge.LabelEvent], "replay "+s.Annotations[bridge.AnnotationReplay])
}

func (c *chat) Resume(_ context.Context, run bridge.RunID, node string, s bridge.Stamp, p []bridge.Parameter) error {
	return c.act("resume", run, node, s.By, p)
}

func (c *chat) Reject(_ context.Context, run bridge.RunID, node string, s bridge.Stamp) error {
	return c.act("reject", run, node, s.By)
}

func (c *chat) Add(_ context.Context, s bridge.Silence) error {
	if i := slices.IndexFunc(c.silent, func(have bridge.Silence) bool { return have.ID == s.ID }); i >= 0 {
		c.silent[i] = s
		return nil
	}
	c.silent = append(c.silent, s)
	return nil
}

func (c *chat) Remove(_ context.Context, id string) error {
	c.silent = slices.DeleteFunc(c.silent, func(have bridge.Silence) bool { return have.ID == id })
	return nil
}

func (c *chat) List(context.Context) ([]bridge.Silence, error) { return slices.Clone(c.silent), nil }

// operator hides that a chat and its world stop and find different things.
type operator struct{ *chat }

func (o operator) Stop(_ context.Context, run bridge.RunID, why string) error {
	return o.act("stop", run, why)
}

// gives handles an order and returns its record.
func (c *chat) gives(t *testing.T, who string, o bridge.Order) bridge.Record {
	t.Helper()
	o.Word = cmp.Or(o.Word, string(o.Act))
	e := c.handle(t, 1, payload{Name: "forge.press", Sender: who, Order: &o}, nil)
	record, _, err := c.Dispatcher.Find(t.Context(), e.Hash())
	if err != nil {
		t.Fatal(err)
	}
	return record
}

// outcome is the result of the order and what was answered.
func (c *chat) outcome(t *testing.T, r bridge.Record) string {
	t.Helper()
	if len(c.answers) == 0 || len(r.Results) == 0 || r.Results[0].Template != bridge.OrderTemplate {
		t.Fatalf("answers %v, record %+v", c.answers, r)
	}
	answer := c.answers[len(c.answers)-1]
	if want := fmt.Sprint(r.Results[0].Verdict == bridge.Matched, " ", r.Results[0].Detail); answer != want {
		t.Errorf("answered %q, recorded %q", answer, want)
	}
	return answer
}

var load = bridge.RunID{Namespace: "team", Name: "load-1", UID: "uid-load-1"}

func TestAnOrderFromAChatActsOnTheRunThatItNames(t *testing.T) {
	t.Parallel()
	yes := []bridge.Parameter{{Name: "go", Value: "yes"}}
	for name, c := range map[string]struct {
		order  bridge.Order
		did    string
		answer string
	}{
		"retry":   {bridge.Order{Act: bridge.Retry, Run: load}, "retry load-1 uid-load-1 anna true", "true load-1 tries its failed steps again"},
		"stop":    {bridge.Order{Act: bridge.Stop, Run: load, Word: "Stop"}, "stop load-1 uid-load-1 by order of anna: Stop", "true load-1 is being stopped"},
		"approve": {bridge.Order{Act: bridge.Resume, Run: load, Node: "n1", Parameters: yes}, "resume load-1 uid-load-1 n1 anna [{go yes}]", "true approved: load-1 goes on"},
		"reject":  {bridge.Order{Act: bridge.Reject, Run: load, Node: "n1"}, "reject load-1 uid-load-1 n1 anna", "true rejected: the step of load-1 fails"},
		"a command names no UID": {
			bridge.Order{Act: bridge.Retry, Run: bridge.RunID{Namespace: "team", Name: "load-1"}}, "retry load-1 uid-load-1 anna true",
			"true load-1 tries its failed steps again",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newChat(t)
			record := w.gives(t, "anna", c.order)
			if diff := gocmp.Diff([]string{c.did}, w.did); diff != "" {
				t.Error(diff)
			}
			if got := w.outcome(t, record); got != c.answer {
				t.Errorf("answered %q", got)
			}
			w.gives(t, "anna", c.order) // delivered again
			if len(w.did) != 1 {
				t.Errorf("done again: %v", w.did)
			}
		})
	}
}

func TestWhatNobodyMayIsRefusedAndRecorded(t *testing.T) {
	t.Parallel()
	run := func(name, uid string) bridge.RunID { return bridge.RunID{Namespace: "team", Name: name, UID: uid} }
	for name, c := range map[string]struct {
		who    string
		order  bridge.Order
		change func(*chat)
		answer string
	}{
		"by somebody without the right": {"eve", bridge.Order{Act: bridge.Retry, Run: load}, nil, "only @oncall may retry load"},
		"by somebody with another right": {
			"anna", bridge.Order{Act: bridge.Stop, Run: load}, func(c *chat) { delete(c.may, "anna stop team/load") }, "only @oncall may stop load",
		},
		"on a run of another template": {"anna", bridge.Order{Act: bridge.Retry, Run: run("secret-1", "uid-secret-1")}, nil, "only @oncall may retry secret"},
		"the template of a button proves nothing": {
			"anna", bridge.Order{Act: bridge.Retry, Run: run("secret-1", "uid-secret-1"), Template: "team/load"}, nil, "only @oncall may retry secret",
		},
		"on a run without a template": {
			"anna", bridge.Order{Act: bridge.Retry, Run: run("bare-1", "")}, func(c *chat) { c.run("bare-1", bridge.Template{}) }, "only @oncall may retry anything",
		},
		"on a later run of the same name": {"anna", bridge.Order{Act: bridge.Retry, Run: run("load-1", "other")}, nil, "the run team/load-1 is gone: another one has its name now"},
		"on a run that is gone":           {"anna", bridge.Order{Act: bridge.Retry, Run: run("load-9", "x")}, nil, "the run team/load-9 is gone"},
		"on no run":                       {"anna", bridge.Order{Act: bridge.Resume}, nil, "the order names no run"},
		"where nobody is asked": {
			"anna", bridge.Order{Act: bridge.Retry, Run: load}, func(c *chat) { c.clerk.Wardens = nil }, "nobody may do that from here",
		},
		"in a namespace that does not serve the place": {
			"anna", bridge.Order{Act: bridge.Retry, Run: load}, func(c *chat) { c.access = func(t bridge.Template) bool { return t.Namespace != "team" } },
			"from here nobody may do that with team/load: the access section names no workspace for it",
		},
		"on a run of a cluster's template in such a namespace": {
			"anna", bridge.Order{Act: bridge.Retry, Run: run("shared-1", "")}, func(c *chat) {
				c.run("shared-1", bridge.Template{Name: "shared"})
				c.may["anna retry shared"] = true
				c.access = func(t bridge.Template) bool { return t.Namespace != "team" }
			}, "from here nobody may do that with team/shared: the access section names no workspace for it",
		},
		"what the operator refuses": {
			"anna", bridge.Order{Act: bridge.Resume, Run: load, Node: "n1"}, func(c *chat) {
				c.failures = []error{bridge.Permanent(errors.New("already approved by bob"))}
			}, "already approved by bob",
		},
		"a template that is not there": {"anna", bridge.Order{Act: bridge.Start, Template: "team/nope"}, func(c *chat) { c.may["anna run team/nope"] = true },
			"there is no template team/nope that can be started from here"},
		"a template that one may not start": {"bob", bridge.Order{Act: bridge.Start, Template: "team/load"}, nil, "only @oncall may run load"},
		"to silence a template":             {"eve", bridge.Order{Act: bridge.Mute, Template: "team/load"}, nil, "only @oncall may silence load"},
		"to silence all":                    {"anna", bridge.Order{Act: bridge.Mute}, nil, "only @oncall may silence anything"},
		"to silence what is not there": {"anna", bridge.Order{Act: bridge.Mute, Template: "team/nope"}, func(c *chat) { c.may["anna silence team/nope"] = true },
			"there is no template team/nope"},
		"to silence for ever": {"anna", bridge.Order{Act: bridge.Mute, Template: "team/load", For: 1000 * time.Hour}, nil, "a silence lasts from a minute to 30 days, not 1000h0m0s"},
		"a fault":             {"anna", bridge.Order{Act: bridge.Start, Word: "/argo run", Fault: "which template?"}, nil, "/argo run: which template?"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newChat(t)
			if c.change != nil {
				c.change(w)
			}
			if got := w.outcome(t, w.gives(t, c.who, c.order)); got != "false "+c.answer {
				t.Errorf("answered %q", got)
			}
			if len(w.did)+len(w.workflows)+len(w.silent) != 0 {
				t.Errorf("done: %v %v %v", w.did, w.workflows, w.silent)
			}
		})
	}
}

// TestAnApprovalThatWasCutOffIsNotOneOfTheNextStep: the order names no step, and the one that it was for goes on already.
func TestAnApprovalThatWasCutOffIsNotOneOfTheNextStep(t *testing.T) {
	t.Parallel()
	w := newChat(t)
	press := payload{Name: "forge.press", Sender: "anna", Order: &bridge.Order{Act: bridge.Resume, Word: "/approve", Run: load}}
	e := w.event(t, 1, press)
	run := w.runs["load-1"]
	run.Pauses = []bridge.Pause{{Node: "n2", Path: "second", Phase: "Running"}}
	run.Annotations = map[string]string{bridge.AnnotationOrders: "other " + bridge.Digest(e.Key())[:10]}
	w.runs["load-1"] = run
	record := w.gives(t, "anna", *press.Order)
	if got := w.outcome(t, record); got != "true approved: load-1 goes on" || len(w.did) != 0 {
		t.Errorf("answered %q, did %v", got, w.did)
	}
}

func TestAFailureThatPassesIsTriedAgain(t *testing.T) {
	t.Parallel()
	w := newChat(t)
	away := errors.New("the API server is away")
	w.failures = []error{away}
	press := payload{Name: "forge.press", Sender: "anna", Order: &bridge.Order{Act: bridge.Retry, Word: "Retry", Run: load}}
	w.handle(t, 1, press, away)
	if len(w.answers) != 0 {
		t.Errorf("answered %v", w.answers)
	}
	w.handle(t, 1, press, nil)
	if len(w.did) != 1 || len(w.answers) != 1 {
		t.Errorf("did %v, answered %v", w.did, w.answers)
	}
}

func TestAStartChecksItsParametersAndIsOneWorkflow(t *testing.T) {
	t.Parallel()
	p := func(pairs ...string) (all []bridge.Parameter) {
		for i := 0; i < len(pairs); i += 2 {
			all = append(all, bridge.Parameter{Name: pairs[i], Value: pairs[i+1]})
		}
		return all
	}
	for name, c := range map[string]struct {
		given []bridge.Parameter
		fault string
	}{
		"all that is needed":   {p("path", "a.csv"), ""},
		"the last of two":      {p("path", "x", "mode", "no", "path", "a.csv", "mode", "slow"), ""},
		"a missing one":        {p("mode", "slow"), "path is missing (what to load)"},
		"a wrong choice":       {p("path", "a.csv", "mode", "slwo"), `mode cannot be "slwo": it is one of fast, slow`},
		"a misspelt one":       {p("paht", "a.csv"), `the template has no parameter "paht": did you mean path?; path is missing (what to load)`},
		"one that is not near": {p("path", "a.csv", "color", "red"), `the template has no parameter "color": it has path and mode`},
		"one that is too long": {p("path", strings.Repeat("x", 64<<10+1)), "path has 65537 bytes, the limit for a value is 65536 (64 KiB)"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newChat(t)
			record := w.gives(t, "anna", bridge.Order{Act: bridge.Start, Template: "team/load", Parameters: c.given})
			got := w.outcome(t, record)
			if c.fault != "" {
				if got != "false "+c.fault || len(w.workflows) != 0 {
					t.Errorf("answered %q, made %v", got, w.workflows)
				}
				return
			}
			if len(w.workflows) != 1 || len(record.Results) != 2 {
				t.Fatalf("made %v, recorded %+v", w.workflows, record.Results)
			}
			r, known := record.Result(bridge.Template{Namespace: "team", Name: "load"}, "", "")
			if !known || w.workflows[r.Workflow] != 1 || got != "true load is started as "+strings.TrimPrefix(r.Workflow, "team/") {
				t.Errorf("recorded %+v, answered %q, made %v", r, got, w.workflows)
			}
		})
	}
}

func TestAStartThatWasCutOffMakesNoSecondWorkflow(t *testing.T) {
	t.Parallel()
	w := newChat(t)
	var s bridge.Submission
	w.submitted = func(made bridge.Submission) error {
		first := s.Name == ""
		s = made
		if first {
			return errors.New("the answer got lost")
		}
		return nil
	}
	start := payload{Name: "forge.press", Sender: "bob", Order: &bridge.Order{
		Act: bridge.Start, Word: "/argo run", Template: "team/open", Parameters: []bridge.Parameter{{Name: "path", Value: "x"}},
	}}
	data := w.event(t, 1, start)
	w.stored[1] = data
	if err := w.Handle(t.Context(), data, bus.Delivery{Sequence: 1, Attempt: 1, Stored: time.Now()}); err == nil {
		t.Fatal("no error")
	}
	first := s.Name
	w.handle(t, 1, start, nil)
	if s.Name != first || s.Name == "" || s.Namespace != "team" {
		t.Errorf("first %q, then %q", first, s.Name)
	}
	want := map[string]string{bridge.LabelSource: "forge", bridge.LabelType: "forge.press", bridge.LabelEvent: data.Hash()}
	if diff := gocmp.Diff(want, s.Labels); diff != "" {
		t.Errorf("labels: %s", diff)
	}
	if s.Annotations[bridge.AnnotationActor] != "bob" || s.Annotations[bridge.AnnotationEventID] != "e1" {
		t.Errorf("annotations: %v", s.Annotations)
	}
}

func TestAResubmissionIsOneMoreAttemptAtTheEventThatHasStartedTheRun(t *testing.T) {
	t.Parallel()
	template := bridge.Template{Namespace: "team", Name: "load"}
	for name, c := range map[string]struct {
		hash  func(started string) string // the run's label
		known bool
	}{
		"a run of an event":            {func(started string) string { return started }, true},
		"a run that somebody started":  {func(string) string { return "" }, false},
		"a label that somebody forged": {func(string) string { return bridge.Event{ID: "forged"}.Hash() }, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newChat(t)
			before := w.arrives(t, 7, payload{Name: "forge.change", Sender: "owner"})
			result, known := before.Result(template, bridge.DefaultRule, "")
			if !known || result.Verdict != bridge.Matched {
				t.Fatalf("%+v", before)
			}
			_, made, _ := strings.Cut(result.Workflow, "/")
			run := bridge.Run{
				Namespace: "team", Name: made, UID: "u", Template: template, Rule: bridge.DefaultRule, Phase: "Failed",
				Labels: map[string]string{bridge.LabelEvent: c.hash(before.Hash())},
			}
			w.runs[made] = run
			record := w.gives(t, "anna", bridge.Order{Act: bridge.Resubmit, Run: run.ID()})
			r, is := record.Result(template, bridge.DefaultRule, "")
			if !is || r.Verdict != bridge.Matched || !strings.HasPrefix(r.Workflow, "team/"+made+"-") {
				t.Errorf("the order's record: %+v", record.Results)
			}
			after, _, err := w.Dispatcher.Find(t.Context(), before.Hash())
			if err != nil {
				t.Fatal(err)
			}
			if got := len(after.Results); got != len(before.Results)+map[bool]int{true: 1}[c.known] {
				t.Errorf("the event's record: %+v", after.Results)
			}
			last := after.Results[len(after.Results)-1]
			if c.known && (last.Replay == "" || last.Workflow != r.Workflow) {
				t.Errorf("the event's last result: %+v", last)
			}
			stamped := "event " + record.Hash()
			if c.known {
				stamped = "event  replay " + last.Replay // the labels stay
			}
			if len(w.did) != 1 || !strings.Contains(w.did[0], stamped) {
				t.Errorf("did %v, want %q", w.did, stamped)
			}
		})
	}
}

func TestSilencesAreOfATemplateForATime(t *testing.T) {
	t.Parallel()
	w := newChat(t)
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	w.clerk.Now = func() time.Time { return now }
	w.gives(t, "anna", bridge.Order{Act: bridge.Mute, Template: "team/load", Place: bridge.Destination{Scheme: "slack", Target: "#x"}})
	want := "true alerts of load to slack:#x are silent until 13:00 UTC"
	if len(w.silent) != 1 || w.answers[0] != want || w.silent[0].Destination != "slack:#x" || w.silent[0].By != "anna" {
		t.Errorf("%v: %+v", w.answers, w.silent)
	}
	if !w.silent[0].Until.Equal(now.Add(time.Hour)) {
		t.Errorf("until %s", w.silent[0].Until)
	}
	w.silent = append(w.silent, bridge.Silence{ID: "other", Template: "team/other", Until: now.Add(time.Hour)})
	o := bridge.Order{Act: bridge.Unmute, Word: "/unmute", Template: "team/load"}
	w.handle(t, 2, payload{Name: "forge.press", Sender: "anna", Order: &o}, nil)
	if len(w.silent) != 1 || w.silent[0].ID != "other" || w.answers[1] != "true alerts of load are not silent any more" {
		t.Errorf("%v: %+v", w.answers, w.silent)
	}
	w.silent = []bridge.Silence{{ID: "all", Until: now.Add(24 * time.Hour)}}
	w.handle(t, 3, payload{Name: "forge.press", Sender: "anna", Order: &o}, nil)
	if len(w.silent) != 1 || w.answers[2] != "true a silence of more than load lasts until Mar 2, 12:00 UTC" {
		t.Errorf("%v: %+v", w.answers, w.silent)
	}
}

func TestWhereTheSourceWaitsForTheRecordNobodyElseAnswers(t *testing.T) {
	t.Parallel()
	w := newChat(t)
	o := bridge.Order{Act: bridge.Retry, Word: "/argo", Run: load}
	e := w.handle(t, 1, payload{Name: "forge.press", Sender: "anna", Order: &o, Awaited: true}, nil)
	record, _, err := w.Dispatcher.Find(t.Context(), e.Hash())
	if err != nil || len(record.Results) != 1 || record.Results[0].Detail != "load-1 tries its failed steps again" {
		t.Errorf("recorded %+v, %v", record.Results, err)
	}
	if len(w.answers) != 0 || len(w.did) != 1 {
		t.Errorf("answered %v, did %v", w.answers, w.did)
	}
}
