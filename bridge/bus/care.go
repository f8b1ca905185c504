package bus

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"
)

// careEvery is how often the streams are looked after.
const careEvery = 5 * time.Second

// Care looks after the streams and buckets until ctx ends: one that somebody has deleted is made anew,
// one whose settings somebody has changed is put right. Both are logged and counted, see Repairs.
// Consumers are made anew by whoever consumes.
func (b *Bus) Care(ctx context.Context) error {
	tick := time.NewTicker(careEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			if err := b.care(ctx); err != nil && ctx.Err() == nil {
				b.log.Warn("look after the streams", zap.Error(err))
			}
		}
	}
}

// Repairs counts the streams, buckets and consumers that had to be made anew or put right.
func (b *Bus) Repairs() int64 { return b.repairs.Load() }

func (b *Bus) care(ctx context.Context) error {
	var errs []error
	for _, want := range b.planned() {
		errs = append(errs, b.repair(ctx, want))
	}
	return errors.Join(errs...)
}

func (b *Bus) planned() []jetstream.StreamConfig {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.plan)
}

func (b *Bus) repair(ctx context.Context, want jetstream.StreamConfig) error {
	asked, cancel := context.WithTimeout(ctx, apiTimeout)
	defer cancel()
	s, err := b.js.Stream(asked, want.Name)
	what := "a stream was missing, made it anew: what stood in it is lost"
	switch {
	case err == nil && asPlanned(s.CachedInfo().Config, want):
		return nil
	case err == nil:
		what = "the settings of a stream were changed, put them right"
	case !errors.Is(err, jetstream.ErrStreamNotFound):
		return fmt.Errorf("stream %s: %w", want.Name, err)
	}
	missing := err != nil
	if err := b.ensureStream(ctx, want); err != nil {
		return err
	}
	b.repairs.Add(1)
	b.log.Error(what, zap.String("stream", want.Name))
	if missing {
		b.madeAnew(want.Name)
	}
	return nil
}

// asPlanned compares the settings that matter; the server adds others.
func asPlanned(have, want jetstream.StreamConfig) bool {
	return slices.Equal(have.Subjects, want.Subjects) && have.Retention == want.Retention && have.Discard == want.Discard &&
		have.MaxBytes == want.MaxBytes && have.MaxAge == want.MaxAge && max(have.MaxMsgsPerSubject, 0) == max(want.MaxMsgsPerSubject, 0) &&
		have.Replicas == want.Replicas && have.Duplicates == want.Duplicates && have.AllowDirect == want.AllowDirect
}

// ensureStreams makes what is missing, and applies the settings to what exists.
func (b *Bus) ensureStreams(ctx context.Context) error {
	for _, s := range b.planned() {
		if err := b.ensureStream(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

// ensureStream never takes a message from a stream: all of them discard new messages, so that one that
// is larger than its new bound keeps what it holds and refuses more until it has shrunk.
//
// It looks before it asks, and again when it got no answer: of several bridges that start at once the cluster
// answers one.
func (b *Bus) ensureStream(ctx context.Context, s jetstream.StreamConfig) error {
	if b.inPlace(ctx, s) {
		return nil
	}
	if b.External() {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(rand.N(startSpread)):
		}
		if b.inPlace(ctx, s) {
			return nil
		}
	}
	asked, cancel := context.WithTimeout(ctx, apiTimeout)
	defer cancel()
	if _, err := b.js.CreateOrUpdateStream(asked, s); err != nil && !b.inPlace(ctx, s) {
		return fmt.Errorf("stream %s: %w", s.Name, err)
	}
	return nil
}

// startSpread is the time over which bridges that start at once ask for the same stream.
const startSpread = 500 * time.Millisecond

func (b *Bus) inPlace(ctx context.Context, s jetstream.StreamConfig) bool {
	ctx, cancel := context.WithTimeout(ctx, apiTimeout)
	defer cancel()
	have, err := b.js.Stream(ctx, s.Name)
	return err == nil && asPlanned(have.CachedInfo().Config, s)
}

// ensurePlanned makes one stream of the plan if it is missing, and leaves it alone otherwise.
func (b *Bus) ensurePlanned(ctx context.Context, name string) error {
	for _, s := range b.planned() {
		if s.Name == name {
			return b.repair(ctx, s)
		}
	}
	return fmt.Errorf("stream %s is not planned", name)
}

// madeAnew tells those who follow a bucket that it is another one now.
func (b *Bus) madeAnew(stream string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, bucket := range b.buckets {
		if bucketStream+bucket.name == stream {
			close(bucket.anew)
			bucket.anew = make(chan struct{})
		}
	}
}
