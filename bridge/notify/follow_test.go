package notify

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/bus"
	"github.com/argo-bridge/argo-bridge/bridge/expression"
)

// attempt is a run in a phase, begun and ended at seconds; 0: it goes on.
func attempt(uid, phase string, started, finished int) bridge.Run {
	run := ended(uid, phase, finished)
	if run.Started = time.Unix(int64(started), 0); finished == 0 {
		run.Finished = time.Time{}
	}
	return run
}

// story reports runs one after the other, each twice as after a restart, and writes what is told of them, a follow-up
// in brackets.
func story(t *testing.T, d *desk, runs ...bridge.Run) (all []string) {
	t.Helper()
	known := map[string]bool{}
	for _, run := range runs {
		for range 2 {
			if err := d.Changed(t.Context(), run); err != nil {
				t.Fatal(err)
			}
			for _, key := range slices.Sorted(maps.Keys(d.queued)) {
				n := d.queued[key]
				if known[key] {
					continue
				}
				known[key] = true
				line := fmt.Sprintf("%s %s %s", n.Run.UID, n.Outcome, n.To.Target)
				if n.Pause != nil {
					line += " " + n.Pause.Path
				}
				if n.Follow {
					line = "(" + line + ")"
				}
				all = append(all, line)
			}
		}
	}
	return all
}

func TestWhatWasToldIsFollowedUp(t *testing.T) {
	t.Parallel()
	hook := bridge.Destination{Scheme: "webhook", Target: "pager"}
	stopped := func(run bridge.Run) bridge.Run {
		run.Annotations = map[string]string{bridge.AnnotationStopped: "by order of anna"}
		return run
	}
	pause := func(phase string, run bridge.Run) bridge.Run {
		run.Pauses = []bridge.Pause{{Node: "n1", Path: "approve", Phase: phase, Started: time.Unix(5, 0)}}
		return run
	}
	for name, c := range map[string]struct {
		routes []bridge.Route
		runs   []bridge.Run
		want   []string
	}{
		"a success with no failure before it": {
			[]bridge.Route{route(bridge.Failed, alerts)},
			[]bridge.Run{attempt("1", "Running", 1, 0), attempt("1", "Succeeded", 1, 2)}, nil,
		},
		"a retried run that fails again alerts again": {
			[]bridge.Route{route(bridge.Failed, alerts)},
			[]bridge.Run{attempt("1", "Running", 1, 0), attempt("1", "Failed", 1, 2), attempt("1", "Running", 3, 0), attempt("1", "Failed", 3, 4)},
			[]string{"1 failed #alerts", "(1 started #alerts)", "1 failed #alerts"},
		},
		"a retried run that ends well has recovered": {
			[]bridge.Route{route(bridge.Failed, alerts), route(bridge.Failed, hook)},
			[]bridge.Run{attempt("1", "Failed", 1, 2), attempt("1", "Running", 2, 0), attempt("1", "Succeeded", 2, 4)},
			[]string{"1 failed #alerts", "1 failed pager", "(1 started #alerts)", "(1 recovered #alerts)"},
		},
		"also when its destination asks for recoveries": {
			[]bridge.Route{route(bridge.Failed, alerts), route(bridge.Recovered, alerts)},
			[]bridge.Run{attempt("1", "Failed", 1, 2), attempt("1", "Succeeded", 3, 4)},
			[]string{"1 failed #alerts", "1 recovered #alerts"},
		},
		"when another run has succeeded meanwhile, it has only succeeded": {
			[]bridge.Route{route(bridge.Failed, alerts)},
			[]bridge.Run{attempt("1", "Failed", 1, 2), attempt("2", "Succeeded", 1, 3), attempt("1", "Succeeded", 4, 5)},
			[]string{"1 failed #alerts", "(2 recovered #alerts)", "(1 succeeded #alerts)"},
		},
		"of a run that was retried twice": {
			[]bridge.Route{route(bridge.Failed, alerts)},
			[]bridge.Run{
				attempt("1", "Failed", 1, 2), attempt("1", "Running", 3, 0), attempt("1", "Failed", 3, 4), attempt("1", "Running", 5, 0), attempt("1", "Succeeded", 5, 6),
			},
			[]string{"1 failed #alerts", "(1 started #alerts)", "1 failed #alerts", "(1 started #alerts)", "(1 recovered #alerts)"},
		},
		"who asks only for ends hears no start of a retry": {
			[]bridge.Route{route(bridge.Completed, alerts)},
			[]bridge.Run{attempt("1", "Failed", 1, 2), attempt("1", "Running", 3, 0), attempt("1", "Succeeded", 3, 4)},
			[]string{"1 completed #alerts", "1 completed #alerts"},
		},
		"a run that is stopped": {
			[]bridge.Route{route(bridge.Failed, alerts), route(bridge.Failed, hook)},
			[]bridge.Run{stopped(attempt("1", "Failed", 1, 2))},
			[]string{"(1 completed #alerts)"},
		},
		"a start that was told is followed by its end": {
			[]bridge.Route{route(bridge.Started, alerts)},
			[]bridge.Run{attempt("1", "Running", 1, 0), attempt("1", "Failed", 1, 2)},
			[]string{"1 started #alerts", "(1 failed #alerts)"},
		},
		"a pause opens and closes": {
			[]bridge.Route{route(bridge.Suspended, alerts), route(bridge.Suspended, hook), route(bridge.Suspended, bridge.Destination{Scheme: "github", Target: "check"})},
			[]bridge.Run{
				attempt("1", "Running", 1, 0), pause("Running", attempt("1", "Running", 1, 0)), pause("Succeeded", attempt("1", "Running", 1, 0)),
				pause("Succeeded", attempt("1", "Succeeded", 1, 9)),
			},
			[]string{
				"1 waiting #alerts approve", "1 waiting pager approve", "(1 waiting #alerts approve)", "(1 waiting pager approve)", "(1 succeeded #alerts)",
			},
		},
		"a pause that nobody can end any more is closed": {
			[]bridge.Route{route(bridge.Suspended, alerts)},
			[]bridge.Run{pause("Running", stopped(attempt("1", "Failed", 1, 9)))},
			[]string{"(1 waiting #alerts approve)", "(1 completed #alerts)"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := story(t, newDesk(t, c.routes...), c.runs...)
			slices.Sort(got)
			slices.Sort(c.want)
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestTheUsualDurationIsTheMedianOfTheLastTwentySuccesses(t *testing.T) {
	t.Parallel()
	d := newDesk(t, route(bridge.Completed, alerts))
	usual := func(run bridge.Run) time.Duration {
		t.Helper()
		clear(d.queued)
		report(t, d, run, run)
		for _, n := range d.queued {
			return n.Usual
		}
		t.Fatal("nothing was told")
		return 0
	}
	if got := usual(attempt("first", "Failed", 100, 900)); got != 0 {
		t.Errorf("with no success: %s", got)
	}
	if got := usual(attempt("a", "Succeeded", 1000, 1010)); got != 0 {
		t.Errorf("the first success: %s, itself not counted", got)
	}
	if got := usual(attempt("b", "Succeeded", 1000, 1020)); got != 10*time.Second {
		t.Errorf("after one of 10 s: %s", got)
	}
	if got := usual(attempt("c", "Failed", 1000, 1030)); got != 15*time.Second {
		t.Errorf("after those of 10 and 20 s: %s", got)
	}
	for i := range 20 {
		usual(attempt(fmt.Sprint("d", i), "Succeeded", 2000, 2060))
	}
	if got := usual(attempt("e", "Succeeded", 2000, 2061)); got != time.Minute {
		t.Errorf("after twenty of a minute: %s", got)
	}
	stopped := attempt("f", "Failed", 2000, 2062)
	stopped.Annotations = map[string]string{bridge.AnnotationStopped: "x"}
	if got := usual(stopped); got != time.Minute {
		t.Errorf("of a stopped run: %s", got)
	}
}

func TestTheUsualDurationIsOfAllGroups(t *testing.T) {
	t.Parallel()
	d := newDesk(t, route(bridge.Completed, alerts))
	for i, group := range []string{"main", "dev"} {
		run := attempt(group, "Succeeded", 100, 110+i*10)
		run.Labels = map[string]string{bridge.LabelGroup: group}
		report(t, d, run)
	}
	clear(d.queued)
	report(t, d, attempt("x", "Succeeded", 100, 200))
	for _, n := range d.queued {
		if n.Usual != 15*time.Second {
			t.Errorf("got %s", n.Usual)
		}
	}
}

func TestWhoStartsATemplateFromSlackSeesHowItGoesOn(t *testing.T) {
	t.Parallel()
	by := func(source, kind string) bridge.Run {
		run := attempt("1", "Running", 1, 0)
		run.Labels = map[string]string{bridge.LabelSource: source}
		run.Annotations = map[string]string{bridge.AnnotationEventType: kind}
		return run
	}
	for name, c := range map[string]struct {
		run   bridge.Run
		slack bool
		want  int
	}{
		"a command":                   {by("slack", "com.slack.command"), true, 1},
		"a form":                      {by("slack", "com.slack.view_submission"), true, 1},
		"a mention":                   {by("slack", "com.slack.app_mention"), true, 0},
		"a forged annotation":         {by("github", "com.slack.command"), true, 0},
		"a bridge that has no Slack":  {by("slack", "com.slack.command"), false, 0},
		"a person, with the Argo CLI": {attempt("1", "Running", 1, 0), true, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			d.Slack = c.slack
			report(t, d, c.run)
			if len(d.queued) != c.want {
				t.Errorf("%d notifications", len(d.queued))
			}
			for _, n := range d.queued {
				if n.To.String() != "slack:progress" || n.Outcome != bridge.Started || n.Follow {
					t.Errorf("%+v", n)
				}
			}
		})
	}
}

// What an expression comes to stays apart from what the author has written: only the author can call a whole channel.
func TestWhoIsCalledByNameIsNamedByTheRouteAndTheSetting(t *testing.T) {
	t.Parallel()
	setting, err := expression.CompileText("U1, {{=gcs.name}} @oncall")
	if err != nil {
		t.Fatal(err)
	}
	d := newDesk(t, bridge.Route{
		Outcome: bridge.Failed, To: alerts, Mentions: []string{"@oncall"}, Options: map[string]bridge.Text{"mention": setting},
	})
	report(t, d, attempt("1", "Failed", 1, 2), attempt("1", "Running", 3, 0))
	if len(d.queued) != 2 {
		t.Fatalf("%d notifications", len(d.queued))
	}
	for _, n := range d.queued {
		want := []string{"@oncall"}
		if n.Follow {
			want = nil // they have been called already
		}
		if diff := cmp.Diff(want, n.Mentions); diff != "" || n.Options["mention"] != "U1, a.json @oncall" {
			t.Errorf("%s: %s, %v", n.Outcome, diff, n.Options)
		}
	}
}

// TestTheStateOfARunThatGoesOnAgainIsKept: `argo-bridge events show` and orders look there.
func TestTheStateOfARunThatGoesOnAgainIsKept(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	runs := table(t)
	d.Runs = runs
	hash := bridge.Event{ID: "1"}.Hash()
	for _, c := range []struct {
		run  bridge.Run
		want string
	}{
		{attempt("1", "Running", 1, 0), "Running"}, {attempt("1", "Failed", 1, 2), "Failed"},
		{attempt("1", "Running", 1, 0), "Failed"}, // of a replica that is behind
		{attempt("1", "Running", 3, 0), "Running"}, {attempt("1", "Succeeded", 3, 4), "Succeeded"},
	} {
		c.run.Labels = map[string]string{bridge.LabelEvent: hash}
		report(t, d, c.run)
		entry, _, err := runs.Get(context.Background(), hash+".1")
		if err != nil {
			t.Fatal(err)
		}
		if r, err := DecodeRun(entry); err != nil || r.Phase != c.want {
			t.Errorf("after %s at %d: %q, %v", c.run.Phase, c.run.Started.Unix(), r.Phase, err)
		}
	}
}

func TestAnUpgradeKnowsWhatABridgeWithoutAttemptsHasSent(t *testing.T) {
	t.Parallel()
	run := attempt("uid", "Failed", 1_700_000_000, 1_700_000_060)
	key := keyOfRun(run, route(bridge.Failed, alerts))
	for name, c := range map[string]struct {
		at   time.Time
		sent int
	}{
		"this attempt":       {run.Finished, 0},
		"the attempt before": {run.Started.Add(-time.Second), 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			outbox, s := table(t), &service{}
			old := fmt.Sprintf(`{"state":"sent","at":%q}`, c.at.UTC().Format(time.RFC3339))
			if err := outbox.Put(t.Context(), "none."+strings.TrimSuffix(key, "-1700000000"), []byte(old)); err != nil {
				t.Fatal(err)
			}
			d, _ := newDeliverer(t, s, outbox)
			if err := d.Handle(t.Context(), bridge.Notification{Key: key, To: alerts, Run: run}, bus.Delivery{}); err != nil {
				t.Fatal(err)
			}
			if len(s.sent) != c.sent {
				t.Errorf("sent %d times", len(s.sent))
			}
		})
	}
}

func TestAnAnswerGoesWhereTheOrderWasGiven(t *testing.T) {
	t.Parallel()
	order := &bridge.Order{Word: "Retry"}
	for name, c := range map[string]struct {
		facts bridge.Facts
		want  map[string]string // options; nil: nobody is answered
	}{
		"a button in Slack": {
			bridge.Facts{Source: "slack", ReplyTo: "C1/1.2", Order: order, Values: map[string][]string{"users": {"U1", "@anna"}}},
			map[string]string{"done": "true", "user": "U1", "word": "Retry"},
		},
		"a command whose answer Slack waits for": {bridge.Facts{Source: "slack", ReplyTo: "C1", Order: order, Awaited: true}, nil},
		"a comment on GitHub":                    {bridge.Facts{Source: "github", ReplyTo: "x", Order: order}, map[string]string{"reaction": "rocket"}},
		"an event of a bucket":                   {bridge.Facts{Source: "gcs", ReplyTo: "x"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			if err := d.Answer(t.Context(), bridge.Event{ID: "1"}, c.facts, bridge.Answer{Done: true, Text: "retried"}); err != nil {
				t.Fatal(err)
			}
			if (len(d.queued) == 1) != (c.want != nil) {
				t.Fatalf("%d answers", len(d.queued))
			}
			for _, n := range d.queued {
				if diff := cmp.Diff(c.want, n.Options); diff != "" || n.Address != c.facts.ReplyTo || n.To.Target != "answer" || n.Text != "retried" {
					t.Errorf("%+v %s", n, diff)
				}
			}
		})
	}
}
