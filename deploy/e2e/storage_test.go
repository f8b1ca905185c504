package e2e

import (
	"context"
	"io"
	"os"
	"strings"
	"sync"
	"testing"

	"cloud.google.com/go/pubsub/v2"
	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"cloud.google.com/go/pubsub/v2/pstest"
	"cloud.google.com/go/storage"
	"github.com/fsouza/fake-gcs-server/fakestorage"
	"google.golang.org/api/option"
)

// A googleCloud has buckets whose notifications go to Pub/Sub.
type googleCloud struct {
	pubsub  *pstest.Server
	storage *storage.Client
}

const emulatorVariable = "PUBSUB_EMULATOR_HOST"

// sharedGoogleCloud is one for all tests: fake-gcs-server finds its Pub/Sub by the environment of the process.
var sharedGoogleCloud = sync.OnceValues(func() (*googleCloud, error) {
	g := &googleCloud{pubsub: pstest.NewServerWithAddress("127.0.0.1:0")}
	if err := os.Setenv(emulatorVariable, g.pubsub.Addr); err != nil {
		return nil, err
	}
	server, err := fakestorage.NewServerWithOptions(fakestorage.Options{Scheme: "http", Writer: io.Discard})
	if err != nil {
		return nil, err
	}
	g.storage, err = storage.NewClient(context.Background(),
		option.WithEndpoint(server.URL()+"/storage/v1/"), option.WithoutAuthentication())
	return g, err
})

// newBucket makes a bucket, a topic that it notifies, and a subscription, all of one name; it returns the subscription.
func newBucket(t testing.TB, name string) (g *googleCloud, subscription string) {
	t.Helper()
	g, err := sharedGoogleCloud()
	if err != nil {
		t.Fatal(err)
	}
	client, err := pubsub.NewClient(t.Context(), "test")
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	topic := "projects/test/topics/" + name
	subscription = "projects/test/subscriptions/" + name
	if _, err := client.TopicAdminClient.CreateTopic(t.Context(), &pubsubpb.Topic{Name: topic}); err != nil {
		t.Fatal(err)
	}
	if _, err := client.SubscriptionAdminClient.CreateSubscription(t.Context(),
		&pubsubpb.Subscription{Name: subscription, Topic: topic, AckDeadlineSeconds: 10}); err != nil {
		t.Fatal(err)
	}
	if err := g.storage.Bucket(name).Create(t.Context(), "test", nil); err != nil {
		t.Fatal(err)
	}
	if _, err := g.storage.Bucket(name).AddNotification(t.Context(), &storage.Notification{
		TopicProjectID: "test", TopicID: name, PayloadFormat: storage.JSONPayload,
		EventTypes: []string{storage.ObjectFinalizeEvent},
	}); err != nil {
		t.Fatal(err)
	}
	return g, subscription
}

// env makes the bridge's Pub/Sub client talk to the stand-in.
func (g *googleCloud) env() []string { return []string{emulatorVariable + "=" + g.pubsub.Addr} }

func (g *googleCloud) write(ctx context.Context, bucket, name, content string) error {
	w := g.storage.Bucket(bucket).Object(name).NewWriter(ctx)
	if _, err := io.Copy(w, strings.NewReader(content)); err != nil {
		return err
	}
	return w.Close()
}
