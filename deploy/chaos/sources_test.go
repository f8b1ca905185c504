package chaos

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
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

// patience is more than any source has: a bridge that has not answered by then never told what it did.
const patience = 30 * time.Second

// A request is one webhook call, to be sent as often as need be.
type request struct {
	path    string
	headers map[string]string
	body    []byte
	slack   bool // is signed anew each time: Slack's signature ages
}

func mustJSON(v any) []byte {
	data, err := json.Marshal(v)
	if err != nil {
		panic(err) // a literal of this file
	}
	return data
}

// push is a push to acme/app or another repository; items is what its runs get as their list.
func push(delivery, repository, branch, items string) request {
	body := mustJSON(map[string]any{
		"ref": "refs/heads/" + branch, "after": fmt.Sprintf("%040d", 1), "before": fmt.Sprintf("%040d", 2),
		"repository": map[string]any{
			"full_name": repository, "name": "app", "html_url": "https://github.com/" + repository,
			"owner": map[string]any{"login": "acme", "name": "acme"},
		},
		"sender": map[string]any{"login": "mona"}, "pusher": map[string]any{"name": "mona"},
		"head_commit": map[string]any{"id": fmt.Sprintf("%040d", 1), "message": items, "timestamp": "2026-01-02T03:04:05Z"},
		"commits":     []any{},
	})
	return request{path: "/webhooks/github", body: body, headers: map[string]string{
		"Content-Type": "application/json", "X-GitHub-Event": "push", "X-GitHub-Delivery": delivery,
		"X-Hub-Signature-256": github.Sign(githubSecret, body),
	}}
}

// command is a slash command.
func command(trigger, responseURL, text string) request {
	body := url.Values{
		"command": {"/run"}, "text": {text}, "trigger_id": {trigger}, "team_id": {"T1"}, "team_domain": {"acme"},
		"channel_id": {"C1"}, "channel_name": {"ops"}, "user_id": {"U1"}, "user_name": {"mona"},
		"response_url": {responseURL}, "token": {"retired"},
	}.Encode()
	return request{path: "/webhooks/slack/commands", body: []byte(body), slack: true,
		headers: map[string]string{"Content-Type": "application/x-www-form-urlencoded"}}
}

// mention is an event of Slack's Events API.
func mention(id, text string) request {
	return request{path: "/webhooks/slack/events", slack: true, headers: map[string]string{"Content-Type": "application/json"},
		body: mustJSON(map[string]any{
			"type": "event_callback", "event_id": id, "event_time": 1767323045, "team_id": "T1", "api_app_id": "A1",
			"event": map[string]any{"type": "app_mention", "user": "U1", "channel": "C1", "text": text, "ts": "1767323045.000100"},
		})}
}

// post sends the request to a bridge once. An error means that there was no answer.
func (r request) post(b *replica) (status int, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	q, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+b.address+r.path, bytes.NewReader(r.body))
	if err != nil {
		return 0, err
	}
	for name, value := range r.headers {
		q.Header.Set(name, value)
	}
	if r.slack {
		now := fmt.Sprint(time.Now().Unix())
		q.Header.Set(slack.HeaderTimestamp, now)
		q.Header.Set(slack.HeaderSignature, slack.Sign(slackSecret, now, r.body))
	}
	response, err := http.DefaultClient.Do(q)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, response.Body)
	return response.StatusCode, nil
}

// A topic is a bucket's notifications on Google's own Pub/Sub stand-in.
type topic struct{ server *pstest.Server }

const (
	bucketName       = "landing-prod"
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
	return &topic{server}
}

// object publishes the notification of an object that was written; a duplicate bears another message id.
func (tp *topic) object(name string) {
	body := mustJSON(map[string]any{
		"kind": "storage#object", "bucket": bucketName, "name": name, "generation": "1",
		"metageneration": "1", "size": "12", "contentType": "application/json",
	})
	tp.server.Publish(topicName, body, map[string]string{
		"eventType": "OBJECT_FINALIZE", "payloadFormat": "JSON_API_V1", "bucketId": bucketName, "objectId": name,
		"objectGeneration": "1", "eventTime": "2026-01-02T03:04:05.678Z",
		"notificationConfig": "projects/_/buckets/" + bucketName + "/notificationConfigs/1",
	})
}

// objectEventID is the id of that event, by docs/delivery.md.
func objectEventID(name string) string { return bucketName + "/" + name + "#1#OBJECT_FINALIZE" }

// waiting is how many messages were never acknowledged.
func (tp *topic) waiting() int {
	n := 0
	for _, m := range tp.server.Messages() {
		if m.Acks == 0 {
			n++
		}
	}
	return n
}
