package bus

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"
)

// sweepAge is how old an object is at least before it may be removed. An event that is being published
// names an object that was stored or touched moments ago.
const sweepAge = 10 * time.Minute

// A sweeper remembers, between two sweeps, which event was the last to name each object.
type sweeper struct {
	mu      sync.Mutex
	scanned uint64            // sequence up to which the event stream has been read
	named   map[string]uint64 // object → sequence of its last event
}

// SweepPayloads removes the objects that no event names any more: those of events that have aged or
// were trimmed, and what publishing left that did not come to its end. It may run at any time and in
// several processes at once. It costs little when no object is stored, and otherwise reads the headers
// of the events that are new since the last sweep. waiting are the sequences of acknowledged events that
// wait for their turn, ascending.
func (b *Bus) SweepPayloads(ctx context.Context, waiting []uint64) error {
	b.payloads.sweeper.mu.Lock()
	defer b.payloads.sweeper.mu.Unlock()
	return b.sweep(ctx, sweepAge, waiting)
}

func (b *Bus) sweep(ctx context.Context, age time.Duration, waiting []uint64) error {
	stream, err := b.js.Stream(ctx, claimStream)
	if err != nil {
		return fmt.Errorf("sweep payloads: %w", err)
	}
	if stream.CachedInfo().State.Msgs == 0 {
		return nil
	}
	// By the server's clock, which has dated the objects.
	before := stream.CachedInfo().TimeStamp.Add(-age)
	objects, err := b.claims(ctx, stream)
	if err != nil {
		return fmt.Errorf("sweep payloads: list objects: %w", err)
	}
	if err := b.mark(ctx); err != nil {
		return fmt.Errorf("sweep payloads: read the event stream: %w", err)
	}
	garbage := b.payloads.sweeper.unnamed(objects, before)
	surplus, err := b.surplusClaims(ctx, stream, objects, waiting)
	if err != nil {
		return fmt.Errorf("sweep payloads: make room: %w", err)
	}
	if err := b.removeClaims(ctx, stream, append(garbage, surplus...)); err != nil {
		return fmt.Errorf("sweep payloads: %w", err)
	}
	return b.sweepChunks(ctx, stream, objects, before)
}

// claims are all objects, by the id of their chunks.
func (b *Bus) claims(ctx context.Context, stream jetstream.Stream) (map[string]claimObject, error) {
	objects := map[string]claimObject{}
	err := eachMessage(ctx, stream, jetstream.OrderedConsumerConfig{FilterSubjects: []string{metaSubject("") + ">"}}, func(m jetstream.Msg, meta *jetstream.MsgMetadata) {
		object, err := readClaim(&jetstream.RawStreamMsg{Subject: m.Subject(), Sequence: meta.Sequence.Stream, Data: m.Data(), Time: meta.Timestamp})
		if err == nil {
			objects[object.NUID] = object
		}
	})
	return objects, err
}

// mark reads which objects the events name that were stored since the last sweep, and forgets what
// only events named that are gone.
func (b *Bus) mark(ctx context.Context) error {
	stream, err := b.js.Stream(ctx, eventStream)
	if err != nil {
		return err
	}
	s, state := &b.payloads.sweeper, stream.CachedInfo().State
	if s.named == nil || state.LastSeq < s.scanned { // new, or the stream is another than before
		s.named, s.scanned = map[string]uint64{}, 0
	}
	if state.LastSeq > s.scanned && state.Msgs > 0 {
		err = eachMessage(ctx, stream, jetstream.OrderedConsumerConfig{
			HeadersOnly: true, DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: s.scanned + 1,
		}, func(m jetstream.Msg, meta *jetstream.MsgMetadata) {
			if name, ok := unseal(m.Headers(), nil).claim(); ok {
				s.named[name] = meta.Sequence.Stream
			}
			s.scanned = meta.Sequence.Stream
		})
	}
	if err != nil {
		return err
	}
	return s.forget(ctx, stream, state)
}

// forget drops the names whose last event is gone: before the first of the stream, or removed from between
// events that wait.
func (s *sweeper) forget(ctx context.Context, stream jetstream.Stream, state jetstream.StreamState) error {
	if state.NumDeleted > 0 {
		info, err := stream.Info(ctx, jetstream.WithDeletedDetails(true))
		if err != nil {
			return err
		}
		state = info.State
	}
	for name, sequence := range s.named {
		if removed(state, sequence) {
			delete(s.named, name)
		}
	}
	return nil
}

// unnamed are the objects, last touched before then, that no event names.
func (s *sweeper) unnamed(objects map[string]claimObject, before time.Time) []claimObject {
	var garbage []claimObject
	for _, object := range objects {
		if _, named := s.named[object.Name]; !named && object.ModTime.Before(before) {
			garbage = append(garbage, object)
		}
	}
	return garbage
}

// surplusClaims are the objects of the oldest finished events, if the store is so full that it needs room,
// as the event stream makes room. Such an event stays, but cannot be replayed.
func (b *Bus) surplusClaims(ctx context.Context, stream jetstream.Stream, objects map[string]claimObject, waiting []uint64) ([]claimObject, error) {
	limit, bytes := float64(claimBytes(b.config)), float64(stream.CachedInfo().State.Bytes)
	above := min(trimAbove*limit, limit-2*maxData) // so that two of the largest fit
	if bytes < above {
		return nil, nil
	}
	finished, err := b.Handled(ctx)
	if err != nil {
		return nil, err
	}
	var old []claimObject
	named := b.payloads.sweeper.named
	for _, object := range objects {
		sequence, ok := named[object.Name]
		if _, waits := slices.BinarySearch(waiting, sequence); ok && !waits && sequence <= finished {
			old = append(old, object)
		}
	}
	slices.SortFunc(old, func(x, y claimObject) int { return cmp.Compare(named[x.Name], named[y.Name]) })
	n := 0
	for ; n < len(old) && bytes > above*trimTo/trimAbove; n++ {
		bytes -= float64(old[n].Size)
	}
	return old[:n], nil
}

// Handled is the sequence up to which every event was handled and acknowledged.
func (b *Bus) Handled(ctx context.Context) (uint64, error) {
	_, consumer, err := b.state(ctx)
	if errors.Is(err, jetstream.ErrConsumerNotFound) {
		return 0, nil // nothing was ever consumed
	}
	if err != nil {
		return 0, err
	}
	return consumer.AckFloor.Stream, nil
}

func (b *Bus) removeClaims(ctx context.Context, stream jetstream.Stream, garbage []claimObject) error {
	removed := 0
	for _, object := range garbage {
		// The description goes first and by its sequence: if somebody has touched the object
		// meanwhile, it has another, and the object stays.
		err := stream.DeleteMsg(ctx, object.sequence)
		if errors.Is(err, jetstream.ErrMsgDeleteUnsuccessful) {
			continue
		}
		if err == nil {
			err = stream.Purge(ctx, jetstream.WithPurgeSubject(chunkSubject(object.NUID)))
		}
		if err != nil {
			return fmt.Errorf("remove object %s: %w", object.Name, err)
		}
		removed++
	}
	if removed > 0 {
		b.log.Info("removed payloads that no waiting event names", zap.Int("objects", removed))
	}
	return nil
}

// sweepChunks removes chunks of no object: an upload that was broken off, or that another of the same
// object overtook.
func (b *Bus) sweepChunks(ctx context.Context, stream jetstream.Stream, objects map[string]claimObject, before time.Time) error {
	info, err := stream.Info(ctx, jetstream.WithSubjectFilter(chunkSubject("*")))
	if err != nil {
		return fmt.Errorf("list chunks: %w", err)
	}
	for subject := range info.State.Subjects {
		if _, known := objects[strings.TrimPrefix(subject, chunkSubject(""))]; known {
			continue
		}
		last, err := stream.GetLastMsgForSubject(ctx, subject)
		if isNotFound(err) || (err == nil && last.Time.After(before)) {
			continue
		}
		if err == nil {
			err = stream.Purge(ctx, jetstream.WithPurgeSubject(subject))
		}
		if err != nil {
			return fmt.Errorf("remove chunks: %w", err)
		}
	}
	return nil
}

// eachMessage calls seen with every message that the stream holds now, in order. Nil means that none
// was left out.
func eachMessage(ctx context.Context, stream jetstream.Stream, c jetstream.OrderedConsumerConfig, seen func(jetstream.Msg, *jetstream.MsgMetadata)) error {
	consumer, err := stream.OrderedConsumer(ctx, c)
	if err != nil {
		return err
	}
	if consumer.CachedInfo().NumPending == 0 {
		return nil
	}
	messages, err := consumer.Messages()
	if err != nil {
		return err
	}
	defer messages.Stop()
	last := max(c.OptStartSeq, 1) - 1
	for {
		m, err := messages.Next(jetstream.NextMaxWait(2 * time.Second))
		if err != nil {
			// What was to come may have been removed since.
			info, infoErr := consumer.Info(ctx)
			if infoErr == nil && info.NumPending == 0 && info.Delivered.Stream <= last {
				return nil
			}
			return errors.Join(err, infoErr)
		}
		meta, err := m.Metadata()
		if err != nil {
			return err
		}
		seen(m, meta)
		if last = meta.Sequence.Stream; meta.NumPending == 0 {
			return nil
		}
	}
}
