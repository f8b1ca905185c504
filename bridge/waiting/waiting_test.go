package waiting

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/bus"
)

// memory is a table that a synctest bubble can hold; TestARoomOnTheBus uses the real one.
type memory struct {
	mu      sync.Mutex
	entries map[string][]byte
	last    uint64 // revision
	changes []chan bus.Entry
	putErr  error
}

func newMemory() *memory { return &memory{entries: map[string][]byte{}} }

func (m *memory) Put(_ context.Context, key string, value []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.putErr != nil {
		return m.putErr
	}
	m.entries[key] = value
	m.tell(bus.Entry{Key: key, Value: value})
	return nil
}

func (m *memory) Delete(_ context.Context, key string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.entries, key)
	m.tell(bus.Entry{Key: key, Deleted: true})
	return nil
}

func (m *memory) Last(context.Context) (uint64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.last, nil
}

func (m *memory) tell(e bus.Entry) {
	m.last++
	e.Revision = m.last
	for _, c := range m.changes {
		c <- e
	}
}

func (m *memory) Follow(ctx context.Context, _ bus.Followed, seen func(bus.Entry), loaded func()) error {
	changes := make(chan bus.Entry, 20_000)
	m.mu.Lock()
	for key, value := range m.entries {
		changes <- bus.Entry{Key: key, Value: value}
	}
	m.changes = append(m.changes, changes)
	first := len(changes)
	m.mu.Unlock()
	for range first {
		seen(<-changes)
	}
	loaded()
	for {
		select {
		case <-ctx.Done():
			return nil
		case e := <-changes:
			seen(e)
		}
	}
}

func task(template string, sequence uint64) Task {
	return Task{
		Event: fmt.Sprintf("%032x", sequence), Sequence: sequence, Rule: bridge.DefaultRule,
		Template: bridge.Template{Namespace: "team", Name: template},
	}
}

// A worker keeps what it has worked on, and does as it is told.
type worker struct {
	mu   sync.Mutex
	done []string
	do   func(t Task, try Turn) error
}

func (w *worker) handle(_ context.Context, turn Turn) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var err error
	if w.do != nil {
		err = w.do(turn.Tasks[0], turn)
	}
	if err != nil && !bridge.IsPermanent(err) {
		return 0, err
	}
	w.done = append(w.done, fmt.Sprint(turn.Tasks[0].Template.Name, turn.Tasks[0].Sequence))
	return 1, err
}

func (w *worker) settled() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.done)
}

func (w *worker) locked(do func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	do()
}

// start runs a room and lets w work, until the test ends.
func start(t *testing.T, table Table, w *worker) *Room {
	t.Helper()
	return run(t, table, w.handle)
}

func run(t *testing.T, table Table, handle Handler) *Room {
	t.Helper()
	r := New(table, zap.NewNop(), time.Now)
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { _ = r.Run(ctx) })
	running.Go(func() { _ = r.Work(ctx, 8, handle) })
	t.Cleanup(func() { cancel(); running.Wait() })
	return r
}

func add(t *testing.T, r *Room, tasks ...Task) {
	t.Helper()
	for _, task := range tasks {
		if err := r.Add(t.Context(), task); err != nil {
			t.Fatal(err)
		}
	}
}

func TestALaneIsBegunInTheOrderOfItsEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		table, w := newMemory(), &worker{}
		w.do = func(task Task, _ Turn) error { // each takes longer than the one before
			w.mu.Unlock()
			time.Sleep(time.Duration(task.Sequence) * time.Second)
			w.mu.Lock()
			return nil
		}
		before := New(table, zap.NewNop(), time.Now) // another process, that added and died
		add(t, before, task("a", 3), task("a", 1), task("a", 2))
		start(t, table, w)
		time.Sleep(time.Minute)
		synctest.Wait()
		if diff := cmp.Diff([]string{"a1", "a2", "a3"}, w.settled()); diff != "" {
			t.Error(diff)
		}
		if len(table.entries) != 0 {
			t.Errorf("%d tasks are left in the table", len(table.entries))
		}
	})
}

func TestALaneThatFailsHoldsUpNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var down atomic.Bool
		down.Store(true)
		w := &worker{do: func(t Task, _ Turn) error {
			if t.Template.Name == "bad" && down.Load() {
				return errors.New("quota exceeded")
			}
			return nil
		}}
		r := start(t, newMemory(), w)
		add(t, r, task("bad", 1), task("bad", 2), task("good", 3), task("good", 4))
		synctest.Wait()
		if diff := cmp.Diff([]string{"good3", "good4"}, slices.Sorted(slices.Values(w.settled()))); diff != "" {
			t.Error(diff)
		}
		time.Sleep(10 * time.Minute)
		down.Store(false)
		time.Sleep(2 * maxPause)
		synctest.Wait()
		// The one whose pause is over first comes first.
		if diff := cmp.Diff([]string{"bad1", "bad2"}, slices.Sorted(slices.Values(w.settled()[2:]))); diff != "" {
			t.Error(diff)
		}
	})
}

func TestALaneThatFailsIsTriedEverMoreSeldom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tries := 0
		w := &worker{do: func(Task, Turn) error { tries++; return errors.New("never") }}
		r := start(t, newMemory(), w)
		for i := range 100 {
			add(t, r, task("bad", uint64(i+1)))
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		// 60 minutes with at most a minute between two tries, half of it by jitter.
		if tries < 60 || tries > 150 {
			t.Errorf("%d tries in an hour at 100 tasks, want one a minute or two", tries)
		}
	})
}

func TestOneBadTaskDoesNotStopItsLane(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &worker{do: func(t Task, _ Turn) error {
			if t.Sequence == 1 {
				return errors.New("this one fails")
			}
			return nil
		}}
		r := start(t, newMemory(), w)
		add(t, r, task("a", 1), task("a", 2), task("a", 3))
		time.Sleep(time.Second)
		synctest.Wait()
		if diff := cmp.Diff([]string{"a2", "a3"}, slices.Sorted(slices.Values(w.settled()))); diff != "" {
			t.Error(diff)
		}
	})
}

func TestAHealthyLaneIsEmptiedByManyAtOnceAndAFailingOneIsNot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var down atomic.Bool
		var atOnce, most int
		w := &worker{}
		w.do = func(Task, Turn) error {
			atOnce++
			most = max(most, atOnce)
			w.mu.Unlock()
			time.Sleep(time.Second)
			w.mu.Lock()
			atOnce--
			if down.Load() {
				return errors.New("the API server is away")
			}
			return nil
		}
		r := start(t, newMemory(), w)
		for i := range 40 {
			add(t, r, task("a", uint64(i+1)))
		}
		time.Sleep(5500 * time.Millisecond)
		synctest.Wait()
		w.locked(func() {
			if most != 8 { // all workers of the test
				t.Errorf("%d at once, want 8", most)
			}
		})
		down.Store(true)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		w.locked(func() { most = atOnce })
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		w.locked(func() {
			if most > 1 {
				t.Errorf("%d at once while the lane fails, want 1", most)
			}
		})
		down.Store(false)
		time.Sleep(3 * time.Minute)
		synctest.Wait()
		if n := len(w.settled()); n != 40 {
			t.Errorf("%d settled, want 40", n)
		}
	})
}

func TestAFullLaneGoesOnWhenARunEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		room := 0
		w := &worker{do: func(Task, Turn) error {
			if room == 0 {
				return Full{On: "all"}
			}
			room--
			return nil
		}}
		r := start(t, newMemory(), w)
		add(t, r, task("a", 1), task("a", 2))
		synctest.Wait()
		w.mu.Lock()
		room = 1
		w.mu.Unlock()
		r.Freed("all")
		synctest.Wait()
		if diff := cmp.Diff([]string{"a1"}, w.settled()); diff != "" {
			t.Error("without waiting: ", diff)
		}
	})
}

func TestAHandlerLearnsSinceWhenItsLaneFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		w := &worker{do: func(task Task, try Turn) error {
			if task.Sequence == 1 && !try.Failing.IsZero() && time.Since(try.Failing) > time.Minute {
				return bridge.Permanent(errors.New("given up"))
			}
			if task.Sequence == 2 && !try.Failing.Equal(began) {
				t.Errorf("after a task was given up the lane fails since %v, want %v", try.Failing, began)
			}
			return errors.New("refused")
		}}
		r := start(t, newMemory(), w)
		add(t, r, task("a", 1), task("a", 2))
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		if diff := cmp.Diff([]string{"a1"}, w.settled()); diff != "" {
			t.Error(diff)
		}
	})
}

func TestALaneIsTakenWhileSomebodyWaitsForALimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var full atomic.Bool
		full.Store(true)
		w := &worker{do: func(Task, Turn) error {
			if full.Load() {
				return Full{}
			}
			return nil
		}}
		r := start(t, newMemory(), w)
		limited := task("limited", 1)
		limited.Limit = true
		add(t, r, limited, task("failing", 2))
		synctest.Wait()
		if !r.Taken(limited.Template) || r.Taken(task("failing", 0).Template) {
			t.Error("want the lane of limited taken, and that of failing not")
		}
		full.Store(false)
		time.Sleep(time.Minute)
		synctest.Wait()
		if r.Taken(limited.Template) || r.Len() != 0 {
			t.Error("nobody waits, and the lane is taken")
		}
	})
}

func TestWhatCannotBeStoredIsAnError(t *testing.T) {
	t.Parallel()
	table := newMemory()
	table.putErr = errors.New("the bus is away")
	r := New(table, zap.NewNop(), time.Now)
	if err := r.Add(t.Context(), task("a", 1)); err == nil || r.Len() != 0 {
		t.Errorf("got %v, and %d tasks", err, r.Len())
	}
}

func TestUntilTheTableIsReadEveryLaneMayBeTaken(t *testing.T) {
	t.Parallel()
	r := New(newMemory(), zap.NewNop(), time.Now)
	if !r.Taken(bridge.Template{Name: "any"}) {
		t.Error("an event may overtake those that wait")
	}
	if _, known := r.Sequences(); known {
		t.Error("what waits is said to be known: it could be removed from the bus")
	}
}

func TestARoomOnTheBus(t *testing.T) {
	t.Parallel()
	b, err := bus.Open(t.Context(), bus.Config{DataDir: t.TempDir()}.Defaults(), zaptest.NewLogger(t, zaptest.Level(zap.ErrorLevel)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	table, err := b.Bucket(t.Context(), "WAITING", 0)
	if err != nil {
		t.Fatal(err)
	}
	gate := make(chan struct{})
	w := &worker{do: func(Task, Turn) error { <-gate; return nil }}
	r := start(t, table, w)
	other := New(table, zap.NewNop(), time.Now) // another replica
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { _ = other.Run(ctx) })
	defer running.Wait()
	defer cancel()
	add(t, other, task("a", 1), task("a", 2), task("a", 1), task("b", 9))
	eventually(t, "both replicas know what waits", func() bool {
		mine, known := r.Sequences()
		theirs, alsoKnown := other.Sequences()
		return known && alsoKnown && slices.Equal(mine, []uint64{1, 2, 9}) && slices.Equal(theirs, mine)
	})
	close(gate)
	eventually(t, "all are settled, and the other replica knows", func() bool { return len(w.settled()) == 3 && other.Len() == 0 })
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("never: " + what)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"event":"00","sequence":1,"template":{"namespace":"n","name":"t"},"rule":"default"}`))
	f.Add([]byte(`{"request":{"event":"x","query":{"since":"2026-01-01T00:00:00Z"}}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		task, err := Decode(bus.Entry{Value: data})
		if err == nil && laneOf(task.key()) != task.Lane() {
			t.Errorf("the key %s is not in the lane %s", task.key(), task.Lane())
		}
	})
}
