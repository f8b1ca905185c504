package chaos

import (
	"context"
	"errors"
	"sync"
	"time"
)

// atOnce bounds the requests under way.
const atOnce = 48

// A sender plays all sources: it spreads the events over the bridges as a Service would.
type sender struct {
	w     *world
	slots chan struct{}
	busy  sync.WaitGroup
}

func newSender(w *world) *sender { return &sender{w: w, slots: make(chan struct{}, atOnce)} }

// send sends every event at its time and again as it says, and returns when all are taken or given up.
func (s *sender) send(events []*event) {
	start := time.Now()
	for _, e := range events {
		time.Sleep(time.Until(start.Add(e.at)))
		s.busy.Go(func() { s.sendOne(e) })
	}
	s.busy.Wait()
}

func (s *sender) sendOne(e *event) {
	if !s.deliver(e) {
		return
	}
	taken := time.Now()
	for _, later := range e.again {
		s.busy.Go(func() {
			time.Sleep(time.Until(taken.Add(later)))
			s.deliver(e)
		})
	}
}

// deliver sends an event until it is taken; a gentle source tries once. False when it was given up.
func (s *sender) deliver(e *event) bool {
	if e.object != "" {
		s.w.topic.object(e.object)
		return true // Pub/Sub sees to the rest
	}
	for wait := 100 * time.Millisecond; !s.try(e); wait = min(2*wait, 3*time.Second) {
		if e.gentle || s.w.ctx.Err() != nil {
			return false
		}
		time.Sleep(wait)
	}
	return true
}

// try sends a request to one of the bridges.
func (s *sender) try(e *event) (taken bool) {
	s.slots <- struct{}{}
	defer func() { <-s.slots }()
	status, err := e.request.post(s.w.bridges[e.next()%len(s.w.bridges)])
	e.hear(func(a *answer) {
		switch {
		case errors.Is(err, context.DeadlineExceeded):
			a.silent++
		case err != nil:
			a.broken++
		case status >= 200 && status < 300:
			a.accepted, taken = true, true
		default:
			a.refused++
		}
	})
	return taken
}
