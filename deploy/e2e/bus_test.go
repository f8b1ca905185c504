package e2e

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// startNATS starts a NATS server on a port and a store that outlive it.
func startNATS(t *testing.T, port int, dir string) *server.Server {
	t.Helper()
	s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: port, JetStream: true, StoreDir: dir, NoSigs: true, NoLog: true})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	if !s.ReadyForConnections(20 * time.Second) {
		t.Fatal("NATS is not ready")
	}
	return s
}

func TestWhileTheBusIsAwaySourcesKeepTheirEvents(t *testing.T) {
	t.Parallel()
	c := shared(t)
	ns, gcs, store := c.newNamespace(t), newTopic(t), t.TempDir()
	c.apply(t, ns, pushTemplate, objectTemplate, commandTemplate)
	bus := startNATS(t, server.RANDOM_PORT, store)
	port := bus.Addr().(*net.TCPAddr).Port
	p := newBridge(t, setup{cluster: c, namespace: ns, subscription: gcs.subscription, env: gcs.env(),
		config: fmt.Sprintf("bus: {url: %q}\n", bus.ClientURL())})
	p.startReady()
	bus.Shutdown()
	bus.WaitForShutdown()

	if status, answer := p.github("push", "d1", push(t, 1, 0)); status != http.StatusServiceUnavailable {
		t.Errorf("GitHub got %d %s, want 503", status, answer)
	}
	if status, answer := p.slackPost("/webhooks/slack/events", "application/json", mention(t, "Ev1", "x"), time.Now(), nil); status != http.StatusServiceUnavailable {
		t.Errorf("Slack got %d %s, want 503", status, answer)
	}
	if status, _, _ := p.get("/readyz"); status != http.StatusServiceUnavailable {
		t.Errorf("ready without a bus: %d", status)
	}
	gcs.object(t, "exports/a.json", 1)
	eventually(t, "the bridge has seen the message and refused it", func() error {
		if p.metric(`argo_bridge_events_refused_total{reason="bus-down",source="gcs"}`) == "0" {
			return errors.New("not yet")
		}
		return nil
	})
	if gcs.acknowledged() == nil {
		t.Error("Pub/Sub was acknowledged without a bus")
	}

	bus = startNATS(t, port, store)
	t.Cleanup(bus.Shutdown)
	p.waitReady()
	delivered(t, "the push", func() (int, string) { return p.github("push", "d1", push(t, 1, 0)) })
	eventually(t, "all goes on without a restart", func() error {
		got, err := c.byParameter(ns)
		if err != nil {
			return err
		}
		return exactly(got, []string{"on-push " + fmt.Sprintf("%040d", 1), "on-object exports/a.json"})
	})
	eventually(t, "Pub/Sub is acknowledged", gcs.acknowledged)
}
