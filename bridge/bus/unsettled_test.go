package bus

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/argo-bridge/argo-bridge/bridge"
)

func TestOnlyWhatWasHandedOutAndNotAcknowledgedIsUnsettled(t *testing.T) {
	t.Parallel()
	b := open(t, Config{})
	find := func(id string) (uint64, bool) {
		t.Helper()
		sequence, ok, err := b.Unsettled(t.Context(), event(id).Hash())
		if err != nil {
			t.Fatal(err)
		}
		return sequence, ok
	}
	if _, ok := find("1"); ok {
		t.Error("found on an empty bus")
	}
	for i := range 3 {
		if err := b.Publish(t.Context(), event(fmt.Sprint(i+1))); err != nil {
			t.Fatal(err)
		}
	}
	if _, ok := find("1"); ok {
		t.Error("found what nobody was given")
	}
	ctx, cancel := context.WithCancel(t.Context())
	acknowledged := 0
	if err := b.ConsumeEvents(ctx, 1, func(_ context.Context, e bridge.Event, _ Delivery) error {
		switch e.ID {
		case "2":
			return errors.New("cut off")
		case "3":
			defer cancel()
		}
		acknowledged++
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	for id, want := range map[string]uint64{"1": 0, "2": 2, "4": 0} {
		if sequence, ok := find(id); sequence != want || ok != (want > 0) {
			t.Errorf("%s: %d, %v", id, sequence, ok)
		}
	}
}
