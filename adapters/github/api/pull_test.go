package api

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/argo-bridge/argo-bridge/adapters/github"
	"github.com/argo-bridge/argo-bridge/adapters/github/githubtest"
	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/google/go-cmp/cmp"
)

// comment is a comment's event on the pull request 1.
func comment() (bridge.Event, bridge.Facts) {
	e, f := event("issue_comment", object{"issue": object{"number": 1}})
	f.Asks = map[string]string{"branches": github.QuestionPullRequest, "github.sha": github.QuestionPullRequest, bridge.AskSkip: github.QuestionCommit}
	f.Missing = map[string]string{"branches": "not in the payload"}
	f.ReplyTo = github.Address{Installation: 7, Repository: "acme/app", Number: 1, Comment: 5, CommentKind: "issue"}.String()
	f.Vouch = []string{"hubot"}
	return e, f
}

func TestThePullRequestUnderAComment(t *testing.T) {
	t.Parallel()
	of := func(repository string) githubtest.Pull {
		return githubtest.Pull{
			Number: 1, Author: "octocat", Head: sha("b"), HeadRef: "topic", HeadRepository: repository, Base: sha("a"), BaseRef: "release/1", Draft: true,
		}
	}
	merged, mine := of("octocat/app"), of("octocat/app")
	merged.Merged, mine.Author = true, "hubot"
	for name, c := range map[string]struct {
		pull  githubtest.Pull
		vouch []string
	}{
		"of the repository itself":              {of("acme/app"), []string{"hubot"}},
		"of a fork":                             {of("octocat/app"), []string{"hubot", "octocat"}},
		"of a fork that is gone":                {of("-"), []string{"hubot", "octocat"}},
		"of a fork, merged":                     {merged, []string{"hubot"}},
		"of a fork of who is to be trusted yet": {mine, []string{"hubot"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, ctx := newWorld(t), context.Background()
			w.SetPull("acme/app", c.pull)
			e, before := comment()
			f, err := w.answers(AnswersOptions{}).Supply(ctx, e, before, []string{github.QuestionPullRequest})
			if err != nil {
				t.Fatal(err)
			}
			checkPull(t, f, c.pull, c.vouch)
			if before.Pinned != "" || len(before.Vouch) != 1 || before.Commit != "" {
				t.Errorf("the facts of others were changed: %+v", before)
			}
			// Somebody pushes, and the bridge starts anew: it goes on with what it has read.
			moved := c.pull
			moved.Head, moved.BaseRef, moved.Draft = sha("c"), "main", false
			w.SetPull("acme/app", moved)
			again := before
			again.Pinned = f.Pinned
			got, err := w.answers(AnswersOptions{}).Supply(ctx, e, again, []string{github.QuestionPullRequest})
			if err != nil {
				t.Fatal(err)
			}
			checkPull(t, got, c.pull, c.vouch)
			if got.Pinned != f.Pinned || w.Count("GET /repos/acme/app/pulls/1") != 1 {
				t.Errorf("it was asked for again: %s", got.Pinned)
			}
		})
	}
}

func checkPull(t *testing.T, f bridge.Facts, p githubtest.Pull, vouch []string) {
	t.Helper()
	if f.Commit != p.Head || !slices.Equal(f.Values["branches"], []string{p.BaseRef}) || !slices.Equal(f.Values["draft"], []string{"true"}) {
		t.Errorf("%s %v", f.Commit, f.Values)
	}
	if !slices.Equal(f.Vouch, vouch) || len(f.Asks) != 1 || len(f.Missing) != 0 {
		t.Errorf("vouch %v, asks %v, missing %v", f.Vouch, f.Asks, f.Missing)
	}
	want := github.Address{Installation: 7, Repository: "acme/app", Number: 1, Comment: 5, CommentKind: "issue", Commit: p.Head}
	if got, err := github.ParseAddress(f.ReplyTo); err != nil || got != want {
		t.Errorf("it is answered at %+v, %v", got, err)
	}
	variables, err := f.Variables()
	if err != nil {
		t.Fatal(err)
	}
	context := variables["github"].(object)
	var head any
	if p.HeadRepository != "-" {
		head = object{"full_name": p.HeadRepository}
	}
	delete(context, "event")
	delete(context, "repository")
	if diff := cmp.Diff(object{
		"sha": p.Head, "ref": "refs/pull/1/head", "ref_name": "1/head", "ref_type": "branch", "base_ref": p.BaseRef, "head_ref": p.HeadRef,
		"pull_request": object{
			"number": int64(1), "state": "open", "draft": true, "merged": p.Merged, "html_url": "https://github.com/acme/app/pull/1",
			"user": object{"login": p.Author}, "head": object{"ref": p.HeadRef, "sha": p.Head, "repo": head},
			"base": object{"ref": p.BaseRef, "sha": p.Base, "repo": object{"full_name": "acme/app"}},
		},
	}, context); diff != "" {
		t.Error(diff)
	}
}

func TestFilesAndMessageAreThoseOfThePullRequestThatWasRead(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), context.Background()
	w.SetPull("acme/app", githubtest.Pull{Number: 1, Author: "octocat", Head: sha("b"), Base: sha("a")})
	w.SetComparison("acme/app", sha("a"), sha("b"), names(2), githubtest.Commit{SHA: sha("b")})
	w.SetCommit("acme/app", githubtest.Commit{SHA: sha("b"), Message: "x [no ci]"})
	e, f := comment()
	f.Asks["github.files"] = github.QuestionFiles
	f, err := w.answers(AnswersOptions{}).Supply(ctx, e, f, []string{github.QuestionFiles, github.QuestionCommit, github.QuestionPullRequest})
	if err != nil || len(f.Values["paths"]) != 2 || !strings.Contains(f.Skip, "[no ci]") || len(f.Asks) != 0 {
		t.Errorf("%v %q %v: %v", f.Values, f.Skip, f.Asks, err)
	}
	variables, err := f.Variables()
	if err != nil {
		t.Fatal(err)
	}
	if context := variables["github"].(object); context["sha"] != sha("b") || len(context["files"].([]any)) != 2 {
		t.Errorf("%v", context)
	}
}
