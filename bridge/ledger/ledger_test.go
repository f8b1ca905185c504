package ledger

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/bus"
)

func bucket(t testing.TB) *bus.Bucket {
	t.Helper()
	b, err := bus.Open(t.Context(), bus.Config{DataDir: t.TempDir()}.Defaults(), zaptest.NewLogger(t, zaptest.Level(zap.ErrorLevel)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	bucket, err := b.Bucket(t.Context(), "LEDGER", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	return bucket
}

// run makes a ledger whose index is being kept.
func run(t testing.TB, store Store) *Ledger {
	t.Helper()
	l := New(store, time.Hour, zaptest.NewLogger(t))
	ctx, cancel := context.WithCancel(t.Context())
	var done sync.WaitGroup
	done.Go(func() { _ = l.Run(ctx) })
	t.Cleanup(func() { cancel(); done.Wait() })
	return l
}

func event(id int) bridge.Event { return bridge.Event{ID: fmt.Sprint(id), Source: "s"} }

func record(id int, done bool) bridge.Record {
	return bridge.Record{Event: fmt.Sprint(id), Source: "s", Done: done}
}

func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("never: " + what)
		}
	}
}

func loaded(l *Ledger) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.loaded
}

func TestARecordIsFoundByEveryLedgerOnTheSameStore(t *testing.T) {
	t.Parallel()
	store := bucket(t)
	first, second := run(t, store), run(t, store)
	if err := first.Put(t.Context(), record(1, true)); err != nil {
		t.Fatal(err)
	}
	if r, ok, err := first.Lookup(t.Context(), event(1)); err != nil || !ok || !r.Done {
		t.Errorf("the writer sees %v %v %v", r, ok, err)
	}
	eventually(t, "the other ledger sees the record", func() bool {
		r, ok, err := second.Lookup(t.Context(), event(1))
		return err == nil && ok && r.Done
	})
	if _, ok, err := second.Lookup(t.Context(), event(2)); ok || err != nil {
		t.Errorf("an unknown event: %v %v", ok, err)
	}
	third := run(t, store)
	eventually(t, "a new ledger loads what is there", func() bool { return loaded(third) })
	if _, ok, err := third.Lookup(t.Context(), event(1)); !ok || err != nil {
		t.Errorf("after a restart: %v %v", ok, err)
	}
}

func TestALookupOfANewEventAsksNobody(t *testing.T) {
	t.Parallel()
	store := &countingStore{Store: bucket(t)}
	l := run(t, store)
	eventually(t, "the index is loaded", func() bool { return loaded(l) })
	for i := range 100 {
		if _, ok, err := l.Lookup(t.Context(), event(i)); ok || err != nil {
			t.Fatal(ok, err)
		}
	}
	if store.gets != 0 {
		t.Errorf("%d questions to the store, want none", store.gets)
	}
}

func TestAwaitReturnsOnceTheEventIsSettled(t *testing.T) {
	t.Parallel()
	store := bucket(t)
	l, other := run(t, store), run(t, store)
	done := make(chan bridge.Record, 1)
	go func() {
		r, _ := l.Await(t.Context(), event(1))
		done <- r
	}()
	eventually(t, "somebody waits", func() bool { l.mu.Lock(); defer l.mu.Unlock(); return len(l.waiting) == 1 })
	if err := other.Put(t.Context(), record(1, false)); err != nil {
		t.Fatal(err)
	}
	r, _, err := other.Find(t.Context(), event(1).Hash())
	if err != nil {
		t.Fatal(err)
	}
	r.Done, r.Attempt = true, 2
	if err := other.Put(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	if r := <-done; !r.Done || r.Attempt != 2 {
		t.Errorf("got %+v", r)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if _, err := l.Await(ctx, event(2)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("an event that is never settled: %v", err)
	}
	if len(l.waiting) != 0 {
		t.Errorf("%d still wait", len(l.waiting))
	}
}

func TestTheIndexForgetsWhatHasAgedOut(t *testing.T) {
	t.Parallel()
	l := New(bucket(t), time.Hour, zaptest.NewLogger(t))
	l.saw(event(1).Hash(), true)
	l.forget(uint32(time.Now().Add(time.Minute).Unix()))
	if len(l.index) != 0 {
		t.Errorf("%d entries left", len(l.index))
	}
}

func TestARedeliveryIsAnsweredWithoutAskingTheStoreByEveryReplica(t *testing.T) {
	t.Parallel()
	store := bucket(t)
	asked := &countingStore{Store: store}
	writer, other := run(t, store), run(t, asked)
	if err := writer.Put(t.Context(), record(1, true)); err != nil {
		t.Fatal(err)
	}
	if err := writer.Put(t.Context(), record(2, false)); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the other replica knows", func() bool { return other.Done(event(1)) })
	if other.Done(event(2)) || other.Done(event(3)) || writer.Done(event(2)) {
		t.Error("an event that is not settled, or not known, is called done")
	}
	if asked.gets != 0 {
		t.Errorf("%d questions to the store, want none", asked.gets)
	}
}

func TestOfTwoWhoWriteFromTheSameStateOneIsTold(t *testing.T) {
	t.Parallel()
	store := bucket(t)
	a, b := run(t, store), run(t, store)
	if err := a.Put(t.Context(), record(1, false)); err != nil {
		t.Fatal(err)
	}
	if err := b.Put(t.Context(), record(1, true)); !errors.Is(err, bus.ErrConflict) {
		t.Errorf("the second new record: %v, want a conflict", err)
	}
	r, _, err := b.Find(t.Context(), event(1).Hash())
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Put(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	if err := b.Put(t.Context(), r); !errors.Is(err, bus.ErrConflict) {
		t.Errorf("a stale record: %v, want a conflict", err)
	}
}

type countingStore struct {
	Store
	gets int
}

func (s *countingStore) Get(ctx context.Context, key string) (bus.Entry, bool, error) {
	s.gets++
	return s.Store.Get(ctx, key)
}

func BenchmarkLookup(b *testing.B) {
	l := run(b, bucket(b))
	eventually(b, "loaded", func() bool { return loaded(l) })
	if err := l.Put(b.Context(), record(1, true)); err != nil {
		b.Fatal(err)
	}
	b.Run("redelivery", func(b *testing.B) {
		e := event(1)
		for b.Loop() {
			if !l.Done(e) {
				b.Fatal("not known")
			}
		}
	})
	for name, id := range map[string]int{"new": 2, "known": 1} {
		b.Run(name, func(b *testing.B) {
			e := event(id)
			for b.Loop() {
				if _, _, err := l.Lookup(b.Context(), e); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"event":"1","source":"s","done":true,"results":[{"template":"t","rule":"r","decision":"waiting","reason":"limit"}]}`))
	f.Add([]byte(`{"results":null,"stored":"2026-01-01T00:00:00Z"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := Decode(bus.Entry{Value: data, Revision: 7})
		if err != nil {
			return
		}
		r.Set(bridge.Result{Template: "t", Rule: "r", Verdict: bridge.Waiting})
		if r.Done || r.Revision != 7 {
			t.Errorf("a rule waits, and the record says done: %+v", r)
		}
	})
}
