// Package ledger keeps what became of each event and rule, for as long as the bus keeps records. It
// answers a redelivery that comes after the Workflow is gone, and it is where explain and replay look.
//
// Records live on the bus, one per event. Each process also holds an index of the events that have one,
// and of those that are done, so that the common questions, whether an event is new and whether
// a redelivery was handled, cost no round trip.
package ledger

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"github.com/tidwall/gjson"
	"go.uber.org/zap"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/bus"
)

// A Store is the table that the ledger writes to; *bus.Bucket is one.
type Store interface {
	Get(ctx context.Context, key string) (bus.Entry, bool, error)
	Update(ctx context.Context, key string, value []byte, revision uint64) error
	Follow(ctx context.Context, f bus.Followed, seen func(bus.Entry), loaded func()) error
}

// A Ledger is safe for concurrent use. Run must be running for its index to be used, and for Await.
type Ledger struct {
	store Store
	ttl   time.Duration
	log   *zap.Logger
	now   func() time.Time

	mu      sync.Mutex
	loaded  bool                // the index holds every key of the store
	index   map[[16]byte]mark   // by the event's hash
	waiting map[string][]signal // who waits for a key
}

// A mark is what the index knows of an event.
type mark struct {
	at   uint32 // Unix seconds when the record was last seen to be written
	done bool
}

type signal chan struct{}

// New makes a ledger over store, whose entries live for ttl.
func New(store Store, ttl time.Duration, log *zap.Logger) *Ledger {
	return &Ledger{
		store: store, ttl: ttl, log: log, now: time.Now,
		index: map[[16]byte]mark{}, waiting: map[string][]signal{},
	}
}

// Done says, without asking the bus, that all rules of the event are known to be settled.
func (l *Ledger) Done(e bridge.Event) bool {
	m, _ := l.seen(e.Hash())
	return m.done
}

// Lookup returns the record of an event; ok is false when there is none.
func (l *Ledger) Lookup(ctx context.Context, e bridge.Event) (r bridge.Record, ok bool, err error) {
	key := e.Hash()
	if _, absent := l.seen(key); absent {
		return bridge.Record{}, false, nil
	}
	return l.Find(ctx, key)
}

// Find returns the record of the event with that hash (see bridge.Event.Hash).
func (l *Ledger) Find(ctx context.Context, hash string) (r bridge.Record, ok bool, err error) {
	entry, ok, err := l.store.Get(ctx, hash)
	if err != nil || !ok {
		return r, false, err
	}
	r, err = Decode(entry)
	return r, err == nil, err
}

// Decode reads a record from the table.
func Decode(entry bus.Entry) (r bridge.Record, err error) {
	if err := json.Unmarshal(entry.Value, &r); err != nil {
		return r, fmt.Errorf("ledger record %s: %w", entry.Key, err)
	}
	r.Revision = entry.Revision
	return r, nil
}

// Put writes a record, if the one that stands there is still that of r.Revision; otherwise the error is
// bus.ErrConflict: somebody else has handled the event meanwhile. It returns nil when the record is stored.
func (l *Ledger) Put(ctx context.Context, r bridge.Record) error {
	r.Updated = l.now().UTC()
	data, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("encode ledger record: %w", err)
	}
	key := r.Hash()
	// The index first: a lookup between the two finds nothing in the store, which is the truth.
	l.saw(key, false)
	if err := l.store.Update(ctx, key, data, r.Revision); err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	l.saw(key, r.Done)
	return nil
}

// Await returns the record of an event once all its rules are settled, by whichever process. It
// returns what is there so far, and ctx's error, when ctx ends before.
func (l *Ledger) Await(ctx context.Context, e bridge.Event) (bridge.Record, error) {
	key := e.Hash()
	changed := l.wait(key)
	defer l.leave(key, changed)
	for {
		r, _, err := l.Find(ctx, key)
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
		err := l.store.Follow(ctx, bus.Followed{}, func(e bus.Entry) { l.saw(e.Key, gjson.GetBytes(e.Value, "done").Bool()) }, l.setLoaded)
		if err != nil {
			l.log.Warn("the ledger's index is interrupted; asking the store until it is back", zap.Error(err))
		}
		// What the index says may be of a table that was lost since.
		l.mu.Lock()
		l.loaded = false
		clear(l.index)
		l.mu.Unlock()
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
	return nil
}

// seen returns what the index knows of a key. absent says that the store certainly has no such key: another
// replica may be writing it at this moment, which the Workflow's derived name covers.
func (l *Ledger) seen(key string) (m mark, absent bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	m, known := l.index[binaryKey(key)]
	return m, l.loaded && !known
}

func (l *Ledger) saw(key string, done bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.index[binaryKey(key)] = mark{uint32(l.now().Unix()), done}
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
			l.forget(uint32(l.now().Add(-l.ttl).Unix()))
		}
	}
}

func (l *Ledger) forget(before uint32) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for k, m := range l.index {
		if m.at < before {
			delete(l.index, k)
		}
	}
}

// binaryKey is a key in half of its length.
func binaryKey(key string) (k [16]byte) {
	_, _ = hex.Decode(k[:], []byte(key[:min(len(key), 32)]))
	return k
}
