package slack

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/argo-bridge/argo-bridge/adapters/slack/message"
	"github.com/argo-bridge/argo-bridge/bridge"
)

// all silences every template.
const all = "all"

func readSilence(l Line, o *bridge.Order) string {
	words := slices.Concat(l.Words, l.Behind)
	t, fault := named(l, "template")
	switch {
	case fault != "":
		return fault + ", or all"
	case len(l.Parameters) > 0:
		return "a silence takes no key=value"
	}
	if o.Template = t.String(); o.Template == all {
		o.Template = ""
	}
	o.For = DefaultSilence
	rest := words[1:]
	if len(rest) > 0 {
		var taken int
		if o.For, taken, fault = readFor(rest); fault != "" {
			return fault
		}
		rest = rest[taken:]
	}
	o.Reason = message.Cut(strings.Join(rest, " "), maxReason)
	return ""
}

// readFor reads how long a silence lasts from the words behind its template: [for] 2h, [for] 2 hours. Without a time it is
// DefaultSilence, and no word is taken.
func readFor(words []string) (lasts time.Duration, taken int, fault string) {
	said := strings.EqualFold(words[0], "for")
	if said {
		words, taken = words[1:], 1
	}
	for n := min(2, len(words)); n > 0; n-- {
		if d, ok := ParseLasting(strings.Join(words[:n], "")); ok {
			return d, taken + n, lastsTooLong(d)
		}
	}
	if !said {
		return DefaultSilence, 0, ""
	}
	if len(words) == 0 {
		return 0, 0, "say for how long"
	}
	return 0, 0, quote(words[0]) + " is no time such as 30m, 2h or 1d"
}

func lastsTooLong(d time.Duration) string {
	if d < minSilence || d > maxSilence {
		return fmt.Sprintf("a silence lasts from 1m to %dd", int(maxSilence.Hours()/24))
	}
	return ""
}

var lasting = regexp.MustCompile(`^([0-9]{1,4})(m|min|mins|minutes?|h|hrs?|hours?|d|days?|w|weeks?)$`)

var lastingUnits = map[byte]time.Duration{'m': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour, 'w': 7 * 24 * time.Hour}

// ParseLasting reads a time as people write it: 30m, 1h30m, 2 hours without the space, 1d, 1w.
func ParseLasting(s string) (time.Duration, bool) {
	s = strings.ToLower(s)
	if m := lasting.FindStringSubmatch(s); m != nil {
		n, err := strconv.Atoi(m[1])
		return time.Duration(n) * lastingUnits[m[2][0]], err == nil
	}
	if len(s) > 20 {
		return 0, false
	}
	d, err := time.ParseDuration(s)
	return d, err == nil && d > 0
}

func readUnsilence(l Line, o *bridge.Order) string {
	words := slices.Concat(l.Words, l.Behind)
	switch {
	case len(words) == 0:
		return "name a silence by its id"
	case len(words) > 1 || len(l.Parameters) > 0:
		return "one silence is all that this takes"
	}
	if o.Silence = clean(words[0]); !silenceID.MatchString(o.Silence) {
		o.Silence = ""
		return quote(words[0]) + " is no id of a silence, which the verb silences lists"
	}
	return ""
}
