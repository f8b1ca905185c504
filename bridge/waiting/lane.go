package waiting

import (
	"slices"
	"strings"
	"time"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// maxPause is how long the worker sleeps when nothing is due: as long as a task is put off at most.
const maxPause = bridge.MaxBackoff

// inLane is how many tasks of a template's lane are worked on at once at most: a lane that has filled up in an
// outage must be emptied faster than new events come. It begins with one, doubles with each success, and is
// one again after a failure, or at a limit, whose free places go to the first in line.
const inLane = 16

// firstProbe is the size at which a batch that is not due is looked at for the first time: its parameters may be
// as large as they may be. Then at each doubling.
const firstProbe = 16

// A lane is what waits for one template, or in one line of its rules.
type lane struct {
	name   string
	line   *Line     // as the newest task has it; nil: the lane of a template
	tasks  []*queued // by key
	limits int       // how many of them wait for a limit
	busy   int       // so many are being worked on
	width  int       // so many may be; 0 is 1
	// failures counts the attempts that failed since the last that did not, of which the first was
	// at failing. Until pause nothing of the lane is tried.
	failures int
	failing  time.Time
	pause    time.Time
	full     bool            // the pause is for a limit, not for a failure
	on       string          // the limit, see Full
	woken    bool            // since a run has ended there
	missed   map[string]bool // limits that were freed while it was worked on
	last     *queued         // tried last, and failed
	probe    int             // the size of the next probe of a batch

	at    time.Time // when it is due, as the schedule knows it
	index int       // in the schedule; -1: not there
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
	l.line = t.Line
	// Who comes before all others is told what it waits for, when it is looked at.
	if eager := l.line != nil && l.line.Eager; l.full && (eager || at == 0) {
		l.pause = time.Time{}
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
	if at == 0 { // as nearly always, and without moving the others
		l.tasks[0] = nil
		l.tasks = l.tasks[1:]
		return
	}
	l.tasks = slices.Delete(l.tasks, at, at+1)
}

// before says that its first task has come before that of another lane.
func (l *lane) before(other *lane) bool {
	return len(l.tasks) > 0 && (len(other.tasks) == 0 || l.tasks[0].task.Sequence < other.tasks[0].task.Sequence)
}

// forget drops the tasks, which the table is going to tell anew. Those that are being worked on may be among them:
// no more is handed out before all have been released.
func (l *lane) forget() {
	l.tasks, l.limits, l.last, l.index = nil, 0, nil, -1
	l.pause, l.full, l.woken, l.width = time.Time{}, false, false, 1
}

// due returns what may be tried now, or nothing and when to look again.
func (l *lane) due(now time.Time) ([]*queued, time.Time) {
	switch {
	case l.busy >= max(1, l.width), len(l.tasks) == 0:
		return nil, now.Add(maxPause) // who works on it, or adds to it, schedules it anew
	case l.pause.After(now):
		return l.excess(), l.pause
	case l.line == nil:
		return l.any(now)
	}
	head := l.tasks[0]
	switch {
	case head.next.After(now):
		return nil, head.next
	case l.line.MaxItems == 0:
		return []*queued{head}, now
	}
	if !l.closed(now) && len(l.tasks) < max(l.probe, firstProbe) {
		return nil, l.closes()
	}
	return slices.Clone(l.tasks[:min(len(l.tasks), l.line.MaxItems)]), now
}

// excess is the first task that is one too many for a line that is full; nil: none.
func (l *lane) excess() []*queued {
	if !l.full || l.line == nil || l.line.MaxWaiting == 0 {
		return nil
	}
	if most := max(l.line.MaxWaiting, l.line.MaxItems); len(l.tasks) > most {
		return []*queued{l.tasks[most]}
	}
	return nil
}

// closed says that what is handed out is due: a batch by its size or its age, and not only to be looked at.
func (l *lane) closed(now time.Time) bool {
	return l.line == nil || len(l.tasks) >= l.line.MaxItems || !l.closes().After(now)
}

// closes is when a batch is due by its age.
func (l *lane) closes() time.Time { return l.tasks[0].task.Since.Add(l.line.MaxWait) }

// any returns the first task that may be tried now. The one that failed last comes after the others, so that it
// cannot hold them up.
func (l *lane) any(now time.Time) ([]*queued, time.Time) {
	next := now.Add(maxPause)
	var again []*queued
	for _, q := range l.tasks {
		switch {
		case q.busy:
		case q.next.After(now):
			if q.next.Before(next) {
				next = q.next
			}
		case q == l.last:
			again = []*queued{q}
		default:
			return []*queued{q}, now
		}
	}
	return again, next
}

// claim says that tasks are being worked on, and release that they are not any more.
func (l *lane) claim(tasks []*queued) {
	for _, q := range tasks {
		q.busy = true
	}
	l.busy++
}

func (l *lane) release(tasks []*queued) {
	for _, q := range tasks {
		q.busy = false
	}
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
	l.failures, l.failing, l.pause, l.full, l.probe = 0, time.Time{}, time.Time{}, false, 0
	if l.line == nil {
		l.width = min(inLane, 2*max(1, l.width))
	}
}

// filled lets the lane wait for a place.
func (l *lane) filled(on string, until time.Time) {
	l.pause, l.full, l.on, l.width = until, true, on, 1
}
