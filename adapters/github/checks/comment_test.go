package checks

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	adapter "github.com/argo-bridge/argo-bridge/adapters/github"
	"github.com/argo-bridge/argo-bridge/adapters/github/githubtest"
	"github.com/argo-bridge/argo-bridge/bridge"
)

// own are the App's comments on the pull request.
func own(w *world) (all []githubtest.Comment) {
	for _, c := range w.Comments(repository, 12) {
		if c.App == w.AppID() {
			all = append(all, c)
		}
	}
	return all
}

func ofEvent(m bridge.Notification, number int, at time.Time) bridge.Notification {
	m.Key += fmt.Sprint("-", number)
	m.Subject += fmt.Sprint(number)
	m.Run.Annotations = map[string]string{bridge.AnnotationEventTime: at.Format(time.RFC3339Nano)}
	return m
}

func TestAPullRequestHasOneCommentThatIsEdited(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	older, newer := began, began.Add(time.Hour)
	for _, m := range []bridge.Notification{
		ofEvent(note(TargetComment, bridge.Started), 1, older), ofEvent(note(TargetComment, bridge.Started), 2, newer),
		ofEvent(failedNoteTo(TargetComment), 1, older), // ends after the newer one has begun
	} {
		send1(t, w.replica(), m)
	}
	all := own(w)
	if len(all) != 1 || !strings.Contains(all[0].Body, "**runs**") || !strings.HasPrefix(all[0].Body, "<!-- argo-bridge:") {
		t.Fatalf("%+v", all)
	}
	text := ofEvent(note(TargetComment, bridge.Succeeded), 2, newer)
	text.Text = "Deployed to **preview**."
	send1(t, w.replica(), text)
	all = own(w)
	if len(all) != 1 || !strings.HasSuffix(all[0].Body, "\nDeployed to **preview**.") {
		t.Fatalf("%+v", all)
	}
	other := ofEvent(note(TargetComment, bridge.Succeeded), 2, newer)
	other.Run.Rule, other.Key = "nightly", "nightly"
	send1(t, w.replica(), other)
	if all = own(w); len(all) != 2 {
		t.Errorf("another rule's comment: %+v", all)
	}
}

func failedNoteTo(target string) bridge.Notification {
	m := failedNote()
	m.To.Target = target
	return m
}

func TestACommentIsFoundAgainAmongOthers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	send1(t, w.replica(), note(TargetComment, bridge.Started))
	body := own(w)[0].Body
	w.DeleteComment(repository, own(w)[0].ID)
	// A person and another App have copied it, and there are pages of comments before the bridge's own.
	w.AddComment(repository, githubtest.Comment{Number: 12, Body: body, Author: "mallory"})
	w.AddComment(repository, githubtest.Comment{Number: 12, Body: body, Author: "other[bot]", App: 99})
	for i := range 150 {
		w.AddComment(repository, githubtest.Comment{Number: 12, Body: fmt.Sprint("comment ", i), Author: "octocat"})
	}
	w.AddComment(repository, githubtest.Comment{Number: 12, Body: body, Author: "argo-bridge[bot]", App: w.AppID()})
	w.register = newRegister() // has lost what it knew
	send1(t, w.replica(), note(TargetComment, bridge.Succeeded))
	if all := own(w); len(all) != 1 || !strings.Contains(all[0].Body, "succeeded") {
		t.Errorf("%+v", all)
	}
	for _, c := range w.Comments(repository, 12) {
		if c.App != w.AppID() && c.Edits > 0 {
			t.Errorf("another's comment was edited: %+v", c)
		}
	}
}

func TestACommentThatSomebodyHasDeletedIsWrittenAnew(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	n := w.replica()
	send1(t, n, note(TargetComment, bridge.Started))
	w.DeleteComment(repository, own(w)[0].ID)
	until(t, w, []*Notifier{n}, note(TargetComment, bridge.Succeeded))
	if all := own(w); len(all) != 1 || !strings.Contains(all[0].Body, "succeeded") {
		t.Errorf("%+v", all)
	}
}

func TestLostAnswersMakeNoSecondCommentStatusOrReply(t *testing.T) {
	t.Parallel()
	for _, line := range []string{
		"POST /repos/acme/app/issues/12/comments", "PATCH /repos/acme/app/issues/comments", "GET /repos/acme/app/issues/12/comments",
		"POST /repos/acme/app/issues/comments", "POST /repos/acme/app/deployments/5/statuses",
	} {
		t.Run(line, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.Fail(line, githubtest.Fault{Lost: true}, githubtest.Fault{Status: 502})
			replicas := []*Notifier{w.replica(), w.replica()}
			var all sync.WaitGroup
			for _, m := range []bridge.Notification{
				note(TargetComment, bridge.Started), note(TargetComment, bridge.Succeeded), note(TargetComment, bridge.Succeeded),
				answer("eyes", "not allowed"), answer("eyes", "not allowed"),
				note(TargetDeployment, bridge.Succeeded), note(TargetDeployment, bridge.Succeeded),
			} {
				all.Go(func() { until(t, w, replicas, m) })
			}
			all.Wait()
			if got := own(w); len(got) != 2 {
				t.Errorf("%d comments, want one and the answer: %+v", len(got), got)
			}
			if got := w.DeploymentStatuses(repository, 5); len(got) != 1 {
				t.Errorf("deployment: %+v", got)
			}
			if got := w.Reactions(repository); len(got) != 1 {
				t.Errorf("reactions: %+v", got)
			}
		})
	}
}

func answer(reaction, text string) bridge.Notification {
	a := adapter.Address{Installation: installation, Repository: repository, Number: 12, Comment: 77, CommentKind: "issue"}
	return bridge.Notification{
		Key: "answer", Outcome: bridge.Answered, To: bridge.Destination{Scheme: Scheme, Target: TargetAnswer},
		Address: a.String(), Text: text, Options: map[string]string{OptionReaction: reaction},
	}
}

func TestACommandIsAnsweredWhereItWasGiven(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	n := w.replica()
	for i, kind := range []string{"issue", "review", "commit"} {
		m := answer("rocket", "")
		a, err := adapter.ParseAddress(m.Address)
		if err != nil {
			t.Fatal(err)
		}
		a.CommentKind = kind
		m.Key, m.Address = fmt.Sprint(i), a.String()
		send1(t, n, m)
	}
	want := []githubtest.Reaction{{Kind: "issue", Comment: "77", Content: "rocket"}, {Kind: "review", Comment: "77", Content: "rocket"}, {Kind: "commit", Comment: "77", Content: "rocket"}}
	if diff := cmp.Diff(want, w.Reactions(repository)); diff != "" {
		t.Error(diff)
	}
	refused := answer("-1", "`/deploy`: octocat may not.")
	refused.Key = "refused"
	send1(t, n, refused)
	send1(t, n, refused)
	if all := own(w); len(all) != 1 || !strings.HasSuffix(all[0].Body, refused.Text) {
		t.Errorf("%+v", all)
	}
	heart := answer("heart", "")
	if err := n.Notify(t.Context(), heart); !bridge.IsPermanent(err) {
		t.Errorf("a reaction that is none: %v", err)
	}
}

func TestWhatIsTooLongIsCut(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	n := w.replica()
	long := note(TargetComment, bridge.Succeeded)
	long.Text = strings.Repeat("ü", 80000)
	send1(t, n, long)
	for _, target := range []string{TargetStatus, TargetDeployment, TargetCheck} {
		m := note(target, bridge.EventRejected)
		m.Reason = strings.Repeat("ü", 80000)
		send1(t, n, m)
	}
	for _, description := range []string{w.Statuses(repository)[0].Description, w.DeploymentStatuses(repository, 5)[0].Description} {
		if !strings.HasPrefix(description, "No Workflow could be made: üü") || len([]rune(description)) != maxDescription {
			t.Errorf("description: %q", description)
		}
	}
}

func TestADeploymentTellsItsEnvironment(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	n := w.replica()
	for _, outcome := range []bridge.Outcome{bridge.Queued, bridge.Started, bridge.Succeeded, bridge.Started} {
		m := note(TargetDeployment, outcome)
		m.Options = map[string]string{OptionEnvironmentURL: "https://preview.example.com/12"}
		if outcome == bridge.Queued {
			m.Options[OptionEnvironmentURL] = "javascript:alert(1)"
		}
		send1(t, n, m)
	}
	var got []string
	for _, s := range w.DeploymentStatuses(repository, 5) {
		got = append(got, s.State+" "+s.EnvironmentURL)
	}
	if diff := cmp.Diff([]string{"queued ", "in_progress https://preview.example.com/12", "success https://preview.example.com/12"}, got); diff != "" {
		t.Error(diff)
	}
}
