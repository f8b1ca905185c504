package bus

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/nats-io/nats.go/jetstream"
)

// backwardStep is about how many messages are read at once on the way back.
const backwardStep = 512

// Backward calls each with the entries of the bucket, the one that was written last first, until each
// returns false or all were seen. What is written meanwhile may be missed.
func (b *Bucket) Backward(ctx context.Context, each func(Entry) bool) error {
	s, err := b.bus.js.Stream(ctx, bucketStream+b.name)
	if err != nil {
		return fmt.Errorf("read bucket %s: %w", b.name, err)
	}
	state := s.CachedInfo().State
	if state.Msgs == 0 {
		return nil
	}
	// Most sequences of a busy bucket are gone, since a key keeps its last value alone.
	width := max(backwardStep, backwardStep*(state.LastSeq-state.FirstSeq+1)/state.Msgs)
	for last := state.LastSeq; last >= state.FirstSeq && last > 0; {
		first := max(state.FirstSeq, last-min(last, width)+1)
		entries, err := b.between(ctx, s, first, last)
		if err != nil {
			return fmt.Errorf("read bucket %s: %w", b.name, err)
		}
		for _, e := range slices.Backward(entries) {
			if !each(e) {
				return nil
			}
		}
		last = first - 1
	}
	return nil
}

// between returns the entries from one sequence to another.
func (b *Bucket) between(ctx context.Context, s jetstream.Stream, first, last uint64) (entries []Entry, err error) {
	c, err := s.OrderedConsumer(ctx, jetstream.OrderedConsumerConfig{
		DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: first,
	})
	if err != nil {
		return nil, err
	}
	defer func() { _ = s.DeleteConsumer(context.WithoutCancel(ctx), c.CachedInfo().Name) }()
	for {
		batch, err := c.FetchNoWait(backwardStep)
		if err != nil {
			return nil, err
		}
		received, past := 0, false
		for m := range batch.Messages() {
			received++
			e, sequence := b.entry(m)
			if past = past || sequence > last; !past && !e.Deleted {
				entries = append(entries, e)
			}
		}
		if err := batch.Error(); err != nil {
			return nil, err
		}
		if past || received == 0 {
			return entries, ctx.Err()
		}
	}
}

func (b *Bucket) entry(m jetstream.Msg) (e Entry, sequence uint64) {
	e = Entry{Key: strings.TrimPrefix(m.Subject(), "$KV."+bucketPrefix+b.name+"."), Value: m.Data()}
	if meta, err := m.Metadata(); err == nil {
		e.Revision, e.Written = meta.Sequence.Stream, meta.Timestamp
	}
	e.Deleted = m.Headers().Get("KV-Operation") != "" || m.Headers().Get("Nats-Marker-Reason") != ""
	return e, e.Revision
}
