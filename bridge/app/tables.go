package app

import (
	"context"
	"time"

	"go.uber.org/zap"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/bus"
	"github.com/argo-bridge/argo-bridge/bridge/history"
	"github.com/argo-bridge/argo-bridge/bridge/silences"
	"github.com/argo-bridge/argo-bridge/bridge/waiting"
)

// tables are the buckets on the bus.
type tables struct {
	ledger, outbox, runs, latest, threads, checks, alerts, state, waiting, silences *bus.Bucket
}

func openTables(ctx context.Context, b *bus.Bus, c bus.Config) (t tables, err error) {
	for _, table := range []struct {
		bucket **bus.Bucket
		name   string
		ages   bool
	}{
		{&t.ledger, "LEDGER", true}, {&t.outbox, "OUTBOX", true}, {&t.runs, "RUNS", true}, {&t.latest, "LATEST", true},
		{&t.threads, "THREADS", true}, {&t.checks, "CHECKS", true}, {&t.alerts, "ALERTS", true},
		{&t.state, "STATE", false}, {&t.waiting, "WAITING", false}, {&t.silences, "SILENCES", false},
	} {
		ttl := c.RecordAge()
		if !table.ages {
			ttl = 0
		}
		if *table.bucket, err = b.Bucket(ctx, table.name, ttl); err != nil {
			return t, err
		}
	}
	return t, nil
}

// AttachHistory reads the history on an external bus, and asks through it for replays, with no bridge between.
// It changes no setting of the bus. close ends the connection.
func AttachHistory(ctx context.Context, c bus.Config, log *zap.Logger) (h *history.History, r *history.Requester, s bridge.Silences, close func(), err error) {
	b, err := bus.Attach(ctx, c.Defaults(), log)
	if err != nil {
		return nil, nil, nil, nil, err
	}
	t, err := openTables(ctx, b, c.Defaults())
	if err != nil {
		b.Close()
		return nil, nil, nil, nil, err
	}
	h = &history.History{Bus: b, Ledger: t.ledger, Runs: t.runs, Outbox: t.outbox}
	return h, &history.Requester{Room: waiting.New(t.waiting, log, time.Now), Now: time.Now}, silences.Book{Table: t.silences, Now: time.Now}, b.Close, nil
}
