package bus

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// headersAtOnce is how many messages are looked at in one answer.
const headersAtOnce = 256

// Unsettled finds an event by its hash among those that were handed to a consumer and are not acknowledged: the
// handling of one that has no record yet goes on, or was cut off. It looks at headers alone, so that it knows
// no event in the structured mode.
func (b *Bus) Unsettled(ctx context.Context, hash string) (sequence uint64, ok bool, err error) {
	stream, err := b.js.Stream(ctx, eventStream)
	if err != nil {
		return 0, false, fmt.Errorf("stream %s: %w", eventStream, err)
	}
	dispatch, err := stream.Consumer(ctx, dispatchConsumer)
	if errors.Is(err, jetstream.ErrConsumerNotFound) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, fmt.Errorf("consumer dispatch: %w", err)
	}
	state := dispatch.CachedInfo()
	if state.AckFloor.Stream >= state.Delivered.Stream {
		return 0, false, nil
	}
	c, err := stream.OrderedConsumer(ctx, jetstream.OrderedConsumerConfig{
		DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: state.AckFloor.Stream + 1, HeadersOnly: true,
	})
	if err != nil {
		return 0, false, fmt.Errorf("read events: %w", err)
	}
	defer func() { _ = stream.DeleteConsumer(context.WithoutCancel(ctx), c.CachedInfo().Name) }()
	return search(ctx, c, hash, state.Delivered.Stream)
}

// search reads headers up to a sequence.
func search(ctx context.Context, c jetstream.Consumer, hash string, last uint64) (sequence uint64, ok bool, err error) {
	for ctx.Err() == nil {
		batch, err := c.FetchNoWait(headersAtOnce)
		if err != nil {
			return 0, false, fmt.Errorf("read events: %w", err)
		}
		received := 0
		for m := range batch.Messages() {
			received++
			meta, err := m.Metadata()
			if err != nil || meta.Sequence.Stream > last {
				return 0, false, err
			}
			attributes := unseal(m.Headers(), nil).attributes
			if (bridge.Event{ID: attributes["id"], Source: attributes["source"]}).Hash() == hash {
				return meta.Sequence.Stream, true, nil
			}
		}
		if err := batch.Error(); err != nil {
			return 0, false, fmt.Errorf("read events: %w", err)
		}
		if received == 0 {
			return 0, false, nil
		}
	}
	return 0, false, ctx.Err()
}
