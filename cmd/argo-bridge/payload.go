package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"time"

	"github.com/argo-bridge/argo-bridge/adapters/gcs"
	"github.com/argo-bridge/argo-bridge/adapters/github"
	"github.com/argo-bridge/argo-bridge/adapters/slack"
	"github.com/argo-bridge/argo-bridge/bridge"
)

// A payload is what a source would have sent.
type payload struct {
	source     string // github, gcs or slack
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
	}
	return bridge.Event{}, fmt.Errorf("source %q is none of github, gcs, slack", p.source)
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
