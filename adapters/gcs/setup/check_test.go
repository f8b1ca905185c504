package setup_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"cloud.google.com/go/pubsub/v2/pstest"
	"cloud.google.com/go/storage"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/argo-bridge/argo-bridge/adapters/gcs"
	"github.com/argo-bridge/argo-bridge/adapters/gcs/setup"
)

func question() setup.Question {
	return setup.Question{
		Subscriptions: []string{subscription}, Pulled: []string{subscription}, Buckets: []string{bucket}, ServiceAccount: bridge,
	}
}

// finding looks for one about the subject whose problem or remedy has the text.
func finding(a setup.Answer, subject, text string) bool {
	for _, f := range a.Findings {
		if f.Subject == subject && strings.Contains(f.Problem+"\n"+f.Remedy, text) && f.Remedy != "" {
			return true
		}
	}
	return false
}

func (f *fixture) check(t *testing.T, q setup.Question) setup.Answer {
	t.Helper()
	a, err := setup.Check(t.Context(), f.clients, q)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// rewrite changes the subscription behind the API, as the API does it when a topic is deleted.
func (f *fixture) rewrite(t *testing.T, change func(*pubsubpb.Subscription)) {
	t.Helper()
	s, err := f.PubSub.GServer.GetSubscription(t.Context(), &pubsubpb.GetSubscriptionRequest{Subscription: subscription})
	if err != nil {
		t.Fatal(err)
	}
	change(s)
}

func TestCheckFindsNothingAfterSetup(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.apply(t, wanted())
	q := question()
	q.Needs = []setup.Need{{Who: "data/load", EventType: "OBJECT_FINALIZE", Buckets: []string{bucket}}}
	if a := f.check(t, q); len(a.Findings) > 0 || len(a.Unchecked) > 0 {
		t.Errorf("got %+v", a)
	}
	q.ServiceAccount = ""
	if a := f.check(t, q); !finding(a, "subscription "+subscription, "pubsub.subscriptions.consume") {
		t.Errorf("this account may not pull, and it is not found: %+v", a)
	}
	f.IAM.Allow("pubsub.subscriptions.consume")
	if a := f.check(t, q); len(a.Findings) > 0 {
		t.Errorf("got %+v", a)
	}
}

func TestCheckFindsWhatIsWrongWithASubscription(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		change func(*pubsubpb.Subscription)
		says   string
	}{
		"a short ack deadline":        {func(s *pubsubpb.Subscription) { s.AckDeadlineSeconds = 10 }, "its ack deadline is 10s, less than 60s"},
		"no retry policy":             {func(s *pubsubpb.Subscription) { s.RetryPolicy = nil }, "--min-retry-delay=10s --max-retry-delay=600s"},
		"no dead letters":             {func(s *pubsubpb.Subscription) { s.DeadLetterPolicy = nil }, "no dead-letter policy"},
		"dead letters to nowhere":     {func(s *pubsubpb.Subscription) { s.DeadLetterPolicy.DeadLetterTopic = topic + "x" }, "does not exist"},
		"dead letters to the deleted": {func(s *pubsubpb.Subscription) { s.DeadLetterPolicy.DeadLetterTopic = "_deleted-topic_" }, "dead-letter topic was deleted"},
		"a filter":                    {func(s *pubsubpb.Subscription) { s.Filter = `attributes:x` }, "acknowledged unseen"},
		"detached":                    {func(s *pubsubpb.Subscription) { s.Detached = true }, "detached"},
		"a deleted topic":             {func(s *pubsubpb.Subscription) { s.Topic = "_deleted-topic_" }, "its topic was deleted"},
		"a topic that is not there":   {func(s *pubsubpb.Subscription) { s.Topic = topic + "x" }, "its topic " + topic + "x does not exist"},
		"an expiration":               {func(s *pubsubpb.Subscription) { s.ExpirationPolicy.Ttl = durationpb.New(time.Hour) }, "expires after 3600s"},
		"pushing instead of pulling": {func(s *pubsubpb.Subscription) {
			s.PushConfig = &pubsubpb.PushConfig{PushEndpoint: "https://x.example.com"}
		}, "the bridge pulls it, but it pushes to https://x.example.com"},
		"another destination": {func(s *pubsubpb.Subscription) { s.BigqueryConfig = &pubsubpb.BigQueryConfig{Table: "t"} }, "BigQuery"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := start(t)
			f.apply(t, wanted())
			f.rewrite(t, tt.change)
			if a := f.check(t, question()); !finding(a, "subscription "+subscription, tt.says) {
				t.Errorf("got %+v, want %q", a.Findings, tt.says)
			}
		})
	}
}

func TestCheckFindsAnUnsignedPush(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.apply(t, wanted())
	f.rewrite(t, func(s *pubsubpb.Subscription) {
		s.PushConfig = &pubsubpb.PushConfig{PushEndpoint: "https://x.example.com"}
	})
	q := question()
	q.Pulled = nil
	if a := f.check(t, q); !finding(a, "subscription "+subscription, "unsigned") {
		t.Errorf("got %+v", a.Findings)
	}
}

func TestCheckFindsAPushThatTheBridgeRefuses(t *testing.T) {
	t.Parallel()
	f := start(t)
	w := wanted()
	w.Push = &setup.Push{Endpoint: "https://b.example.com/webhooks/gcs", ServiceAccount: "pusher@acme.iam.gserviceaccount.com"}
	w = w.Defaults()
	w.Subscription = "argo-bridge"
	f.apply(t, w)
	q := question()
	q.Pulled = nil
	q.Push = &gcs.PushConfig{Audience: w.Push.Endpoint, ServiceAccounts: []string{w.Push.ServiceAccount}}
	if a := f.check(t, q); len(a.Findings) > 0 {
		t.Errorf("got %+v", a.Findings)
	}
	q.Push = &gcs.PushConfig{Audience: "https://old.example.com", ServiceAccounts: []string{"other@acme.iam.gserviceaccount.com"}}
	a := f.check(t, q)
	for _, text := range []string{"set gcs.push.audience to " + w.Push.Endpoint, "its tokens are of " + w.Push.ServiceAccount} {
		if !finding(a, "subscription "+subscription, text) {
			t.Errorf("got %+v, want %q", a.Findings, text)
		}
	}
}

func TestCheckFindsMissingGrants(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.apply(t, wanted())
	q := question()
	q.ServiceAccount = "somebody@acme.iam.gserviceaccount.com"
	if a := f.check(t, q); !finding(a, "subscription "+subscription, "--member=serviceAccount:somebody@acme.iam.gserviceaccount.com --role=roles/pubsub.subscriber") {
		t.Errorf("got %+v", a.Findings)
	}
	fresh := start(t)
	for _, name := range []string{topic, dead} {
		if _, err := fresh.PubSub.GServer.CreateTopic(t.Context(), &pubsubpb.Topic{Name: name}); err != nil {
			t.Fatal(err)
		}
	}
	_, err := fresh.PubSub.GServer.CreateSubscription(t.Context(), &pubsubpb.Subscription{
		Name: subscription, Topic: topic, AckDeadlineSeconds: 60, DeadLetterPolicy: &pubsubpb.DeadLetterPolicy{DeadLetterTopic: dead},
	})
	if err != nil {
		t.Fatal(err)
	}
	a := fresh.check(t, question())
	for subject, text := range map[string]string{
		"topic " + topic: "Cloud Storage's service agent (service-424242@gs-project-accounts.iam.gserviceaccount.com) has no roles/pubsub.publisher",
		"topic " + dead:  "Pub/Sub's service agent (service-424242@gcp-sa-pubsub.iam.gserviceaccount.com) has no roles/pubsub.publisher",
	} {
		if !finding(a, subject, text) {
			t.Errorf("no finding about %s: %+v", subject, a.Findings)
		}
	}
	if !finding(a, "subscription "+subscription, "nothing reads its dead-letter topic") {
		t.Errorf("got %+v", a.Findings)
	}
}

func TestCheckFindsWhatABucketDoesNotTell(t *testing.T) {
	t.Parallel()
	need := func(eventType string, prefixes ...string) setup.Need {
		return setup.Need{Who: "data/load, rule default", EventType: eventType, Buckets: []string{bucket}, Prefixes: prefixes}
	}
	own := storage.Notification{TopicProjectID: "acme", TopicID: "argo-bridge", PayloadFormat: "JSON_API_V1"}
	with := func(change func(*storage.Notification)) *storage.Notification { n := own; change(&n); return &n }
	for name, tt := range map[string]struct {
		is   *storage.Notification
		need setup.Need
		says string // empty: nothing is found
	}{
		"all of it":                     {&own, need("OBJECT_DELETE", "a/"), ""},
		"nobody":                        {nil, need("OBJECT_FINALIZE"), "it notifies nobody"},
		"another topic":                 {with(func(n *storage.Notification) { n.TopicID = "x" }), need("OBJECT_FINALIZE"), "projects/acme/topics/x, which no subscription"},
		"other event types":             {with(func(n *storage.Notification) { n.EventTypes = []string{"OBJECT_FINALIZE"} }), need("OBJECT_DELETE"), "data/load, rule default wants OBJECT_DELETE"},
		"the setup that cures it":       {with(func(n *storage.Notification) { n.EventTypes = []string{"OBJECT_FINALIZE"} }), need("OBJECT_METADATA_UPDATE"), "argo-bridge gcs setup --bucket=landing-prod --project=acme --event-type=metadata-updated"},
		"the payload format NONE":       {with(func(n *storage.Notification) { n.PayloadFormat = "NONE" }), need("OBJECT_FINALIZE"), "payload format NONE"},
		"a prefix that fits":            {with(func(n *storage.Notification) { n.ObjectNamePrefix = "a/" }), need("OBJECT_FINALIZE", "a/b/", "a/c"), ""},
		"a prefix that excludes":        {with(func(n *storage.Notification) { n.ObjectNamePrefix = "b/" }), need("OBJECT_FINALIZE", "a/"), "tell only of b/"},
		"a prefix that excludes a part": {with(func(n *storage.Notification) { n.ObjectNamePrefix = "a/b/" }), need("OBJECT_FINALIZE", "a/"), "objects that begin with a/"},
		"a prefix and a rule for all":   {with(func(n *storage.Notification) { n.ObjectNamePrefix = "a/" }), need("OBJECT_FINALIZE"), "of all objects"},
		"a rule for another bucket":     {with(func(n *storage.Notification) { n.EventTypes = []string{"OBJECT_FINALIZE"} }), setup.Need{EventType: "OBJECT_DELETE", Wants: func(b string) bool { return b != bucket }}, ""},
		"a rule for buckets by a glob":  {with(func(n *storage.Notification) { n.EventTypes = []string{"OBJECT_FINALIZE"} }), setup.Need{Who: "x", EventType: "OBJECT_DELETE", Wants: func(b string) bool { return b == bucket }}, "x wants OBJECT_DELETE"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := start(t)
			w := wanted()
			w.EventTypes = []string{"finalized"}
			f.apply(t, w)
			for id := range f.notifications(t) {
				if err := f.clients.Storage.Bucket(bucket).DeleteNotification(t.Context(), id); err != nil {
					t.Fatal(err)
				}
			}
			if tt.is != nil {
				if _, err := f.clients.Storage.Bucket(bucket).AddNotification(t.Context(), tt.is); err != nil {
					t.Fatal(err)
				}
			}
			q := question()
			q.Needs = []setup.Need{tt.need}
			a := f.check(t, q)
			if tt.says == "" && len(a.Findings) > 0 || tt.says != "" && !finding(a, "bucket "+bucket, tt.says) {
				t.Errorf("got %+v, want %q", a.Findings, tt.says)
			}
		})
	}
}

func TestCheckNamesWhatIsNotThere(t *testing.T) {
	t.Parallel()
	f := start(t)
	q := question()
	q.Needs = []setup.Need{{Who: "x", EventType: "OBJECT_FINALIZE", Buckets: []string{"nobodys"}}}
	a := f.check(t, q)
	if !finding(a, "bucket nobodys", "does not exist") || !finding(a, "subscription "+subscription, "does not exist") {
		t.Errorf("got %+v", a.Findings)
	}
	if fmt.Sprint(a.Buckets) != "[landing-prod nobodys]" {
		t.Errorf("looked at %v", a.Buckets)
	}
}

func TestCheckExplainsWhatItMayNotSee(t *testing.T) {
	t.Parallel()
	f := start(t, pstest.WithErrorInjection("GetSubscription", codes.PermissionDenied, "not authorized"))
	if a := f.check(t, question()); !finding(a, "subscription "+subscription, "roles/pubsub.viewer") {
		t.Errorf("got %+v", a.Findings)
	}
	f = start(t)
	f.apply(t, wanted())
	f.IAM.Deny()
	a := f.check(t, question())
	if len(a.Findings) > 0 || len(a.Unchecked) != 4 {
		t.Errorf("got %+v", a)
	}
	down := start(t, pstest.WithErrorInjection("GetSubscription", codes.Internal, "out of order"))
	if _, err := setup.Check(t.Context(), down.clients, question()); err == nil || !strings.Contains(err.Error(), subscription) {
		t.Errorf("got %v", err)
	}
}
