package bus

import (
	"bytes"
	"testing"
)

func TestStreamsAsPlannedNeedNoRepair(t *testing.T) {
	t.Parallel()
	b := open(t, Config{})
	if err := b.care(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := b.Repairs(); got != 0 {
		t.Errorf("%d streams were put right just after they were made", got)
	}
}

func TestAnyJetStreamClientReadsAnObject(t *testing.T) {
	t.Parallel()
	b := open(t, Config{})
	e := large("1", noise(3<<20))
	mustPublish(t, b, e)
	store, err := b.js.ObjectStore(t.Context(), claimStore)
	if err != nil {
		t.Fatal(err)
	}
	object, err := store.GetBytes(t.Context(), claimName(e))
	if err != nil {
		t.Fatal(err)
	}
	data, err := newPayloads().decompress(bytes.NewReader(object), int64(len(e.Data)), false)
	if err != nil || !bytes.Equal(data, e.Data) {
		t.Errorf("%d bytes, %v", len(data), err)
	}
	list, err := store.List(t.Context())
	if err != nil || len(list) != 1 || list[0].Bucket != claimStore {
		t.Errorf("list: %v %v", list, err)
	}
}
