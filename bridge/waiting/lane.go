package waiting

import (
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// Times between the attempts at a task, and between those at a lane whose tasks fail one after the other.
const (
	minPause = 250 * time.Millisecond
	maxPause = time.Minute
)

// A lane is what waits for one template.
type lane struct {
	tasks []*queued // by key
	busy  bool      // one is being worked on
	// failures counts the attempts that failed since the last that did not, of which the first was
	// at failing. Until pause nothing of the lane is tried.
	failures int
	failing  time.Time
	pause    time.Time
	full     bool // the pause is for a limit, not for a failure
}

type queued struct {
	key      string
	task     Task
	attempts int
	next     time.Time // not before
}

func (l *lane) find(key string) (int, bool) {
	return slices.BinarySearchFunc(l.tasks, key, func(q *queued, key string) int { return strings.Compare(q.key, key) })
}

func (l *lane) add(key string, t Task) {
	at, found := l.find(key)
	if found {
		return
	}
	l.tasks = slices.Insert(l.tasks, at, &queued{key: key, task: t})
}

func (l *lane) remove(key string) {
	if at, found := l.find(key); found {
		l.tasks = slices.Delete(l.tasks, at, at+1)
	}
}

// due returns the first task that may be tried now, or nil and when to look again.
func (l *lane) due(now time.Time) (*queued, time.Time) {
	if l.busy {
		return nil, now.Add(maxPause)
	}
	if l.pause.After(now) {
		return nil, l.pause
	}
	next := now.Add(maxPause)
	for _, q := range l.tasks {
		if !q.next.After(now) {
			return q, now
		}
		if q.next.Before(next) {
			next = q.next
		}
	}
	return nil, next
}

// failed puts a task off, and the lane with it.
func (l *lane) failed(q *queued, now time.Time) {
	q.attempts++
	q.next = now.Add(backoff(q.attempts))
	if l.failures++; l.failures == 1 {
		l.failing = now
	}
	l.pause, l.full = now.Add(backoff(l.failures)), false
}

// succeeded lets the lane go on at once.
func (l *lane) succeeded() {
	l.failures, l.failing, l.pause, l.full = 0, time.Time{}, time.Time{}, false
}

// backoff grows from minPause to maxPause by doubling, with jitter between half and all of it.
func backoff(attempt int) time.Duration {
	wait := maxPause
	if attempt < 10 {
		wait = min(maxPause, minPause<<(attempt-1))
	}
	return wait/2 + rand.N(wait/2)
}
