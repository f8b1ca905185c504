package alerts

import (
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// How fast Slack is told: about one message a second in each channel, with short bursts, and fifty updates a minute in each
// workspace: https://docs.slack.dev/apis/web-api/rate-limits
const (
	postsPerSecond  = 0.9
	postsAtOnce     = 2
	updatesPerMin   = 45
	updatesAtOnce   = 10
	minUpdateEvery  = 2 * time.Second
	mostUpdateEvery = 30 * time.Second
)

// A throttle spaces what is written to each channel and workspace, and heeds the pauses that Slack asks for.
type throttle struct {
	mu       sync.Mutex
	limiters map[string]*rate.Limiter
	pauses   map[string]time.Time
}

func newThrottle() *throttle {
	return &throttle{limiters: map[string]*rate.Limiter{}, pauses: map[string]time.Time{}}
}

// post lets one message into a channel pass, or returns how long it has to wait.
func (t *throttle) post(team, channel string, now time.Time) time.Duration {
	return t.take("post "+team+" "+channel, postsPerSecond, postsAtOnce, now)
}

// update lets one update in a workspace pass, or returns how long it has to wait.
func (t *throttle) update(team string, now time.Time) time.Duration {
	return t.take("update "+team, updatesPerMin/60.0, updatesAtOnce, now)
}

func (t *throttle) take(key string, perSecond float64, atOnce int, now time.Time) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	if wait := t.pauses[key].Sub(now); wait > 0 {
		return wait
	}
	l := t.limiters[key]
	if l == nil {
		l = rate.NewLimiter(rate.Limit(perSecond), atOnce)
		t.limiters[key] = l
	}
	r := l.ReserveN(now, 1)
	wait := r.DelayFrom(now)
	if wait > 0 {
		r.CancelAt(now)
	}
	return wait
}

// pausePost and pauseUpdate keep all writes of a kind back for as long as Slack has asked.
func (t *throttle) pausePost(team, channel string, until time.Time) {
	t.pause("post "+team+" "+channel, until)
}

func (t *throttle) pauseUpdate(team string, until time.Time) { t.pause("update "+team, until) }

func (t *throttle) pause(key string, until time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if until.After(t.pauses[key]) {
		t.pauses[key] = until
	}
}

// updateEvery is how often one message is updated at most: the more it counts, the less often.
func updateEvery(count int) time.Duration {
	every := minUpdateEvery
	for ; count >= 10 && every < mostUpdateEvery; count /= 4 {
		every *= 2
	}
	return min(every, mostUpdateEvery)
}
