package bus

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"
)

// What is done with may fill a stream up to trimAbove of its size; then the oldest are removed down to
// trimTo, so that only what still waits can fill the bus.
const (
	trimEvery  = 5 * time.Second
	sweepEvery = time.Minute
	trimAbove  = 0.8
	trimTo     = 0.6
	// trimAtOnce bounds the messages that are removed one by one, around events that wait.
	trimAtOnce = 2000
)

// Trim removes what is done with when it is too old or a stream is nearly full, until ctx ends: events
// that are acknowledged and do not wait, by their sequences, payloads that no event names, and the oldest
// records. One process at a time does it.
func (b *Bus) Trim(ctx context.Context, waiting func() (ascending []uint64, known bool)) error {
	t := &trimmer{Bus: b}
	tick, sweep := time.NewTicker(trimEvery), time.NewTicker(sweepEvery)
	defer tick.Stop()
	defer sweep.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-sweep.C:
			if kept, known := waiting(); known {
				if err := b.SweepPayloads(ctx, kept); err != nil && ctx.Err() == nil {
					b.log.Warn("sweep the payloads", zap.Error(err))
				}
			}
		case <-tick.C:
			err := b.trimRecords(ctx)
			if kept, known := waiting(); known {
				err = errors.Join(err, t.trimEvents(ctx, kept))
			}
			if err != nil && ctx.Err() == nil {
				b.log.Warn("trim the streams", zap.Error(err))
			}
		}
	}
}

// A trimmer remembers how far it has removed events one by one.
type trimmer struct {
	*Bus
	cleared uint64 // before it nothing is left but what waited
}

func (b *trimmer) trimEvents(ctx context.Context, waiting []uint64) error {
	info, consumer, err := b.state(ctx)
	if errors.Is(err, jetstream.ErrConsumerNotFound) {
		return nil // nothing was ever consumed, so that nothing is finished
	}
	if err != nil {
		return err
	}
	s, err := b.js.Stream(ctx, eventStream)
	if err != nil {
		return err
	}
	old, err := b.firstSince(ctx, s, info.State, time.Now().Add(-b.config.MaxAge))
	if err != nil {
		return err
	}
	upTo := max(old, surplus(info.State, b.config.MaxBytes))
	// Everything up to the consumer's floor is acknowledged; nothing beyond it may go.
	if upTo = min(upTo, consumer.AckFloor.Stream+1); upTo <= info.State.FirstSeq {
		return nil
	}
	return b.removeEvents(ctx, s, info.State, upTo, waiting)
}

// removeEvents removes all events before upTo but those that wait.
func (b *trimmer) removeEvents(ctx context.Context, s jetstream.Stream, state jetstream.StreamState, upTo uint64, waiting []uint64) error {
	first := upTo
	if len(waiting) > 0 {
		first = min(first, waiting[0])
	}
	if first > state.FirstSeq {
		if err := s.Purge(ctx, jetstream.WithPurgeSequence(first)); err != nil {
			return fmt.Errorf("purge events: %w", err)
		}
	}
	removed := 0
	for sequence := max(first, b.cleared); sequence < upTo && removed < trimAtOnce; sequence++ {
		b.cleared = sequence
		if _, waits := slices.BinarySearch(waiting, sequence); waits {
			continue
		}
		switch err := s.DeleteMsg(ctx, sequence); {
		case err == nil:
			removed++
		case !isNotFound(err) && !errors.Is(err, jetstream.ErrMsgDeleteUnsuccessful):
			return fmt.Errorf("remove event %d: %w", sequence, err)
		}
	}
	b.log.Info("removed finished events that were old, or in the way of new ones",
		zap.Uint64("before", upTo), zap.Int("waiting", len(waiting)), zap.Uint64("bytes", state.Bytes))
	return nil
}

// surplus is the sequence before which messages have to go for a stream to be down to trimTo, or 0.
func surplus(state jetstream.StreamState, maxBytes int64) uint64 {
	limit := float64(maxBytes)
	if float64(state.Bytes) < trimAbove*limit || state.Msgs == 0 {
		return 0
	}
	part := (float64(state.Bytes) - trimTo*limit) / float64(state.Bytes)
	return state.FirstSeq + uint64(part*float64(state.LastSeq-state.FirstSeq+1))
}

// firstSince is the sequence of the first message that is not older than a time, or 0 when none is older.
func (b *Bus) firstSince(ctx context.Context, s jetstream.Stream, state jetstream.StreamState, since time.Time) (uint64, error) {
	if state.Msgs == 0 || !state.FirstTime.Before(since) {
		return 0, nil
	}
	c, err := s.OrderedConsumer(ctx, jetstream.OrderedConsumerConfig{
		DeliverPolicy: jetstream.DeliverByStartTimePolicy, OptStartTime: &since, HeadersOnly: true,
	})
	if err != nil {
		return 0, fmt.Errorf("look for events since %s: %w", since, err)
	}
	defer func() { _ = s.DeleteConsumer(context.WithoutCancel(ctx), c.CachedInfo().Name) }()
	batch, err := c.FetchNoWait(1)
	if err != nil {
		return 0, fmt.Errorf("look for events since %s: %w", since, err)
	}
	m, ok := <-batch.Messages()
	if !ok {
		return state.LastSeq + 1, batch.Error()
	}
	meta, err := m.Metadata()
	if err != nil {
		return 0, err
	}
	return meta.Sequence.Stream, nil
}

// trimRecords keeps the buckets whose entries age from filling up: the oldest entries go before their time.
func (b *Bus) trimRecords(ctx context.Context) error {
	var errs []error
	for _, planned := range b.planned() {
		if planned.MaxAge == 0 || !strings.HasPrefix(planned.Name, bucketStream) {
			continue
		}
		errs = append(errs, b.trimBucket(ctx, planned))
	}
	return errors.Join(errs...)
}

func (b *Bus) trimBucket(ctx context.Context, planned jetstream.StreamConfig) error {
	s, err := b.js.Stream(ctx, planned.Name)
	if err != nil {
		return fmt.Errorf("stream %s: %w", planned.Name, err)
	}
	state := s.CachedInfo().State
	upTo := surplus(state, planned.MaxBytes)
	if upTo <= state.FirstSeq {
		return nil
	}
	if err := s.Purge(ctx, jetstream.WithPurgeSequence(upTo)); err != nil {
		return fmt.Errorf("purge %s: %w", planned.Name, err)
	}
	b.log.Warn("a table was nearly full, removed its oldest entries before their time: raise bus.maxBytes",
		zap.String("stream", planned.Name), zap.Uint64("bytes", state.Bytes), zap.Time("oldest", state.FirstTime))
	return nil
}
