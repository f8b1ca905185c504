package waiting

import (
	"context"
	"errors"
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

// Work hands out the tasks that are due, some of each lane and workers at once, until ctx ends and the last
// handler has returned. Only one process may work.
func (r *Room) Work(ctx context.Context, workers int, handle Handler) error {
	slots := make(chan struct{}, workers)
	var handlers sync.WaitGroup
	defer handlers.Wait()
	for {
		l, q, try, next := r.take()
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
			r.release(l, q)
			return nil
		case slots <- struct{}{}:
		}
		handlers.Go(func() {
			defer func() { <-slots }()
			r.attempt(ctx, l, q, try, handle)
		})
	}
}

// take claims a lane and returns its task, or says how long to wait.
func (r *Room) take() (l *lane, q *queued, try Try, wait time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	wait = maxPause
	if !r.loaded {
		return nil, nil, try, wait
	}
	now := r.now()
	for _, l := range r.lanes { // in Go's random order, so that none comes first
		q, next := l.due(now)
		if q != nil {
			l.claim(q)
			return l, q, Try{l.failing, q.attempts + 1}, 0
		}
		wait = min(wait, next.Sub(now))
	}
	return nil, nil, try, max(wait, time.Millisecond)
}

// attempt runs the handler and draws the conclusions.
func (r *Room) attempt(ctx context.Context, l *lane, q *queued, try Try, handle Handler) {
	err := handle(ctx, q.task, try)
	settled := err == nil || bridge.IsPermanent(err)
	if settled {
		r.setGone(q.key, true)
		if e := r.table.Delete(context.WithoutCancel(ctx), q.key); e != nil {
			r.setGone(q.key, false)
			// It is settled in the ledger: the next attempt sees that.
			r.log.Warn("take a settled task out of the table; it will be tried again", zap.Error(e))
			settled, err = false, e
		}
	}
	r.conclude(ctx, l, q, settled, err)
}

func (r *Room) setGone(key string, gone bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if gone {
		r.gone[key] = true
	} else {
		delete(r.gone, key)
	}
}

func (r *Room) conclude(ctx context.Context, l *lane, q *queued, settled bool, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	defer r.nudge()
	defer r.tidy(q.task.Lane(), l)
	l.release(q)
	now := r.now()
	switch wait, named := bridge.Wait(err); {
	case settled:
		if err == nil {
			l.succeeded()
		}
		l.remove(q.key)
	case ctx.Err() != nil: // stopped, not failed
	case errors.Is(err, Full):
		l.filled(now.Add(fullPause))
	case named:
		l.failed(q, now)
		l.pause = now.Add(wait)
	default:
		l.failed(q, now)
	}
}

func (r *Room) release(l *lane, q *queued) {
	r.mu.Lock()
	defer r.mu.Unlock()
	l.release(q)
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
