package checks

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	adapter "github.com/argo-bridge/argo-bridge/adapters/github"
	"github.com/argo-bridge/argo-bridge/adapters/github/githubtest"
	"github.com/argo-bridge/argo-bridge/bridge"
)

func only(t *testing.T, w *world) githubtest.CheckRun {
	t.Helper()
	all := w.CheckRuns(repository)
	if len(all) != 1 {
		t.Fatalf("%d check runs, want 1: %+v", len(all), all)
	}
	return all[0]
}

func TestACheckRunFollowsItsRun(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	n := w.replica()
	send1(t, n, note(TargetCheck, bridge.Queued))
	c := only(t, w)
	if c.Name != "argo / ci" || c.HeadSHA != commit || c.ExternalID != note(TargetCheck, bridge.Queued).Subject || c.Title != "Queued" {
		t.Errorf("queued: %+v", c)
	}
	if diff := cmp.Diff([]githubtest.Action{{Label: "Cancel", Description: "Stop this run of ci", Identifier: CancelIdentifier}}, c.Actions); diff != "" {
		t.Error(diff)
	}
	send1(t, n, note(TargetCheck, bridge.Started))
	if c = only(t, w); len(c.Actions) != 1 || c.DetailsURL != note(TargetCheck, bridge.Started).Link || !c.StartedAt.Equal(began) {
		t.Errorf("running: %+v", c)
	}
	send1(t, n, note(TargetCheck, bridge.Succeeded))
	c = only(t, w)
	if diff := cmp.Diff([]string{"queued", "in_progress", "completed/success"}, c.History); diff != "" {
		t.Error(diff)
	}
	if len(c.Actions) != 0 || c.Title != "Succeeded in 2m 14s" || !c.CompletedAt.Equal(ended) {
		t.Errorf("ended: %+v", c)
	}
}

func TestConclusionsOfCheckRunsAndStatuses(t *testing.T) {
	t.Parallel()
	stopped := note("", bridge.Completed)
	stopped.Run.Annotations[bridge.AnnotationStopped] = "a later event takes its place"
	broken := note("", bridge.Failed)
	broken.Run.Phase = "Error"
	late := note("", bridge.Completed)
	late.Run.Phase, late.Run.Annotations = "Succeeded", stopped.Run.Annotations
	cases := map[string]struct {
		note                      bridge.Notification
		check, status, deployment string
	}{
		"queued":                         {note("", bridge.Queued), "queued", "pending", "queued"},
		"held":                           {note("", bridge.EventHeld), "completed/action_required", "pending", "queued"},
		"skipped":                        {note("", bridge.EventSkipped), "completed/skipped", "success", "inactive"},
		"rejected":                       {note("", bridge.EventRejected), "completed/failure", "error", "error"},
		"running":                        {note("", bridge.Started), "in_progress", "pending", "in_progress"},
		"succeeded":                      {note("", bridge.Succeeded), "completed/success", "success", "success"},
		"recovered":                      {note("", bridge.Recovered), "completed/success", "success", "success"},
		"failed":                         {note("", bridge.Failed), "completed/failure", "failure", "failure"},
		"in error":                       {broken, "completed/failure", "error", "error"},
		"stopped":                        {stopped, "completed/cancelled", "error", "inactive"},
		"succeeded before it could stop": {late, "completed/success", "success", "success"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			n := w.replica()
			for _, target := range []string{TargetCheck, TargetStatus, TargetDeployment} {
				m := c.note
				m.To = bridge.Destination{Scheme: Scheme, Target: target}
				send1(t, n, m)
			}
			if got := only(t, w).History; !slices.Equal(got, []string{c.check}) {
				t.Errorf("check run: %v", got)
			}
			if got := w.Statuses(repository); len(got) != 1 || got[0].State != c.status || got[0].Context != "argo/ci" || got[0].SHA != commit {
				t.Errorf("status: %+v", got)
			}
			if got := w.DeploymentStatuses(repository, 5); len(got) != 1 || got[0].State != c.deployment {
				t.Errorf("deployment: %+v", got)
			}
		})
	}
}

func TestACheckRunThatIsHeldGoesOnWhenItIsApproved(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	n := w.replica()
	held := note(TargetCheck, bridge.EventHeld)
	held.Reason = "octocat has read permission in acme/app, not write"
	send1(t, n, held)
	c := only(t, w)
	for _, want := range []string{"octocat has read permission", "`/ok-to-test " + commit + "`"} {
		if !strings.Contains(c.Summary, want) {
			t.Errorf("%q does not say %q", c.Summary, want)
		}
	}
	if len(c.Actions) != 0 {
		t.Errorf("actions: %v", c.Actions)
	}
	for _, outcome := range []bridge.Outcome{bridge.Queued, bridge.Started, bridge.Failed} {
		send1(t, n, note(TargetCheck, outcome))
	}
	send1(t, n, held) // comes twice
	if diff := cmp.Diff([]string{"completed/action_required", "queued", "in_progress", "completed/failure"}, only(t, w).History); diff != "" {
		t.Error(diff)
	}
}

func TestARunThatIsRetriedByHandEndsAnew(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	n := w.replica()
	again := note(TargetCheck, bridge.Succeeded)
	again.Run.Finished = ended.Add(time.Hour)
	for _, m := range []bridge.Notification{note(TargetCheck, bridge.Failed), again, note(TargetCheck, bridge.Failed)} {
		send1(t, n, m)
	}
	if diff := cmp.Diff([]string{"completed/failure", "completed/success"}, only(t, w).History); diff != "" {
		t.Error(diff)
	}
}

func TestNamesOfCheckRuns(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("ü", 200)
	for name, tt := range map[string]struct{ rule, option, name, context string }{
		"the only rule":     {"default", "", "argo / ci", "argo/ci"},
		"one of several":    {"nightly", "", "argo / ci / nightly", "argo/ci/nightly"},
		"the author's name": {"nightly", "unit  tests\n", "unit tests", "argo/ci/nightly"},
		"a long one":        {"default", long, strings.Repeat("ü", 99) + "…", "argo/ci"},
	} {
		m := note(TargetCheck, bridge.Queued)
		m.Run.Rule, m.Options = tt.rule, map[string]string{OptionCheckName: tt.option}
		r, _, err := newReport(m, adapter.Address{})
		if err != nil || r.Name != tt.name || r.Context != tt.context {
			t.Errorf("%s: got %q and %q, %v", name, r.Name, r.Context, err)
		}
	}
}

func TestAReplayHasACheckRunOfItsOwn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	n := w.replica()
	send1(t, n, note(TargetCheck, bridge.Failed))
	replay := note(TargetCheck, bridge.Queued)
	replay.Key, replay.Subject = "other", replay.Subject+"0"
	send1(t, n, replay)
	if all := w.CheckRuns(repository); len(all) != 2 || all[0].Conclusion != "failure" || all[1].Status != "queued" {
		t.Errorf("%+v", all)
	}
}

func TestACommitStatusStandsInWhereTheAppMayWriteNoChecks(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	permissions := githubtest.DefaultPermissions()
	permissions["checks"] = "read"
	w.Install(githubtest.Installation{ID: installation, Account: "acme", Repositories: []string{repository}, Permissions: permissions})
	n := w.replica()
	for _, outcome := range []bridge.Outcome{bridge.Queued, bridge.Started} {
		send1(t, n, note(TargetCheck, outcome))
	}
	if tried := w.Count("POST /repos/acme/app/check-runs"); tried != 1 || w.told.Len() != 1 {
		t.Errorf("tried %d times, said %d times", tried, w.told.Len())
	}
	var states []string
	for _, s := range w.Statuses(repository) {
		states = append(states, s.State+" "+s.Description)
	}
	if diff := cmp.Diff([]string{"pending Queued", "pending Running"}, states); diff != "" {
		t.Error(diff)
	}
	// Somebody grants the permission: the check run is there within the hour.
	permissions["checks"] = "write"
	w.Install(githubtest.Installation{ID: installation, Account: "acme", Repositories: []string{repository}, Permissions: permissions})
	w.pass(deniedFor)
	send1(t, n, note(TargetCheck, bridge.Succeeded))
	if diff := cmp.Diff([]string{"completed/success"}, only(t, w).History); diff != "" {
		t.Error(diff)
	}
}

func TestWhatCannotBeShownSaysWhy(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	n := w.replica()
	at := adapter.Address{Installation: installation, Repository: repository, Commit: commit}
	for name, tt := range map[string]struct {
		target string
		change func(*bridge.Notification, *adapter.Address)
		says   string
	}{
		"a run that no event of GitHub started": {TargetCheck, func(_ *bridge.Notification, a *adapter.Address) { *a = adapter.Address{} }, "no event of GitHub"},
		"a webhook of the repository":           {TargetCheck, func(_ *bridge.Notification, a *adapter.Address) { a.Installation = 0 }, "only a GitHub App"},
		"an event without a commit":             {TargetStatus, func(_ *bridge.Notification, a *adapter.Address) { a.Commit = "" }, "no commit"},
		"a commit that is none":                 {TargetCheck, func(_ *bridge.Notification, a *adapter.Address) { a.Commit = "../../x" }, "no commit"},
		"a repository that is none":             {TargetCheck, func(_ *bridge.Notification, a *adapter.Address) { a.Repository = "acme/app/../x" }, "no repository"},
		"a run by hand":                         {TargetCheck, func(m *bridge.Notification, _ *adapter.Address) { m.Subject = "" }, "no rule"},
		"a comment without a pull request":      {TargetComment, func(*bridge.Notification, *adapter.Address) {}, "no issue or pull request"},
		"a deployment that nobody asked for":    {TargetDeployment, func(*bridge.Notification, *adapter.Address) {}, "no deployment"},
		"an unknown target":                     {"cheque", func(*bridge.Notification, *adapter.Address) {}, "none of check, status"},
		"an unknown outcome":                    {TargetCheck, func(m *bridge.Notification, _ *adapter.Address) { m.Outcome = "sung" }, "sung"},
		"an answer without a comment": {TargetAnswer, func(m *bridge.Notification, _ *adapter.Address) {
			m.Outcome, m.Options = bridge.Answered, map[string]string{OptionReaction: "eyes"}
		}, "react"},
		"a repository that is not the App's own": {TargetCheck, func(_ *bridge.Notification, a *adapter.Address) { a.Repository = "other/app" }, "404"},
	} {
		m, a := note(tt.target, bridge.Queued), at
		tt.change(&m, &a)
		m.Address = a.String()
		if err := n.Notify(t.Context(), m); !bridge.IsPermanent(err) || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: got %v, want a permanent error that says %q", name, err, tt.says)
		}
	}
	m := note(TargetCheck, bridge.Queued)
	m.Address = ""
	if err := n.Notify(t.Context(), m); !bridge.IsPermanent(err) || !strings.Contains(err.Error(), "no event of GitHub") {
		t.Errorf("without an address: %v", err)
	}
}

func TestAnnotationsAreSentInBatchesAndOnce(t *testing.T) {
	t.Parallel()
	m := withAnnotations(note(TargetCheck, bridge.Failed), 250)
	w := newWorld(t)
	// The second batch arrives, and its answer is lost.
	w.Fail("GET /repos/acme/app/check-runs", githubtest.Fault{Status: 502})
	patches := "PATCH /repos/acme/app/check-runs"
	w.Fail(patches, githubtest.Fault{Status: 502}, githubtest.Fault{Lost: true})
	n := w.replica()
	send1(t, n, note(TargetCheck, bridge.Queued))
	for range 10 {
		if n.Notify(t.Context(), m) == nil {
			break
		}
	}
	send1(t, n, m)
	c := only(t, w)
	if len(c.Annotations) != maxAnnotations {
		t.Fatalf("%d annotations, want %d", len(c.Annotations), maxAnnotations)
	}
	for i, a := range c.Annotations {
		if a.StartLine != i+1 || a.Path != "pkg/main.go" || a.Level != "failure" {
			t.Fatalf("annotation %d: %+v", i, a)
		}
	}
	if c.Conclusion != "failure" {
		t.Errorf("conclusion %q", c.Conclusion)
	}
}
