package workflowtemplates

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// minInterval is the shortest time between two Workflows of a rule.
const minInterval = time.Millisecond

var (
	rateForm  = regexp.MustCompile(`^([0-9]+) */ *([A-Za-z]+)$`)
	rateUnits = map[string]time.Duration{
		"s": time.Second, "sec": time.Second, "second": time.Second,
		"m": time.Minute, "min": time.Minute, "minute": time.Minute,
		"h": time.Hour, "hour": time.Hour,
		"d": 24 * time.Hour, "day": 24 * time.Hour,
	}
)

const rateUsage = "write a count and s, min, h or d, as in 10/min"

// rate reads a count and a unit of time: 10/min.
func (s *section) rate() bridge.Rate {
	if s == nil {
		return bridge.Rate{}
	}
	text := strings.TrimSpace(s.text)
	m := rateForm.FindStringSubmatch(text)
	if m == nil {
		s.fail(1, rateUsage, "%q is no rate", text)
		return bridge.Rate{}
	}
	per, ok := rateUnits[m[2]]
	if !ok {
		suggestion := didYouMean(nearest(m[2], slices.Sorted(maps.Keys(rateUnits))))
		if suggestion == "" {
			suggestion = rateUsage
		}
		s.fail(1, suggestion, "%q is no unit of time for a rate", m[2])
		return bridge.Rate{}
	}
	count, err := strconv.Atoi(m[1])
	r := bridge.Rate{Count: count, Per: per}
	switch {
	case count == 0 && err == nil:
		s.fail(1, "take the annotation "+s.key+" out for no bound", "a rate must be at least 1, got %q", text)
	case err != nil || r.Interval() < minInterval:
		s.fail(1, "take the annotation "+s.key+" out for no bound", "the rate %s is more than one in a millisecond", text)
	default:
		return r
	}
	return bridge.Rate{}
}
