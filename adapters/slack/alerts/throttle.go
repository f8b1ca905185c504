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
	ids      map[string]string // "team #name" → the channel's id
	busy     map[string]bool   // what is being told just now: whether Slack wants more is known after that
}

// busyFor is how soon to ask again for what is busy.
const busyFor = 100 * time.Millisecond

// A turn is the right to tell Slack one thing.
type turn string

// done gives a turn back.
func (t *throttle) done(of turn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.busy, string(of))
}

func newThrottle() *throttle {
	return &throttle{limiters: map[string]*rate.Limiter{}, pauses: map[string]time.Time{}, ids: map[string]string{}, busy: map[string]bool{}}
}

// learn makes a channel's name, or a user with whom it is, and its id one channel.
func (t *throttle) learn(team, name, id string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if name == id || t.ids[team+" "+name] == id {
		return
	}
	before, after := t.channel(team, name), "post "+id
	t.ids[team+" "+name] = id
	if t.pauses[before].After(t.pauses[after]) {
		t.pauses[after] = t.pauses[before]
	}
	if l := t.limiters[before]; l != nil {
		t.limiters[after] = l
		delete(t.limiters, before)
	}
}

// channel is the key of a channel; the lock is held.
func (t *throttle) channel(team, channel string) string {
	if id, ok := t.ids[team+" "+channel]; ok {
		return "post " + id
	}
	if slackID.MatchString(channel) {
		return "post " + channel // ids are the same in all workspaces
	}
	return "post " + team + " " + channel
}

// post lets one message into a channel pass, or returns how long it has to wait.
func (t *throttle) post(team, channel string, now time.Time) (turn, time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.take(t.channel(team, channel), postsPerSecond, postsAtOnce, now)
}

// look lets one message in a workspace be looked up, or returns how long that has to wait.
func (t *throttle) look(team string, now time.Time) (turn, time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.take("look "+team, updatesPerMin/60.0, updatesAtOnce, now)
}

// update lets one update in a workspace pass, or returns how long it has to wait.
func (t *throttle) update(team string, now time.Time) (turn, time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.take("update "+team, updatesPerMin/60.0, updatesAtOnce, now)
}

// take takes a token; the lock is held.
func (t *throttle) take(key string, perSecond float64, atOnce int, now time.Time) (turn, time.Duration) {
	if t.busy[key] {
		return "", busyFor
	}
	if wait := t.pauses[key].Sub(now); wait > 0 {
		return "", wait
	}
	l := t.limiters[key]
	if l == nil {
		t.forget(now)
		l = rate.NewLimiter(rate.Limit(perSecond), atOnce)
		t.limiters[key] = l
	}
	r := l.ReserveN(now, 1)
	wait := r.DelayFrom(now)
	if wait > 0 {
		r.CancelAt(now)
		return "", wait
	}
	t.busy[key] = true
	return turn(key), 0
}

// maxLimiters is how many channels are kept in mind, as long as no more are written to at once.
const maxLimiters = 1000

// forget drops what is full again, and pauses that are over; the lock is held.
func (t *throttle) forget(now time.Time) {
	if len(t.limiters) < maxLimiters && len(t.pauses) < maxLimiters {
		return
	}
	for key, l := range t.limiters {
		if l.TokensAt(now) >= float64(l.Burst()) {
			delete(t.limiters, key)
		}
	}
	for key, until := range t.pauses {
		if until.Before(now) {
			delete(t.pauses, key)
		}
	}
}

// pause keeps back all writes of a kind, for as long as Slack has asked. key is a turn's.
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
