package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestEventsOfThreeSourcesRunTheirTemplatesAndAFailureIsTold(t *testing.T) {
	t.Parallel()
	c := shared(t)
	ns, gcs := c.newNamespace(t), newTopic(t)
	c.apply(t, ns, pushTemplate, objectTemplate, commandTemplate)
	p := newBridge(t, setup{cluster: c, namespace: ns, subscription: gcs.subscription, env: gcs.env()})
	p.slack.AddChannel("data-alerts")
	p.startReady()

	if status, answer := p.github("push", "delivery-1", push(t, 1, 0)); status != http.StatusAccepted {
		t.Fatalf("push: %d %s", status, answer)
	}
	gcs.object(t, "exports/bad.json", 7)
	gcs.object(t, "exports/", 8)
	status, answer := p.command("trigger-1", "/run", "one 0")
	if status != http.StatusOK || !strings.Contains(answer, "on-command") {
		t.Errorf("command: %d %s", status, answer)
	}
	if _, answer := p.command("trigger-2", "/other", ""); !strings.Contains(answer, "/other") {
		t.Errorf("a command that nobody wants: %s", answer)
	}
	want := []string{"on-push " + fmt.Sprintf("%040d", 1), "on-object exports/bad.json", "on-command one"}
	eventually(t, "each event has its Workflow", func() error {
		got, err := c.byParameter(ns)
		if err != nil {
			return err
		}
		return exactly(got, want)
	})
	eventually(t, "the failure is told", func() error {
		if n := len(tops(p.slack.Messages())); n != 1 {
			return fmt.Errorf("%d messages", n)
		}
		return nil
	})
	m := p.slack.Messages()[0]
	for _, part := range []string{"on-object", "column price is missing", "exports/bad.json", "https://argo.example.com/workflows/" + ns} {
		if !strings.Contains(shownOf(m), part) {
			t.Errorf("the alert does not say %q:\n%s", part, shownOf(m))
		}
	}
	eventually(t, "Pub/Sub is acknowledged", gcs.acknowledged)
	if err := p.stop(); err != nil {
		t.Errorf("stop: %v", err)
	}
}

func TestTheSameEventTwiceStartsOneWorkflow(t *testing.T) {
	t.Parallel()
	c := shared(t)
	ns, gcs := c.newNamespace(t), newTopic(t)
	c.apply(t, ns, pushTemplate, objectTemplate, `
metadata:
  name: on-mention
  annotations:
    bridge.argoproj.io/on: slack.app_mention
    bridge.argoproj.io/parameters: "id: slack.text"
`+body)
	p := newBridge(t, setup{cluster: c, namespace: ns, subscription: gcs.subscription, env: gcs.env()})
	p.startReady()
	send := func() {
		p.github("push", "same", push(t, 1, 0))
		gcs.object(t, "exports/a.json", 7)
		p.slackPost("/webhooks/slack/events", "application/json", mention(t, "Ev1", "<@A1> hello"), time.Now(),
			map[string]string{"X-Slack-Retry-Num": "1", "X-Slack-Retry-Reason": "http_timeout"})
	}
	send()
	send()
	// A restart in between: the stream's memory of ids and the ledger have to come back from the disk.
	p.kill()
	p.startReady()
	send()
	p.github("push", "other", push(t, 2, 0))
	want := []string{"on-push " + fmt.Sprintf("%040d", 1), "on-push " + fmt.Sprintf("%040d", 2), "on-object exports/a.json", "on-mention hello"}
	eventually(t, "each event has one Workflow", func() error {
		got, err := c.byParameter(ns)
		if err != nil {
			return err
		}
		return exactly(got, want)
	})
	eventually(t, "Pub/Sub is acknowledged", gcs.acknowledged)
	got, err := c.byParameter(ns)
	if err != nil {
		t.Fatal(err)
	}
	if err := exactly(got, want); err != nil {
		t.Error(err)
	}
}

func TestAFaultyTemplateShowsItsFaultsAndStopsNoOther(t *testing.T) {
	t.Parallel()
	c := shared(t)
	ns := c.newNamespace(t)
	c.apply(t, ns, pushTemplate, `
metadata:
  name: faulty
  annotations:
    bridge.argoproj.io/on: |
      github.pusj:
        branches: ["[a"]
      github.push:
        branchs: [main]
    bridge.argoproj.io/when: github.event.haed_commit.id ==
    bridge.argoproj.io/parameters: |
      nope: github.sha
    bridge.argoproj.io/notify: |
      fialed: slack:#x
`+body)
	p := newBridge(t, setup{cluster: c, namespace: ns})
	p.startReady()
	p.github("push", "1", push(t, 1, 0))
	eventually(t, "the other template works", func() error {
		got, err := c.byParameter(ns)
		if err != nil {
			return err
		}
		return exactly(got, []string{"on-push " + fmt.Sprintf("%040d", 1)})
	})
	eventually(t, "the faults are Kubernetes Events", func() error {
		events, err := c.client.CoreV1().Events(ns).List(t.Context(), listAll)
		if err != nil {
			return err
		}
		var text strings.Builder
		for _, e := range events.Items {
			if e.InvolvedObject.Name == "faulty" {
				text.WriteString(e.Message)
			}
		}
		for _, part := range []string{"github.push", "branches", "when", "nope", "failed"} {
			if !strings.Contains(text.String(), part) {
				return fmt.Errorf("no event says %q: %s", part, text.String())
			}
		}
		return nil
	})
}

func TestWhatIsNotARealRequestIsRefusedAndCounted(t *testing.T) {
	t.Parallel()
	c := shared(t)
	p := newBridge(t, setup{cluster: c, namespace: c.newNamespace(t)})
	p.startReady()
	ping := []byte(`{"zen":"x"}`)
	signed := func(more map[string]string) map[string]string {
		h := map[string]string{"Content-Type": "application/json", "X-GitHub-Event": "push", "X-GitHub-Delivery": "1"}
		for k, v := range more {
			h[k] = v
		}
		return h
	}
	if status, _ := p.github("ping", "1", ping); status != http.StatusOK {
		t.Errorf("ping: %d", status)
	}
	if status, _ := p.post("/webhooks/github", signed(nil), ping); status != http.StatusUnauthorized {
		t.Errorf("unsigned: %d", status)
	}
	if status, _ := p.post("/webhooks/github", signed(map[string]string{"X-Hub-Signature-256": "sha256=00"}), ping); status != http.StatusUnauthorized {
		t.Errorf("wrongly signed: %d", status)
	}
	if status, _ := p.github("push", "1", []byte(`{"a":`)); status != http.StatusBadRequest {
		t.Errorf("malformed: %d", status)
	}
	if status, _ := p.github("push", "1", make([]byte, 26<<20)); status != http.StatusRequestEntityTooLarge {
		t.Errorf("too large: %d", status)
	}
	if status, _ := p.slackPost("/webhooks/slack/events", "application/json", mention(t, "E", "x"), time.Now().Add(-6*time.Minute), nil); status != http.StatusUnauthorized {
		t.Errorf("old timestamp: %d", status)
	}
	if status, answer := p.slackPost("/webhooks/slack/events", "application/json",
		[]byte(`{"type":"url_verification","challenge":"c123"}`), time.Now(), nil); status != http.StatusOK || !strings.Contains(answer, "c123") {
		t.Errorf("url_verification: %d %s", status, answer)
	}
	for _, m := range []string{
		`argo_bridge_events_refused_total{reason="unsigned",source="github"}`,
		`argo_bridge_events_refused_total{reason="malformed",source="github"}`,
		`argo_bridge_events_refused_total{reason="too-large",source="github"}`,
		`argo_bridge_events_refused_total{reason="stale",source="slack"}`,
	} {
		if got := p.metric(m); got == "0" {
			t.Errorf("%s is %s", m, got)
		}
	}
}
