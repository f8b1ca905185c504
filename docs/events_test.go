package docs_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/argo-bridge/argo-bridge/adapters/gcs"
	"github.com/argo-bridge/argo-bridge/adapters/github"
	"github.com/argo-bridge/argo-bridge/adapters/slack"
	"github.com/argo-bridge/argo-bridge/adapters/workflow"
	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/app"
	"github.com/argo-bridge/argo-bridge/bridge/dispatch"
	"github.com/argo-bridge/argo-bridge/bridge/expression"
	"github.com/argo-bridge/argo-bridge/bridge/watch"
)

// An occurrence is an event with what is known of it.
type occurrence struct {
	event bridge.Event
	facts bridge.Facts
	scope *expression.Scope
}

// occur reads a payload as its source sends it; which source that is, its path tells.
func occur(t *testing.T, path string) occurrence {
	t.Helper()
	e, err := translate(t, path)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	facts, err := dispatch.Describe(app.Finders(github.Identity{}, ""), e)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return occurrence{e, facts, expression.NewScope(e, facts)}
}

func (o occurrence) variables(t *testing.T) map[string]any {
	t.Helper()
	variables, err := o.scope.Variables()
	if err != nil {
		t.Fatal(err)
	}
	return variables
}

var sent = time.Date(2026, 11, 23, 8, 10, 0, 0, time.UTC)

const delivery = "72d3162e-cc78-11e3-81ab-4c9367dc0958"

func translate(t *testing.T, path string) (bridge.Event, error) {
	t.Helper()
	body, name := read(t, path), filepath.Base(path)
	switch dir := filepath.ToSlash(filepath.Dir(path)); {
	case strings.HasSuffix(dir, "github/testdata/events"):
		event, _, _ := strings.Cut(name, ".")
		return github.Translate(event, delivery, body)
	case strings.HasPrefix(name, "github-push"):
		return github.Translate("push", delivery, body)
	case strings.HasPrefix(name, "github-pull-request"):
		return github.Translate("pull_request", delivery, body)
	case strings.HasPrefix(name, "gcs-"):
		var attributes map[string]string
		decode(t, strings.TrimSuffix(path, ".json")+".attributes.json", &attributes)
		return gcs.Translate(attributes, body, sent)
	case strings.HasPrefix(name, "workflow-"):
		return end(t, strings.TrimSuffix(strings.TrimPrefix(name, "workflow-"), ".json"), body)
	case strings.HasPrefix(name, "slack-command"), strings.HasPrefix(name, "command"):
		return slack.TranslateCommand(body, sent)
	case strings.HasSuffix(dir, "slack/testdata/requests") && strings.HasSuffix(name, ".form"):
		return slack.TranslateInteraction(body, sent)
	case strings.HasSuffix(dir, "slack/testdata/requests"):
		return slack.TranslateEvent(body)
	}
	return cloudEvent(t, path), nil
}

// end is that of a Workflow which a push has started.
func end(t *testing.T, outcome string, body []byte) (bridge.Event, error) {
	t.Helper()
	push, err := translate(t, "../workflowtemplates/examples/payloads/github-push.json")
	if err != nil {
		return push, err
	}
	run, err := watch.Read(body)
	if err != nil {
		return push, err
	}
	return workflow.Translate(run, bridge.Outcome(outcome), &push)
}

// cloudEvent reads an event in CloudEvents' JSON format.
func cloudEvent(t *testing.T, path string) bridge.Event {
	t.Helper()
	var e bridge.Event
	var members map[string]any
	decode(t, path, &e)
	decode(t, path, &members)
	e.Extensions = map[string]string{}
	for name, value := range members {
		if text, ok := value.(string); ok {
			e.Extensions[name] = text
		}
	}
	for _, attribute := range []string{"specversion", "id", "source", "type", "subject", "time", "datacontenttype"} {
		delete(e.Extensions, attribute)
	}
	return e
}

func decode(t *testing.T, path string, into any) {
	t.Helper()
	if err := json.Unmarshal(read(t, path), into); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// allEvents are the events of all payloads that the page may show.
func allEvents(t *testing.T) []occurrence {
	t.Helper()
	var all []occurrence
	for _, pattern := range []string{
		"../workflowtemplates/examples/payloads/*", "../adapters/github/testdata/events/*", "../adapters/slack/testdata/requests/*",
	} {
		paths, err := filepath.Glob(pattern)
		if err != nil || len(paths) == 0 {
			t.Fatal(pattern, err)
		}
		for _, path := range paths {
			if strings.Contains(path, ".attributes.") || strings.Contains(path, "view_closed") { // no event of their own
				continue
			}
			all = append(all, occur(t, path))
		}
	}
	return all
}
