package bus

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// ErrConflict says that a key exists already (Create), or has changed since it was read (Update).
var ErrConflict = errors.New("key has changed")

// A Bucket is a small key-value table on the bus. Keys may hold letters, digits, and any of -_=/, and
// dots between tokens, of which List can select some.
type Bucket struct {
	bus  *Bus
	name string
	kv   jetstream.KeyValue
	ttl  time.Duration
	anew chan struct{} // closed when the bucket was lost and made anew; guarded by bus.mu
}

// An Entry is one value of a bucket.
type Entry struct {
	Key      string
	Value    []byte
	Revision uint64
	Written  time.Time
	// Deleted entries come from Follow alone, and have no value.
	Deleted bool
}

// Bucket opens, and if need be creates, the bucket of that name (capital letters). Its entries are
// kept for ttl, or for ever when ttl is 0.
func (b *Bus) Bucket(ctx context.Context, name string, ttl time.Duration) (*Bucket, error) {
	b.mu.Lock()
	bucket, known := b.buckets[name]
	b.mu.Unlock()
	if known {
		return bucket, nil
	}
	config := bucketConfig(b.config, name, ttl)
	var kv jetstream.KeyValue
	err := b.patiently(ctx, func() error {
		if !b.attached {
			if err := b.ensureStream(ctx, config); err != nil {
				return err
			}
		}
		var err error
		kv, err = b.js.KeyValue(ctx, bucketPrefix+name)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("bucket %s: %w", name, err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.plan = append(b.plan, config)
	b.buckets[name] = &Bucket{bus: b, name: name, kv: kv, ttl: ttl, anew: make(chan struct{})}
	return b.buckets[name], nil
}

// Get returns the value of key; ok is false when there is none.
func (b *Bucket) Get(ctx context.Context, key string) (e Entry, ok bool, err error) {
	v, err := b.kv.Get(ctx, key)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return Entry{}, false, nil
	}
	if err != nil {
		return Entry{}, false, fmt.Errorf("get %s: %w", key, err)
	}
	return entryOf(v), true, nil
}

// Put sets key, whatever it held.
func (b *Bucket) Put(ctx context.Context, key string, value []byte) error {
	if _, err := b.kv.Put(ctx, key, value); err != nil {
		return fmt.Errorf("put %s: %w", key, err)
	}
	return nil
}

// Update sets key if its revision is still the given one, 0 for a key that must not exist; otherwise
// the error is ErrConflict.
func (b *Bucket) Update(ctx context.Context, key string, value []byte, revision uint64) error {
	var err error
	if revision == 0 {
		_, err = b.kv.Create(ctx, key, value)
	} else {
		_, err = b.kv.Update(ctx, key, value, revision)
	}
	if errors.Is(err, jetstream.ErrKeyExists) {
		return fmt.Errorf("update %s: %w", key, ErrConflict)
	}
	if err != nil {
		return fmt.Errorf("update %s: %w", key, err)
	}
	return nil
}

// Delete removes key; it is no error when there is none.
func (b *Bucket) Delete(ctx context.Context, key string) error {
	var options []jetstream.KVDeleteOpt
	if b.ttl == 0 {
		options = append(options, jetstream.PurgeTTL(markerTTL))
	}
	if err := b.kv.Purge(ctx, key, options...); err != nil {
		return fmt.Errorf("delete %s: %w", key, err)
	}
	return nil
}

// List returns the entries whose keys fit the filter, in the order of their last writing. In a filter *
// stands for one token and > for all that follow.
func (b *Bucket) List(ctx context.Context, filter string) ([]Entry, error) {
	w, err := b.kv.Watch(ctx, filter, jetstream.IgnoreDeletes())
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", filter, err)
	}
	defer func() { _ = w.Stop() }()
	var found []Entry
	for {
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("list %s: %w", filter, ctx.Err())
		case v, ok := <-w.Updates():
			if !ok {
				return nil, fmt.Errorf("list %s: the subscription has ended", filter)
			}
			if v == nil {
				return found, nil
			}
			found = append(found, entryOf(v))
		}
	}
}

// A Followed says what Follow reports.
type Followed struct {
	// New leaves out what the bucket holds at the start.
	New bool
	// Deletes reports deleted keys as well.
	Deletes bool
}

// Follow calls seen with every entry that the bucket holds and then with every change, until ctx
// ends. loaded is called once, after the last entry that stood there at the start. It returns an error
// when the bucket cannot be followed any more, or was lost and made anew: then begin again.
func (b *Bucket) Follow(ctx context.Context, f Followed, seen func(Entry), loaded func()) error {
	b.bus.mu.Lock()
	anew := b.anew
	b.bus.mu.Unlock()
	var options []jetstream.WatchOpt
	if !f.Deletes {
		options = append(options, jetstream.IgnoreDeletes())
	}
	if f.New {
		options = append(options, jetstream.UpdatesOnly())
	}
	w, err := b.kv.WatchAll(ctx, options...)
	if err != nil {
		return fmt.Errorf("follow bucket %s: %w", b.name, err)
	}
	defer func() { _ = w.Stop() }()
	if f.New {
		loaded()
	}
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-anew:
			return fmt.Errorf("follow bucket %s: it was made anew", b.name)
		case e, ok := <-w.Updates():
			switch {
			case !ok:
				return fmt.Errorf("follow bucket %s: the subscription has ended", b.name)
			case e == nil:
				loaded()
			default:
				seen(entryOf(e))
			}
		}
	}
}

func entryOf(e jetstream.KeyValueEntry) Entry {
	return Entry{
		Key: e.Key(), Value: e.Value(), Revision: e.Revision(), Written: e.Created(),
		Deleted: e.Operation() != jetstream.KeyValuePut,
	}
}
