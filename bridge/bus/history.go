package bus

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// Event reads one event again, by its sequence in the stream; ok is false when it is no longer there.
// Who reads several at once, or large ones often, uses [Bus.WithEvent].
func (b *Bus) Event(ctx context.Context, sequence uint64) (e bridge.Event, ok bool, err error) {
	ok, err = b.WithEvent(ctx, sequence, func(read bridge.Event) { e = read })
	return e, ok, err
}

// WithEvent calls use with an event that is read again, by its sequence in the stream; found is false when
// it is no longer there. A large event waits for its share of memory, as in [Bus.ConsumeEvents], and
// holds it until use has returned; use must not read another.
func (b *Bus) WithEvent(ctx context.Context, sequence uint64, use func(e bridge.Event)) (found bool, err error) {
	s, err := b.js.Stream(ctx, eventStream)
	if err != nil {
		return false, fmt.Errorf("stream %s: %w", eventStream, err)
	}
	m, err := readOnce(ctx, s, sequence, b.patience())
	if m == nil {
		return false, err
	}
	e, release, err := b.receive(ctx, m.Header, m.Data)
	if err != nil {
		return false, err
	}
	defer release()
	use(e)
	return true, nil
}

func isNotFound(err error) bool {
	var api jetstream.JetStreamError
	return errors.As(err, &api) && api.APIError() != nil && api.APIError().ErrorCode == jetstream.JSErrCodeMessageNotFound
}

// A Lag is how much waits in the event stream.
type Lag struct {
	Pending  uint64 // not yet handed to any consumer
	InFlight int    // handed out and not acknowledged, or waiting for a retry
	Messages uint64 // all that the stream holds
	Bytes    uint64
}

// Lag asks the server how much waits.
func (b *Bus) Lag(ctx context.Context) (Lag, error) {
	stream, consumer, err := b.state(ctx)
	if err != nil {
		return Lag{}, err
	}
	return Lag{consumer.NumPending, consumer.NumAckPending, stream.State.Msgs, stream.State.Bytes}, nil
}

func (b *Bus) state(ctx context.Context) (*jetstream.StreamInfo, *jetstream.ConsumerInfo, error) {
	c, err := b.js.Consumer(ctx, eventStream, dispatchConsumer)
	if err != nil {
		return nil, nil, fmt.Errorf("consumer dispatch: %w", err)
	}
	s, err := b.js.Stream(ctx, eventStream)
	if err != nil {
		return nil, nil, fmt.Errorf("stream %s: %w", eventStream, err)
	}
	return s.CachedInfo(), c.CachedInfo(), nil
}

// EventsSince calls each with every event that was stored at or after a time, the oldest first, until
// each returns false or all that stood there at the call were seen. A message that is no CloudEvent is
// left out.
func (b *Bus) EventsSince(ctx context.Context, since time.Time, each func(sequence uint64, stored time.Time, e bridge.Event) bool) error {
	s, err := b.js.Stream(ctx, eventStream)
	if err != nil {
		return fmt.Errorf("stream %s: %w", eventStream, err)
	}
	last := s.CachedInfo().State.LastSeq
	c, err := s.OrderedConsumer(ctx, jetstream.OrderedConsumerConfig{
		DeliverPolicy: jetstream.DeliverByStartTimePolicy, OptStartTime: &since,
	})
	if err != nil {
		return fmt.Errorf("read events: %w", err)
	}
	defer func() { _ = s.DeleteConsumer(context.WithoutCancel(ctx), c.CachedInfo().Name) }()
	for ctx.Err() == nil {
		batch, err := c.FetchNoWait(eventsAtOnce)
		if err != nil {
			return fmt.Errorf("read events: %w", err)
		}
		received := 0
		for m := range batch.Messages() {
			received++
			meta, err := m.Metadata()
			if err != nil || meta.Sequence.Stream > last {
				return err
			}
			e, err := b.decode(ctx, unseal(m.Headers(), m.Data()))
			if bridge.IsPermanent(err) {
				continue
			}
			if err != nil {
				return err
			}
			if !each(meta.Sequence.Stream, meta.Timestamp, e) {
				return nil
			}
		}
		if err := batch.Error(); err != nil {
			return fmt.Errorf("read events: %w", err)
		}
		if received == 0 {
			return nil
		}
	}
	return ctx.Err()
}

// eventsAtOnce bounds the events in memory while the past is read.
const eventsAtOnce = 32
