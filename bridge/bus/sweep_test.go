package bus

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// purge removes the events before a sequence, as age and trimming do.
func purge(t *testing.T, b *Bus, sequence uint64) {
	t.Helper()
	s, err := b.js.Stream(t.Context(), eventStream)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Purge(t.Context(), jetstream.WithPurgeSequence(sequence)); err != nil {
		t.Fatal(err)
	}
}

func sweepNow(t *testing.T, b *Bus) {
	t.Helper()
	if err := b.sweep(t.Context(), 0, nil); err != nil {
		t.Fatal(err)
	}
}

func TestASweepRemovesTheObjectsOfGoneEventsAndNoOthers(t *testing.T) {
	t.Parallel()
	b := open(t, Config{})
	sweepNow(t, b)
	for i := range 4 {
		mustPublish(t, b, large(fmt.Sprint(i), noise(2<<20+i)))
		mustPublish(t, b, event(fmt.Sprint("small-", i)))
	}
	sweepNow(t, b)
	if got := len(objects(t, b)); got != 4 {
		t.Fatalf("%d objects, want all 4: every event is there", got)
	}
	purge(t, b, 4) // the first two are gone
	sweepNow(t, b)
	want := []string{claimName(large("2", noise(2<<20+2))), claimName(large("3", noise(2<<20+3)))}
	got := objects(t, b)
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	for _, sequence := range []uint64{5, 7} {
		if _, ok, err := b.Event(t.Context(), sequence); !ok || err != nil {
			t.Errorf("event %d: %v %v", sequence, ok, err)
		}
	}
	purge(t, b, 100)
	sweepNow(t, b)
	if got := claimMessages(t, b); got != 0 {
		t.Errorf("%d messages are left of objects without events", got)
	}
}

func TestASweepByAnotherBridgeAndAfterARestartKnowsTheSame(t *testing.T) {
	t.Parallel()
	c := external(t)
	first := open(t, c)
	mustPublish(t, first, large("1", noise(2<<20)))
	mustPublish(t, first, large("2", noise(2<<20)))
	sweepNow(t, first)
	second := open(t, c)
	purge(t, first, 2)
	sweepNow(t, second)
	sweepNow(t, first)
	if got := objects(t, first); !slices.Equal(got, []string{claimName(large("2", noise(2<<20)))}) {
		t.Errorf("objects %v, want that of event 2", got)
	}
	// The stream made anew counts from 1 again.
	if err := first.js.DeleteStream(t.Context(), eventStream); err != nil {
		t.Fatal(err)
	}
	if err := first.ensureStreams(t.Context()); err != nil {
		t.Fatal(err)
	}
	mustPublish(t, first, large("3", noise(2<<20)))
	sweepNow(t, first)
	sweepNow(t, second)
	if got := objects(t, first); !slices.Equal(got, []string{claimName(large("3", noise(2<<20)))}) {
		t.Errorf("objects %v, want that of event 3", got)
	}
}

func TestACrashBetweenObjectAndEventLosesNothingAndLeavesNothing(t *testing.T) {
	t.Parallel()
	b := open(t, Config{})
	e := large("1", noise(2<<20))
	// The object is stored, the event is not.
	if err := b.attach(t.Context(), &nats.Msg{Header: nats.Header{}}, e); err != nil {
		t.Fatal(err)
	}
	if err := b.SweepPayloads(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if got := len(objects(t, b)); got != 1 {
		t.Fatalf("%d objects: a sweep must leave a young one to the event that is on its way", got)
	}
	before := claimMessages(t, b)
	mustPublish(t, b, e) // the source sends again
	if got := claimMessages(t, b); got != before {
		t.Errorf("%d messages, want the %d of the first time", got, before)
	}
	sweepNow(t, b)
	if got := collect(t, b, 1, nil); string(got[0].Data) != string(e.Data) {
		t.Error("the data is another")
	}
	// Another that the source never sends again.
	if err := b.attach(t.Context(), &nats.Msg{Header: nats.Header{}}, large("2", noise(2<<20))); err != nil {
		t.Fatal(err)
	}
	sweepNow(t, b)
	if got := objects(t, b); !slices.Equal(got, []string{claimName(e)}) {
		t.Errorf("objects %v, want that of event 1", got)
	}
}

func TestAnUploadThatBreaksOffIsRemoved(t *testing.T) {
	t.Parallel()
	b := open(t, Config{})
	mustPublish(t, b, large("1", noise(2<<20)))
	whole := claimMessages(t, b)
	for i := range 3 {
		if _, err := b.js.Publish(t.Context(), chunkSubject("half"), []byte(fmt.Sprint("chunk ", i))); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.SweepPayloads(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if got := claimMessages(t, b); got != whole+3 {
		t.Errorf("%d messages: a sweep must leave an upload that goes on", got)
	}
	sweepNow(t, b)
	if got := claimMessages(t, b); got != whole {
		t.Errorf("%d messages, want the %d of the whole object", got, whole)
	}
}

func TestAnObjectThatIsTouchedDuringTheSweepStays(t *testing.T) {
	t.Parallel()
	b := open(t, Config{})
	e := large("1", noise(2<<20))
	if err := b.attach(t.Context(), &nats.Msg{Header: nats.Header{}}, e); err != nil {
		t.Fatal(err)
	}
	stream, err := b.js.Stream(t.Context(), claimStream)
	if err != nil {
		t.Fatal(err)
	}
	listed, err := b.claims(t.Context(), stream)
	if err != nil {
		t.Fatal(err)
	}
	mustPublish(t, b, e)
	for _, object := range listed {
		if err := b.removeClaims(t.Context(), stream, []claimObject{object}); err != nil {
			t.Fatal(err)
		}
	}
	collect(t, b, 1, nil)
}

func TestAnObjectWithoutAllItsChunksIsAClearFault(t *testing.T) {
	t.Parallel()
	b := open(t, Config{})
	mustPublish(t, b, large("1", noise(2<<20)))
	stream, err := b.js.Stream(t.Context(), claimStream)
	if err != nil {
		t.Fatal(err)
	}
	if err := stream.DeleteMsg(t.Context(), 3); err != nil {
		t.Fatal(err)
	}
	_, _, err = b.Event(t.Context(), 1)
	if !bridge.IsPermanent(err) {
		t.Fatalf("got %v, want a permanent error", err)
	}
	if err := stream.Purge(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, _, err = b.Event(t.Context(), 1)
	if !bridge.IsPermanent(err) || !errors.Is(err, ErrGone) || !strings.Contains(err.Error(), `"1"`) {
		t.Errorf("got %v, want that the object of event 1 is gone", err)
	}
}

func TestASweepRemovesWhatWasRemovedAroundAnEventThatWaits(t *testing.T) {
	t.Parallel()
	b := open(t, Config{})
	for i := range 3 {
		mustPublish(t, b, large(fmt.Sprint(i), noise(2<<20)))
	}
	sweepNow(t, b)
	s, err := b.js.Stream(t.Context(), eventStream)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.DeleteMsg(t.Context(), 2); err != nil {
		t.Fatal(err)
	}
	sweepNow(t, b)
	got, want := objects(t, b), []string{claimName(large("0", noise(2<<20))), claimName(large("2", noise(2<<20)))}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
