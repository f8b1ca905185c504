package waiting

import (
	"slices"
	"time"
)

// block lets a lane wait for a limit, unless something has ended there since it was looked at.
func (r *Room) block(l *lane, on string, now time.Time) {
	if len(l.missed) > 0 && (on == "" || slices.Contains(l.missed, on)) {
		l.filled(on, now)
		return
	}
	pause := ownPause
	if on == "" {
		pause = fullPause
	}
	l.filled(on, now.Add(pause))
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

// Freed says that a run has ended, with the limits that it counted for: the lanes that wait for one of them
// look again, and some of those that wait for a limit for all.
func (r *Room) Freed(limits ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for l := range r.working {
		l.missed = append(l.missed, limits...)
	}
	for _, limit := range limits {
		r.free(limit, len(r.blocked[limit]))
	}
	r.free("", wakeAtOnce)
	r.nudge()
}

func (r *Room) free(limit string, most int) {
	for l := range r.blocked[limit] { // in Go's random order, so that none comes first
		if most--; most < 0 {
			return
		}
		delete(r.blocked[limit], l)
		l.pause, l.full = time.Time{}, false
		r.reschedule(l)
	}
	if len(r.blocked[limit]) == 0 {
		delete(r.blocked, limit)
	}
}
