package client_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// shelf is bridge.Silences in memory.
type shelf struct{ all []bridge.Silence }

func (s *shelf) Add(_ context.Context, silence bridge.Silence) error {
	if silence.Until.IsZero() {
		return bridge.Permanent(context.Canceled)
	}
	s.all = append(s.all, silence)
	return nil
}
func (s *shelf) Remove(_ context.Context, id string) error {
	if len(s.all) > 0 && s.all[0].ID == id {
		s.all = nil
	}
	return nil
}
func (s *shelf) List(context.Context) ([]bridge.Silence, error) { return s.all, nil }

func TestSilencesTravel(t *testing.T) {
	t.Parallel()
	c := serve(t, fake{silences: &shelf{}})
	want := bridge.Silence{ID: "one", Template: "team/nightly", Destination: "slack:#a", Until: noon.Add(time.Hour), Reason: "known"}
	if err := c.Add(t.Context(), want); err != nil {
		t.Fatal(err)
	}
	all, err := c.List(t.Context())
	if err != nil || len(all) != 1 {
		t.Fatal(all, err)
	}
	want.By, want.Created = "alice silence", all[0].Created // who the bridge says it was, with the right that was asked for
	if diff := cmp.Diff(want, all[0]); diff != "" || want.Created.IsZero() {
		t.Error(diff, want.Created)
	}
	if err := c.Add(t.Context(), bridge.Silence{ID: "two"}); !bridge.IsPermanent(err) {
		t.Errorf("a silence without an end: %v", err)
	}
	if err := c.Remove(t.Context(), "one"); err != nil {
		t.Fatal(err)
	}
	if all, err := c.List(t.Context()); err != nil || len(all) != 0 {
		t.Error(all, err)
	}
}
