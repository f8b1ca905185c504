package waiting

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/argo-bridge/argo-bridge/bridge/bus"
)

// A cutTable is followed until it is cut.
type cutTable struct {
	*memory
	cut chan struct{}
}

func (c *cutTable) Follow(ctx context.Context, f bus.Followed, seen func(bus.Entry), loaded func()) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var cutter sync.WaitGroup
	defer cutter.Wait()
	cutter.Go(func() {
		select {
		case <-c.cut:
			cancel()
		case <-ctx.Done():
		}
	})
	return errors.Join(c.memory.Follow(ctx, f, seen, loaded), errors.New("cut"))
}

func TestALineThatIsWorkedOnIsHandedToNobodyElseWhenTheTableIsReadAnew(t *testing.T) {
	for name, settled := range map[string]int{"it is settled": 1, "it is not": 0} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				table := &cutTable{newMemory(), make(chan struct{})}
				atOnce, calls := 0, 0
				w := &turns{}
				w.do = func(Turn) (int, error) {
					calls++
					atOnce++
					defer func() { atOnce-- }()
					w.mu.Unlock()
					time.Sleep(10 * time.Second)
					w.mu.Lock()
					if atOnce > 1 {
						t.Error("two handlers work on one line")
					}
					if settled == 0 && calls == 1 {
						return 0, errors.New("fails")
					}
					return 1, nil
				}
				r := startTurns(t, table, w)
				add(t, r, inGroup("main", 1), inGroup("main", 2))
				synctest.Wait()
				table.cut <- struct{}{}
				time.Sleep(time.Minute)
				synctest.Wait()
				if want := 3 - settled; calls != want || r.Len() != 0 {
					t.Errorf("%d turns, want %d; %d wait", calls, want, r.Len())
				}
				if len(r.lanes) != 0 || len(r.working) != 0 || len(r.schedule) != 0 {
					t.Errorf("left over: %d lanes, %d working, %d scheduled", len(r.lanes), len(r.working), len(r.schedule))
				}
			})
		})
	}
}
