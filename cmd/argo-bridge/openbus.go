package main

import (
	"context"

	"go.uber.org/zap"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/admin"
	"github.com/argo-bridge/argo-bridge/bridge/app"
	"github.com/argo-bridge/argo-bridge/bridge/bus"
)

// openBus reads the history from the bus itself, and puts replays on it, without a bridge between.
func openBus(ctx context.Context, url, credentials string) (admin.History, admin.Replayer, bridge.Silences, func() error, error) {
	h, r, s, closeBus, err := app.AttachHistory(ctx, bus.Config{URL: url, CredentialsFile: credentials}, zap.NewNop())
	if err != nil {
		return nil, nil, nil, nil, err
	}
	return h, r, s, func() error { closeBus(); return nil }, nil
}
