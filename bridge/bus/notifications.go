package bus

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// A NotificationHandler delivers one notification; its error means the same as an EventHandler's.
type NotificationHandler func(ctx context.Context, n bridge.Notification, d Delivery) error

// Enqueue stores a notification to be delivered. One with the same key that was stored within the
// last ten minutes is not stored again.
func (b *Bus) Enqueue(ctx context.Context, n bridge.Notification) error {
	data, err := json.Marshal(n)
	if err != nil {
		return bridge.Permanent(fmt.Errorf("encode notification %s: %w", n.Key, err))
	}
	return b.publish(ctx, &nats.Msg{
		Subject: notifySubject,
		Header:  nats.Header{nats.MsgIdHdr: {n.Key}},
		Data:    data,
	})
}

// ConsumeNotifications hands every notification to handle until ctx ends, as ConsumeEvents does.
func (b *Bus) ConsumeNotifications(ctx context.Context, workers int, handle NotificationHandler) error {
	return b.consume(ctx, consumption{notifyStream, notifyConsumer, workers, maxPendingNotifications, ackWaitNotifications}, func(ctx context.Context, m jetstream.Msg, d Delivery) error {
		var n bridge.Notification
		if err := json.Unmarshal(m.Data(), &n); err != nil {
			b.log.Error("a message on the notification stream is no notification",
				zap.Uint64("sequence", d.Sequence), zap.Error(err))
			return bridge.Permanent(err)
		}
		return handle(ctx, n, d)
	})
}
