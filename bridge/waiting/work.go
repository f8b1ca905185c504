package waiting

import (
	"context"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// A Try is what a handler may want to know of the attempt.
type Try struct {
	// Failing is since when every attempt of the lane has failed; zero after one that did not.
	Failing time.Time
	// Number counts the attempts at the task since this process leads, from 1.
	Number int
}

// A Handler works on a task. Nil settles it. A permanent error settles it as well, without a sign
// that the lane is healthy again. Any other error keeps it: [Full] until there may be room, others
// for bridge.Wait(err) or a growing time.
type Handler func(ctx context.Context, t Task, try Try) error

// Full is the error of a handler that may not go on because a limit is reached.
const Full = fullError("as many workflows are in flight as may be")

type fullError string

func (e fullError) Error() string { return string(e) }

// fullPause is how long a lane at its limit pauses at most; Room wakes it before when a run ends.
const fullPause = 2 * time.Second

// Work hands out the tasks that are due, one of each lane and workers at once, until ctx ends and the last
// handler has returned. Only one process may work.
func (r *Room) Work(ctx context.Context, workers int, handle Handler) error {
	slots := make(chan struct{}, workers)
	var handlers sync.WaitGroup
	defer handlers.Wait()
	for {
		key, q, try, next := r.take()
		if q == nil {
			timer := time.NewTimer(next)
			select {
			case <-ctx.Done():
				timer.Stop()
				return nil
			case <-timer.C:
			case <-r.wake:
				timer.Stop()
			}
			continue
		}
		select {
		case <-ctx.Done():
			r.release(key)
			return nil
		case slots <- struct{}{}:
		}
		handlers.Go(func() {
			defer func() { <-slots }()
			r.attempt(ctx, key, q, try, handle)
		})
	}
}

// take claims a lane and returns its task, or says how long to wait.
func (r *Room) take() (lane string, q *queued, try Try, wait time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	wait = maxPause
	if !r.loaded {
		return "", nil, try, wait
	}
	now := r.now()
	for key, l := range r.lanes { // in Go's random order, so that none comes first
		q, next := l.due(now)
		if q != nil {
			l.busy = true
			return key, q, Try{l.failing, q.attempts + 1}, 0
		}
		wait = min(wait, next.Sub(now))
	}
	return "", nil, try, max(wait, time.Millisecond)
}

// attempt runs the handler and draws the conclusions.
func (r *Room) attempt(ctx context.Context, lane string, q *queued, try Try, handle Handler) {
	err := handle(ctx, q.task, try)
	settled := err == nil || bridge.IsPermanent(err)
	if settled {
		if e := r.table.Delete(context.WithoutCancel(ctx), q.key); e != nil {
			// It is settled in the ledger: the next attempt sees that.
			r.log.Warn("take a settled task out of the table; it will be tried again", zap.Error(e))
			settled, err = false, e
		}
	}
	r.conclude(ctx, lane, q, settled, err)
}

func (r *Room) conclude(ctx context.Context, name string, q *queued, settled bool, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	defer r.nudge()
	l := r.lanes[name]
	if l == nil {
		return // the table was lost meanwhile
	}
	l.busy = false
	now := r.now()
	switch wait, named := bridge.Wait(err); {
	case settled:
		if err == nil {
			l.succeeded()
		}
		r.remove(q.key)
	case ctx.Err() != nil: // stopped, not failed
	case err == error(Full):
		l.pause, l.full = now.Add(fullPause), true
	case named:
		l.failed(q, now)
		l.pause = now.Add(wait)
	default:
		l.failed(q, now)
	}
}

func (r *Room) release(lane string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if l := r.lanes[lane]; l != nil {
		l.busy = false
	}
}

// Freed says that a run has ended: lanes that wait for a limit look again.
func (r *Room) Freed() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, l := range r.lanes {
		if l.full {
			l.pause, l.full = time.Time{}, false
		}
	}
	r.nudge()
}
