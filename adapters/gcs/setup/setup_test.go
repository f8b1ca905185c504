package setup_test

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"cloud.google.com/go/pubsub/v2/pstest"
	"cloud.google.com/go/storage"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"

	"github.com/argo-bridge/argo-bridge/adapters/gcs/gcstest"
	"github.com/argo-bridge/argo-bridge/adapters/gcs/setup"
)

var update = flag.Bool("update", false, "write the golden files")

const (
	bucket       = "landing-prod"
	topic        = "projects/acme/topics/argo-bridge"
	dead         = "projects/acme/topics/argo-bridge-dead"
	subscription = "projects/acme/subscriptions/argo-bridge"
	bridge       = "argo-bridge@acme.iam.gserviceaccount.com"
	publisher    = "roles/pubsub.publisher"
	subscriber   = "roles/pubsub.subscriber"
)

// A fixture is a cloud with its clients.
type fixture struct {
	*gcstest.Cloud
	clients *setup.Cloud
}

func start(t *testing.T, o ...pstest.ServerReactorOption) *fixture {
	t.Helper()
	c := gcstest.Start(t, []string{bucket}, o...)
	s, p := c.Clients(t)
	return &fixture{c, &setup.Cloud{Storage: s, Topics: p.TopicAdminClient, Subscriptions: p.SubscriptionAdminClient}}
}

func wanted() setup.Wanted {
	return setup.Wanted{Bucket: bucket, Project: "acme", ServiceAccount: bridge}.Defaults()
}

// apply returns the results as lines.
func (f *fixture) apply(t *testing.T, w setup.Wanted) []string {
	t.Helper()
	lines, err := f.try(t, w)
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

func (f *fixture) try(t *testing.T, w setup.Wanted) (lines []string, err error) {
	t.Helper()
	if err := w.Validate(); err != nil {
		t.Fatal(err)
	}
	err = setup.Apply(t.Context(), f.clients, w, func(r setup.Result) {
		lines = append(lines, strings.TrimSuffix(string(r.State)+" "+r.Subject+": "+r.Detail, ": "))
	})
	return lines, err
}

func (f *fixture) subscription(t *testing.T, name string) *pubsubpb.Subscription {
	t.Helper()
	s, err := f.clients.Subscriptions.GetSubscription(t.Context(), &pubsubpb.GetSubscriptionRequest{Subscription: name})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (f *fixture) notifications(t *testing.T) map[string]*storage.Notification {
	t.Helper()
	all, err := f.clients.Storage.Bucket(bucket).Notifications(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// having are the lines that begin with the state.
func having(lines []string, state string) []string {
	var some []string
	for _, l := range lines {
		if strings.HasPrefix(l, state+" ") {
			some = append(some, l)
		}
	}
	return some
}

func TestSetupMakesAllThatIsNeeded(t *testing.T) {
	t.Parallel()
	f := start(t)
	if lines := f.apply(t, wanted()); len(having(lines, "created")) != 9 {
		t.Errorf("got %s", strings.Join(lines, "\n"))
	}
	s := f.subscription(t, subscription)
	if s.Topic != topic || s.AckDeadlineSeconds != 60 || s.DeadLetterPolicy.GetDeadLetterTopic() != dead ||
		s.RetryPolicy.GetMinimumBackoff().AsDuration() != setup.MinRetry || s.RetryPolicy.GetMaximumBackoff().AsDuration() != setup.MaxRetry ||
		s.MessageRetentionDuration.AsDuration() != setup.Retention || s.ExpirationPolicy == nil || s.PushConfig.GetPushEndpoint() != "" {
		t.Errorf("the subscription is %v", s)
	}
	if d := f.subscription(t, "projects/acme/subscriptions/argo-bridge-dead"); d.Topic != dead {
		t.Errorf("the dead letters' subscription is %v", d)
	}
	for _, g := range [][3]string{
		{topic, publisher, gcstest.StorageAgent}, {dead, publisher, gcstest.PubSubAgent},
		{subscription, subscriber, gcstest.PubSubAgent + " " + bridge},
	} {
		want := strings.Split("serviceAccount:"+strings.ReplaceAll(g[2], " ", " serviceAccount:"), " ")
		if diff := cmp.Diff(want, f.IAM.Members(g[0], g[1])); diff != "" {
			t.Errorf("%s on %s: %s", g[1], g[0], diff)
		}
	}
	all := f.notifications(t)
	for _, n := range all {
		if n.TopicID != "argo-bridge" || n.TopicProjectID != "acme" || n.PayloadFormat != "JSON_API_V1" || !cmp.Equal(n.EventTypes, []string{"OBJECT_FINALIZE"}) {
			t.Errorf("the notification is %+v", n)
		}
	}
	if len(all) != 1 {
		t.Errorf("%d notifications", len(all))
	}
}

func TestSetupAskedTwiceChangesNothing(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*setup.Wanted){
		"pulling": func(*setup.Wanted) {},
		"pushing": func(w *setup.Wanted) {
			w.Push = &setup.Push{Endpoint: "https://b.example.com/webhooks/gcs", ServiceAccount: "pusher@acme.iam.gserviceaccount.com"}
		},
		"with all that a notification may have": func(w *setup.Wanted) {
			w.EventTypes, w.Prefix, w.Attributes = []string{"finalized", "deleted"}, "in/", map[string]string{"env": "prod"}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := start(t)
			w := wanted()
			change(&w)
			w = w.Defaults()
			first := f.apply(t, w)
			changes := f.IAM.Changes()
			lines := f.apply(t, w)
			if len(having(lines, "there")) != len(first) || len(lines) != len(first) {
				t.Errorf("got %s", strings.Join(lines, "\n"))
			}
			if f.IAM.Changes() != changes || len(f.notifications(t)) != 1 {
				t.Error("something was written")
			}
		})
	}
}

func TestSetupChangesWhatDiffersAndSaysSo(t *testing.T) {
	t.Parallel()
	f := start(t)
	for _, name := range []string{topic, "projects/acme/topics/other"} {
		if _, err := f.PubSub.GServer.CreateTopic(t.Context(), &pubsubpb.Topic{Name: name}); err != nil {
			t.Fatal(err)
		}
	}
	_, err := f.PubSub.GServer.CreateSubscription(t.Context(), &pubsubpb.Subscription{
		Name: subscription, Topic: topic, AckDeadlineSeconds: 10,
		DeadLetterPolicy: &pubsubpb.DeadLetterPolicy{DeadLetterTopic: "projects/acme/topics/other", MaxDeliveryAttempts: 5},
	})
	if err != nil {
		t.Fatal(err)
	}
	changed := having(f.apply(t, wanted()), "changed")
	want := []string{"changed subscription " + subscription + ": ack deadline 60s (was 10s), retries after 10s to 600s (was at once), " +
		"dead letters to " + dead + " after 100 attempts (was to projects/acme/topics/other after 5 attempts), " +
		"expiration never (was after 31 days without use)"}
	if diff := cmp.Diff(want, changed); diff != "" {
		t.Error(diff)
	}
	if lines := f.apply(t, wanted()); len(having(lines, "there")) != len(lines) {
		t.Errorf("asked again: %s", strings.Join(lines, "\n"))
	}
}

func TestSetupRefusesWhatItCannotChange(t *testing.T) {
	t.Parallel()
	push := &pubsubpb.PushConfig{PushEndpoint: "https://x.example.com"}
	for name, tt := range map[string]struct {
		is   *pubsubpb.Subscription
		says string
	}{
		"a filter":      {&pubsubpb.Subscription{Topic: topic, Filter: `attributes.eventType = "OBJECT_DELETE"`}, "cannot be changed: choose another --subscription"},
		"another topic": {&pubsubpb.Subscription{Topic: "projects/acme/topics/other"}, "reads projects/acme/topics/other"},
		"pushing":       {&pubsubpb.Subscription{Topic: topic, PushConfig: push}, "pushes to https://x.example.com"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := start(t)
			for _, name := range []string{topic, "projects/acme/topics/other"} {
				if _, err := f.PubSub.GServer.CreateTopic(t.Context(), &pubsubpb.Topic{Name: name}); err != nil {
					t.Fatal(err)
				}
			}
			tt.is.Name, tt.is.AckDeadlineSeconds = subscription, 10
			if _, err := f.PubSub.GServer.CreateSubscription(t.Context(), tt.is); err != nil {
				t.Fatal(err)
			}
			if _, err := f.try(t, wanted()); err == nil || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("got %v, want %q", err, tt.says)
			}
			if f.subscription(t, subscription).AckDeadlineSeconds != 10 {
				t.Error("it was changed nevertheless")
			}
		})
	}
}

func TestSetupAddsTheEventTypesThatAreMissing(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.apply(t, wanted())
	w := wanted()
	w.EventTypes = []string{"finalized", "deleted", "metadata-updated"}
	lines := f.apply(t, w)
	last := lines[len(lines)-1]
	if !strings.HasPrefix(last, "created notifications") || !strings.Contains(last, "OBJECT_DELETE, OBJECT_METADATA_UPDATE; the bucket has configuration") {
		t.Errorf("got %s", last)
	}
	types := map[string]int{}
	for _, n := range f.notifications(t) {
		for _, e := range n.EventTypes {
			types[e]++
		}
	}
	if diff := cmp.Diff(map[string]int{"OBJECT_FINALIZE": 1, "OBJECT_DELETE": 1, "OBJECT_METADATA_UPDATE": 1}, types); diff != "" {
		t.Error(diff)
	}
}

func TestSetupKeepsOthersGrants(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.apply(t, wanted())
	w := wanted()
	w.ServiceAccount = "second@acme.iam.gserviceaccount.com"
	f.IAM.Interfere(2)
	if lines := f.apply(t, w); len(having(lines, "created")) != 1 {
		t.Errorf("got %s", strings.Join(lines, "\n"))
	}
	if got := f.IAM.Members(subscription, subscriber); len(got) != 3 {
		t.Errorf("members are %v", got)
	}
}

func TestSetupExplainsWhatItMayNot(t *testing.T) {
	t.Parallel()
	f := start(t, pstest.WithErrorInjection("GetTopic", codes.PermissionDenied, "not authorized"))
	if _, err := f.try(t, wanted()); err == nil || !strings.Contains(err.Error(), "roles/pubsub.admin") || !strings.Contains(err.Error(), "topic "+topic) {
		t.Errorf("got %v", err)
	}
	f = start(t)
	w := wanted()
	w.Bucket = "nobodys"
	if _, err := f.try(t, w); err == nil || !strings.Contains(err.Error(), "there is no bucket nobodys") {
		t.Errorf("got %v", err)
	}
}

func TestValidateNamesEveryBadFlag(t *testing.T) {
	t.Parallel()
	w := setup.Wanted{
		Bucket: "gs://b", Project: "A", Topic: "1", Subscription: "-", ServiceAccount: "x", EventTypes: []string{"made"},
		Attributes: map[string]string{"": "x"}, Push: &setup.Push{Endpoint: "http://x", ServiceAccount: "y"}, ProjectNumber: "x",
	}.Defaults()
	err := w.Validate()
	for _, flag := range []string{
		"bucket", "project", "bucket-project", "topic", "subscription", "service-account", "event-type", "attribute", "push-endpoint",
		"push-service-account", "project-number",
	} {
		if err == nil || !strings.Contains(err.Error(), "--"+flag+": ") {
			t.Errorf("%v does not name %s", err, flag)
		}
	}
	if err := wanted().Validate(); err != nil {
		t.Error(err)
	}
}

// awkward has what a shell would take apart.
func awkward() setup.Wanted {
	return setup.Wanted{
		Bucket: bucket, Project: "acme", BucketProject: "other-project", Prefix: "it's $HOME/`id`/a b/",
		EventTypes: []string{"finalized", "deleted"}, Attributes: map[string]string{"env": "a,b:c", "team": `"data"`},
		Push: &setup.Push{Endpoint: "https://b.example.com/webhooks/gcs?a=b&c=d", ServiceAccount: "pusher@acme.iam.gserviceaccount.com"},
	}.Defaults()
}

func TestTheScriptIsGolden(t *testing.T) {
	t.Parallel()
	for name, w := range map[string]setup.Wanted{"pull": wanted(), "push": awkward()} {
		golden(t, "testdata/"+name+".sh", setup.Script(w))
	}
}

// TestAShellReadsTheScriptAsItIsMeant runs the script with a gcloud that writes down its arguments, one a line.
func TestAShellReadsTheScriptAsItIsMeant(t *testing.T) {
	t.Parallel()
	shell, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("there is no sh")
	}
	dir := t.TempDir()
	fake := "#!" + shell + "\n" + `case "$1 $2" in
"storage service-agent") echo agent@gs.example.com ;;
"projects describe") echo 424242 ;;
*) for a in "$@"; do printf '%s\n' "$a" >> "$OUT"; done; echo -- >> "$OUT" ;;
esac
`
	if err := os.WriteFile(filepath.Join(dir, "gcloud"), []byte(fake), 0o700); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "out")
	command := exec.Command(shell, "-eu")
	command.Stdin = strings.NewReader(setup.Script(awkward()))
	command.Env = []string{"PATH=" + dir + ":/usr/bin:/bin", "OUT=" + out, "HOME=/wrong"}
	if text, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%v %s", err, text)
	}
	got, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "testdata/push.arguments", string(got))
}

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("run with -update when it should change:\n%s", diff)
	}
}
