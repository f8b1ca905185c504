package slacktest

import (
	"math"
	"time"
)

// What a minute allows of the methods of a tier, and of posting: https://docs.slack.dev/apis/web-api/rate-limits
//
// Slack names a minimum for each tier and tolerates bursts; here the bucket that a minute fills is the burst, but for the
// first tier ("a small amount of burst behavior"). Of posting it says one a second and channel, with short bursts, and a
// limit of the workspace in the hundreds a minute.
const (
	tier1, burst1 = 1, 10
	tier2         = 20
	tier3         = 50
	tier4         = 100
	special       = 300

	postBurst = 3
	postEvery = time.Second

	nearlyOne = 0.999 // what is left is a sum of fractions
)

// limits are buckets of calls, by method and workspace or channel.
type limits struct {
	off               bool
	buckets           map[string]*bucket
	until             map[string]time.Time
	limited, unheeded int
}

type bucket struct {
	left float64
	at   time.Time
}

func newLimits() limits {
	return limits{buckets: map[string]*bucket{}, until: map[string]time.Time{}}
}

// A budget is what one key may do: so many at once, and one more in each interval.
type budget struct {
	key   string
	burst int
	every time.Duration
}

func perMinute(key string, n, burst int) budget {
	return budget{key, burst, time.Minute / time.Duration(n)}
}

// take uses up one call of each budget, or of none and says how many seconds to wait.
func (l *limits) take(now time.Time, budgets ...budget) (wait int) {
	if l.off {
		return 0
	}
	early := false
	for _, b := range budgets {
		if until := l.until[b.key]; now.Before(until) {
			early = true
			wait = max(wait, seconds(until.Sub(now)))
			continue
		}
		if left := l.fill(now, b).left; left < nearlyOne {
			w := seconds(time.Duration((1 - left) * float64(b.every)))
			l.until[b.key] = now.Add(time.Duration(w) * time.Second)
			wait = max(wait, w)
		}
	}
	if early {
		l.unheeded++
	}
	if wait > 0 {
		l.limited++
		return wait
	}
	for _, b := range budgets {
		l.buckets[b.key].left--
	}
	return 0
}

func (l *limits) fill(now time.Time, b budget) *bucket {
	have, ok := l.buckets[b.key]
	if !ok {
		have = &bucket{float64(b.burst), now}
		l.buckets[b.key] = have
	}
	have.left = min(float64(b.burst), have.left+float64(now.Sub(have.at))/float64(b.every))
	have.at = now
	return have
}

// seconds rounds up, as Retry-After has whole seconds; at least 1.
func seconds(d time.Duration) int { return max(1, int(math.Ceil(d.Seconds()))) }

// Unlimited turns the limits of rates, and of how often a response_url can be used, off: for tests that are about something
// else.
func (s *Server) Unlimited() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.limits.off = true
}

// Limited counts the calls that got 429 for haste.
func (s *Server) Limited() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.limits.limited
}

// Unheeded counts the calls that came before the Retry-After of an earlier answer was over: of the same method, and for
// posting, of the same channel.
func (s *Server) Unheeded() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.limits.unheeded
}
