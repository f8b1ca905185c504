// Package dispatch is the spine: one event is matched against the rules, mapped to parameters,
// submitted as one Workflow per rule that fits, and recorded. Only then is it acknowledged.
//
// Everything before the submission is pure, and the Workflow's name is derived from the event, so that
// a process that dies at any point is followed by one that does the same again and finds what is
// already there.
package dispatch

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/bus"
	"github.com/argo-bridge/argo-bridge/bridge/match"
)

// Rules decides which rules an event starts. It answers from one state of the templates.
type Rules interface {
	Match(f bridge.Facts, variables match.Variables) []bridge.Decision
}

// A Ledger keeps the outcome per event.
type Ledger interface {
	Lookup(ctx context.Context, e bridge.Event) (bridge.Record, bool, error)
	Put(ctx context.Context, e bridge.Event, r bridge.Record) error
}

// A Rejections tells those who asked for the outcome "rejected". It must be idempotent.
type Rejections interface {
	Rejected(ctx context.Context, e bridge.Event, f bridge.Facts, rule *bridge.Rule, reason string) error
}

// An Observer counts decisions and submissions.
type Observer interface {
	Decided(d bridge.Decision)
	Submitted(source string, took, sinceReceived time.Duration)
	SubmitFailed(source, kind string)
	Duplicate()
}

// A Dispatcher handles events. All fields are needed.
type Dispatcher struct {
	Finders          []bridge.FactFinder
	Rules            Rules
	Ledger           Ledger
	Submitter        bridge.Submitter
	Rejections       Rejections
	Observer         Observer
	ClusterNamespace string
	Log              *zap.Logger
}

// Handle is a bus.EventHandler. A nil error means that the outcome of every rule is recorded.
func (d *Dispatcher) Handle(ctx context.Context, e bridge.Event, delivery bus.Delivery) error {
	record, known, err := d.Ledger.Lookup(ctx, e)
	if err != nil {
		return err
	}
	if record.Done {
		d.Observer.Duplicate()
		d.Log.Info("event was handled before", eventFields(e)...)
		return nil
	}
	if !known {
		record = bridge.Record{Event: e.ID, Source: e.Source, Type: e.Type, Subject: e.Subject}
	}
	record.Sequence, record.Attempt = delivery.Sequence, delivery.Attempt
	h := &handling{Dispatcher: d, event: e, delivery: delivery, record: &record}
	settled := len(record.Results)
	failed := h.run(ctx)
	record.Done = failed == nil
	if record.Done || len(record.Results) > settled {
		if err := d.Ledger.Put(ctx, e, record); err != nil {
			return errors.Join(failed, err)
		}
	}
	if failed != nil {
		d.Log.Warn("event not settled yet, will be tried again",
			append(eventFields(e), zap.Int(bridge.LogAttempt, delivery.Attempt), zap.Error(failed))...)
	}
	return failed
}

// Describe finds the facts of an event; an event of no known source has its type as its name.
func Describe(finders []bridge.FactFinder, e bridge.Event) (bridge.Facts, error) {
	for _, finder := range finders {
		f, ok, err := finder.Facts(e)
		if err != nil {
			return f, fmt.Errorf("read the payload of %s: %w", e.Type, err)
		}
		if ok {
			return f, nil
		}
	}
	return bridge.Facts{Name: e.Type, Title: e.Type + " " + e.Subject}, nil
}

func eventFields(e bridge.Event) []zap.Field {
	return []zap.Field{
		zap.String(bridge.LogEventID, e.ID), zap.String(bridge.LogSource, e.Source),
		zap.String(bridge.LogEventType, e.Type), zap.String(bridge.LogSubject, e.Subject),
	}
}
