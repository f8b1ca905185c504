package nats

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/bus"
)

func failed(subject string) bridge.Notification {
	return bridge.Notification{
		Key: "0d4c-failed-1f", Outcome: bridge.Failed, To: bridge.Destination{Scheme: "nats", Target: subject}, Created: time.Unix(1772370000, 0).UTC(),
		Run: bridge.Run{Namespace: "data", Name: "nightly-1", Template: bridge.Template{Namespace: "data", Name: "nightly"}, Phase: "Failed"},
	}
}

// announcer is a bus of tests.
type announcer struct {
	AnnounceFn func(subject string, e bridge.Event) error
}

func (a announcer) Announce(_ context.Context, subject string, e bridge.Event) error {
	return a.AnnounceFn(subject, e)
}

func TestANotificationIsPublishedAsAnEvent(t *testing.T) {
	t.Parallel()
	var got bridge.Event
	n := NewNotifier(Config{Subjects: []string{"alerts.*.prod"}}, announcer{func(subject string, e bridge.Event) error {
		if got = e; subject != "alerts.data.prod" {
			t.Error(subject)
		}
		return nil
	}})
	if err := n.Notify(t.Context(), failed("alerts.data.prod")); err != nil {
		t.Fatal(err)
	}
	if got.ID != "0d4c-failed-1f" || got.Type != "io.argoproj.bridge.notification.failed" || !strings.Contains(string(got.Data), `"outcome":"failed"`) {
		t.Errorf("%+v", got)
	}
	away := errors.New("no server")
	n.bus = announcer{func(string, bridge.Event) error { return away }}
	if err := n.Notify(t.Context(), failed("alerts.data.prod")); !errors.Is(err, away) || bridge.IsPermanent(err) {
		t.Errorf("%v", err)
	}
}

func TestTheBusTakesIt(t *testing.T) {
	t.Parallel()
	b, err := bus.Open(t.Context(), bus.Config{DataDir: t.TempDir()}.Defaults(), zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if err := NewNotifier(Config{Subjects: []string{"alerts.>"}}, b).Notify(t.Context(), failed("alerts.data")); err != nil {
		t.Error(err)
	}
}

func TestSubjects(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		allowed, subject, want string // empty: it is published
	}{
		"named":                    {"alerts", "alerts", ""},
		"one name for a star":      {"alerts.*", "alerts.data", ""},
		"all that is below":        {"alerts.>", "alerts.data.prod", ""},
		"two names for a star":     {"alerts.*", "alerts.data.prod", "add it to nats.subjects"},
		"the prefix alone":         {"alerts.>", "alerts", "add it to nats.subjects"},
		"what is longer":           {"alerts", "alerts.data", "add it to nats.subjects"},
		"what is shorter":          {"alerts.data", "alerts", "add it to nats.subjects"},
		"nothing is allowed":       {"", "alerts", "add it to nats.subjects"},
		"a wildcard":               {"alerts.>", "alerts.*", "wildcard"},
		"an empty name":            {"alerts.>", "alerts..a", "no subject"},
		"with a space":             {"alerts.>", "alerts.a b", "no subject"},
		"the bridge's":             {"alerts.>", "bridge.events.a", "of the bridge"},
		"the API of JetStream":     {"alerts.>", "$JS.API.STREAM.DELETE.X", "of the bridge"},
		"somebody's inbox":         {"alerts.>", "_INBOX.x", "of the bridge"},
		"what begins like it":      {"bridges.>", "bridges.a", ""},
		"a name that begins alike": {"alerts.>", "alerts2", "add it to nats.subjects"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			published := false
			c := Config{}
			if tt.allowed != "" {
				c.Subjects = []string{"other", tt.allowed}
			}
			if err := c.Validate(); err != nil {
				t.Fatal(err)
			}
			err := NewNotifier(c, announcer{func(string, bridge.Event) error { published = true; return nil }}).Notify(t.Context(), failed(tt.subject))
			if published != (tt.want == "") || tt.want != "" && (!bridge.IsPermanent(err) || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("published %v, %v", published, err)
			}
		})
	}
}

func TestTheConfigCannotAllowTheBridgesOwn(t *testing.T) {
	t.Parallel()
	for _, subject := range []string{"", ">", "*", "*.a", "bridge", "bridge.>", "$KV.>", "_INBOX.>", "a.>.b", "a.b*", "a..b", "a b"} {
		if err := (Config{Subjects: []string{"ok", subject}}).Validate(); err == nil || !strings.HasPrefix(err.Error(), "subjects[1]: ") {
			t.Errorf("%q: %v", subject, err)
		}
	}
}

func FuzzSubjects(f *testing.F) {
	f.Add("alerts.*", "alerts.data")
	f.Add("a.>", "a.b.c")
	f.Fuzz(func(t *testing.T, pattern, subject string) {
		c := Config{Subjects: []string{pattern}}
		if c.Validate() != nil {
			return
		}
		if c.allows("bridge.events.a") || c.allows("$JS.API.INFO") || c.allows("_INBOX.a") {
			t.Errorf("%q allows the bridge's own", pattern)
		}
		_ = c.allows(subject)
	})
}
