package waiting

import (
	"slices"
	"strings"
	"time"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// maxPause is how long the worker sleeps when nothing is due: as long as a task is put off at most.
const maxPause = bridge.MaxBackoff

// inLane is how many tasks of a lane are worked on at once at most: a lane that has filled up in an outage must
// be emptied faster than new events come. It begins with one, doubles with each success, and is one again after
// a failure, or at a limit, whose free places go to the first in line.
const inLane = 16

// A lane is what waits for one template.
type lane struct {
	tasks  []*queued // by key
	limits int       // how many of them wait for a limit
	busy   int       // so many are being worked on
	width  int       // so many may be; 0 is 1
	// failures counts the attempts that failed since the last that did not, of which the first was
	// at failing. Until pause nothing of the lane is tried.
	failures int
	failing  time.Time
	pause    time.Time
	full     bool    // the pause is for a limit, not for a failure
	last     *queued // tried last, and failed
}

type queued struct {
	key      string
	task     Task
	attempts int
	next     time.Time // not before
	busy     bool
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
	if t.Limit {
		l.limits++
	}
}

func (l *lane) remove(key string) {
	at, found := l.find(key)
	if !found {
		return
	}
	if l.tasks[at].task.Limit {
		l.limits--
	}
	l.tasks = slices.Delete(l.tasks, at, at+1)
}

// due returns the first task that may be tried now, or nil and when to look again. The one that failed last
// comes after the others, so that it cannot hold them up.
func (l *lane) due(now time.Time) (*queued, time.Time) {
	if l.busy >= max(1, l.width) {
		return nil, now.Add(maxPause) // who works on it wakes the room when done
	}
	if l.pause.After(now) {
		return nil, l.pause
	}
	next := now.Add(maxPause)
	var again *queued
	for _, q := range l.tasks {
		switch {
		case q.busy:
		case q.next.After(now):
			if q.next.Before(next) {
				next = q.next
			}
		case q == l.last:
			again = q
		default:
			return q, now
		}
	}
	return again, next
}

// claim says that a task is being worked on, and release that it is not any more.
func (l *lane) claim(q *queued) {
	q.busy = true
	l.busy++
}

func (l *lane) release(q *queued) {
	q.busy = false
	l.busy--
}

// failed puts a task off, and the lane with it.
func (l *lane) failed(q *queued, now time.Time) {
	q.attempts++
	l.last, l.width = q, 1
	q.next = now.Add(bridge.Backoff(q.attempts))
	if l.pause.After(now) && !l.full {
		return // one that was tried at the same time has failed before
	}
	if l.failures++; l.failures == 1 {
		l.failing = now
	}
	l.pause, l.full = now.Add(bridge.Backoff(l.failures)), false
}

// succeeded lets the lane go on at once.
func (l *lane) succeeded() {
	l.failures, l.failing, l.pause, l.full = 0, time.Time{}, time.Time{}, false
	l.width = min(inLane, 2*max(1, l.width))
}

// filled lets the lane wait for a place.
func (l *lane) filled(until time.Time) {
	l.pause, l.full, l.width = until, true, 1
}
