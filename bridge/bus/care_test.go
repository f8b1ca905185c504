package bus

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/argo-bridge/argo-bridge/bridge"
)

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("never: " + what)
		}
	}
}

// background runs a part of the bus until the test ends.
func background(t *testing.T, run func(ctx context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var done sync.WaitGroup
	done.Go(func() { _ = run(ctx) })
	t.Cleanup(func() { cancel(); done.Wait() })
}

func TestAConsumerThatWasDeletedByHandIsMadeAnewAndGoesOn(t *testing.T) {
	t.Parallel()
	b := open(t, Config{})
	var handled atomic.Int32
	background(t, func(ctx context.Context) error {
		return b.ConsumeEvents(ctx, 2, func(context.Context, bridge.Event, Delivery) error { handled.Add(1); return nil })
	})
	if err := b.Publish(t.Context(), event("1")); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the first is handled", func() bool { return handled.Load() == 1 })
	if err := b.js.DeleteConsumer(t.Context(), eventStream, dispatchConsumer); err != nil {
		t.Fatal(err)
	}
	if err := b.Publish(t.Context(), event("2")); err != nil {
		t.Fatal(err)
	}
	// The new consumer begins at the beginning; the ledger answers for what was handled.
	eventually(t, "the second is handled", func() bool { return handled.Load() >= 3 })
	if b.Repairs() == 0 {
		t.Error("nothing was counted")
	}
}

func TestAStreamThatWasDeletedByHandIsMadeAnew(t *testing.T) {
	t.Parallel()
	b := open(t, Config{})
	if err := b.js.DeleteStream(t.Context(), eventStream); err != nil {
		t.Fatal(err)
	}
	if err := b.Publish(t.Context(), event("1")); err == nil || bridge.IsPermanent(err) {
		t.Errorf("while the stream is away: %v, want an error that passes", err)
	}
	if err := b.care(t.Context()); err != nil {
		t.Fatal(err)
	}
	if b.Repairs() != 1 {
		t.Errorf("%d repairs, want 1", b.Repairs())
	}
	if err := b.Publish(t.Context(), event("1")); err != nil {
		t.Error(err)
	}
	if err := b.care(t.Context()); err != nil || b.Repairs() != 1 {
		t.Errorf("what is in order was repaired: %d, %v", b.Repairs(), err)
	}
}

func TestSettingsThatWereChangedByHandArePutRightAndNothingIsLost(t *testing.T) {
	t.Parallel()
	b := open(t, Config{})
	if err := b.Publish(t.Context(), event("1")); err != nil {
		t.Fatal(err)
	}
	changed := b.planned()[0]
	changed.MaxBytes, changed.Discard = 1<<20, jetstream.DiscardOld
	if _, err := b.js.UpdateStream(t.Context(), changed); err != nil {
		t.Fatal(err)
	}
	if err := b.care(t.Context()); err != nil {
		t.Fatal(err)
	}
	s, err := b.js.Stream(t.Context(), eventStream)
	if err != nil {
		t.Fatal(err)
	}
	info := s.CachedInfo()
	if info.Config.Discard != jetstream.DiscardNew || info.Config.MaxBytes != b.config.MaxBytes || info.State.Msgs != 1 || b.Repairs() != 1 {
		t.Errorf("got %+v with %d messages, %d repairs", info.Config, info.State.Msgs, b.Repairs())
	}
}

func TestABucketThatWasDeletedByHandIsMadeAnewAndFollowedOn(t *testing.T) {
	t.Parallel()
	b := open(t, Config{})
	bucket, err := b.Bucket(t.Context(), "TEST", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if err := bucket.Put(t.Context(), "k", []byte("1")); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	loaded := make(chan struct{})
	go func() { ended <- bucket.Follow(t.Context(), Followed{}, func(Entry) {}, func() { close(loaded) }) }()
	<-loaded
	if err := b.js.DeleteKeyValue(t.Context(), bucketPrefix+"TEST"); err != nil {
		t.Fatal(err)
	}
	if err := b.care(t.Context()); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-ended:
		if err == nil {
			t.Error("the follower ended without a word")
		}
	case <-time.After(20 * time.Second):
		t.Fatal("the follower goes on following what is gone")
	}
	if _, ok, err := bucket.Get(t.Context(), "k"); ok || err != nil {
		t.Errorf("in the new bucket: %v %v", ok, err)
	}
	if err := bucket.Put(t.Context(), "k", []byte("2")); err != nil {
		t.Error(err)
	}
}

func TestASmallerBoundTakesNothingFromTheStream(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	large := event("")
	large.Data = []byte(`"` + pad(60<<10) + `"`)
	first := open(t, Config{DataDir: dir, MaxBytes: 512 << 20})
	const n = 1500 // 90 MB
	for i := range n {
		large.ID = fmt.Sprint(i)
		if err := first.Publish(t.Context(), large); err != nil {
			t.Fatal(err)
		}
	}
	first.Close()
	second := open(t, Config{DataDir: dir, MaxBytes: 64 << 20})
	lag := func() uint64 {
		s, err := second.js.Stream(t.Context(), eventStream)
		if err != nil {
			t.Fatal(err)
		}
		return s.CachedInfo().State.Msgs
	}
	if got := lag(); got != n {
		t.Fatalf("%d events left of %d", got, n)
	}
	large.ID = "new"
	if err := second.Publish(t.Context(), large); err == nil || bridge.IsPermanent(err) {
		t.Errorf("above its bound the stream took another: %v", err)
	}
}

func TestEventsThatWaitSurviveWhatIsTrimmedAroundThem(t *testing.T) {
	t.Parallel()
	b := open(t, Config{})
	for i := range 10 {
		if err := b.Publish(t.Context(), event(fmt.Sprint(i))); err != nil {
			t.Fatal(err)
		}
	}
	collect(t, b, 10, nil)
	b.config.MaxAge = time.Nanosecond // all are too old
	trim := &trimmer{Bus: b}
	left := func() (sequences []uint64) {
		err := b.EventsSince(t.Context(), time.Time{}.Add(time.Hour), func(sequence uint64, _ time.Time, _ bridge.Event) bool {
			sequences = append(sequences, sequence)
			return true
		})
		if err != nil {
			t.Fatal(err)
		}
		return sequences
	}
	for _, waiting := range [][]uint64{{3, 7}, {7}, {}} {
		for range 2 {
			if err := trim.trimEvents(t.Context(), waiting); err != nil {
				t.Fatal(err)
			}
		}
		if diff := cmp.Diff(waiting, append([]uint64{}, left()...)); diff != "" {
			t.Errorf("while %v wait: %s", waiting, diff)
		}
	}
}

func TestATableThatIsNearlyFullLosesItsOldestEntries(t *testing.T) {
	t.Parallel()
	b := open(t, Config{MaxBytes: 64 << 20}) // 8 MiB a table
	bucket, err := b.Bucket(t.Context(), "TEST", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	value := []byte(pad(8 << 10))
	for i := range 900 {
		if err := bucket.Put(t.Context(), fmt.Sprint(i), value); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.trimRecords(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, ok, err := bucket.Get(t.Context(), "0"); ok || err != nil {
		t.Errorf("the oldest: %v %v, want it gone", ok, err)
	}
	if _, ok, err := bucket.Get(t.Context(), "899"); !ok || err != nil {
		t.Errorf("the newest: %v %v", ok, err)
	}
}

func TestATableIsReadBackwards(t *testing.T) {
	t.Parallel()
	b := open(t, Config{})
	bucket, err := b.Bucket(t.Context(), "TEST", 0)
	if err != nil {
		t.Fatal(err)
	}
	read := func(most int) (keys []string) {
		err := bucket.Backward(t.Context(), func(e Entry) bool {
			keys = append(keys, e.Key)
			return len(keys) != most
		})
		if err != nil {
			t.Fatal(err)
		}
		return keys
	}
	if got := read(-1); len(got) != 0 {
		t.Errorf("of an empty table: %v", got)
	}
	const n = 3 * backwardStep
	for i := range n {
		if err := bucket.Put(t.Context(), fmt.Sprint(i), []byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 { // most sequences are gone
		for i := range n {
			if err := bucket.Put(t.Context(), fmt.Sprint(i), []byte("y")); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := bucket.Put(t.Context(), "7", []byte("z")); err != nil {
		t.Fatal(err)
	}
	if err := bucket.Delete(t.Context(), fmt.Sprint(n-1)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"7", fmt.Sprint(n - 2), fmt.Sprint(n - 3)}, read(3)); diff != "" {
		t.Error(diff)
	}
	seen := map[string]bool{}
	for _, key := range read(-1) {
		if seen[key] {
			t.Fatalf("%s came twice", key)
		}
		seen[key] = true
	}
	if len(seen) != n-1 {
		t.Errorf("%d entries, want %d", len(seen), n-1)
	}
	if list, err := bucket.List(t.Context(), "12"); err != nil || len(list) != 1 {
		t.Errorf("list: %v %v", list, err)
	}
}

func TestABusThatStoresNothingIsNotReadyAndTheEmbeddedOneEndsToBeStartedAnew(t *testing.T) {
	t.Parallel()
	b := open(t, Config{})
	if err := b.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.pulse.note(fmt.Errorf("timeout"))
	if err := b.Ready(t.Context()); err != nil {
		t.Errorf("after one failure: %v", err)
	}
	b.pulse.note(nil)
	b.pulse.hear("JetStream: Critical write error: no space left on device")
	b.pulse.note(nil) // another stream, whose disk has room again
	b.pulse.mu.Lock()
	b.pulse.since = time.Now().Add(-time.Minute)
	b.pulse.mu.Unlock()
	if err := b.Ready(t.Context()); err == nil || !strings.Contains(err.Error(), "no space left") {
		t.Errorf("a broken store is ready: %v", err)
	}
	if err := b.Pulse(t.Context()); err == nil || !strings.Contains(err.Error(), b.config.DataDir) {
		t.Errorf("got %v, want an error that names the data directory", err)
	}
}

func TestAFollowerThatIsNoLongerToldNotices(t *testing.T) {
	t.Parallel()
	b := open(t, Config{})
	bucket, err := b.Bucket(t.Context(), "TEST", 0)
	if err != nil {
		t.Fatal(err)
	}
	put := func() {
		if err := bucket.Put(t.Context(), "k", []byte("1")); err != nil {
			t.Fatal(err)
		}
	}
	put()
	p := &progress{bucket: bucket}
	p.loaded(t.Context())
	for range 2 {
		if p.stalled(t.Context()) {
			t.Error("a bucket at rest is no stall")
		}
	}
	put()
	if p.stalled(t.Context()) {
		t.Error("what was just written may still be on its way")
	}
	if !p.stalled(t.Context()) {
		t.Error("at the second check nothing was told, and nobody noticed")
	}
	p = &progress{bucket: bucket}
	p.loaded(t.Context())
	put()
	_ = p.stalled(t.Context())
	p.last++ // it was told
	if p.stalled(t.Context()) {
		t.Error("a follower that was told is no stall")
	}
}
