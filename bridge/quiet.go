package bridge

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Quiet hours are times of the week, in one time zone, at which nobody wants to be called. The zero value has none.
type Quiet struct {
	days     [7]bool // on which they begin
	from, to int     // minutes of the day; to below from ends on the next day
	zone     *time.Location
}

// UsageQuiet says how quiet hours are written.
const UsageQuiet = "write 22:00-07:00 Europe/Berlin, or with the days on which they begin: Mon-Fri 22:00-07:00 Europe/Berlin"

var (
	quietForm = regexp.MustCompile(`^(?:([A-Za-z,-]+) +)?([0-9]{1,2}):([0-9]{2}) *- *([0-9]{1,2}):([0-9]{2})(?: +(\S+))?$`)
	weekdays  = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}
)

// ParseQuiet reads quiet hours: days (Mon-Fri, or Sat,Sun; all when left out), from and to, and a time zone by its IANA
// name (UTC when left out).
func ParseQuiet(text string) (Quiet, error) {
	m := quietForm.FindStringSubmatch(strings.TrimSpace(text))
	if m == nil {
		return Quiet{}, fmt.Errorf("%q are no quiet hours such as 22:00-07:00 Europe/Berlin", text)
	}
	var q Quiet
	var err error
	if q.days, err = parseDays(m[1]); err != nil {
		return Quiet{}, err
	}
	if q.from, err = minutes(m[2], m[3]); err != nil {
		return Quiet{}, err
	}
	if q.to, err = minutes(m[4], m[5]); err != nil {
		return Quiet{}, err
	}
	if q.from == q.to {
		return Quiet{}, fmt.Errorf("quiet hours %q end when they begin", text)
	}
	q.zone = time.UTC
	if m[6] != "" {
		if q.zone, err = time.LoadLocation(m[6]); err != nil || m[6] == "Local" {
			return Quiet{}, fmt.Errorf("%q is no time zone such as Europe/Berlin", m[6])
		}
	}
	return q, nil
}

func minutes(hour, minute string) (int, error) {
	h, _ := strconv.Atoi(hour)
	m, _ := strconv.Atoi(minute)
	if h > 24 || m > 59 || h == 24 && m > 0 {
		return 0, fmt.Errorf("%s:%s is no time of the day", hour, minute)
	}
	return h*60 + m, nil
}

func parseDays(text string) (days [7]bool, err error) {
	if text == "" {
		return [7]bool{true, true, true, true, true, true, true}, nil
	}
	for part := range strings.SplitSeq(text, ",") {
		first, last, isRange := strings.Cut(part, "-")
		from := slices.Index(weekdays, strings.ToLower(first))
		to := from
		if isRange {
			to = slices.Index(weekdays, strings.ToLower(last))
		}
		if from < 0 || to < 0 {
			return days, fmt.Errorf("%q is no day of the week such as Mon, and no range such as Mon-Fri", part)
		}
		for d := from; ; d = (d + 1) % len(days) {
			days[d] = true
			if d == to {
				break
			}
		}
	}
	return days, nil
}

// Until returns when the quiet hours that hold at a time end; zero when none hold.
func (q Quiet) Until(now time.Time) time.Time {
	if q.zone == nil {
		return time.Time{}
	}
	now = now.In(q.zone)
	for back := range 2 { // those that began today, and those of yesterday
		begin := now.AddDate(0, 0, -back)
		if !q.days[begin.Weekday()] {
			continue
		}
		from, to := at(begin, q.from), at(begin, q.to)
		if q.to < q.from {
			to = at(begin.AddDate(0, 0, 1), q.to)
		}
		if !now.Before(from) && now.Before(to) {
			return to
		}
	}
	return time.Time{}
}

func at(day time.Time, minute int) time.Time {
	return time.Date(day.Year(), day.Month(), day.Day(), minute/60, minute%60, 0, 0, day.Location())
}
