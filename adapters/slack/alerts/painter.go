package alerts

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/argo-bridge/argo-bridge/bridge"
)

const (
	// painters bounds how many alerts are painted at once.
	painters = 16
	// scanEvery is how often the table is searched for what a process that has died left behind, and scanAlone where there
	// are no others: the first search finds all then. One reads the whole table.
	scanEvery = 5 * time.Minute
	scanAlone = time.Hour
)

// search stands among the ids of alerts for the search of the table.
const search = "search"

// A told is what became of an attempt to paint an alert.
type told struct {
	shown int
	held  bool
	again time.Duration // after which the next attempt is made; 0: none is needed
	err   error         // for ever
}

// A painter knows which alerts are to be painted when. Of one alert there is one attempt at a time.
type painter struct {
	mu        sync.Mutex
	due       map[string]time.Time
	busy      map[string]bool
	attempts  map[string]int // failed ones in a row
	listeners map[string][]chan told
	wake      chan struct{}
}

func newPainter() *painter {
	return &painter{
		due: map[string]time.Time{}, busy: map[string]bool{}, attempts: map[string]int{}, listeners: map[string][]chan told{},
		wake: make(chan struct{}, 1),
	}
}

// schedule has an alert painted at a time, or earlier when it is due already.
func (p *painter) schedule(id string, at time.Time) {
	p.mu.Lock()
	if due, ok := p.due[id]; !ok || at.Before(due) {
		p.due[id] = at
	}
	p.mu.Unlock()
	p.rouse()
}

func (p *painter) rouse() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// next takes the alert that is due; when there is none, wait is how long there will not be one.
func (p *painter) next(now time.Time) (id string, wait time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	wait = scanEvery
	if len(p.busy) >= painters {
		return "", wait
	}
	for candidate, due := range p.due {
		switch left := due.Sub(now); {
		case p.busy[candidate]:
		case left > 0:
			wait = min(wait, left)
		case id == "" || due.Before(p.due[id]):
			id = candidate
		}
	}
	if id != "" {
		delete(p.due, id)
		p.busy[id] = true
	}
	return id, wait
}

func (p *painter) listen(id string) chan told {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := make(chan told, 1)
	p.listeners[id] = append(p.listeners[id], c)
	return c
}

func (p *painter) unlisten(id string, c chan told) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var rest []chan told
	for _, other := range p.listeners[id] {
		if other != c {
			rest = append(rest, other)
		}
	}
	if p.listeners[id] = rest; len(rest) == 0 {
		delete(p.listeners, id)
	}
}

// done tells those who wait, and has the alert painted again when that is needed.
func (p *painter) done(id string, t told, now time.Time) {
	p.mu.Lock()
	delete(p.busy, id)
	for _, c := range p.listeners[id] {
		select {
		case <-c: // an older word
		default:
		}
		c <- t
	}
	if t.again > 0 {
		if due, ok := p.due[id]; !ok || now.Add(t.again).Before(due) {
			p.due[id] = now.Add(t.again)
		}
	}
	p.mu.Unlock()
	p.rouse()
}

// Run paints until ctx ends, and returns once what was begun is done.
func (n *Notifier) Run(ctx context.Context) error {
	var work sync.WaitGroup
	defer work.Wait()
	every := scanAlone
	if n.Others {
		every = scanEvery
	}
	scan := time.NewTicker(every)
	defer scan.Stop()
	n.scan(ctx)
	for ctx.Err() == nil {
		id, wait := n.painter.next(n.Now())
		if id != "" {
			work.Go(func() {
				// What was begun is not cut off: whether it had its effect would not be known.
				t := n.paint(context.WithoutCancel(ctx), id)
				n.painter.done(id, t, n.Now())
			})
			continue
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-n.painter.wake:
		case <-timer.C:
		case <-scan.C:
			n.painter.schedule(search, n.Now()) // beside what is painted
		}
		timer.Stop()
	}
	return nil
}

// scan schedules the alerts that are not shown as they should be.
func (n *Notifier) scan(ctx context.Context) {
	all, err := n.Table.List(ctx, keyAlert)
	if err != nil {
		if ctx.Err() == nil {
			n.Log.Warn("search for alerts that are not shown yet", zap.Error(err))
			n.painter.schedule(search, n.Now().Add(bridge.Backoff(n.painter.blame(search))))
		}
		return
	}
	n.painter.forgive(search)
	for key, data := range all {
		var e entry
		if json.Unmarshal(data, &e) != nil {
			continue
		}
		if e.Channel != "" {
			n.throttle.learn(n.home(e.Team), nameIn(e.To), e.Channel)
		}
		if e.dirty() {
			n.painter.schedule(key[len(keyAlert):], n.Now())
		}
	}
}
