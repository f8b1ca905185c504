package silences_test

import (
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/bus"
	"github.com/argo-bridge/argo-bridge/bridge/silences"
)

func TestSilencesHoldUntilTheyEndAndThenAreGone(t *testing.T) {
	t.Parallel()
	b, err := bus.Open(t.Context(), bus.Config{DataDir: t.TempDir()}.Defaults(), zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	table, err := b.Bucket(t.Context(), "SILENCES", 0)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)
	book := silences.Book{Table: table, Now: func() time.Time { return now }}
	for _, s := range []bridge.Silence{
		{ID: "one", Template: "team/nightly", Until: now.Add(time.Hour)},
		{ID: "two", Template: "team/nightly", Destination: "slack:#a", Until: now.Add(2 * time.Hour)},
		{ID: "three", Destination: "slack:#b", Until: now.Add(3 * time.Hour)},
	} {
		if err := book.Add(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	until := func(template, destination string) time.Duration {
		end, err := bridge.SilentUntil(t.Context(), book, template, destination)
		if err != nil {
			t.Fatal(err)
		}
		if end.IsZero() {
			return 0
		}
		return end.Sub(now)
	}
	for _, tt := range []struct {
		template, destination string
		want                  time.Duration
	}{
		{"team/nightly", "slack:#a", 2 * time.Hour}, {"team/nightly", "slack:#c", time.Hour}, {"team/other", "slack:#a", 0}, {"team/other", "slack:#b", 3 * time.Hour},
	} {
		if got := until(tt.template, tt.destination); got != tt.want {
			t.Errorf("%s to %s is silent for %s, want %s", tt.template, tt.destination, got, tt.want)
		}
	}
	if err := book.Remove(t.Context(), "three"); err != nil {
		t.Fatal(err)
	}
	now = now.Add(90 * time.Minute)
	all, err := book.List(t.Context())
	if err != nil || len(all) != 1 || all[0].ID != "two" {
		t.Errorf("%v %v, want the one that has not ended", all, err)
	}
	if entries, err := table.List(t.Context(), ">"); err != nil || len(entries) != 1 {
		t.Errorf("%d entries are left %v, want 1", len(entries), err)
	}
}

func TestWhatIsNoSilence(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)
	for name, s := range map[string]bridge.Silence{
		"no id":                  {Until: now.Add(time.Hour)},
		"an id that is a filter": {ID: "*", Until: now.Add(time.Hour)},
		"over already":           {ID: "a", Until: now},
		"too long":               {ID: "a", Until: now.Add(silences.MaxLength + time.Minute)},
	} {
		if err := silences.Check(s, now); !bridge.IsPermanent(err) {
			t.Errorf("%s: %v, want a permanent error", name, err)
		}
	}
}
