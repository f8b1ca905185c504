package bus

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// ownSubjects begin the subjects of the bridge and of NATS itself.
var ownSubjects = []string{"bridge.", "$", "_"}

// Announce publishes an event for others on a subject that is not the bridge's own, in binary mode, with its id as
// Nats-Msg-Id. nil: the stream that keeps the subject has stored it, or, where none does, the server has it; who does not
// subscribe then never sees it. The error is permanent when the event is larger than the server takes.
func (b *Bus) Announce(ctx context.Context, subject string, e bridge.Event) error {
	for _, prefix := range ownSubjects {
		if strings.HasPrefix(subject+".", prefix) {
			return bridge.Permanent(fmt.Errorf("%q is a subject of the bridge or of NATS itself", subject))
		}
	}
	ctx, cancel := context.WithTimeout(ctx, apiTimeout)
	defer cancel()
	m := encode(e)
	m.Subject, m.Data = subject, e.Data
	m.Header.Set(nats.MsgIdHdr, escape(e.ID))
	_, err := b.js.StreamNameBySubject(ctx, subject)
	switch {
	case err == nil:
		return b.publish(ctx, m)
	case !errors.Is(err, jetstream.ErrStreamNotFound):
		return fmt.Errorf("look for a stream of %s: %w", subject, err)
	}
	if err := b.conn.PublishMsg(m); errors.Is(err, nats.ErrMaxPayload) {
		return bridge.Permanent(fmt.Errorf("publish: %d bytes are more than the server takes: %w", len(m.Data), err))
	} else if err != nil {
		return fmt.Errorf("publish: %w", err)
	}
	if err := b.conn.FlushWithContext(ctx); err != nil {
		return fmt.Errorf("publish: %w", err)
	}
	return nil
}
