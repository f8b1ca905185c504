package message

import (
	"fmt"
	"time"
)

// Duration writes a length of time for people, with its two greatest units: 45 s, 3 m 5 s, 1 h 4 m, 2 d 3 h.
func Duration(d time.Duration) string {
	d = max(0, d.Round(time.Second))
	units := []struct {
		name string
		is   time.Duration
	}{{"d", 24 * time.Hour}, {"h", time.Hour}, {"m", time.Minute}, {"s", time.Second}}
	for i, unit := range units {
		if d < unit.is && unit.is > time.Second {
			continue
		}
		text := fmt.Sprintf("%d %s", d/unit.is, unit.name)
		if i+1 < len(units) {
			if rest := d % unit.is / units[i+1].is; rest > 0 {
				text += fmt.Sprintf(" %d %s", rest, units[i+1].name)
			}
		}
		return text
	}
	return ""
}

// words writes a length of time in whole words of its greatest unit: 45 seconds, 6 minutes, 2 hours.
func words(d time.Duration) string {
	switch {
	case d < 90*time.Second:
		return plural(int(d.Round(time.Second)/time.Second), "second")
	case d < 90*time.Minute:
		return plural(int(d.Round(time.Minute)/time.Minute), "minute")
	case d < 36*time.Hour:
		return plural(int(d.Round(time.Hour)/time.Hour), "hour")
	}
	return plural(int(d.Round(24*time.Hour)/(24*time.Hour)), "day")
}

// date is a time that each reader sees in their own zone:
// https://docs.slack.dev/messaging/formatting-message-text#date-formatting
func date(t time.Time) string {
	return fmt.Sprintf("<!date^%d^{date_short_pretty} at {time}|%s>", t.Unix(), t.UTC().Format("2006-01-02 15:04 UTC"))
}

// clock is a time of the day, as date.
func clock(t time.Time) string {
	return fmt.Sprintf("<!date^%d^{time}|%s>", t.Unix(), t.UTC().Format("15:04 UTC"))
}
