// Package history tells what became of events, and handles past ones again: the one source of the admin API,
// of `argo-bridge events`, and of the console to come. It reads the tables that the other stages write.
package history

import (
	"context"
	"fmt"
	"time"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/bus"
	"github.com/argo-bridge/argo-bridge/bridge/ledger"
	"github.com/argo-bridge/argo-bridge/bridge/notify"
)

// A History reads from the bus. Safe for concurrent use.
type History struct {
	Bus    *bus.Bus
	Ledger *bus.Bucket
	Runs   *bus.Bucket
	Outbox *bus.Bucket
}

// Records calls each with the records that fit, the one that changed last first, until each returns false, or
// all or q.Limit were seen.
func (h *History) Records(ctx context.Context, q bridge.Query, each func(bridge.Record) bool) error {
	left := q.Limit
	return h.Ledger.Backward(ctx, func(e bus.Entry) bool {
		if !q.Since.IsZero() && e.Written.Before(q.Since) {
			return false // what was written before was stored before
		}
		r, err := ledger.Decode(e)
		if err != nil || !q.Fits(r) {
			return true
		}
		left--
		return each(r) && left != 0
	})
}

// Follow calls each with every record that fits when it is written, from now on, until ctx ends.
func (h *History) Follow(ctx context.Context, q bridge.Query, each func(bridge.Record)) error {
	return h.Ledger.Follow(ctx, bus.Followed{New: true}, func(e bus.Entry) {
		if r, err := ledger.Decode(e); err == nil && q.Fits(r) {
			each(r)
		}
	}, func() {})
}

// Story returns all that is known of an event, by its id or its hash; of several events with one id that of
// the last. The error is bridge.ErrUnknownEvent when there is none.
func (h *History) Story(ctx context.Context, id string) (bridge.Story, error) {
	record, err := h.find(ctx, id)
	if err != nil {
		return bridge.Story{}, err
	}
	s := bridge.Story{Record: record, Hash: record.Hash(), Runs: []bridge.RunState{}, Notifications: []bridge.SentRecord{}}
	e, ok, err := h.Bus.Event(ctx, record.Sequence)
	if err != nil && !bridge.IsPermanent(err) {
		return s, err
	}
	if ok && e.Hash() == s.Hash {
		s.Event = &e
	}
	if err := h.follow(ctx, &s, s.Hash, func(string) bool { return true }); err != nil {
		return s, err
	}
	return s, h.batches(ctx, &s)
}

// follow adds the runs and notifications that are kept under an event's hash, of the Workflows that count.
func (h *History) follow(ctx context.Context, s *bridge.Story, hash string, counts func(workflow string) bool) error {
	runs, err := h.Runs.List(ctx, notify.RunsOf(hash))
	if err != nil {
		return err
	}
	for _, entry := range runs {
		if r, err := notify.DecodeRun(entry); err == nil && counts(r.Workflow) {
			s.Runs = append(s.Runs, r)
		}
	}
	sent, err := h.Outbox.List(ctx, notify.OutboxOf(hash))
	if err != nil {
		return err
	}
	for _, entry := range sent {
		if r, err := notify.DecodeSent(entry); err == nil && counts(r.Workflow) {
			s.Notifications = append(s.Notifications, r)
		}
	}
	return nil
}

// batches adds the runs of the batches that the event went into: they are kept under the first event of each.
func (h *History) batches(ctx context.Context, s *bridge.Story) error {
	for _, r := range s.Record.Results {
		if r.Batch == nil || r.Batch.Lead == s.Hash {
			continue
		}
		if err := h.follow(ctx, s, r.Batch.Lead, func(workflow string) bool { return workflow == r.Workflow }); err != nil {
			return err
		}
	}
	return nil
}

// find looks for a record by the event's hash, or through all of them by its id.
func (h *History) find(ctx context.Context, id string) (r bridge.Record, err error) {
	if bridge.IsHash(id) {
		entry, ok, err := h.Ledger.Get(ctx, id)
		if err != nil {
			return r, err
		}
		if ok {
			return ledger.Decode(entry)
		}
	}
	found := false
	err = h.Records(ctx, bridge.Query{}, func(candidate bridge.Record) bool {
		r, found = candidate, candidate.Event == id
		return !found
	})
	if err == nil && !found {
		return bridge.Record{}, fmt.Errorf("%s: %w", id, bridge.ErrUnknownEvent)
	}
	return r, err
}

// past calls each with every event on the bus that fits a query, the oldest first, at most q.Limit.
func (h *History) past(ctx context.Context, q bridge.Query, each func(e bridge.Event, at bus.Delivery) error) error {
	var failed error
	left := q.Limit
	err := h.Bus.EventsSince(ctx, q.Since, func(sequence uint64, stored time.Time, e bridge.Event) bool {
		fits, err := h.fits(ctx, q, e, stored)
		if err == nil && fits {
			err = each(e, bus.Delivery{Sequence: sequence, Attempt: 1, Stored: stored})
			left--
		}
		failed = err
		return err == nil && (left != 0 || q.Limit == 0)
	})
	if failed != nil {
		return failed
	}
	return err
}

// fits asks the ledger as well when the query is about outcomes. The template of a query is the one to be
// started, which need not have a result yet.
func (h *History) fits(ctx context.Context, q bridge.Query, e bridge.Event, stored time.Time) (bool, error) {
	entry, known, err := h.Ledger.Get(ctx, e.Hash())
	if err != nil {
		return false, err
	}
	r := bridge.Record{Event: e.ID, Source: e.Source, Type: e.Type}
	if known {
		if r, err = ledger.Decode(entry); err != nil {
			return false, nil //nolint:nilerr // a record that cannot be read fits nothing
		}
	}
	r.Stored = stored
	if q.Outcome == "" {
		q.Template, q.Rule = "", ""
	}
	return q.Fits(r), nil
}
