package e2e

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/argo-bridge/argo-bridge/adapters/github/githubtest"
)

const (
	forge        = "acme/app"
	installation = 77
)

// ciTemplate is shown as a check; its run ends with the code that the title of the pull request ends with.
const ciTemplate = `
metadata:
  name: ci
  annotations:
    bridge.argoproj.io/on: |
      github.pull_request: {paths: ["src/**"]}
    bridge.argoproj.io/parameters: |
      id: github.sha
      code: last(split(github.event.pull_request.title, " "))
    bridge.argoproj.io/concurrency: |
      group: '"pr " + string(github.event.number)'
      policy: cancel-in-progress
    bridge.argoproj.io/notify: |
      completed: github:check
` + body

// waitTemplate never ends by itself.
const waitTemplate = `
metadata:
  name: wait
  annotations:
    bridge.argoproj.io/on: |
      github.pull_request: {branches: [main]}
    bridge.argoproj.io/parameters: |
      id: github.sha
    bridge.argoproj.io/concurrency: |
      group: '"pr " + string(github.event.number)'
      policy: cancel-in-progress
    bridge.argoproj.io/notify: |
      completed: github:check
spec:
  entrypoint: main
  arguments: {parameters: [{name: id}]}
  templates: [{name: main, suspend: {}}]
`

// deployTemplate is started by a command, with the commit that the pull request has then.
const deployTemplate = `
metadata:
  name: deploy
  annotations:
    bridge.argoproj.io/on: |
      github.issue_comment: {comment: /deploy}
    bridge.argoproj.io/parameters: |
      id: github.sha
    bridge.argoproj.io/notify: |
      completed: github:comment
` + body

// environmentTemplate is started by a deployment, and says how it ended.
const environmentTemplate = `
metadata:
  name: environment
  annotations:
    bridge.argoproj.io/on: github.deployment
    bridge.argoproj.io/parameters: |
      id: github.event.deployment.environment
    bridge.argoproj.io/notify: |
      completed: github:deployment
    bridge.argoproj.io/github: |
      environment-url: "https://{{=parameters.id}}.example.com"
` + body

// A hub is a GitHub with the bridge's App, and a bridge that knows it.
type hub struct {
	*githubtest.Server
	*proc
	t  testing.TB
	ns string
	c  *cluster
	n  int
}

func newHub(t testing.TB, c *cluster, templates ...string) *hub {
	t.Helper()
	server := githubtest.New(t, githubtest.Options{AppID: 42})
	server.Install(githubtest.Installation{ID: installation, Account: "acme", Repositories: []string{forge}, Permissions: githubtest.DefaultPermissions()})
	server.SetPermission(forge, "owner", "admin")
	server.SetPermission(forge, "stranger", "read")
	h := &hub{Server: server, t: t, c: c, ns: c.newNamespace(t)}
	c.apply(t, h.ns, templates...)
	keys := t.TempDir()
	write(t, keys, "key.pem", string(githubtest.KeyPEM()))
	h.proc = newBridge(t, setup{cluster: c, namespace: h.ns, app: fmt.Sprintf(
		"app: {id: 42, privateKeyFile: %s, slug: argo-bridge}, baseURL: %q", filepath.Join(keys, "key.pem"), server.URL)})
	h.startReady()
	return h
}

type object = map[string]any

// pull is the body of a pull_request event about a commit.
func (h *hub) pull(action, from, who, commit, title string, number int) object {
	return object{
		"action": action, "number": number, "sender": object{"login": who}, "installation": object{"id": installation},
		"repository": object{"full_name": forge, "url": "https://api.github.com/repos/" + forge, "html_url": "https://github.com/" + forge},
		"pull_request": object{
			"number": number, "title": title, "user": object{"login": who}, "draft": false, "merged": false, "html_url": "https://github.com/" + forge + "/pull/1",
			"head": object{"sha": commit, "ref": "feature", "repo": object{"full_name": from}},
			"base": object{"sha": base, "ref": "main", "repo": object{"full_name": forge}},
		},
	}
}

const base = "0000000000000000000000000000000000000b05"

// commits makes GitHub know a commit, what it changes, and that it is the head of a pull request.
func (h *hub) commits(number int, from, who, commit, message string, files ...string) {
	var changed []githubtest.File
	for _, f := range files {
		changed = append(changed, githubtest.File{Name: f})
	}
	h.SetCommit(forge, githubtest.Commit{SHA: commit, Message: message, Author: who})
	h.SetComparison(forge, base, commit, changed, githubtest.Commit{SHA: commit, Message: message, Author: who})
	h.SetPull(forge, githubtest.Pull{Number: number, Author: who, Head: commit, HeadRef: "feature", HeadRepository: from, Base: base, BaseRef: "main", Files: changed})
}

// send delivers an event, each under an id of its own.
func (h *hub) send(event string, body object) {
	h.t.Helper()
	h.n++
	if status, answer := h.github(event, fmt.Sprint("delivery-", h.n), mustJSON(h.t, body)); status != http.StatusAccepted {
		h.t.Fatalf("%s: %d %s", event, status, answer)
	}
}

// comment says something under a pull request.
func (h *hub) comment(number int, who, text string) {
	h.t.Helper()
	body := commentBy(who, number, text)
	body["comment"].(object)["id"] = 1000 + h.n
	h.send("issue_comment", body)
}

// check waits for the check run of a commit and template to have a history.
func (h *hub) check(commit, name string, history ...string) githubtest.CheckRun {
	h.t.Helper()
	var got githubtest.CheckRun
	eventually(h.t, fmt.Sprintf("the check %s of %s ends as %v", name, commit[:7], history), func() error {
		for _, c := range slices.Backward(h.CheckRuns(forge)) {
			if c.HeadSHA == commit && c.Name == name {
				got = c
				if end := c.History[len(c.History)-1]; end != history[len(history)-1] {
					return fmt.Errorf("history %v", c.History)
				}
				return nil
			}
		}
		return fmt.Errorf("there is none: %d checks", len(h.CheckRuns(forge)))
	})
	// Updates may be skipped when a later one overtakes them; none may come out of order.
	at := 0
	for _, state := range got.History {
		i := slices.Index(history[at:], state)
		if i < 0 {
			h.t.Fatalf("the history of %s is %v, want a part of %v", name, got.History, history)
		}
		at += i
	}
	return got
}

// runs counts the Workflows of a template.
func (h *hub) runs(template string) (ids []string) {
	h.t.Helper()
	items, err := h.c.workflows(h.ns)
	if err != nil {
		h.t.Fatal(err)
	}
	for _, wf := range items {
		if name, _, _ := unstructured.NestedString(wf.Object, "spec", "workflowTemplateRef", "name"); name == template {
			ids = append(ids, parameter(wf, "id"))
		}
	}
	slices.Sort(ids)
	return ids
}

// button clicks at a check.
func (h *hub) button(c githubtest.CheckRun, action, identifier string) {
	h.t.Helper()
	o := object{
		"action": action, "sender": object{"login": "owner"}, "installation": object{"id": installation},
		"repository": object{"full_name": forge, "url": "https://api.github.com/repos/" + forge},
		"check_run":  object{"id": c.ID, "external_id": c.ExternalID, "head_sha": c.HeadSHA, "app": object{"id": 42}},
	}
	if identifier != "" {
		o["requested_action"] = object{"identifier": identifier}
	}
	h.send("check_run", o)
}

const (
	first  = "1111111111111111111111111111111111111111"
	second = "2222222222222222222222222222222222222222"
	third  = "3333333333333333333333333333333333333333"
)

func TestAPullRequestFromItsOpeningToItsMerge(t *testing.T) {
	t.Parallel()
	h := newHub(t, shared(t), ciTemplate, waitTemplate, deployTemplate)
	h.commits(1, forge, "owner", first, "work", "src/main.go", "README.md")
	h.send("pull_request", h.pull("opened", forge, "owner", first, "add a feature 1", 1))
	failed := h.check(first, "argo / ci", "queued", "in_progress", "completed/failure")
	for _, part := range []string{"column price is missing", "https://argo.example.com/workflows/" + h.ns} {
		if !strings.Contains(failed.Summary+failed.DetailsURL, part) {
			t.Errorf("the failed check does not say %q: %s %s", part, failed.Summary, failed.DetailsURL)
		}
	}

	// Pushed again: the run that waits is stopped, and its check says so.
	h.commits(1, forge, "owner", second, "more work", "src/main.go")
	h.send("pull_request", h.pull("synchronize", forge, "owner", second, "add a feature 0", 1))
	h.check(second, "argo / ci", "queued", "in_progress", "completed/success")
	h.check(first, "argo / wait", "queued", "in_progress", "completed/cancelled")

	// Cancelled by its button.
	waits := h.check(second, "argo / wait", "queued", "in_progress")
	h.button(waits, "requested_action", "cancel")
	h.check(second, "argo / wait", "queued", "in_progress", "completed/cancelled")

	// Run again from the check: the same event, another run.
	h.button(failed, "rerequested", "")
	eventually(t, "the failed check runs again", func() error {
		if got := h.runs("ci"); len(got) != 3 {
			return fmt.Errorf("runs %v", got)
		}
		return nil
	})

	// Commands: a stranger's is refused with words, the owner's takes the head commit.
	h.comment(1, "stranger", "/deploy code=0")
	h.comment(1, "owner", "/deploy code=0")
	eventually(t, "the command runs with the head commit", func() error {
		if got := h.runs("deploy"); !slices.Equal(got, []string{second}) {
			return fmt.Errorf("runs %v", got)
		}
		return nil
	})
	h.comment(1, "owner", "/deploy size=9")
	eventually(t, "the answers stand under the pull request", func() error {
		text := ""
		for _, c := range h.Comments(forge, 1) {
			text += c.Body + "\n"
		}
		for _, part := range []string{"stranger has read permission", "the template declares none of that name", "Succeeded"} {
			if !strings.Contains(strings.ToLower(text), strings.ToLower(part)) {
				return fmt.Errorf("%q is not in %q", part, text)
			}
		}
		return nil
	})
	if got := h.runs("deploy"); len(got) != 1 {
		t.Errorf("runs of deploy: %v", got)
	}
	merged := h.pull("closed", forge, "owner", second, "add a feature 0", 1)
	merged["pull_request"].(object)["merged"] = true
	h.send("pull_request", merged)
	h.quiet()
	if got := h.runs("ci"); len(got) != 3 {
		t.Errorf("a merge has started %v", got)
	}
	// One check run for each event, rule and replay.
	seen := map[string]bool{}
	for _, c := range h.CheckRuns(forge) {
		if seen[c.ExternalID] {
			t.Errorf("two check runs with the external id %s", c.ExternalID)
		}
		seen[c.ExternalID] = true
	}
}

// quiet waits until every event is handled.
func (h *hub) quiet() {
	h.t.Helper()
	eventually(h.t, "every event is handled", func() error {
		if got := h.metric("argo_bridge_stream_pending") + h.metric("argo_bridge_stream_in_flight"); got != "00" {
			return fmt.Errorf("%s", got)
		}
		return nil
	})
}

func TestAStrangersPullRequestRunsAtTheCommitThatWasRead(t *testing.T) {
	t.Parallel()
	const fork = "stranger/app"
	h := newHub(t, shared(t), ciTemplate)
	h.commits(2, fork, "stranger", first, "work", "src/main.go")
	h.send("pull_request", h.pull("opened", fork, "stranger", first, "harmless 0", 2))
	held := h.check(first, "argo / ci", "queued", "completed/action_required")
	if !strings.Contains(held.Summary, "/ok-to-test "+first) {
		t.Errorf("the check does not say how to approve: %s", held.Summary)
	}
	h.comment(2, "stranger", "/ok-to-test "+first)
	h.comment(2, "owner", "/ok-to-test")
	// The branch moves while the owner reads the first commit.
	h.commits(2, fork, "stranger", second, "evil", "src/main.go")
	h.send("pull_request", h.pull("synchronize", fork, "stranger", second, "harmless 0", 2))
	h.check(second, "argo / ci", "queued", "completed/action_required")
	h.comment(2, "owner", "/ok-to-test "+first[:8])
	h.check(first, "argo / ci", "queued", "completed/action_required", "queued", "in_progress", "completed/success")
	h.quiet()
	if got := h.runs("ci"); !slices.Equal(got, []string{first}) {
		t.Errorf("runs %v, want the commit that was read alone", got)
	}
}

func TestFilesAndTheAuthorsWordDecide(t *testing.T) {
	t.Parallel()
	h := newHub(t, shared(t), ciTemplate)
	h.commits(3, forge, "owner", first, "docs", "README.md")
	h.send("pull_request", h.pull("opened", forge, "owner", first, "docs 0", 3))
	h.commits(4, forge, "owner", second, "later [skip ci]", "src/main.go")
	h.send("pull_request", h.pull("opened", forge, "owner", second, "later 0", 4))
	h.check(second, "argo / ci", "completed/skipped")
	// GitHub fails for a while: the event waits, and is decided then.
	h.Fail("GET /repos/acme/app/compare", githubtest.Fault{Status: http.StatusBadGateway}, githubtest.Fault{Status: http.StatusBadGateway})
	h.commits(5, forge, "owner", third, "work", "src/main.go")
	h.send("pull_request", h.pull("opened", forge, "owner", third, "work 0", 5))
	h.check(third, "argo / ci", "queued", "in_progress", "completed/success")
	h.quiet()
	if got := h.runs("ci"); !slices.Equal(got, []string{third}) {
		t.Errorf("runs %v, want that of the third alone", got)
	}
}

func TestADeploymentIsToldHowItWent(t *testing.T) {
	t.Parallel()
	h := newHub(t, shared(t), environmentTemplate)
	h.send("deployment", object{
		"action": "created", "sender": object{"login": "owner"}, "installation": object{"id": installation},
		"repository": object{"full_name": forge, "url": "https://api.github.com/repos/" + forge},
		"deployment": object{"id": 9, "sha": first, "ref": "main", "environment": "staging", "task": "deploy"},
	})
	eventually(t, "the deployment has succeeded", func() error {
		all := h.DeploymentStatuses(forge, 9)
		if len(all) == 0 || all[len(all)-1].State != "success" {
			return fmt.Errorf("%+v", all)
		}
		if url := all[len(all)-1].EnvironmentURL; url != "https://staging.example.com" {
			t.Fatalf("the environment's address is %q", url)
		}
		return nil
	})
}

func TestAFaultOfTheTemplateShowsAsAFailedCheck(t *testing.T) {
	t.Parallel()
	template := strings.Replace(ciTemplate, "id: github.sha", "id: github.event.pull_request.auto_merge", 1)
	h := newHub(t, shared(t), template)
	h.commits(6, forge, "owner", first, "work", "src/main.go")
	h.send("pull_request", h.pull("opened", forge, "owner", first, "work 0", 6))
	failed := h.check(first, "argo / ci", "queued", "completed/failure")
	if !strings.Contains(failed.Summary, "is null and the template has no default") {
		t.Errorf("the check says %s", failed.Summary)
	}
}

// forgedRun is made by somebody who may make Workflows, and not more.
const forgedRun = `
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata:
  name: forged
  labels:
    workflows.argoproj.io/workflow-template: ci
    bridge.argoproj.io/source: github
    bridge.argoproj.io/rule: default
    bridge.argoproj.io/event: "%s"
  annotations:
    bridge.argoproj.io/reply-to: "installation=77&repository=acme%%2Fapp&commit=%s"
spec:
  workflowTemplateRef: {name: ci}
  arguments: {parameters: [{name: id, value: forged}]}
`

func TestAForgedRunWritesNoCheck(t *testing.T) {
	t.Parallel()
	h := newHub(t, shared(t), ciTemplate)
	h.commits(7, forge, "owner", first, "work", "src/main.go")
	h.send("pull_request", h.pull("opened", forge, "owner", first, "work 1", 7))
	told := h.check(first, "argo / ci", "queued", "in_progress", "completed/failure")
	hash, _, _ := strings.Cut(told.ExternalID, ".")
	wf := &unstructured.Unstructured{}
	if err := yaml.Unmarshal([]byte(fmt.Sprintf(forgedRun, hash, second)), &wf.Object); err != nil {
		t.Fatal(err)
	}
	if _, err := h.c.workflowsOf(h.ns).Create(t.Context(), wf, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the forged run has ended", func() error {
		items, err := h.c.workflows(h.ns)
		for _, item := range items {
			if item.GetName() == "forged" && phase(item) == "Succeeded" {
				return nil
			}
		}
		return errors.Join(errors.New("not yet"), err)
	})
	h.commits(8, forge, "owner", third, "work", "src/main.go")
	h.send("pull_request", h.pull("opened", forge, "owner", third, "work 0", 8))
	h.check(third, "argo / ci", "queued", "in_progress", "completed/success")
	for _, c := range h.CheckRuns(forge) {
		if c.HeadSHA == second || c.HeadSHA == first && c.Conclusion != "failure" {
			t.Errorf("the forged run has written %+v", c)
		}
	}
}

func TestDeliveriesOfAnHourWithoutABridgeAreAllRecovered(t *testing.T) {
	t.Parallel()
	const missed = 40
	h := newHub(t, shared(t), ciTemplate)
	h.SetApp(githubtest.App{HookURL: "http://" + h.address + "/webhooks/github", HookSecret: githubSecret, ContentType: "json"})
	body := func(n int) []byte {
		commit := fmt.Sprintf("%040x", n+1)
		h.commits(100+n, forge, "owner", commit, "work", "src/main.go")
		return mustJSON(t, h.pull("opened", forge, "owner", commit, "work 0", 100+n))
	}
	if _, status := h.Deliver("pull_request", body(0)); status != http.StatusAccepted {
		t.Fatalf("the bridge answers %d", status)
	}
	h.quiet()
	h.kill()
	for n := 1; n <= missed; n++ {
		if _, status := h.Deliver("pull_request", body(n)); status < 500 {
			t.Fatalf("nobody listens, and the answer is %d", status)
		}
	}
	h.AgeDeliveries(time.Hour)
	h.startReady()
	eventually(t, "all deliveries have started their run", func() error {
		if got := len(h.runs("ci")); got != missed+1 {
			return fmt.Errorf("%d runs, want %d", got, missed+1)
		}
		return nil
	})
	h.quiet()
	h.WaitForDeliveries()
	ids := h.runs("ci")
	if len(slices.Compact(slices.Clone(ids))) != missed+1 || len(ids) != missed+1 {
		t.Errorf("%d runs of %d commits, want %d", len(ids), len(slices.Compact(ids)), missed+1)
	}
	eventually(t, "the metric tells of what was recovered", func() error {
		if got := h.metric("argo_bridge_github_deliveries_recovered_total"); got != fmt.Sprint(missed) {
			return fmt.Errorf("%s", got)
		}
		return nil
	})
}

func TestKilledAgainAndAgainEveryPullRequestHasItsOneCheck(t *testing.T) {
	t.Parallel()
	const pulls = 25
	h := newHub(t, shared(t), ciTemplate)
	for n := range pulls {
		commit := fmt.Sprintf("%040x", 0x1000+n)
		h.commits(n+1, forge, "owner", commit, "work", "src/main.go")
		body := mustJSON(t, h.pull("opened", forge, "owner", commit, fmt.Sprint("work ", n%2), n+1))
		delivered(t, "the pull request", func() (int, string) { return h.github("pull_request", fmt.Sprint("pull-", n), body) })
		if rand.IntN(4) == 0 {
			h.kill()
			h.start()
		}
	}
	h.waitReady()
	for n := range pulls {
		end := []string{"completed/success", "completed/failure"}[n%2]
		h.check(fmt.Sprintf("%040x", 0x1000+n), "argo / ci", "queued", "in_progress", end)
	}
	h.quiet()
	if checks, runs := len(h.CheckRuns(forge)), len(h.runs("ci")); checks != pulls || runs != pulls {
		t.Errorf("%d checks and %d runs of %d pull requests", checks, runs, pulls)
	}
}
