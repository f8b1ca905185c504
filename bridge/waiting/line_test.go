package waiting

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// inGroup is a task of a concurrency group of the template a.
func inGroup(group string, sequence uint64) Task {
	t := task("a", sequence)
	t.Line = &Line{FlowKeys: bridge.FlowKeys{Group: group}}
	return t
}

// batched is a task of a rule of the template a that batches.
func batched(sequence uint64, items int, wait time.Duration) Task {
	t := task("a", sequence)
	t.Since = time.Now()
	t.Line = &Line{MaxItems: items, MaxWait: wait}
	return t
}

// turns keeps the turns that it is given, and does as it is told.
type turns struct {
	mu   sync.Mutex
	seen []string
	do   func(t Turn) (int, error)
}

func (w *turns) handle(_ context.Context, t Turn) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	text := ""
	for _, task := range t.Tasks {
		text += fmt.Sprintf("%d ", task.Sequence)
	}
	if t.Open {
		text += "open "
	}
	w.seen = append(w.seen, fmt.Sprintf("%s+%d", text, t.Behind))
	if w.do == nil {
		return len(t.Tasks), nil
	}
	return w.do(t)
}

func (w *turns) take() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	seen := w.seen
	w.seen = nil
	return seen
}

func startTurns(t *testing.T, table Table, w *turns) *Room {
	t.Helper()
	return run(t, table, w.handle)
}

func TestInALineNonePassesAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fails := true
		w := &turns{}
		w.do = func(turn Turn) (int, error) {
			if turn.Tasks[0].Sequence == 1 && fails {
				return 0, errors.New("the API server is away")
			}
			return 1, nil
		}
		r := startTurns(t, newMemory(), w)
		add(t, r, inGroup("main", 1), inGroup("main", 2), inGroup("dev", 3), inGroup("main", 4))
		time.Sleep(time.Minute)
		for _, seen := range w.take() {
			if !strings.HasPrefix(seen, "1 +") && seen != "3 +0" {
				t.Errorf("%s was handed out while the first of its line fails", seen)
			}
		}
		w.mu.Lock()
		fails = false
		w.mu.Unlock()
		time.Sleep(2 * maxPause)
		synctest.Wait()
		if diff := cmp.Diff([]string{"1 +2", "2 +1", "4 +0"}, w.take()); diff != "" {
			t.Error(diff)
		}
	})
}

// A task that another process has added may be missing from a turn, but not from one that knows the table as it stood
// afterwards.
func TestATurnSaysUpToWhichChangeItKnowsTheTable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		table := newMemory()
		if err := New(table, zap.NewNop(), time.Now).Add(t.Context(), inGroup("dev", 1)); err != nil {
			t.Fatal(err)
		}
		if err := table.Delete(t.Context(), inGroup("dev", 1).key()); err != nil { // and nobody tells of it any more
			t.Fatal(err)
		}
		var told []uint64
		w := &turns{do: func(turn Turn) (int, error) { told = append(told, turn.Told); return 1, nil }}
		r := startTurns(t, table, w)
		synctest.Wait()
		for sequence := range uint64(2) {
			w.mu.Lock() // before the task is settled, which changes the table again
			add(t, r, inGroup("main", 2+sequence))
			last, err := r.Last(t.Context())
			w.mu.Unlock()
			if err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
			synctest.Wait()
			if len(told) != int(sequence)+1 || told[sequence] < last {
				t.Errorf("the table stands at %d, the turns know it up to %v", last, told)
			}
		}
	})
}

func TestALineThatIsFullGoesOnWhenARunOfItsOwnEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		room := map[string]int{}
		w := &turns{}
		w.do = func(turn Turn) (int, error) {
			group := turn.Tasks[0].Line.Group
			if room[group] == 0 {
				return 0, Full{On: group}
			}
			room[group]--
			return 1, nil
		}
		r := startTurns(t, newMemory(), w)
		add(t, r, inGroup("main", 1), inGroup("dev", 2))
		synctest.Wait()
		w.take()
		w.mu.Lock()
		room["main"], room["dev"] = 1, 1
		w.mu.Unlock()
		r.Freed("main")
		synctest.Wait()
		if diff := cmp.Diff([]string{"1 +0"}, w.take()); diff != "" {
			t.Error("the others were looked at, or not even this: ", diff)
		}
		time.Sleep(fullPause)
		synctest.Wait()
		if diff := cmp.Diff([]string{"2 +0"}, w.take()); diff != "" {
			t.Error("nobody told of the end, and it is not looked for: ", diff)
		}
	})
}

func TestAPlaceThatIsFreedWhileALineIsLookedAtIsSeen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r *Room
		tries := 0
		w := &turns{do: func(Turn) (int, error) {
			if tries++; tries == 1 {
				r.Freed("main") // after it was counted, before the line waits
				return 0, Full{On: "main"}
			}
			return 1, nil
		}}
		r = startTurns(t, newMemory(), w)
		add(t, r, inGroup("main", 1))
		synctest.Wait()
		if diff := cmp.Diff([]string{"1 +0", "1 +0"}, w.take()); diff != "" {
			t.Error("without waiting: ", diff)
		}
	})
}

func TestAnEagerNewcomerWakesAFullLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &turns{do: func(Turn) (int, error) { return 0, Full{On: "main"} }}
		r := startTurns(t, newMemory(), w)
		add(t, r, inGroup("main", 1))
		synctest.Wait()
		add(t, r, inGroup("main", 2))
		synctest.Wait()
		if diff := cmp.Diff([]string{"1 +0"}, w.take()); diff != "" {
			t.Error("a newcomer that changes nothing: ", diff)
		}
		eager := inGroup("main", 3)
		eager.Line.Eager = true
		add(t, r, eager)
		synctest.Wait()
		if diff := cmp.Diff([]string{"1 +2"}, w.take()); diff != "" {
			t.Error(diff)
		}
	})
}

func TestALineThatMayGoOnLaterDoesNot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		at := time.Now().Add(90 * time.Minute)
		w := &turns{do: func(Turn) (int, error) {
			if time.Now().Before(at) {
				return 0, Later{at}
			}
			return 1, nil
		}}
		r := startTurns(t, newMemory(), w)
		add(t, r, inGroup("main", 1))
		time.Sleep(2 * time.Hour)
		synctest.Wait()
		if diff := cmp.Diff([]string{"1 +0", "1 +0"}, w.take()); diff != "" || r.Len() != 0 {
			t.Error(diff)
		}
	})
}

func TestABatchIsHandedOutWhenItIsFullOrOld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		table, w := newMemory(), &turns{}
		before := New(table, zap.NewNop(), time.Now) // all are there when the line begins
		for i := range 7 {
			add(t, before, batched(uint64(i+1), 3, time.Minute))
		}
		r := startTurns(t, table, w)
		synctest.Wait()
		if diff := cmp.Diff([]string{"1 2 3 +4", "4 5 6 +1"}, w.take()); diff != "" {
			t.Error(diff)
		}
		time.Sleep(59 * time.Second)
		synctest.Wait()
		if seen := w.take(); seen != nil {
			t.Errorf("before its time: %v", seen)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if diff := cmp.Diff([]string{"7 +0"}, w.take()); diff != "" {
			t.Error(diff)
		}
		if r.Len() != 0 {
			t.Errorf("%d are left", r.Len())
		}
	})
}

func TestABatchThatGrowsIsShownNowAndThen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &turns{do: func(turn Turn) (int, error) {
			if turn.Open && len(turn.Tasks) < 30 {
				return 0, nil
			}
			return 20, nil // there was no room for more
		}}
		r := startTurns(t, newMemory(), w)
		sizes := []int{}
		for i := range 40 {
			add(t, r, batched(uint64(i+1), 500, time.Hour))
			synctest.Wait()
			if w.take() != nil {
				sizes = append(sizes, i+1)
			}
		}
		if diff := cmp.Diff([]int{16, 32}, sizes); diff != "" {
			t.Error(diff)
		}
		if r.Len() != 20 {
			t.Errorf("%d wait, want 20", r.Len())
		}
	})
}

func TestThousandsOfLinesAreWorkedInTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		table := newMemory()
		before := New(table, zap.NewNop(), time.Now)
		for i := range 5000 {
			add(t, before, inGroup(fmt.Sprint(i), uint64(i+1)))
		}
		r := startTurns(t, table, &turns{})
		time.Sleep(time.Second)
		synctest.Wait()
		if r.Len() != 0 {
			t.Errorf("%d are left", r.Len())
		}
		if len(r.lanes) != 0 || len(r.schedule) != 0 || len(r.blocked) != 0 || len(r.working) != 0 {
			t.Errorf("left over: %d lanes, %d scheduled, %d blocked, %d working", len(r.lanes), len(r.schedule), len(r.blocked), len(r.working))
		}
	})
}

func TestALineWhoseBatchesAreClosedEarlyDoesNotFail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		var failing time.Time
		w := &turns{}
		w.do = func(turn Turn) (int, error) {
			calls++
			failing = turn.Failing
			if calls == 1 {
				return 0, errors.New("the API server is away")
			}
			return 2, nil // there was no room for more
		}
		r := startTurns(t, newMemory(), w)
		for i := range 10 {
			add(t, r, batched(uint64(i+1), 10, time.Minute))
		}
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if calls < 3 || !failing.IsZero() {
			t.Errorf("after %d turns the line is said to fail since %s", calls, failing)
		}
	})
}

// Ten thousand lines may wait for one limit: each end of a run must not have all of them looked at.
func TestTheEndOfARunWakesAsManyLinesAsThereIsRoomFor(t *testing.T) {
	for name, freed := range map[string]int{"one place": 1, "three places at one end": 3} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				room := 0
				w := &turns{}
				w.do = func(turn Turn) (int, error) {
					if turn.Tasks[0].Sequence == 1 {
						return 0, Later{At: time.Now().Add(time.Hour)} // no longer waits for the limit
					}
					if room == 0 {
						return 0, Full{On: "limit"}
					}
					room--
					return 1, nil
				}
				r := startTurns(t, newMemory(), w)
				do := w.do
				w.do = func(Turn) (int, error) { return 0, Full{On: "limit"} }
				for i := range 100 {
					add(t, r, inGroup(fmt.Sprint(i), uint64(i+1)))
				}
				synctest.Wait()
				w.take()
				w.mu.Lock()
				room, w.do = freed, do
				w.mu.Unlock()
				r.Freed("limit", "another")
				synctest.Wait()
				want := []string{"1 +0", "2 +0", "3 +0", "4 +0", "5 +0"}[:freed+2]
				if diff := cmp.Diff(want, w.take()); diff != "" {
					t.Error(diff)
				}
				if r.Len() != 100-freed {
					t.Errorf("%d wait", r.Len())
				}
			})
		})
	}
}

func TestMoreThanMayWaitAreHandedOutWhileALineIsFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		room := 1
		var excess []uint64
		w := &turns{}
		w.do = func(turn Turn) (int, error) {
			switch {
			case turn.Excess:
				excess = append(excess, turn.Tasks[0].Sequence)
			case room == 0:
				return 0, Full{On: "main"}
			default:
				room--
			}
			return 1, nil
		}
		table := newMemory()
		before := New(table, zap.NewNop(), time.Now) // all are there when the line begins
		for n := range 6 {
			waits := inGroup("main", uint64(n+1))
			waits.Line.MaxWaiting = 2
			add(t, before, waits)
		}
		r := startTurns(t, table, w)
		synctest.Wait()
		if diff := cmp.Diff([]uint64{4, 5, 6}, excess); diff != "" || r.Len() != 2 {
			t.Errorf("one has begun, %d wait: %s", r.Len(), diff)
		}
		if looked := len(w.take()); looked != 5 {
			t.Errorf("%d turns, want 5: one begins, one finds the group full, three are too many", looked)
		}
		w.mu.Lock()
		room = 9
		w.mu.Unlock()
		r.Freed("main")
		synctest.Wait()
		if r.Len() != 0 || len(excess) != 3 {
			t.Errorf("%d wait, too many were %v", r.Len(), excess)
		}
	})
}

func TestWhoComesBeforeTheFirstOfAFullLineIsLookedAt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &turns{do: func(Turn) (int, error) { return 0, Full{On: "main"} }}
		r := startTurns(t, newMemory(), w)
		add(t, r, inGroup("main", 5))
		synctest.Wait()
		add(t, r, inGroup("main", 4))
		synctest.Wait()
		if diff := cmp.Diff([]string{"5 +0", "4 +1"}, w.take()); diff != "" {
			t.Error(diff)
		}
	})
}
