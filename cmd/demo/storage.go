package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"cloud.google.com/go/pubsub/v2"
	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"cloud.google.com/go/pubsub/v2/pstest"
	"cloud.google.com/go/storage"
	"github.com/fsouza/fake-gcs-server/fakestorage"
	"google.golang.org/api/option"
)

// Names in the stand-in for Google Cloud. The bucket is the one that the example names.
const (
	project      = "demo-project"
	bucket       = "landing-prod"
	topic        = "projects/" + project + "/topics/landing-prod"
	subscription = "projects/" + project + "/subscriptions/argo-bridge"
)

// emulatorVariable makes Google's Pub/Sub clients, those of the bridge and of fake-gcs-server, talk to a stand-in.
const emulatorVariable = "PUBSUB_EMULATOR_HOST"

// A googleCloud is a bucket whose notifications go to a Pub/Sub topic.
type googleCloud struct {
	pubsub  *pstest.Server
	server  *fakestorage.Server
	storage *storage.Client
}

// startGoogleCloud starts Google's own Pub/Sub stand-in and fake-gcs-server. The bucket gets a notification
// configuration by the same call that `gcloud storage buckets notifications create` makes, and fake-gcs-server itself
// publishes each notification with GCS' attributes and payload; only the attribute notificationConfig, which
// nothing reads, is missing.
func startGoogleCloud(ctx context.Context) (*googleCloud, error) {
	g := &googleCloud{pubsub: pstest.NewServerWithAddress("127.0.0.1:0")}
	if err := g.build(ctx); err != nil {
		g.stop()
		return nil, err
	}
	return g, nil
}

func (g *googleCloud) build(ctx context.Context) (err error) {
	// fake-gcs-server makes its Pub/Sub client by the environment alone.
	if err := os.Setenv(emulatorVariable, g.pubsub.Addr); err != nil {
		return err
	}
	if err := makeSubscription(ctx); err != nil {
		return err
	}
	if g.server, err = fakestorage.NewServerWithOptions(fakestorage.Options{Scheme: "http", Writer: io.Discard}); err != nil {
		return fmt.Errorf("start fake-gcs-server: %w", err)
	}
	g.storage, err = storage.NewClient(ctx, option.WithEndpoint(g.server.URL()+"/storage/v1/"), option.WithoutAuthentication())
	if err != nil {
		return fmt.Errorf("storage client: %w", err)
	}
	if err := g.storage.Bucket(bucket).Create(ctx, project, nil); err != nil {
		return fmt.Errorf("create bucket: %w", err)
	}
	_, err = g.storage.Bucket(bucket).AddNotification(ctx, &storage.Notification{
		TopicProjectID: project, TopicID: bucket, PayloadFormat: storage.JSONPayload,
		EventTypes: []string{storage.ObjectFinalizeEvent},
	})
	if err != nil {
		return fmt.Errorf("create the bucket's notification: %w", err)
	}
	return nil
}

func makeSubscription(ctx context.Context) error {
	client, err := pubsub.NewClient(ctx, project)
	if err != nil {
		return fmt.Errorf("pub/sub client: %w", err)
	}
	defer client.Close()
	if _, err := client.TopicAdminClient.CreateTopic(ctx, &pubsubpb.Topic{Name: topic}); err != nil {
		return fmt.Errorf("create topic: %w", err)
	}
	_, err = client.SubscriptionAdminClient.CreateSubscription(ctx,
		&pubsubpb.Subscription{Name: subscription, Topic: topic, AckDeadlineSeconds: 10})
	if err != nil {
		return fmt.Errorf("create subscription: %w", err)
	}
	return nil
}

func (g *googleCloud) stop() {
	if g.storage != nil {
		_ = g.storage.Close()
	}
	if g.server != nil {
		g.server.Stop()
	}
	_ = g.pubsub.Close()
}

// upload writes an object with Google's client.
func (g *googleCloud) upload(name, contentType, content string) sender {
	return func(ctx context.Context) (sending, error) {
		w := g.storage.Bucket(bucket).Object(name).NewWriter(ctx)
		w.ContentType = contentType
		if _, err := io.WriteString(w, content); err != nil {
			return sending{}, fmt.Errorf("upload %s: %w", name, err)
		}
		at := time.Now()
		if err := w.Close(); err != nil {
			return sending{}, fmt.Errorf("upload %s: %w", name, err)
		}
		return sending{
			at:     at,
			event:  fmt.Sprintf("%s/%s#%d#OBJECT_FINALIZE", bucket, name, w.Attrs().Generation),
			action: fmt.Sprintf("upload of gs://%s/%s", bucket, name),
		}, nil
	}
}
