package e2e

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/pubsub/v2"
	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"cloud.google.com/go/pubsub/v2/pstest"
	"google.golang.org/api/option"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/argo-bridge/argo-bridge/adapters/github"
	"github.com/argo-bridge/argo-bridge/adapters/slack"
)

// push is the body of a push; code is the exit code that the test's template runs with.
func push(t testing.TB, id, code int) []byte {
	return mustJSON(t, map[string]any{
		"ref": "refs/heads/main", "after": fmt.Sprintf("%040d", id), "before": fmt.Sprintf("%040d", id-1),
		"repository": map[string]any{
			"full_name": "acme/app", "name": "app", "url": "https://github.com/acme/app", "html_url": "https://github.com/acme/app",
			"owner": map[string]any{"login": "acme", "name": "acme"},
		},
		"sender":      map[string]any{"login": "mona"},
		"pusher":      map[string]any{"name": "mona"},
		"head_commit": map[string]any{"id": fmt.Sprintf("%040d", id), "message": fmt.Sprintf("code %d", code), "timestamp": "2026-01-02T03:04:05Z"},
		"commits":     []any{map[string]any{"id": "1", "message": "m", "added": []string{"src/a.go"}, "removed": []string{}, "modified": []string{}}},
	})
}

// github posts a delivery as GitHub does.
func (p *proc) github(event, delivery string, body []byte) (int, string) {
	return p.post("/webhooks/github", map[string]string{
		"Content-Type": "application/json", "X-GitHub-Event": event, "X-GitHub-Delivery": delivery,
		"X-Hub-Signature-256": github.Sign(githubSecret, body),
	}, body)
}

// command posts a slash command as Slack does.
func (p *proc) command(trigger, command, text string) (int, string) {
	body := []byte(url.Values{
		"command": {command}, "text": {text}, "trigger_id": {trigger}, "team_id": {"T1"}, "team_domain": {"acme"},
		"channel_id": {"C1"}, "channel_name": {"ops"}, "user_id": {"U1"}, "user_name": {"mona"},
		"response_url": {p.slack.ResponseURL(trigger)}, "token": {"retired"},
	}.Encode())
	return p.slackPost("/webhooks/slack/commands", "application/x-www-form-urlencoded", body, time.Now(), nil)
}

func (p *proc) slackPost(path, contentType string, body []byte, at time.Time, more map[string]string) (int, string) {
	timestamp := fmt.Sprint(at.Unix())
	headers := map[string]string{
		"Content-Type": contentType, slack.HeaderTimestamp: timestamp,
		slack.HeaderSignature: slack.Sign(slackSecret, timestamp, body),
	}
	for name, value := range more {
		headers[name] = value
	}
	return p.post(path, headers, body)
}

// mention is a body of the Events API.
func mention(t testing.TB, id, text string) []byte {
	return mustJSON(t, map[string]any{
		"type": "event_callback", "event_id": id, "event_time": 1767323045, "team_id": "T1", "api_app_id": "A1",
		"event": map[string]any{"type": "app_mention", "user": "U1", "channel": "C1", "text": text, "ts": "1767323045.000100"},
	})
}

// A topic is a bucket's notifications on Google's own Pub/Sub stand-in.
type topic struct {
	server       *pstest.Server
	subscription string
}

const (
	topicName        = "projects/test/topics/landing"
	subscriptionName = "projects/test/subscriptions/bridge"
)

func newTopic(t testing.TB) *topic {
	t.Helper()
	server := pstest.NewServerWithAddress("127.0.0.1:0")
	t.Cleanup(func() { _ = server.Close() })
	connection, err := grpc.NewClient(server.Addr, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	client, err := pubsub.NewClient(context.Background(), "test", option.WithGRPCConn(connection))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if _, err := client.TopicAdminClient.CreateTopic(t.Context(), &pubsubpb.Topic{Name: topicName}); err != nil {
		t.Fatal(err)
	}
	if _, err := client.SubscriptionAdminClient.CreateSubscription(t.Context(), &pubsubpb.Subscription{
		Name: subscriptionName, Topic: topicName, AckDeadlineSeconds: 10,
	}); err != nil {
		t.Fatal(err)
	}
	return &topic{server, subscriptionName}
}

// env makes Google's SDK in the bridge talk to the stand-in.
func (tp *topic) env() []string { return []string{"PUBSUB_EMULATOR_HOST=" + tp.server.Addr} }

// object publishes the notification of an object that was written; again publishes a duplicate, which
// bears a message id of its own.
func (tp *topic) object(t testing.TB, name string, generation int) {
	body := mustJSON(t, map[string]any{
		"kind": "storage#object", "bucket": "landing-prod", "name": name, "generation": fmt.Sprint(generation),
		"metageneration": "1", "size": "12", "contentType": "application/json",
	})
	tp.server.Publish(topicName, body, map[string]string{
		"eventType": "OBJECT_FINALIZE", "payloadFormat": "JSON_API_V1", "bucketId": "landing-prod", "objectId": name,
		"objectGeneration": fmt.Sprint(generation), "eventTime": "2026-01-02T03:04:05.678Z",
		"notificationConfig": "projects/_/buckets/landing-prod/notificationConfigs/1",
	})
}

// acknowledged says whether all messages have been.
func (tp *topic) acknowledged() error {
	waiting := 0
	for _, m := range tp.server.Messages() {
		if m.Acks == 0 {
			waiting++
		}
	}
	if waiting > 0 {
		return fmt.Errorf("%d messages are not acknowledged", waiting)
	}
	return nil
}

// delivered repeats a delivery, as a person or the sweep would, until it is taken.
func delivered(t testing.TB, what string, send func() (int, string)) {
	t.Helper()
	eventually(t, what+" is taken", func() error {
		status, answer := send()
		if status < 200 || status > 299 {
			return fmt.Errorf("%d %s", status, strings.TrimSpace(answer))
		}
		return nil
	})
}
