// Package gcstest is Google Cloud as far as tests of bucket notifications need it, in the test's own process: Google's
// Pub/Sub test server, fake-gcs-server, and beside them what both leave out, grants (google.iam.v1) and service agents.
package gcstest

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"testing"

	"cloud.google.com/go/iam/apiv1/iampb"
	"cloud.google.com/go/pubsub/v2"
	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"cloud.google.com/go/pubsub/v2/pstest"
	"cloud.google.com/go/storage"
	"github.com/fsouza/fake-gcs-server/fakestorage"
	"google.golang.org/api/option"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

// ProjectNumber is the number of every project, and so a part of the service agents' names.
const ProjectNumber = "424242"

// The service agents.
const (
	StorageAgent = "service-" + ProjectNumber + "@gs-project-accounts.iam.gserviceaccount.com"
	PubSubAgent  = "service-" + ProjectNumber + "@gcp-sa-pubsub.iam.gserviceaccount.com"
)

// A Cloud is the servers.
type Cloud struct {
	PubSub *pstest.Server
	IAM    *IAM
	URL    string // of Cloud Storage
}

// Start starts the servers, with the buckets, for as long as the test runs.
func Start(t testing.TB, buckets []string, o ...pstest.ServerReactorOption) *Cloud {
	t.Helper()
	c := &Cloud{}
	c.PubSub = pstest.NewServerWithCallback(0, func(s *grpc.Server) {
		c.IAM = newIAM()
		iampb.RegisterIAMPolicyServer(s, c.IAM)
	}, o...)
	c.IAM.exists = c.exists
	t.Cleanup(func() { _ = c.PubSub.Close() })
	server, err := fakestorage.NewServerWithOptions(fakestorage.Options{Scheme: "http", Host: "127.0.0.1", Writer: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Stop)
	for _, b := range buckets {
		server.CreateBucketWithOpts(fakestorage.CreateBucketOpts{Name: b})
	}
	front := httptest.NewServer(inFront(t, server.URL()))
	t.Cleanup(front.Close)
	c.URL = front.URL
	return c
}

// inFront adds projects.serviceAccount.get to fake-gcs-server:
// https://cloud.google.com/storage/docs/json_api/v1/projects/serviceAccount/get
func inFront(t testing.TB, address string) http.Handler {
	t.Helper()
	target, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/", httputil.NewSingleHostReverseProxy(target))
	mux.HandleFunc("GET /storage/v1/projects/{project}/serviceAccount", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"kind":"storage#serviceAccount","email_address":"`+StorageAgent+`"}`)
	})
	return mux
}

func (c *Cloud) exists(name string) bool {
	ctx := context.Background()
	if _, err := c.PubSub.GServer.GetTopic(ctx, &pubsubpb.GetTopicRequest{Topic: name}); err == nil {
		return true
	}
	_, err := c.PubSub.GServer.GetSubscription(ctx, &pubsubpb.GetSubscriptionRequest{Subscription: name})
	return err == nil
}

// Environment makes Google's SDKs, those of fake-gcs-server too, talk to the servers for as long as the test runs.
func (c *Cloud) Environment(t *testing.T) {
	t.Helper()
	t.Setenv("PUBSUB_EMULATOR_HOST", c.PubSub.Addr)
	t.Setenv("STORAGE_EMULATOR_HOST", c.URL)
}

// Clients are Google's own.
func (c *Cloud) Clients(t testing.TB) (*storage.Client, *pubsub.Client) {
	t.Helper()
	ctx := context.Background()
	s, err := storage.NewClient(ctx, option.WithEndpoint(c.URL+"/storage/v1/"), option.WithoutAuthentication())
	if err != nil {
		t.Fatal(err)
	}
	conn, err := grpc.NewClient(c.PubSub.Addr, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	p, err := pubsub.NewClient(ctx, "none", option.WithGRPCConn(conn))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _, _ = s.Close(), p.Close(), conn.Close() })
	return s, p
}
