package api

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/argo-bridge/argo-bridge/adapters/github"
	"github.com/argo-bridge/argo-bridge/adapters/github/githubtest"
	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/google/go-cmp/cmp"
)

// sha is a commit of 40 times the digit.
func sha(digit string) string { return strings.Repeat(digit, 40) }

// object is JSON in Go.
type object = map[string]any

// event is one about acme/app, with the facts that the payload alone tells.
func event(name string, data object) (bridge.Event, bridge.Facts) {
	text, err := json.Marshal(data)
	if err != nil {
		panic(err)
	}
	e := bridge.Event{ID: fmt.Sprint(name, time.Now().UnixNano()), Source: "https://github.com/acme/app", Type: "com.github." + name, Data: text}
	return e, bridge.Facts{
		Name: "github." + name, Source: "github", Values: map[string][]string{"repositories": {"acme/app"}},
		Missing: map[string]string{"paths": "not in the payload"},
		Asks:    map[string]string{"paths": github.QuestionFiles, "github.files": github.QuestionFiles, bridge.AskSkip: github.QuestionCommit},
		ReplyTo: github.Address{Installation: 7, Repository: "acme/app", Number: 1}.String(),
		Variables: func() (map[string]any, error) {
			return map[string]any{"data": data, "github": object{"event": data, "repository": "acme/app"}}, nil
		},
	}
}

// pull is a pull request's event: 1, from b to a.
func pull() (bridge.Event, bridge.Facts) {
	return event("pull_request", object{"pull_request": object{
		"number": 1, "base": object{"sha": sha("a")}, "head": object{"sha": sha("b")},
	}})
}

// push is a push's event; some commits tell of the file told.
func push(commits int, more object) (bridge.Event, bridge.Facts) {
	list := make([]object, commits)
	for i := range list {
		list[i] = object{"added": []string{"told"}, "removed": []string{}, "modified": []string{"told"}}
	}
	data := object{
		"ref": "refs/heads/topic", "before": sha("a"), "after": sha("b"), "commits": list, "repository": object{"default_branch": "main"},
	}
	maps.Copy(data, more)
	return event("push", data)
}

func names(n int) []githubtest.File {
	list := make([]githubtest.File, n)
	for i := range list {
		list[i].Name = fmt.Sprintf("f%04d", i)
	}
	return list
}

func (w *world) answers(o AnswersOptions) *Answers {
	o.App, o.Now, o.Observer = w.app, w.clock.now, w.seen
	return NewAnswers(o)
}

func TestFilesOfEvents(t *testing.T) {
	t.Parallel()
	one, two := githubtest.Commit{SHA: sha("1")}, githubtest.Commit{SHA: sha("2")}
	for name, c := range map[string]struct {
		event  func() (bridge.Event, bridge.Facts)
		state  func(*world)
		paths  []string // the last stands for all that come before it where there are more than ten
		n      int
		beyond bool
	}{
		"a pull request, with both names of a renamed file": {pull, func(w *world) {
			w.SetComparison("acme/app", sha("a"), sha("b"), []githubtest.File{{Name: "z"}, {Name: "new", Previous: "old"}, {Name: "old"}}, one)
		}, []string{"new", "old", "z"}, 3, false},
		"a pull request without a change": {pull, func(w *world) { w.SetComparison("acme/app", sha("a"), sha("b"), nil, one) }, []string{}, 0, false},
		"more than a comparison tells": {pull, func(w *world) {
			w.SetComparison("acme/app", sha("a"), sha("b"), names(450), one)
			w.SetPull("acme/app", githubtest.Pull{Number: 1, Head: sha("b"), Files: names(450)})
		}, []string{"f0449"}, 450, false},
		"more than GitHub tells at all": {pull, func(w *world) {
			w.SetComparison("acme/app", sha("a"), sha("b"), names(3100), one)
			w.SetPull("acme/app", githubtest.Pull{Number: 1, Head: sha("b"), Files: names(3100)})
		}, []string{"f2999"}, 3000, true},
		"more than a comparison tells, of a head that has moved": {pull, func(w *world) {
			w.SetComparison("acme/app", sha("a"), sha("b"), names(450), one)
			w.SetPull("acme/app", githubtest.Pull{Number: 1, Head: sha("c"), Files: names(20)})
		}, []string{"f0299"}, 300, true},
		"commits that cannot be compared": {pull, func(w *world) {
			w.SetPull("acme/app", githubtest.Pull{Number: 1, Head: sha("b"), Files: names(2)})
		}, []string{"f0000", "f0001"}, 2, false},
		"a push of too many commits": {func() (bridge.Event, bridge.Facts) { return push(2048, nil) }, func(w *world) {
			w.SetComparison("acme/app", sha("a"), sha("b"), names(2), one)
		}, []string{"f0000", "f0001", "told"}, 3, false},
		"a push of too many files": {func() (bridge.Event, bridge.Facts) { return push(2048, nil) }, func(w *world) {
			w.SetComparison("acme/app", sha("a"), sha("b"), names(301), one)
		}, []string{"told"}, 301, true},
		"a new branch, compared with the default branch": {
			func() (bridge.Event, bridge.Facts) { return push(2048, object{"before": sha("0"), "created": true}) },
			func(w *world) { w.SetComparison("acme/app", "main", sha("b"), names(2), one) },
			[]string{"f0000", "f0001", "told"}, 3, false,
		},
		"a new branch that was merged meanwhile": {
			func() (bridge.Event, bridge.Facts) { return push(2048, object{"before": sha("0"), "created": true}) },
			func(w *world) { w.SetComparison("acme/app", sha("b"), "main", names(2), one) },
			[]string{"told"}, 1, true,
		},
		"a new default branch": {
			func() (bridge.Event, bridge.Facts) {
				return push(2, object{"before": sha("0"), "created": true, "ref": "refs/heads/main"})
			}, func(*world) {}, []string{"told"}, 1, false,
		},
		"a branch that is deleted": {
			func() (bridge.Event, bridge.Facts) { return push(0, object{"after": sha("0"), "deleted": true}) },
			func(*world) {}, []string{}, 0, false,
		},
		"a push that goes back": {func() (bridge.Event, bridge.Facts) { return push(0, object{"forced": true}) }, func(w *world) {
			w.SetComparison("acme/app", sha("b"), sha("a"), names(2), one, two)
		}, []string{"f0000", "f0001"}, 2, false},
		"a push that replaces commits": {func() (bridge.Event, bridge.Facts) { return push(1, object{"forced": true}) }, func(w *world) {
			w.SetComparison("acme/app", sha("b"), sha("a"), names(2), one)
			w.SetComparison("acme/app", sha("a"), sha("b"), []githubtest.File{{Name: "new"}}, two)
		}, []string{"f0000", "f0001", "new", "told"}, 4, false},
		"a push over a commit that is gone": {func() (bridge.Event, bridge.Facts) { return push(1, object{"forced": true}) },
			func(*world) {}, []string{"told"}, 1, true},
		"a merge group": {func() (bridge.Event, bridge.Facts) {
			return event("merge_group", object{"merge_group": object{"base_sha": sha("a"), "head_sha": sha("b")}})
		}, func(w *world) { w.SetComparison("acme/app", sha("a"), sha("b"), names(1), one) }, []string{"f0000"}, 1, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			c.state(w)
			e, before := c.event()
			for _, run := range []bool{true, false} { // each a bridge that has started anew
				a := w.answers(AnswersOptions{RunBeyond: run})
				f, err := a.Supply(context.Background(), e, before, []string{github.QuestionFiles})
				if err != nil {
					t.Fatal(err)
				}
				checkFiles(t, f, c.paths, c.n)
				fits, beyond := f.Beyond["paths"]
				if beyond != c.beyond || fits != (beyond && run) {
					t.Errorf("beyond %v %v, with run %v", beyond, fits, run)
				}
				asked := len(w.Requests())
				if _, err := a.Supply(context.Background(), e, before, []string{github.QuestionFiles}); err != nil || len(w.Requests()) != asked {
					t.Errorf("another rule has asked again: %v", err)
				}
			}
			if want := map[bool]int{true: 2}[c.beyond]; w.seen.beyond != want {
				t.Errorf("the observer saw %d", w.seen.beyond)
			}
			if _, changed := before.Values["paths"]; changed || before.Missing["paths"] == "" || len(before.Asks) != 3 || before.Beyond != nil {
				t.Errorf("the facts of others were changed: %+v", before)
			}
		})
	}
}

// checkFiles holds f against the paths, and says that nothing else was touched.
func checkFiles(t *testing.T, f bridge.Facts, paths []string, n int) {
	t.Helper()
	got := f.Values["paths"]
	if len(got) != n || !slices.IsSorted(got) || n <= 10 && cmp.Diff(paths, got) != "" && n > 0 || n > 0 && !slices.Contains(got, paths[len(paths)-1]) {
		t.Errorf("%d paths: %.200v", len(got), got)
	}
	if got == nil || f.Missing["paths"] != "" || len(f.Asks) != 1 {
		t.Errorf("missing %v, asks %v", f.Missing, f.Asks)
	}
	variables, err := f.Variables()
	if err != nil {
		t.Fatal(err)
	}
	context := variables["github"].(object)
	files := context["files"].([]any)
	if len(files) != n || n > 0 && files[0] != got[0] || context["repository"] != "acme/app" || variables["data"] == nil {
		t.Errorf("the variables are %.200v", variables)
	}
}

func TestFilesThatThePayloadTellsAreNotAskedFor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	e, f := push(1, nil)
	f.Values["paths"] = []string{"told"}
	f, err := w.answers(AnswersOptions{}).Supply(context.Background(), e, f, []string{github.QuestionFiles})
	if err != nil || len(w.Requests()) != 0 {
		t.Errorf("%d requests: %v", len(w.Requests()), err)
	}
	delete(f.Missing, "paths")
	checkFiles(t, f, []string{"told"}, 1)
}

func TestQuestionsThatCannotBeAnswered(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), context.Background()
	a := w.answers(AnswersOptions{})
	e, f := pull()
	away := f
	away.ReplyTo = ""
	own := f
	own.ReplyTo = github.Address{Repository: "acme/app", Number: 1}.String()
	issue, about := event("issues", object{"issue": object{"number": 4}})
	numberless := f
	numberless.ReplyTo = github.Address{Installation: 7, Repository: "acme/app"}.String()
	garbled := f
	garbled.Pinned = "{"
	for name, c := range map[string]struct {
		answers  *Answers
		event    bridge.Event
		facts    bridge.Facts
		question string
		text     string
	}{
		"no App":                    {NewAnswers(AnswersOptions{}), e, f, github.QuestionFiles, "github.app.privateKeyFile"},
		"no place to answer":        {a, e, away, github.QuestionFiles, "no installation"},
		"a webhook of its own":      {a, e, own, github.QuestionFiles, "no installation"},
		"an event without commits":  {a, issue, about, github.QuestionFiles, "no commits"},
		"no head commit":            {a, issue, about, github.QuestionCommit, "no head commit"},
		"no pull request":           {a, issue, numberless, github.QuestionPullRequest, "no pull request"},
		"a pin that is not read":    {a, e, garbled, github.QuestionPullRequest, "answered before"},
		"a strange question":        {a, e, f, "weather", "weather"},
		"a commit that GitHub lost": {a, e, f, github.QuestionCommit, "does not exist"},
	} {
		got, err := c.answers.Supply(ctx, c.event, c.facts, []string{c.question})
		if !bridge.IsPermanent(err) || !strings.Contains(err.Error(), c.text) || len(got.Asks) != 3 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestGitHubsFailuresAreToBeTriedAgain(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), context.Background()
	w.SetComparison("acme/app", sha("a"), sha("b"), names(1), githubtest.Commit{SHA: sha("b")})
	w.Fail("GET /repos/acme/app/compare", githubtest.Fault{Status: 503}, githubtest.Fault{Secondary: true, RetryAfter: 60})
	a := w.answers(AnswersOptions{})
	e, f := pull()
	if _, err := a.Supply(ctx, e, f, []string{github.QuestionFiles}); err == nil || bridge.IsPermanent(err) {
		t.Error("503:", err)
	}
	_, err := a.Supply(ctx, e, f, []string{github.QuestionFiles})
	if wait, named := bridge.Wait(err); !named || wait < 59*time.Second {
		t.Error("secondary limit:", wait, err)
	}
	w.clock.move(2 * time.Minute)
	w.app.clients.drop(func(place) bool { return true }) // go-github waits by the machine's clock
	if f, err = a.Supply(ctx, e, f, []string{github.QuestionFiles}); err != nil || len(f.Values["paths"]) != 1 {
		t.Error("after it:", err)
	}
}

func TestTheHeadCommitMaySayThatNothingIsToRun(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), context.Background()
	w.SetCommit("acme/app", githubtest.Commit{SHA: sha("b"), Message: "docs [skip ci]"})
	w.SetCommit("acme/app", githubtest.Commit{SHA: sha("c"), Message: "fix"})
	a := w.answers(AnswersOptions{})
	for commit, want := range map[string]string{"": "[skip ci] in the commit's message", sha("c"): ""} {
		e, f := pull()
		f.Commit = commit
		for range 2 {
			got, err := a.Supply(ctx, e, f, []string{github.QuestionCommit})
			if err != nil || got.Skip != want || got.Asks[bridge.AskSkip] != "" || len(got.Asks) != 2 {
				t.Errorf("%.4s: %q %v %v", commit, got.Skip, got.Asks, err)
			}
		}
	}
	if n := w.Count("GET /repos/acme/app/git/commits/"); n != 2 {
		t.Errorf("%d requests for two commits", n)
	}
}
