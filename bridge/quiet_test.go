package bridge_test

import (
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/argo-bridge/argo-bridge/bridge"
)

func TestQuietHours(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ quiet, now, until string }{
		"within the day":                         {"12:00-13:00", "2026-11-27T12:30:00Z", "2026-11-27T13:00:00Z"},
		"their first moment":                     {"12:00-13:00", "2026-11-27T12:00:00Z", "2026-11-27T13:00:00Z"},
		"their end is out":                       {"12:00-13:00", "2026-11-27T13:00:00Z", ""},
		"before midnight":                        {"22:00-07:00", "2026-11-27T23:00:00Z", "2026-11-28T07:00:00Z"},
		"after midnight":                         {"22:00-07:00", "2026-11-28T06:59:00Z", "2026-11-28T07:00:00Z"},
		"in a zone":                              {"22:00-07:00 Europe/Berlin", "2026-11-27T21:30:00Z", "2026-11-28T06:00:00Z"},
		"not yet in a zone":                      {"22:00-07:00 America/New_York", "2026-11-27T23:00:00Z", ""},
		"on a day on which they begin":           {"Mon-Fri 22:00-07:00", "2026-11-27T23:00:00Z", "2026-11-28T07:00:00Z"}, // a Friday
		"the morning after such a day":           {"Fri 22:00-07:00", "2026-11-28T02:00:00Z", "2026-11-28T07:00:00Z"},
		"the morning after another day":          {"Fri 22:00-07:00", "2026-11-27T02:00:00Z", ""},
		"a whole day":                            {"Sat,Sun 00:00-24:00", "2026-11-28T12:00:00Z", "2026-11-29T00:00:00Z"},
		"a range over the week's end":            {"Sat-Mon 00:00-24:00", "2026-11-29T12:00:00Z", "2026-11-30T00:00:00Z"},
		"over the night in which the clock goes": {"22:00-07:00 Europe/Berlin", "2026-10-24T23:00:00Z", "2026-10-25T06:00:00Z"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			q, err := bridge.ParseQuiet(tt.quiet)
			if err != nil {
				t.Fatal(err)
			}
			now, _ := time.Parse(time.RFC3339, tt.now)
			got := ""
			if until := q.Until(now); !until.IsZero() {
				got = until.UTC().Format(time.RFC3339)
			}
			if got != tt.until {
				t.Errorf("quiet until %q, want %q", got, tt.until)
			}
		})
	}
	if until := (bridge.Quiet{}).Until(time.Now()); !until.IsZero() {
		t.Error("no quiet hours hold")
	}
}

func TestWhatAreNoQuietHours(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "22-7", "22:00", "25:00-07:00", "22:60-07:00", "24:01-07:00", "22:00-22:00", "Mo 22:00-07:00", "Mon- 22:00-07:00", "22:00-07:00 Berlin", "22:00-07:00 Local"} {
		if _, err := bridge.ParseQuiet(text); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
}

func FuzzParseQuiet(f *testing.F) {
	f.Add("Mon-Fri 22:00-07:00 Europe/Berlin", int64(1764284400))
	f.Add("sun,tue 00:00-24:00", int64(0))
	f.Fuzz(func(t *testing.T, text string, seconds int64) {
		q, err := bridge.ParseQuiet(text)
		now := time.Unix(seconds%(1<<40), 0)
		if until := q.Until(now); err == nil && !until.IsZero() && (!until.After(now) || until.Sub(now) > 49*time.Hour) {
			t.Errorf("%q at %s: until %s", text, now, until)
		}
	})
}
