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

// A Bucket is a small key-value table on the bus. Keys may hold letters, digits, and any of -_=./ .
type Bucket struct {
	kv jetstream.KeyValue
}

// An Entry is one value of a bucket.
type Entry struct {
	Key      string
	Value    []byte
	Revision uint64
}

// Bucket opens, and if need be creates, the bucket of that name (capital letters). Its entries are
// kept for ttl, or for ever when ttl is 0.
func (b *Bus) Bucket(ctx context.Context, name string, ttl time.Duration) (*Bucket, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if bucket, ok := b.buckets[name]; ok {
		return bucket, nil
	}
	kv, err := b.js.CreateOrUpdateKeyValue(ctx, jetstream.KeyValueConfig{
		Bucket:   bucketPrefix + name,
		TTL:      ttl,
		Storage:  jetstream.FileStorage,
		Replicas: b.config.Replicas,
		MaxBytes: b.config.MaxBytes / bucketPart,
	})
	if err != nil {
		return nil, fmt.Errorf("bucket %s: %w", name, err)
	}
	b.buckets[name] = &Bucket{kv}
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
	return Entry{key, v.Value(), v.Revision()}, true, nil
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

// Follow calls seen with every entry that the bucket holds and then with every change, until ctx
// ends; with keysOnly the values are left out. loaded is called once, after the last entry that
// stood there at the start. Deleted keys are not reported.
func (b *Bucket) Follow(ctx context.Context, keysOnly bool, seen func(Entry), loaded func()) error {
	options := []jetstream.WatchOpt{jetstream.IgnoreDeletes()}
	if keysOnly {
		options = append(options, jetstream.MetaOnly())
	}
	w, err := b.kv.WatchAll(ctx, options...)
	if err != nil {
		return fmt.Errorf("follow bucket: %w", err)
	}
	defer func() { _ = w.Stop() }()
	for {
		select {
		case <-ctx.Done():
			return nil
		case e, ok := <-w.Updates():
			switch {
			case !ok:
				return errors.New("follow bucket: the subscription has ended")
			case e == nil:
				loaded()
			default:
				seen(Entry{e.Key(), e.Value(), e.Revision()})
			}
		}
	}
}
