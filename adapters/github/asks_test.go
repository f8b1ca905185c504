package github

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/google/go-cmp/cmp"
)

func factsOf(t *testing.T, app Identity, event string, data body) bridge.Facts {
	t.Helper()
	text, err := json.Marshal(data)
	if err != nil {
		t.Fatal(err)
	}
	e, err := Translate(event, delivery, text)
	if err != nil {
		t.Fatal(err)
	}
	f, ok, err := FactFinder{App: app}.Facts(e)
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	return f
}

type body = map[string]any

const head = "5d41402abc4b2a76b9719d911017c592f00dcafe"

// opened is a pull request of the head repository to acme/app.
func opened(headRepo, author, sender string, more ...func(body)) body {
	o := body{
		"action": "opened", "number": 7, "sender": body{"login": sender}, "installation": body{"id": 5},
		"repository": body{"full_name": "acme/app"},
		"pull_request": body{
			"number": 7, "user": body{"login": author}, "draft": true, "merged": false,
			"head": body{"sha": head, "ref": "feature", "repo": body{"full_name": headRepo}},
			"base": body{"sha": "b", "ref": "main", "repo": body{"full_name": "acme/app"}},
		},
	}
	for _, change := range more {
		change(o)
	}
	return o
}

func comment(action, text, sender string, pull bool) body {
	o := body{
		"action": action, "sender": body{"login": sender}, "installation": body{"id": 5},
		"repository": body{"full_name": "acme/app"}, "issue": body{"number": 7}, "comment": body{"id": 11, "body": text},
	}
	if pull {
		o["issue"] = body{"number": 7, "pull_request": body{"url": "x"}}
	}
	return o
}

func TestWhoMustBeTrusted(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		event     string
		body      body
		vouch     []string
		commander string
	}{
		"a branch of the repository itself":     {"pull_request", opened("acme/app", "ann", "ann"), nil, ""},
		"a fork":                                {"pull_request", opened("mallory/app", "mallory", "mallory"), []string{"mallory"}, ""},
		"a fork that a maintainer labels":       {"pull_request", opened("mallory/app", "mallory", "ann"), []string{"mallory", "ann"}, ""},
		"a fork that is gone":                   {"pull_request", opened("", "mallory", "mallory"), []string{"mallory"}, ""},
		"a fork that was merged":                {"pull_request", opened("mallory/app", "mallory", "ann", func(o body) { o["pull_request"].(body)["merged"] = true }), nil, ""},
		"a comment":                             {"issue_comment", comment("created", "/deploy", "mallory", true), nil, "mallory"},
		"a review of a fork":                    {"pull_request_review", opened("mallory/app", "mallory", "ann"), []string{"mallory", "ann"}, "ann"},
		"a push":                                {"push", body{"ref": "refs/heads/main", "after": head, "sender": body{"login": "ann"}, "repository": body{"full_name": "acme/app"}}, nil, ""},
		"a run of GitHub Actions for a fork":    {"workflow_run", body{"action": "completed", "sender": body{"login": "mallory"}, "repository": body{"full_name": "acme/app"}, "workflow_run": body{"head_sha": head, "head_repository": body{"full_name": "mallory/app"}}}, []string{"mallory"}, ""},
		"a run of GitHub Actions of the branch": {"workflow_run", body{"action": "completed", "sender": body{"login": "ann"}, "repository": body{"full_name": "acme/app"}, "workflow_run": body{"head_sha": head, "head_repository": body{"full_name": "acme/app"}}}, nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := factsOf(t, Identity{}, c.event, c.body)
			if diff := cmp.Diff(c.vouch, f.Vouch); diff != "" || f.Commander != c.commander {
				t.Errorf("vouch %v, commander %q\n%s", f.Vouch, f.Commander, diff)
			}
		})
	}
}

func TestWhatGitHubCanBeAskedFor(t *testing.T) {
	t.Parallel()
	f := factsOf(t, Identity{}, "pull_request", opened("acme/app", "ann", "ann"))
	want := map[string]string{"paths": QuestionFiles, "github.files": QuestionFiles, bridge.AskSkip: QuestionCommit}
	if diff := cmp.Diff(want, f.Asks); diff != "" {
		t.Error(diff)
	}
	if f.Thread != "acme/app#7" || f.Commit != head || f.Values["draft"][0] != "true" {
		t.Errorf("thread %q, commit %q, draft %v", f.Thread, f.Commit, f.Values["draft"])
	}
	a, err := ParseAddress(f.ReplyTo)
	if diff := cmp.Diff(Address{Installation: 5, Repository: "acme/app", Commit: head, Number: 7}, a); diff != "" || err != nil {
		t.Error(diff, err)
	}
	if f := factsOf(t, Identity{}, "issue_comment", comment("created", "hi", "ann", true)); f.Asks["branches"] != QuestionPullRequest ||
		f.Asks["github.sha"] != QuestionPullRequest || f.Asks[bridge.AskVouch] != QuestionPullRequest {
		t.Errorf("a comment on a pull request: %v", f.Asks)
	}
	if f := factsOf(t, Identity{}, "issue_comment", comment("created", "hi", "ann", false)); len(f.Asks) != 0 {
		t.Errorf("a comment on an issue: %v", f.Asks)
	}
	alone := opened("acme/app", "ann", "ann", func(o body) { delete(o, "installation") })
	if f := factsOf(t, Identity{}, "pull_request", alone); len(f.Asks) != 0 || f.ReplyTo != "" {
		t.Errorf("without an App nobody can be asked: %v, %q", f.Asks, f.ReplyTo)
	}
}

func TestOrders(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]*bridge.Order{
		"/retest":                    {Act: bridge.Retest, Word: "/retest"},
		"please\r\n /retest ci \r\n": {Act: bridge.Retest, Word: "/retest", Template: "ci"},
		"/test ci":                   {Act: bridge.Test, Word: "/test", Template: "ci"},
		"/test":                      {Act: bridge.Test, Word: "/test", Fault: "name a template: /test ci"},
		"/cancel":                    {Act: bridge.Cancel, Word: "/cancel"},
		"/ok-to-test 5D41402a":       {Act: bridge.Approve, Word: "/ok-to-test", Commit: "5d41402a"},
		"/ok-to-test":                {Act: bridge.Approve, Word: "/ok-to-test", Fault: "name the commit that you have read, with at least seven digits: /ok-to-test 1a2b3c4"},
		"/ok-to-test main":           {Act: bridge.Approve, Word: "/ok-to-test", Commit: "main", Fault: "name the commit that you have read, with at least seven digits: /ok-to-test 1a2b3c4"},
		"/testing":                   nil,
		"do not /retest":             nil,
		"> /retest":                  nil,
	} {
		f := factsOf(t, Identity{}, "issue_comment", comment("created", text, "ann", true))
		if diff := cmp.Diff(want, f.Order); diff != "" {
			t.Errorf("%q: %s", text, diff)
		}
	}
	for name, body := range map[string]body{
		"an edited comment":     comment("edited", "/retest", "ann", true),
		"a comment on an issue": comment("created", "/retest", "ann", false),
	} {
		if f := factsOf(t, Identity{}, "issue_comment", body); f.Order != nil {
			t.Errorf("%s orders %+v", name, f.Order)
		}
	}
}

func TestButtonsAreThoseOfTheBridgesOwnChecks(t *testing.T) {
	t.Parallel()
	check := func(event, action, identifier string, app int) body {
		o := body{"action": action, "sender": body{"login": "ann"}, "repository": body{"full_name": "acme/app"}}
		o[event] = body{"app": body{"id": app}, "head_sha": head, "external_id": "key"}
		if identifier != "" {
			o["requested_action"] = body{"identifier": identifier}
		}
		return o
	}
	app := Identity{ID: 3, Slug: "bridge"}
	for name, c := range map[string]struct {
		event string
		body  body
		want  *bridge.Order
		own   bool
	}{
		"re-run":           {"check_run", check("check_run", "rerequested", "", 3), &bridge.Order{Act: bridge.Rerun, Word: "Re-run", Runs: []string{"key"}}, false},
		"re-run all":       {"check_suite", check("check_suite", "rerequested", "", 3), &bridge.Order{Act: bridge.Rerun, Word: "Re-run all", Commit: head}, false},
		"cancel":           {"check_run", check("check_run", "requested_action", "cancel", 3), &bridge.Order{Act: bridge.Stop, Word: "Cancel", Runs: []string{"key"}}, false},
		"another button":   {"check_run", check("check_run", "requested_action", "other", 3), nil, false},
		"another App's":    {"check_run", check("check_run", "rerequested", "", 4), nil, false},
		"its own check":    {"check_run", check("check_run", "completed", "", 3), nil, true},
		"its own suite":    {"check_suite", check("check_suite", "completed", "", 3), nil, true},
		"another's check":  {"check_run", check("check_run", "completed", "", 4), nil, false},
		"its bot's push":   {"push", body{"ref": "refs/heads/main", "sender": body{"login": "bridge[bot]"}, "repository": body{"full_name": "acme/app"}}, nil, true},
		"another bot":      {"push", body{"ref": "refs/heads/main", "sender": body{"login": "other[bot]"}, "repository": body{"full_name": "acme/app"}}, nil, false},
		"its bot's answer": {"issue_comment", comment("created", "/retest", "bridge[bot]", true), &bridge.Order{Act: bridge.Retest, Word: "/retest"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := factsOf(t, app, c.event, c.body)
			if diff := cmp.Diff(c.want, f.Order); diff != "" || f.Own != c.own {
				t.Errorf("own: %v\n%s", f.Own, diff)
			}
		})
	}
}

func TestCommandsHaveWordsAndArguments(t *testing.T) {
	t.Parallel()
	text := "hello\n/deploy prod env=staging note=\"two words\" env=prod\n  /say \"a b\" c=\"\"\n/"
	f := factsOf(t, Identity{}, "issue_comment", comment("created", text, "ann", true))
	want := []bridge.Command{
		{Name: "/deploy", Words: []string{"prod"}, Arguments: map[string]string{"env": "prod", "note": "two words"}},
		{Name: "/say", Words: []string{"a b"}, Arguments: map[string]string{"c": ""}},
		{Name: "/"},
	}
	if diff := cmp.Diff(want, f.Commands); diff != "" {
		t.Error(diff)
	}
}

func FuzzCommands(f *testing.F) {
	f.Add("/deploy prod env=staging note=\"two words\"\n/retest")
	f.Add("/ok-to-test \x00\"")
	f.Add(strings.Repeat("/a b=c ", 5000))
	f.Fuzz(func(t *testing.T, text string) {
		data, err := json.Marshal(comment("created", text, "ann", true))
		if err != nil {
			t.Skip()
		}
		facts, _, err := FactFinder{}.Facts(bridge.Event{ID: "1", Type: "com.github.issue_comment.created", Data: data})
		if err != nil {
			t.Fatal(err)
		}
		if len(facts.Commands) > maxCommands {
			t.Fatalf("%d commands", len(facts.Commands))
		}
		for _, c := range facts.Commands {
			if !strings.HasPrefix(c.Name, "/") || len(c.Words)+len(c.Arguments) > maxWords {
				t.Errorf("%+v", c)
			}
		}
	})
}

func TestTheAuthorsWordToSkip(t *testing.T) {
	t.Parallel()
	push := func(message string) body {
		return body{"ref": "refs/heads/main", "after": head, "repository": body{"full_name": "acme/app"}, "head_commit": body{"message": message}}
	}
	if f := factsOf(t, Identity{}, "push", push("docs [skip ci]")); f.Skip == "" {
		t.Error("[skip ci] is not seen")
	}
	if f := factsOf(t, Identity{}, "push", push("docs")); f.Skip != "" {
		t.Error(f.Skip)
	}
}
