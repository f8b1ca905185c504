package flow

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// A testBus is a JetStream server that outlives the bridges, and the test's own way to it.
type testBus struct {
	url string
	js  jetstream.JetStream
}

func newBus(t testing.TB) *testBus {
	t.Helper()
	s, err := server.NewServer(&server.Options{
		Host: "127.0.0.1", Port: server.RANDOM_PORT, NoSigs: true, NoLog: true,
		JetStream: true, StoreDir: filepath.Join(scratch, "nats"), JetStreamMaxStore: 16 << 30,
	})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() {
		s.Shutdown()
		s.WaitForShutdown()
	})
	if !s.ReadyForConnections(time.Minute) {
		t.Fatal("the NATS server is not ready after a minute")
	}
	connection, err := nats.Connect(s.ClientURL())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(connection.Close)
	js, err := jetstream.New(connection)
	if err != nil {
		t.Fatal(err)
	}
	return &testBus{url: s.ClientURL(), js: js}
}

// publish puts an event on the bus as any CloudEvents client does, and returns its place there.
func (b *testBus) publish(ctx context.Context, e bridge.Event) (sequence uint64, err error) {
	answer, err := b.js.PublishMsg(ctx, &nats.Msg{
		Subject: "bridge.events." + e.Type, Data: e.Data,
		Header: nats.Header{
			"ce-specversion": {"1.0"}, "ce-id": {e.ID}, "ce-source": {e.Source}, "ce-type": {e.Type}, "content-type": {"application/json"},
		},
	})
	if err != nil {
		return 0, fmt.Errorf("publish %s: %w", e.ID, err)
	}
	return answer.Sequence, nil
}

// A ledgerView is the bridges' ledger as it is now. Safe for concurrent use.
type ledgerView struct {
	mu      sync.Mutex
	records map[string]bridge.Record // by the event's hash
}

// follow reads the ledger until ctx ends.
func (b *testBus) follow(ctx context.Context) (*ledgerView, error) {
	table, err := b.js.KeyValue(ctx, "ARGO_BRIDGE_LEDGER")
	if err != nil {
		return nil, err
	}
	watcher, err := table.WatchAll(ctx)
	if err != nil {
		return nil, err
	}
	v := &ledgerView{records: map[string]bridge.Record{}}
	go func() {
		for entry := range watcher.Updates() {
			var r bridge.Record
			if entry != nil && json.Unmarshal(entry.Value(), &r) == nil {
				v.put(entry.Key(), r)
			}
		}
	}()
	return v, nil
}

func (v *ledgerView) put(hash string, r bridge.Record) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.records[hash] = r
}

// result is what became of an event for the one rule that fits it; ok is false as long as nothing has.
func (v *ledgerView) result(hash string) (r bridge.Result, ok bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	results := v.records[hash].Results
	if len(results) != 1 {
		return r, false
	}
	return results[0], true
}
