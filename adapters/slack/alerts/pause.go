package alerts

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// paused keeps back what Slack wants no more of for a while, if that is what it has answered.
func (n *Notifier) paused(ctx context.Context, at place, s step, err error) {
	wait, named := bridge.Wait(n.fault("", err))
	if !named || errors.Is(err, bridge.ErrSpaced) {
		return
	}
	n.Painted("paused")
	until := n.Now().Add(wait)
	key := string(s.turn)
	if look := (lookError{}); errors.As(err, &look) {
		key = "look " + at.home
	}
	n.throttle.pause(key, until)
	// Others, and whoever comes after this process, heed it as well.
	if err := bridge.Change(ctx, n.Table, keyPause+bridge.Digest(key), func(have *time.Time) bool {
		if !until.After(*have) {
			return false
		}
		*have = until.UTC()
		return true
	}); err != nil {
		n.Log.Warn("slack has asked for a pause, which only this process heeds", zap.Error(err))
	}
}

// heed is how long another process was asked to wait with what is to be done.
func (n *Notifier) heed(ctx context.Context, key string) time.Duration {
	var until time.Time
	if err := n.read(ctx, keyPause+bridge.Digest(key), &until); err != nil {
		return busyFor
	}
	n.throttle.pause(key, until)
	return until.Sub(n.Now())
}
