package app

import (
	"encoding/json"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/bus"
	"github.com/argo-bridge/argo-bridge/bridge/ledger"
)

func openOrigins(t *testing.T) *origins {
	t.Helper()
	log := zaptest.NewLogger(t, zaptest.Level(zap.WarnLevel))
	c := bus.Config{DataDir: t.TempDir()}.Defaults()
	b, err := bus.Open(t.Context(), c, log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	all, err := openTables(t.Context(), b, c)
	if err != nil {
		t.Fatal(err)
	}
	return &origins{
		bus: b, ledger: ledger.New(all.ledger, c.RecordAge(), log), finders: Finders(), log: log, now: time.Now,
		keeps: c.RecordAge(), patience: 10 * time.Second,
	}
}

var order = bridge.Event{ID: "1", Source: "//shop", Type: "com.example.order", Data: json.RawMessage(`{"total": 7}`)}

func recorded(workflow string) bridge.Record {
	return bridge.Record{
		Event: order.ID, Source: order.Source, Type: order.Type, Sequence: 1, Done: true,
		Results: []bridge.Result{{Template: "a/t", Rule: "default", Verdict: bridge.Matched, Workflow: workflow}},
	}
}

func runOf(namespace, hash string) bridge.Run {
	return bridge.Run{Namespace: namespace, Name: "t-x", Labels: map[string]string{bridge.LabelEvent: hash}, Created: time.Now()}
}

func TestTheEventOfARunIsToldInTheNamespaceInWhichItHasStartedSomething(t *testing.T) {
	t.Parallel()
	o := openOrigins(t)
	if err := o.bus.Publish(t.Context(), order); err != nil {
		t.Fatal(err)
	}
	if err := o.ledger.Put(t.Context(), recorded("a/t-x")); err != nil {
		t.Fatal(err)
	}
	o.patience = 50 * time.Millisecond
	for name, test := range map[string]struct {
		run  bridge.Run
		want bool
	}{
		"the run that it has started":            {runOf("a", order.Hash()), true},
		"a run by hand":                          {runOf("a", ""), false},
		"a label that is none of the bridge's":   {runOf("a", "*.>"), false},
		"a run elsewhere that bears the label":   {runOf("b", order.Hash()), false},
		"a namespace whose name begins the same": {runOf("", order.Hash()), false},
		"an event that is not known any more":    {runOf("a", bridge.Event{ID: "old"}.Hash()), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			start, err := o.Start(t.Context(), test.run)
			if err != nil || (start != nil) != test.want {
				t.Fatalf("got %v, %v", start, err)
			}
			if start != nil && (start.Key() != order.Key() || string(start.Data) != string(order.Data)) {
				t.Errorf("got %+v", start)
			}
		})
	}
}

func TestARunThatEndsBeforeItsRecordIsWrittenIsWaitedFor(t *testing.T) {
	t.Parallel()
	o := openOrigins(t)
	if err := o.bus.Publish(t.Context(), order); err != nil {
		t.Fatal(err)
	}
	written := make(chan error, 1)
	time.AfterFunc(200*time.Millisecond, func() { written <- o.ledger.Put(t.Context(), recorded("a/t-x")) })
	start, err := o.Start(t.Context(), runOf("a", order.Hash()))
	if err != nil || start == nil {
		t.Errorf("got %v, %v", start, err)
	}
	if err := <-written; err != nil {
		t.Error(err)
	}
	old := runOf("a", bridge.Event{ID: "old"}.Hash())
	old.Created = time.Now().Add(-o.keeps - time.Hour)
	began := time.Now()
	if start, err := o.Start(t.Context(), old); err != nil || start != nil || time.Since(began) > o.patience/2 {
		t.Errorf("a run that is older than the ledger was waited for: %v, %v", start, err)
	}
}
