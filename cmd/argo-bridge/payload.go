package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/argo-bridge/argo-bridge/adapters/cloudevents"
	"github.com/argo-bridge/argo-bridge/adapters/gcs"
	"github.com/argo-bridge/argo-bridge/adapters/github"
	"github.com/argo-bridge/argo-bridge/adapters/slack"
	"github.com/argo-bridge/argo-bridge/adapters/workflow"
	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/watch"
)

// A payload is what a source would have sent.
type payload struct {
	source     string // github, gcs, slack, workflow or cloudevents
	event      string // what the source calls the event
	body       []byte
	attributes map[string]string // Pub/Sub's
}

// translate makes the event of a payload, as the source's adapter would.
func (p payload) translate() (bridge.Event, error) {
	switch p.source {
	case "github":
		return github.Translate(p.event, "explain-"+p.digest(), p.body)
	case "gcs":
		attributes, err := p.gcsAttributes()
		if err != nil {
			return bridge.Event{}, err
		}
		return gcs.Translate(attributes, p.body, time.Time{})
	case "slack":
		return p.translateSlack()
	case "workflow":
		return p.translateEnd()
	case "cloudevents":
		return p.translateCloudEvent()
	}
	return bridge.Event{}, fmt.Errorf("source %q is none of github, gcs, slack, workflow, cloudevents", p.source)
}

// translateEnd takes a Workflow as kubectl prints it. The event that started it is not at hand: chain has what the
// Workflow's annotations tell.
func (p payload) translateEnd() (bridge.Event, error) {
	run, err := watch.Read(p.body)
	if err != nil {
		return bridge.Event{}, err
	}
	outcomes := run.Outcomes()
	if len(outcomes) == 0 {
		return bridge.Event{}, fmt.Errorf("the workflow %s has not ended: its phase is %q", run.Name, run.Phase)
	}
	if !slices.Contains(outcomes, bridge.Outcome(p.event)) {
		return bridge.Event{}, fmt.Errorf("the workflow %s is %s: it makes the events %s, not %q", run.Name, run.Phase, list(outcomes), p.event)
	}
	return workflow.Translate(run, bridge.Outcome(p.event), nil)
}

// translateCloudEvent takes a whole event in the structured mode, or its data alone.
func (p payload) translateCloudEvent() (bridge.Event, error) {
	var whole struct {
		SpecVersion string `json:"specversion"`
	}
	if err := json.Unmarshal(p.body, &whole); err == nil && whole.SpecVersion != "" {
		events, err := cloudevents.Translate(context.Background(), http.Header{"Content-Type": {"application/cloudevents+json"}}, p.body)
		if err != nil {
			return bridge.Event{}, err
		}
		if events[0].Type != p.event {
			return bridge.Event{}, fmt.Errorf("the payload is an event of type %s, not %s", events[0].Type, p.event)
		}
		return events[0], nil
	}
	if !json.Valid(p.body) {
		return bridge.Event{}, errors.New("the payload is not JSON")
	}
	return bridge.Event{ID: "explain-" + p.digest(), Source: "argo-bridge:explain", Type: p.event, Data: p.body}, nil
}

func (p payload) digest() string {
	sum := sha256.Sum256(p.body)
	return hex.EncodeToString(sum[:8])
}

// gcsAttributes completes the attributes from the object resource, so that the resource alone will do.
func (p payload) gcsAttributes() (map[string]string, error) {
	attributes := map[string]string{"eventType": p.event, "payloadFormat": "JSON_API_V1"}
	if len(bytes.TrimSpace(p.body)) == 0 {
		attributes["payloadFormat"] = "NONE"
	} else {
		var resource struct{ Bucket, Name, Generation string }
		if err := json.Unmarshal(p.body, &resource); err != nil {
			return nil, fmt.Errorf("the payload is no object resource: %w", err)
		}
		attributes["bucketId"], attributes["objectId"] = resource.Bucket, resource.Name
		attributes["objectGeneration"] = resource.Generation
	}
	for name, value := range p.attributes {
		attributes[name] = value
	}
	return attributes, nil
}

// translateSlack takes a body as Slack sends it, or, easier to write, the JSON object alone: the fields
// of a command, the payload of an interaction, the inner event of the Events API.
func (p payload) translateSlack() (bridge.Event, error) {
	object := json.Valid(p.body)
	switch p.event {
	case "command":
		body := p.body
		if object {
			var fields map[string]string
			if err := json.Unmarshal(p.body, &fields); err != nil {
				return bridge.Event{}, fmt.Errorf("a slash command is a form, or a JSON object of strings: %w", err)
			}
			body = []byte(form(fields).Encode())
		}
		return slack.TranslateCommand(body, time.Time{})
	case "action", "shortcut", "block_actions", "message_action", "view_submission", "interaction":
		body := p.body
		if object {
			body = []byte(url.Values{"payload": {string(p.body)}}.Encode())
		}
		return slack.TranslateInteraction(body, time.Time{})
	}
	body, err := p.envelope()
	if err != nil {
		return bridge.Event{}, err
	}
	return slack.TranslateEvent(body)
}

// envelope is the body of the Events API around an inner event that stands alone.
func (p payload) envelope() ([]byte, error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(p.body, &members); err != nil {
		return nil, fmt.Errorf("the payload is no JSON object: %w", err)
	}
	if _, whole := members["event"]; whole {
		return p.body, nil
	}
	if _, ok := members["type"]; !ok {
		members["type"], _ = json.Marshal(p.event)
	}
	team := members["team"]
	if team == nil {
		team = json.RawMessage(`"T00000000"`)
	}
	return json.Marshal(map[string]any{
		"type": "event_callback", "event_id": "Ev" + p.digest(), "team_id": team, "event": members,
	})
}

func form(fields map[string]string) url.Values {
	values := url.Values{}
	for name, value := range fields {
		values.Set(name, value)
	}
	return values
}

func list(outcomes []bridge.Outcome) string {
	words := make([]string, len(outcomes))
	for i, o := range outcomes {
		words[i] = string(o)
	}
	return strings.Join(words, " and ")
}
