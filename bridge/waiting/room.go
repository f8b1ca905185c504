package waiting

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/bus"
)

// A Table is where the tasks stand; *bus.Bucket is one. Its entries do not age.
type Table interface {
	Put(ctx context.Context, key string, value []byte) error
	Delete(ctx context.Context, key string) error
	// Last is the revision of the last change.
	Last(ctx context.Context) (revision uint64, err error)
	Follow(ctx context.Context, f bus.Followed, seen func(bus.Entry), loaded func()) error
}

// A Room holds the tasks. Safe for concurrent use; Run must be running.
type Room struct {
	table Table
	log   *zap.Logger
	now   func() time.Time
	wake  chan struct{} // something may be due

	mu       sync.Mutex
	loaded   bool
	told     uint64 // up to which change of the table
	lanes    map[string]*lane
	schedule schedule
	blocked  map[string]map[*lane]bool // by the limit that they wait for
	working  map[*lane]bool            // that are being worked on; a reset leaves them
	// gone are tasks that this process has taken out, until the table says so: an echo of their adding may
	// still come.
	gone map[string]bool
}

// New makes a room over a table.
func New(table Table, log *zap.Logger, now func() time.Time) *Room {
	r := &Room{table: table, log: log, now: now, wake: make(chan struct{}, 1), working: map[*lane]bool{}}
	r.reset()
	return r
}

// reset forgets what the table has told. A lane that is being worked on stays busy: handed out to a second handler, the
// same events would go into two batches.
func (r *Room) reset() {
	r.loaded, r.told, r.schedule = false, 0, nil
	r.lanes, r.gone = map[string]*lane{}, map[string]bool{}
	r.blocked = map[string]map[*lane]bool{}
	for l := range r.working {
		l.forget()
		r.lanes[l.name] = l
	}
}

// Add stores a task; nil means that it is stored. The same task twice is one. It waits from when the table
// tells of it, some milliseconds later.
func (r *Room) Add(ctx context.Context, t Task) error {
	data, err := json.Marshal(t)
	if err != nil {
		return fmt.Errorf("encode waiting task: %w", err)
	}
	if err := r.table.Put(ctx, t.key(), data); err != nil {
		return fmt.Errorf("wait: %w", err)
	}
	return nil
}

// Taken says whether somebody waits for a limit of the template, or may wait for all that is known: then
// later events wait as well.
func (r *Room) Taken(template bridge.Template) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	l := r.lanes[LaneOf(template)]
	return !r.loaded || (l != nil && l.limits > 0)
}

// Len is how many tasks wait.
func (r *Room) Len() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := 0
	for _, l := range r.lanes {
		n += len(l.tasks)
	}
	return n
}

// Sequences are the places on the bus of the events that wait, ascending; ok is false while they are not known.
func (r *Room) Sequences() (all []uint64, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, l := range r.lanes {
		for _, t := range l.tasks {
			if t.task.Request == nil {
				all = append(all, t.task.Sequence)
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all), r.loaded
}

// Run follows the table until ctx ends.
func (r *Room) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		if err := r.follow(ctx); err != nil {
			r.log.Warn("who waits is not known; all wait until it is", zap.Error(err))
		}
		r.mu.Lock()
		r.reset()
		r.mu.Unlock()
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
	return nil
}

func (r *Room) follow(ctx context.Context) error {
	// What stood there before, and has been replaced or has aged, nobody tells of.
	before, err := r.table.Last(ctx)
	if err != nil {
		return err
	}
	return r.table.Follow(ctx, bus.Followed{Deletes: true}, r.saw, func() { r.setLoaded(before) })
}

// saw takes over a change of the table.
func (r *Room) saw(e bus.Entry) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.told = max(r.told, e.Revision)
	if e.Deleted {
		delete(r.gone, e.Key)
		r.remove(e.Key)
		return
	}
	if r.gone[e.Key] {
		return
	}
	t, err := Decode(e)
	if err != nil {
		r.log.Error("a waiting task cannot be read; it stays in the table", zap.Error(err))
		return
	}
	name := laneOf(e.Key)
	l := r.lanes[name]
	if l == nil {
		l = &lane{name: name, index: -1}
		r.lanes[name] = l
	}
	l.add(e.Key, t)
	r.reschedule(l)
	r.nudge()
}

func (r *Room) remove(key string) {
	if l := r.lanes[laneOf(key)]; l != nil {
		l.remove(key)
		r.settle(l)
	}
}

// settle schedules a lane that has changed, and forgets one that is empty.
func (r *Room) settle(l *lane) {
	if len(l.tasks) > 0 || l.busy > 0 {
		r.reschedule(l)
		return
	}
	r.unblock(l)
	r.schedule.remove(l)
	delete(r.lanes, l.name)
	r.passOn(l.woken, l.on, nil)
}

func (r *Room) reschedule(l *lane) {
	now := r.now()
	if tasks, at := l.due(now); tasks == nil {
		r.schedule.set(l, at)
	} else if l.index < 0 || l.at.After(now) {
		r.schedule.set(l, now)
	}
}

func (r *Room) setLoaded(told uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.loaded, r.told = true, max(r.told, told)
	r.nudge()
}

// Last is up to where the table stands, for comparison with Turn.Told.
func (r *Room) Last(ctx context.Context) (revision uint64, err error) { return r.table.Last(ctx) }

// nudge wakes the worker.
func (r *Room) nudge() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}
