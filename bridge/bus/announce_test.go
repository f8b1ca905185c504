package bus

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	cejetstream "github.com/cloudevents/sdk-go/protocol/nats_jetstream/v2"
	"github.com/cloudevents/sdk-go/v2/binding"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/argo-bridge/argo-bridge/bridge"
)

func TestWhoSubscribesHearsAnAnnouncement(t *testing.T) {
	t.Parallel()
	b := open(t, Config{})
	heard, err := b.conn.SubscribeSync("alerts.>")
	if err != nil {
		t.Fatal(err)
	}
	sent := event("n1")
	sent.Subject = "workflows/load" // the SDK leaves what is percent-encoded as it is
	if err := b.Announce(t.Context(), "alerts.data", sent); err != nil {
		t.Fatal(err)
	}
	m, err := heard.NextMsg(10 * time.Second)
	if err != nil {
		t.Fatal(err)
	}
	e, err := binding.ToEvent(t.Context(), cejetstream.NewMessage(m))
	if err != nil || e.Validate() != nil || e.ID() != "n1" || e.Subject() != sent.Subject || string(e.Data()) != `{"name":"x"}` {
		t.Errorf("%v, %v", e, err)
	}
	if m.Header.Get(nats.MsgIdHdr) != "n1" {
		t.Errorf("%v", m.Header)
	}
	if err := b.Announce(t.Context(), "nobody.hears", event("n2")); err != nil {
		t.Errorf("nobody hears: %v", err)
	}
}

func TestAStreamKeepsAnAnnouncementOnce(t *testing.T) {
	t.Parallel()
	b := open(t, Config{})
	stream, err := b.js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "ALERTS", Subjects: []string{"alerts.>"}, MaxMsgs: 2, Discard: jetstream.DiscardNew})
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"n1", "n1", "n2"} {
		if err := b.Announce(t.Context(), "alerts.data", event(id)); err != nil {
			t.Fatal(err)
		}
	}
	if info, err := stream.Info(t.Context()); err != nil || info.State.Msgs != 2 {
		t.Errorf("%+v, %v", info, err)
	}
	if err := b.Announce(t.Context(), "alerts.data", event("n3")); err == nil || bridge.IsPermanent(err) {
		t.Errorf("a full stream: %v", err)
	}
}

func TestAnAnnouncementNeverIsTheBridgesOwn(t *testing.T) {
	t.Parallel()
	b := open(t, Config{})
	for _, subject := range []string{"bridge", "bridge.events.com.github.push", "$JS.API.STREAM.DELETE.X", "$KV.ARGO_BRIDGE_X.a", "_INBOX.a"} {
		if err := b.Announce(t.Context(), subject, event("n")); !bridge.IsPermanent(err) {
			t.Errorf("%s: %v", subject, err)
		}
	}
	large := event("n")
	large.Data = json.RawMessage(`"` + strings.Repeat("x", 9<<20) + `"`)
	if err := b.Announce(t.Context(), "alerts", large); !bridge.IsPermanent(err) {
		t.Errorf("too large: %v", err)
	}
}
