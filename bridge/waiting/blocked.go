package waiting

import (
	"errors"
	"time"
)

// block lets a lane wait for a limit, unless something has ended there since it was looked at.
func (r *Room) block(l *lane, on string, now time.Time) {
	if l.missed[on] {
		l.filled(on, now)
		l.woken = true
		return
	}
	l.filled(on, now.Add(fullPause))
	if r.blocked[on] == nil {
		r.blocked[on] = map[*lane]bool{}
	}
	r.blocked[on][l] = true
}

func (r *Room) unblock(l *lane) {
	if waiting := r.blocked[l.on]; waiting != nil {
		if delete(waiting, l); len(waiting) == 0 {
			delete(r.blocked, l.on)
		}
	}
}

// Freed says that a run has ended, with the limits that it counted for: of the lanes that wait for one, the one whose
// first task has come first looks again. To wake all would cost as many looks as there are lanes for each run.
func (r *Room) Freed(limits ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for l := range r.working {
		for _, limit := range limits {
			l.missed[limit] = true
		}
	}
	for _, limit := range limits {
		r.free(limit)
	}
	r.nudge()
}

func (r *Room) free(limit string) {
	var first *lane
	for l := range r.blocked[limit] {
		if first == nil || l.before(first) {
			first = l
		}
	}
	if first == nil {
		return
	}
	r.unblock(first)
	first.pause, first.full, first.woken = time.Time{}, false, true
	r.reschedule(first)
}

// passOn wakes the next lane for a limit when one that was woken for it has not found it full: there may be room for
// more.
func (r *Room) passOn(woken bool, on string, err error) {
	var full Full
	if again := errors.As(err, &full) && full.On == on; woken && !again {
		r.free(on)
	}
}
