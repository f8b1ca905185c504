package bus

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// Events that are done with may fill the event stream up to trimAbove of its size; then the oldest
// are removed down to trimTo, so that only events that still wait can fill the bus.
const (
	trimEvery = 5 * time.Second
	trimAbove = 0.8
	trimTo    = 0.6
)

// Event reads one event again, by its sequence in the stream; ok is false when it has aged out.
func (b *Bus) Event(ctx context.Context, sequence uint64) (e bridge.Event, ok bool, err error) {
	s, err := b.js.Stream(ctx, eventStream)
	if err != nil {
		return bridge.Event{}, false, fmt.Errorf("stream %s: %w", eventStream, err)
	}
	m, err := s.GetMsg(ctx, sequence)
	if err != nil {
		if isNotFound(err) {
			return bridge.Event{}, false, nil
		}
		return bridge.Event{}, false, fmt.Errorf("read event %d: %w", sequence, err)
	}
	e, err = b.decode(ctx, unseal(m.Header, m.Data))
	return e, err == nil, err
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
	c, err := b.js.Consumer(ctx, eventStream, "dispatch")
	if err != nil {
		return nil, nil, fmt.Errorf("consumer dispatch: %w", err)
	}
	s, err := b.js.Stream(ctx, eventStream)
	if err != nil {
		return nil, nil, fmt.Errorf("stream %s: %w", eventStream, err)
	}
	return s.CachedInfo(), c.CachedInfo(), nil
}

// Trim removes finished events when the stream is nearly full, until ctx ends.
func (b *Bus) Trim(ctx context.Context) error {
	tick := time.NewTicker(trimEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			if err := b.trim(ctx); err != nil && ctx.Err() == nil {
				b.log.Warn("trim the event stream", zap.Error(err))
			}
		}
	}
}

func (b *Bus) trim(ctx context.Context) error {
	stream, consumer, err := b.state(ctx)
	if errors.Is(err, jetstream.ErrConsumerNotFound) {
		return nil // nothing was ever consumed, so that nothing is finished
	}
	if err != nil {
		return err
	}
	state, limit := stream.State, float64(b.config.MaxBytes)
	if float64(state.Bytes) < trimAbove*limit || state.Msgs == 0 {
		return nil
	}
	surplus := (float64(state.Bytes) - trimTo*limit) / float64(state.Bytes) * float64(state.Msgs)
	// Everything up to the consumer's floor is acknowledged; nothing beyond it may go.
	upTo := min(state.FirstSeq+uint64(surplus), consumer.AckFloor.Stream+1)
	if upTo <= state.FirstSeq {
		return nil
	}
	s, err := b.js.Stream(ctx, eventStream)
	if err != nil {
		return err
	}
	if err := s.Purge(ctx, jetstream.WithPurgeSequence(upTo)); err != nil {
		return err
	}
	b.log.Info("the event stream was nearly full: removed the oldest finished events",
		zap.Uint64("first_kept", upTo), zap.Uint64("bytes", state.Bytes))
	return nil
}
