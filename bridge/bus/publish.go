package bus

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"

	"github.com/argo-bridge/argo-bridge/bridge"
)

var _ bridge.Publisher = (*Bus)(nil)

// Publish stores the event. It is bridge.Publisher: nil after the server's acknowledgement only. An
// event whose Source and ID were published within the last ten minutes is not stored again. The error
// is permanent when the event is larger than the bus can carry. Large data is compressed, and above
// inlineMax stored as an object before the event.
func (b *Bus) Publish(ctx context.Context, e bridge.Event) error {
	began := time.Now()
	if strings.HasPrefix(e.Extensions[dataref], claimScheme) {
		return bridge.Permanent(fmt.Errorf("publish: the attribute dataref names an object of the bridge's own: %s", e.Extensions[dataref]))
	}
	m := encode(e)
	if err := b.attach(ctx, m, e); err != nil {
		return err
	}
	if err := b.publish(ctx, m); err != nil {
		return err
	}
	if entry := b.log.Check(zap.DebugLevel, "event stored"); entry != nil {
		entry.Write(zap.String(bridge.LogEventID, e.ID), zap.String(bridge.LogSource, e.Source),
			zap.String(bridge.LogEventType, e.Type), zap.String(bridge.LogSubject, e.Subject),
			zap.Duration(bridge.LogTook, time.Since(began)))
	}
	return nil
}

func (b *Bus) publish(ctx context.Context, m *nats.Msg) error {
	_, err := b.js.PublishMsg(ctx, m)
	if errors.Is(err, nats.ErrMaxPayload) || errors.Is(err, jetstream.ErrStreamMessageExceedsMaximum) {
		return bridge.Permanent(fmt.Errorf("publish: %d bytes are more than the bus takes: %w", len(m.Data), err))
	}
	if err != nil {
		return fmt.Errorf("publish: %w", err)
	}
	return nil
}
