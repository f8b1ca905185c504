package app

import (
	"context"
	"time"

	"go.uber.org/zap"

	"github.com/argo-bridge/argo-bridge/adapters/slack/alerts"
	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/bus"
	"github.com/argo-bridge/argo-bridge/bridge/dispatch"
	"github.com/argo-bridge/argo-bridge/bridge/notify"
	"github.com/argo-bridge/argo-bridge/bridge/waiting"
)

// Seams let the chaos suite put something between the parts of the bridge, to switch a safeguard off and
// see that the suite notices. Nothing but tests uses them. A seam that is nil changes nothing.
type Seams struct {
	Publisher func(bridge.Publisher) bridge.Publisher
	Submitter func(bridge.Submitter) bridge.Submitter
	Ledger    func(dispatch.Ledger) dispatch.Ledger
	Outbox    func(notify.Table) notify.Table
	Waiting   func(waiting.Table) waiting.Table
	State     func(dispatch.Table) dispatch.Table
	Queue     func(notify.Queue) notify.Queue
	Events    func(bus.EventHandler) bus.EventHandler
	Notifier  func(bridge.Notifier) bridge.Notifier
	Alerts    func(alerts.Table) alerts.Table
	// Now is the bridge's clock.
	Now func() time.Time
	// DuplicateWindow replaces the ten minutes of the streams.
	DuplicateWindow time.Duration
}

// NewWithSeams is New for tests.
func NewWithSeams(ctx context.Context, o Options, getenv func(string) string, log *zap.Logger, s Seams) (*App, error) {
	if s.Now == nil {
		s.Now = time.Now
	}
	o.Bus.DuplicateWindow = s.DuplicateWindow
	return open(ctx, o, getenv, log, s)
}

// through is what a seam makes of a part.
func through[T any](seam func(T) T, part T) T {
	if seam == nil {
		return part
	}
	return seam(part)
}
