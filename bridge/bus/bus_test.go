package bus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest"

	"github.com/argo-bridge/argo-bridge/bridge"
)

func open(t *testing.T, c Config) *Bus {
	t.Helper()
	if c.DataDir == "" {
		c.DataDir = t.TempDir()
	}
	b, err := Open(t.Context(), c.Defaults(), zaptest.NewLogger(t, zaptest.Level(zap.WarnLevel)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return b
}

func event(id string) bridge.Event {
	return bridge.Event{
		ID: id, Source: "//storage.googleapis.com/projects/_/buckets/b", Type: "google.cloud.storage.object.v1.finalized",
		Subject: "objects/täglich 100%.json", Time: time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC),
		Extensions: map[string]string{"bucket": "b"}, Data: json.RawMessage(`{"name":"x"}`),
	}
}

// collect consumes until n events have been settled, and returns them.
func collect(t *testing.T, b *Bus, n int, handle EventHandler) []bridge.Event {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute) // large events under the race detector
	defer cancel()
	var mu sync.Mutex
	var got []bridge.Event
	err := b.ConsumeEvents(ctx, 4, func(ctx context.Context, e bridge.Event, d Delivery) error {
		if handle != nil {
			if err := handle(ctx, e, d); err != nil {
				return err
			}
		}
		mu.Lock()
		defer mu.Unlock()
		if got = append(got, e); len(got) == n {
			cancel()
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != n {
		t.Fatalf("got %d events, want %d", len(got), n)
	}
	return got
}

func TestAnEventComesOutAsItWentIn(t *testing.T) {
	t.Parallel()
	b := open(t, Config{})
	if err := b.Publish(t.Context(), event("täglich/1#2")); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]bridge.Event{event("täglich/1#2")}, collect(t, b, 1, nil)); diff != "" {
		t.Error(diff)
	}
}

func TestTheSameEventIsStoredOnce(t *testing.T) {
	t.Parallel()
	b := open(t, Config{})
	for range 3 {
		if err := b.Publish(t.Context(), event("1")); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Publish(t.Context(), event("2")); err != nil {
		t.Fatal(err)
	}
	if got := collect(t, b, 2, nil); got[0].ID == got[1].ID {
		t.Errorf("event %s came twice", got[0].ID)
	}
}

func TestATransientErrorBringsTheEventBackAndAPermanentOneDoesNot(t *testing.T) {
	t.Parallel()
	b := open(t, Config{})
	for _, id := range []string{"transient", "permanent", "last"} {
		if err := b.Publish(t.Context(), event(id)); err != nil {
			t.Fatal(err)
		}
	}
	var permanent atomic.Int32
	var attempts atomic.Int32
	collect(t, b, 2, func(_ context.Context, e bridge.Event, d Delivery) error {
		switch {
		case e.ID == "permanent":
			permanent.Add(1)
			return bridge.Permanent(errors.New("never"))
		case e.ID == "transient" && d.Attempt < 3:
			attempts.Store(int32(d.Attempt))
			return bridge.RetryAfter(errors.New("not now"), time.Millisecond)
		}
		return nil
	})
	if permanent.Load() != 1 || attempts.Load() != 2 {
		t.Errorf("permanent handled %d times, want 1; transient failed %d times, want 2", permanent.Load(), attempts.Load())
	}
}

func TestEventsSurviveAStopBeforeTheyAreSettled(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first := open(t, Config{DataDir: dir})
	for i := range 10 {
		if err := first.Publish(t.Context(), event(fmt.Sprint(i))); err != nil {
			t.Fatal(err)
		}
	}
	first.Close()
	second := open(t, Config{DataDir: dir})
	ids := map[string]bool{}
	for _, e := range collect(t, second, 10, nil) {
		ids[e.ID] = true
	}
	if len(ids) != 10 {
		t.Errorf("%d distinct events, want 10", len(ids))
	}
}

// Else whoever goes on would wait for them as long as for those of a process that has died.
func TestEventsThatWereFetchedAndNotBegunAtAStopGoBackAtOnce(t *testing.T) {
	t.Parallel()
	b := open(t, Config{})
	const workers, fetched = 4, 8
	for i := range fetched {
		if err := b.Publish(t.Context(), event(fmt.Sprint(i))); err != nil {
			t.Fatal(err)
		}
	}
	ctx, stop := context.WithCancel(t.Context())
	err := b.ConsumeEvents(ctx, workers, func(context.Context, bridge.Event, Delivery) error {
		eventually(t, "all are fetched", func() bool {
			c, err := b.js.Consumer(t.Context(), eventStream, dispatchConsumer)
			return err == nil && c.CachedInfo().NumAckPending == fetched
		})
		stop()
		<-ctx.Done()
		return errors.New("not settled")
	})
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	collect(t, b, fetched, nil)
	if took := time.Since(began); took > ackWaitEvents/2 {
		t.Errorf("they came again after %s", took)
	}
}

func TestTwoBridgesOnOneDataDirectoryAreRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	open(t, Config{DataDir: dir})
	if _, err := Open(t.Context(), Config{DataDir: dir}.Defaults(), zaptest.NewLogger(t)); err == nil {
		t.Fatal("the second bridge was let in")
	}
}

func TestAFullStreamRefusesAndFinishedEventsMakeRoom(t *testing.T) {
	t.Parallel()
	b := open(t, Config{MaxBytes: 64 << 20})
	large := event("")
	large.Data = noise(900 << 10)
	stored := 0
	var err error
	for ; stored < 100 && err == nil; stored++ {
		large.ID = fmt.Sprint(stored)
		err = b.Publish(t.Context(), large)
	}
	if err == nil || bridge.IsPermanent(err) {
		t.Fatalf("after %d MiB: got %v, want a transient error", stored, err)
	}
	if err := (&trimmer{Bus: b}).trimEvents(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	stream, err := b.js.Stream(t.Context(), eventStream)
	if err != nil {
		t.Fatal(err)
	}
	if got := int(stream.CachedInfo().State.Msgs); got != stored-1 {
		t.Fatalf("trimming removed events that nobody has handled: %d left of %d", got, stored-1)
	}
	collect(t, b, stored-1, nil)
	if err := (&trimmer{Bus: b}).trimEvents(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	large.ID = "after"
	if err := b.Publish(t.Context(), large); err != nil {
		t.Errorf("after trimming: %v", err)
	}
}

func TestAMessageThatIsNoEventIsHandedOverOnceWithItsReason(t *testing.T) {
	t.Parallel()
	b := open(t, Config{})
	if _, err := b.js.Publish(t.Context(), eventSubjects+"com.example.broken", []byte("{")); err != nil {
		t.Fatal(err)
	}
	if err := b.Publish(t.Context(), event("sound")); err != nil {
		t.Fatal(err)
	}
	var unread []string
	var mu sync.Mutex
	collect(t, b, 2, func(_ context.Context, e bridge.Event, d Delivery) error {
		mu.Lock()
		defer mu.Unlock()
		if d.Unread != nil {
			unread = append(unread, e.ID+" "+e.Source+" "+e.Type)
		}
		return nil
	})
	if diff := cmp.Diff([]string{"message-1 nats:" + eventStream + " com.example.broken"}, unread); diff != "" {
		t.Error(diff)
	}
}

func TestABucketKeepsTheFirstWriterOfAKey(t *testing.T) {
	t.Parallel()
	b := open(t, Config{})
	bucket, err := b.Bucket(t.Context(), "TEST", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if err := bucket.Update(t.Context(), "k", []byte("1"), 0); err != nil {
		t.Fatal(err)
	}
	if err := bucket.Update(t.Context(), "k", []byte("2"), 0); !errors.Is(err, ErrConflict) {
		t.Errorf("second create: got %v, want ErrConflict", err)
	}
	e, ok, err := bucket.Get(t.Context(), "k")
	if err != nil || !ok || string(e.Value) != "1" {
		t.Fatalf("got %v %v %v", e, ok, err)
	}
	if err := bucket.Update(t.Context(), "k", []byte("3"), e.Revision); err != nil {
		t.Error(err)
	}
	if err := bucket.Update(t.Context(), "k", []byte("4"), e.Revision); !errors.Is(err, ErrConflict) {
		t.Errorf("stale update: got %v, want ErrConflict", err)
	}
	if _, ok, err := bucket.Get(t.Context(), "absent"); ok || err != nil {
		t.Errorf("absent key: got %v %v", ok, err)
	}
}

func TestAnEventIsReadAgainByItsSequence(t *testing.T) {
	t.Parallel()
	b := open(t, Config{})
	if err := b.Publish(t.Context(), event("1")); err != nil {
		t.Fatal(err)
	}
	e, ok, err := b.Event(t.Context(), 1)
	if err != nil || !ok || e.ID != "1" {
		t.Errorf("got %v %v %v", e.ID, ok, err)
	}
	if _, ok, err := b.Event(t.Context(), 99); ok || err != nil {
		t.Errorf("sequence 99: got %v %v, want nothing", ok, err)
	}
}

func pad(n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = 'x'
	}
	return string(b)
}

func BenchmarkPublish(b *testing.B) {
	bus, err := Open(b.Context(), Config{DataDir: b.TempDir()}.Defaults(), zaptest.NewLogger(b, zaptest.Level(zap.WarnLevel)))
	if err != nil {
		b.Fatal(err)
	}
	defer bus.Close()
	body := json.RawMessage(`"` + pad(8500) + `"`)
	var n atomic.Int64
	b.SetParallelism(16)
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			e := event(fmt.Sprint(n.Add(1)))
			e.Data = body
			if err := bus.Publish(b.Context(), e); err != nil {
				b.Fatal(err)
			}
		}
	})
}
