package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/argo-bridge/argo-bridge/adapters/github"
	"github.com/argo-bridge/argo-bridge/adapters/slack"
)

// A sending is what a source has sent.
type sending struct {
	at     time.Time
	event  string // the id by which the bridge knows the event
	action string
	// answer is what the source heard, private what only a person at Slack saw; empty for none.
	answer, private string
	answered        time.Time
}

// A sender sends one event as its source does.
type sender func(ctx context.Context) (sending, error)

// newDelivery is a GUID, as GitHub gives one to each delivery.
func newDelivery() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// github delivers a webhook as GitHub does, signed with the webhook's secret.
func (b *bridge) github(event, delivery string, body []byte) sender {
	return func(ctx context.Context) (sending, error) {
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, b.url+"/webhooks/github", bytes.NewReader(body))
		if err != nil {
			return sending{}, err
		}
		request.Header.Set("Content-Type", "application/json")
		request.Header.Set("User-Agent", "GitHub-Hookshot/demo")
		request.Header.Set("X-GitHub-Event", event)
		request.Header.Set("X-GitHub-Delivery", delivery)
		request.Header.Set("X-Hub-Signature-256", github.Sign(b.secrets.github, body))
		s, _, err := post(request)
		s.event, s.action = delivery, "webhook "+event+", delivery "+delivery
		return s, err
	}
}

// command types a slash command: Slack posts a form, signed with the app's signing secret.
func (b *bridge) command(channel, text, responseURL string) sender {
	return func(ctx context.Context) (sending, error) {
		trigger := fmt.Sprintf("%d.1.%s", time.Now().UnixNano(), strings.ToLower(rand.Text()))
		body := []byte(url.Values{
			"team_id": {teamID}, "team_domain": {"acme"}, "channel_id": {channel}, "channel_name": {"releases"},
			"user_id": {"U024BE7LH"}, "user_name": {"mona"}, "command": {"/deploy"}, "text": {text},
			"response_url": {responseURL}, "trigger_id": {trigger},
		}.Encode())
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, b.url+"/webhooks/slack/commands", bytes.NewReader(body))
		if err != nil {
			return sending{}, err
		}
		timestamp := strconv.FormatInt(time.Now().Unix(), 10)
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		request.Header.Set(slack.HeaderTimestamp, timestamp)
		request.Header.Set(slack.HeaderSignature, slack.Sign(b.secrets.slackSigning, timestamp, body))
		s, said, err := post(request)
		s.event, s.action = trigger, "/deploy "+text+" typed in #releases by @mona"
		var answer struct {
			Text string `json:"text"`
		}
		if err == nil {
			err = json.Unmarshal(said, &answer)
		}
		s.private = answer.Text
		return s, err
	}
}

// post sends the request; an answer that is not 2xx is an error.
func post(request *http.Request) (sending, []byte, error) {
	s := sending{at: time.Now()}
	client := &http.Client{Timeout: 10 * time.Second}
	response, err := client.Do(request)
	if err != nil {
		return s, nil, err
	}
	defer response.Body.Close()
	said, err := io.ReadAll(response.Body)
	s.answered, s.answer = time.Now(), response.Status
	if err == nil && response.StatusCode/100 != 2 {
		err = fmt.Errorf("the bridge answers %s: %s", response.Status, said)
	}
	return s, said, err
}
