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

// Last is the revision of the bucket's last change, of whichever key.
func (b *Bucket) Last(ctx context.Context) (revision uint64, err error) {
	s, err := b.bus.js.Stream(ctx, bucketStream+b.name)
	if err != nil {
		return 0, fmt.Errorf("bucket %s: %w", b.name, err)
	}
	return s.CachedInfo().State.LastSeq, nil
}

func entryOf(e jetstream.KeyValueEntry) Entry {
	return Entry{
		Key: e.Key(), Value: e.Value(), Revision: e.Revision(), Written: e.Created(),
		Deleted: e.Operation() != jetstream.KeyValuePut,
	}
}
