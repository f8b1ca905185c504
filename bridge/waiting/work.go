package waiting

import (
	"context"
	"errors"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// A Turn is what a handler is to work on.
type Turn struct {
	// Tasks is one task, or those of a batch in their order.
	Tasks []Task
	// Open says that the batch is not due: it is shown in case that it must be closed before its time.
	Open bool
	// Excess says that the task is one more than may wait in its line, which is full.
	Excess bool
	// Behind is how many tasks wait behind these in their line, and Newest the last of them.
	Behind int
	Newest Task
	// Failing is since when every attempt of the lane has failed; zero after one that did not.
	Failing time.Time
	// Told is the change of the table up to which the tasks were known when the turn was given.
	Told uint64
	// Number counts the attempts at the first task since this process leads, from 1.
	Number int
}

// A Handler works on a turn. It says how many of the tasks are settled, the first ones, and why the next is
// not. A nil or permanent error leaves those that are not settled to the next turn; the latter without a sign that the
// lane is healthy again. Any other error puts them off: [Full] until there may be room, [Later] until
// then, others for bridge.Wait(err) or a growing time.
type Handler func(ctx context.Context, t Turn) (settled int, err error)

// Full is the error of a handler that may not go on because a limit is reached.
type Full struct {
	// On names the limit, in the words of [Room.Freed].
	On string
}

func (Full) Error() string { return "as many workflows are in flight as may be" }

// Later is the error of a handler that may not go on before a time.
type Later struct{ At time.Time }

func (l Later) Error() string { return "not before " + l.At.Format(time.RFC3339) }

// fullPause is how long a lane at a limit pauses at most; Room wakes it before when a run ends there.
const fullPause = 30 * time.Second

// Work hands out the tasks that are due, some of each lane and workers at once, until ctx ends and the last
// handler has returned. Only one process may work.
func (r *Room) Work(ctx context.Context, workers int, handle Handler) error {
	slots := make(chan struct{}, workers)
	var handlers sync.WaitGroup
	defer handlers.Wait()
	for {
		select {
		case <-ctx.Done():
			return nil
		case slots <- struct{}{}:
		}
		l, tasks, turn, next := r.take()
		if tasks != nil {
			handlers.Go(func() {
				defer func() { <-slots }()
				r.attempt(ctx, l, tasks, turn, handle)
			})
			continue
		}
		<-slots
		timer := time.NewTimer(next)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-timer.C:
		case <-r.wake:
			timer.Stop()
		}
	}
}

// take claims what is due first, or says how long to wait.
func (r *Room) take() (l *lane, tasks []*queued, turn Turn, wait time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.now()
	for r.loaded && len(r.schedule) > 0 {
		l = r.schedule[0]
		if l.at.After(now) {
			return nil, nil, turn, max(l.at.Sub(now), time.Millisecond)
		}
		tasks, at := l.due(now)
		if tasks == nil {
			r.schedule.set(l, at)
			continue
		}
		turn = l.turn(tasks, now)
		turn.Told = r.told
		if l.claim(tasks); l.busy == 1 {
			l.missed, r.working[l] = map[string]bool{}, true
		}
		r.reschedule(l)
		return l, tasks, turn, 0
	}
	return nil, nil, turn, maxPause
}

func (l *lane) turn(tasks []*queued, now time.Time) Turn {
	t := Turn{Failing: l.failing, Number: tasks[0].attempts + 1, Open: !l.closed(now), Excess: l.pause.After(now)}
	for _, q := range tasks {
		t.Tasks = append(t.Tasks, q.task)
	}
	if l.line != nil {
		t.Behind, t.Newest = len(l.tasks)-len(tasks), l.tasks[len(l.tasks)-1].task
	}
	return t
}

// attempt runs the handler and draws the conclusions.
func (r *Room) attempt(ctx context.Context, l *lane, tasks []*queued, turn Turn, handle Handler) {
	settled, err := handle(ctx, turn)
	gone := 0
	for _, q := range tasks[:settled] {
		r.setGone(q.key, true)
		if e := r.table.Delete(context.WithoutCancel(ctx), q.key); e != nil {
			r.setGone(q.key, false)
			// It is settled in the ledger: the next attempt sees that.
			r.log.Warn("take a settled task out of the table; it will be tried again", zap.Error(e))
			err = e
			break
		}
		gone++
	}
	if turn.Excess && err == nil {
		r.dismiss(l, tasks)
		return
	}
	r.conclude(ctx, l, tasks, gone, err)
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

// dismiss takes out what was too much for a line, which waits on for its place.
func (r *Room) dismiss(l *lane, tasks []*queued) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.release(l, tasks)
	l.remove(tasks[0].key)
	r.settle(l)
	r.nudge()
}

func (r *Room) release(l *lane, tasks []*queued) {
	if l.release(tasks); l.busy == 0 {
		delete(r.working, l)
	}
}

func (r *Room) conclude(ctx context.Context, l *lane, tasks []*queued, gone int, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	defer r.nudge()
	r.release(l, tasks)
	for _, q := range tasks[:gone] {
		l.remove(q.key)
	}
	r.unblock(l)
	woken, on := l.woken, l.on
	l.woken = false
	if err == nil && gone > 0 {
		l.succeeded()
	}
	if gone < len(tasks) {
		r.putOff(ctx, l, tasks[gone], err)
	}
	r.passOn(woken, on, err)
	r.settle(l)
}

// putOff says when a task that is not settled is tried again.
func (r *Room) putOff(ctx context.Context, l *lane, q *queued, err error) {
	now := r.now()
	var full Full
	var later Later
	wait, named := bridge.Wait(err)
	switch {
	case err == nil:
		l.probe = 2 * len(l.tasks)
	case ctx.Err() != nil, bridge.IsPermanent(err): // stopped, not failed; or the others of its batch were settled
	case errors.As(err, &full):
		r.block(l, full.On, now)
	case errors.As(err, &later):
		l.pause, l.full = later.At, false
	case named:
		l.failed(q, now)
		l.pause = now.Add(wait)
	default:
		l.failed(q, now)
	}
}
