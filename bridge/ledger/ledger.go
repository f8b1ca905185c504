// Package ledger keeps what became of each event and rule, for as long as the bus keeps records. It
// answers a redelivery that comes after the Workflow is gone, and it is where explain and replay look.
//
// Records live on the bus, one per event. Each process also holds an index of the keys that exist, so
// that the common question, whether an event is new, costs no round trip.
package ledger

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/bus"
)

// A Store is the table that the ledger writes to; *bus.Bucket is one.
type Store interface {
	Get(ctx context.Context, key string) (bus.Entry, bool, error)
	Put(ctx context.Context, key string, value []byte) error
	Follow(ctx context.Context, keysOnly bool, seen func(bus.Entry), loaded func()) error
}

// A Ledger is safe for concurrent use. Run must be running for its index to be used, and for Await.
type Ledger struct {
	store Store
	ttl   time.Duration
	log   *zap.Logger
	now   func() time.Time

	mu      sync.Mutex
	loaded  bool                // the index holds every key of the store
	index   map[uint64]int64    // a part of the key → Unix seconds when it was last written
	waiting map[string][]signal // who waits for a key
}

type signal chan struct{}

// New makes a ledger over store, whose entries live for ttl.
func New(store Store, ttl time.Duration, log *zap.Logger) *Ledger {
	return &Ledger{
		store: store, ttl: ttl, log: log, now: time.Now,
		index: map[uint64]int64{}, waiting: map[string][]signal{},
	}
}

// Lookup returns the record of an event; ok is false when there is none.
func (l *Ledger) Lookup(ctx context.Context, e bridge.Event) (r bridge.Record, ok bool, err error) {
	key := e.Hash()
	if l.isNew(key) {
		return bridge.Record{}, false, nil
	}
	return l.get(ctx, key)
}

// Find returns the record of the event with that hash (see bridge.Event.Hash).
func (l *Ledger) Find(ctx context.Context, hash string) (r bridge.Record, ok bool, err error) {
	return l.get(ctx, hash)
}

// Put writes the record of an event. It returns nil when the record is stored.
func (l *Ledger) Put(ctx context.Context, e bridge.Event, r bridge.Record) error {
	data, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("encode ledger record: %w", err)
	}
	key := e.Hash()
	// The index first: a lookup between the two finds nothing in the store, which is the truth.
	l.saw(key)
	if err := l.store.Put(ctx, key, data); err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	return nil
}

// Await returns the record of an event once all its rules are settled, by whichever process. It
// returns what is there so far, and ctx's error, when ctx ends before.
func (l *Ledger) Await(ctx context.Context, e bridge.Event) (bridge.Record, error) {
	key := e.Hash()
	changed := l.wait(key)
	defer l.leave(key, changed)
	for {
		r, _, err := l.get(ctx, key)
		if err == nil && r.Done {
			return r, nil
		}
		select {
		case <-ctx.Done():
			return r, ctx.Err()
		case <-changed:
		}
	}
}

// Run follows the store until ctx ends.
func (l *Ledger) Run(ctx context.Context) error {
	var sweeper sync.WaitGroup
	sweeper.Go(func() { l.forgetOld(ctx) })
	defer sweeper.Wait()
	for ctx.Err() == nil {
		if err := l.store.Follow(ctx, true, func(e bus.Entry) { l.saw(e.Key) }, l.setLoaded); err != nil {
			l.log.Warn("the ledger's index is interrupted; asking the store until it is back", zap.Error(err))
		}
		l.mu.Lock()
		l.loaded = false
		l.mu.Unlock()
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
	return nil
}

func (l *Ledger) get(ctx context.Context, key string) (r bridge.Record, ok bool, err error) {
	entry, ok, err := l.store.Get(ctx, key)
	if err != nil || !ok {
		return r, false, err
	}
	if err := json.Unmarshal(entry.Value, &r); err != nil {
		return r, false, fmt.Errorf("ledger record %s: %w", key, err)
	}
	return r, true, nil
}

// isNew says that the store certainly has no such key. Another replica may be writing it at this
// moment; the Workflow's derived name covers that.
func (l *Ledger) isNew(key string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, seen := l.index[part(key)]
	return l.loaded && !seen
}

func (l *Ledger) saw(key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.index[part(key)] = l.now().Unix()
	for _, w := range l.waiting[key] {
		select {
		case w <- struct{}{}:
		default:
		}
	}
}

func (l *Ledger) setLoaded() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.loaded = true
}

func (l *Ledger) wait(key string) signal {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := make(signal, 1)
	l.waiting[key] = append(l.waiting[key], s)
	return s
}

func (l *Ledger) leave(key string, s signal) {
	l.mu.Lock()
	defer l.mu.Unlock()
	rest := l.waiting[key][:0]
	for _, w := range l.waiting[key] {
		if w != s {
			rest = append(rest, w)
		}
	}
	if l.waiting[key] = rest; len(rest) == 0 {
		delete(l.waiting, key)
	}
}

// forgetOld drops index entries whose records have aged out of the store.
func (l *Ledger) forgetOld(ctx context.Context) {
	tick := time.NewTicker(time.Hour)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			l.forget(l.now().Add(-l.ttl).Unix())
		}
	}
}

func (l *Ledger) forget(before int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for k, at := range l.index {
		if at < before {
			delete(l.index, k)
		}
	}
}

// part is enough of a key to tell almost all apart; a clash only costs a look into the store.
func part(key string) uint64 {
	var b [8]byte
	_, _ = hex.Decode(b[:], []byte(key[:min(len(key), 16)]))
	return binary.BigEndian.Uint64(b[:])
}
