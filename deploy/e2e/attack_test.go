package e2e

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/argo-bridge/argo-bridge/adapters/github"
)

// victimTemplate runs for pull requests, and passes on what strangers write.
const victimTemplate = `
metadata:
  name: victim
  annotations:
    bridge.argoproj.io/on: |
      github.pull_request: {types: [opened, labeled]}
    bridge.argoproj.io/parameters: |
      id: github.event.pull_request.title
      branch: github.head_ref
      labels: string(len(github.event.pull_request.labels ?? []))
` + victimBody

// openTemplate runs the words of anybody, as data.
const openTemplate = `
metadata:
  name: open
  annotations:
    bridge.argoproj.io/on: github.issue_comment
    bridge.argoproj.io/trust: anyone
    bridge.argoproj.io/parameters: |
      id: github.event.comment.body
` + victimBody

const victimBody = `
spec:
  entrypoint: main
  arguments: {parameters: [{name: id}, {name: branch, value: ""}, {name: labels, value: ""}, {name: code, value: "0"}]}
  templates:
  - name: main
    container: {image: busybox, command: ["true"], env: [{name: TEXT, value: "{{workflow.parameters.id}}"}]}
`

// hostile is what a shell, a template engine or YAML would make something of.
const hostile = "\"; $(touch /tmp/pwned) `id` {{workflow.name}} {{=sprig.env('HOME')}} '\n---\n${IFS}\\ <!channel> @everyone"

func TestAttacks(t *testing.T) {
	t.Parallel()
	h := newHub(t, shared(t), victimTemplate, openTemplate, deployTemplate)
	h.commits(1, forge, "owner", first, "work", "src/main.go")
	h.commits(2, "stranger/app", "stranger", second, "evil", "src/main.go")
	own := func(title string) object { return h.pull("opened", forge, "owner", first, title, 1) }
	foreign := func(action, title string) object {
		return h.pull(action, "stranger/app", "stranger", second, title, 2)
	}
	post := func(event, id string, body []byte, headers map[string]string) int {
		all := map[string]string{
			"Content-Type": "application/json", "X-GitHub-Event": event, "X-GitHub-Delivery": id, "X-Hub-Signature-256": github.Sign(githubSecret, body),
			"X-GitHub-Hook-Installation-Target-Type": "integration", "X-GitHub-Hook-Installation-Target-ID": "42",
		}
		for name, value := range headers {
			all[name] = value
		}
		status, _ := h.post("/webhooks/github", all, body)
		return status
	}
	nested := func(depth int) []byte {
		return []byte(`{"action": "opened", "a": ` + strings.Repeat("[", depth) + strings.Repeat("]", depth) + `}`)
	}
	labelled := own("ten thousand labels")
	var labels []any
	for i := range 10_000 {
		labels = append(labels, object{"id": i, "name": fmt.Sprint("label-", i), "description": strings.Repeat("x", 20)})
	}
	labelled["pull_request"].(object)["labels"] = labels
	byMaintainer := foreign("labeled", "labelled by the owner")
	byMaintainer["sender"] = object{"login": "owner"}
	byMaintainer["label"] = object{"name": "run"}
	branch := own("a branch")
	branch["pull_request"].(object)["head"].(object)["ref"] = hostile
	stolen := own("another's installation")
	stolen["installation"] = object{"id": 666}

	for name, attack := range map[string]struct {
		event   string
		body    []byte
		headers map[string]string
		id      string
		status  int
		runs    map[string]string // template → the parameter id of the run that it starts
	}{
		"a forged signature": {
			event: "pull_request", body: mustJSON(t, own("forged")), status: http.StatusUnauthorized,
			headers: map[string]string{"X-Hub-Signature-256": github.Sign("guessed", mustJSON(t, own("forged")))},
		},
		"another App, which has the same secret": {
			event: "pull_request", body: mustJSON(t, own("other app")), status: http.StatusForbidden,
			headers: map[string]string{"X-GitHub-Hook-Installation-Target-ID": "43"},
		},
		"another's installation": {
			event: "pull_request", body: mustJSON(t, stolen), status: http.StatusAccepted,
		},
		"a pull request from a fork that names parameters": {
			event: "pull_request", body: mustJSON(t, foreign("opened", "/deploy code=1 id=evil")), status: http.StatusAccepted,
		},
		"a fork that a maintainer labels": {
			event: "pull_request", body: mustJSON(t, byMaintainer), status: http.StatusAccepted,
		},
		"a title with commands is data": {
			event: "pull_request", body: mustJSON(t, own(hostile)), status: http.StatusAccepted, runs: map[string]string{"victim": hostile},
		},
		"a branch with commands is data": {
			event: "pull_request", body: mustJSON(t, branch), status: http.StatusAccepted, runs: map[string]string{"victim": "a branch"},
		},
		"a comment with commands is data": {
			event: "issue_comment", body: mustJSON(t, commentBy("stranger", 1, hostile)), status: http.StatusAccepted, runs: map[string]string{"open": hostile},
		},
		"ten thousand labels": {
			event: "pull_request", body: mustJSON(t, labelled), status: http.StatusAccepted, runs: map[string]string{"victim": "ten thousand labels"},
		},
		"a body of 26 MB": {
			event: "push", body: append(bytes.Repeat([]byte(" "), 26<<20), "{}"...), status: http.StatusRequestEntityTooLarge,
		},
		"JSON that is nested too deeply": {
			event: "pull_request", body: nested(100_000), status: http.StatusBadRequest,
		},
		"JSON that is nested": {
			event: "pull_request", body: nested(5_000), status: http.StatusAccepted,
		},
		"no JSON": {
			event: "pull_request", body: []byte(`{"action": `), status: http.StatusBadRequest,
		},
		"an event's name that is none": {
			event: "pull_request/../..", body: []byte(`{}`), status: http.StatusBadRequest,
		},
	} {
		t.Run(name, func(t *testing.T) {
			id := "attack-" + strings.ReplaceAll(name, " ", "-")
			id = strings.Map(func(r rune) rune {
				if r == ',' || r == '\'' {
					return '-'
				}
				return r
			}, id)
			before := h.everything(t)
			for range 2 { // the second is a replayed delivery
				if status := post(attack.event, id, attack.body, attack.headers); status != attack.status {
					t.Fatalf("got %d, want %d", status, attack.status)
				}
			}
			h.quiet()
			eventually(t, "the runs are "+fmt.Sprint(attack.runs), func() error {
				after := h.everything(t)
				var started []string
				for run, what := range after {
					if _, old := before[run]; !old {
						started = append(started, what)
					}
				}
				var want []string
				for template, id := range attack.runs {
					want = append(want, template+" "+id)
				}
				slices.Sort(started)
				slices.Sort(want)
				if !slices.Equal(started, want) {
					return fmt.Errorf("started %q", started)
				}
				return nil
			})
		})
	}
	if got := h.runs("deploy"); len(got) != 0 {
		t.Errorf("strangers have deployed %v", got)
	}
}

func commentBy(who string, number int, text string) object {
	return object{
		"action": "created", "sender": object{"login": who}, "installation": object{"id": installation},
		"repository": object{"full_name": forge, "url": "https://api.github.com/repos/" + forge},
		"issue":      object{"number": number, "pull_request": object{"url": "x"}, "labels": []any{}},
		"comment":    object{"id": 5000, "body": text, "user": object{"login": who}},
	}
}

// everything are all runs by name, with their template and the parameter id.
func (h *hub) everything(t testing.TB) map[string]string {
	t.Helper()
	items, err := h.c.workflows(h.ns)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, wf := range items {
		template, _, _ := unstructured.NestedString(wf.Object, "spec", "workflowTemplateRef", "name")
		all[wf.GetName()] = template + " " + parameter(wf, "id")
	}
	return all
}
