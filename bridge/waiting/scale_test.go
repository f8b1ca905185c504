package waiting

import (
	"testing"
	"testing/synctest"
	"time"
)

// A lane of a hundred thousand tasks must not be moved once for each that leaves it.
func BenchmarkAHundredThousandLeaveTheirLane(b *testing.B) {
	for b.Loop() {
		b.StopTimer()
		l := &lane{}
		keys := make([]string, 100_000)
		for i := range keys {
			t := task("a", uint64(i))
			keys[i] = t.key()
			l.add(keys[i], t)
		}
		b.StartTimer()
		for _, key := range keys {
			l.remove(key)
		}
	}
}

func TestTasksThatComeAndGoKeepTheirOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &turns{}
		r := startTurns(t, newMemory(), w)
		w.do = func(Turn) (int, error) { return 0, Later{At: time.Now().Add(time.Minute)} }
		for _, n := range []uint64{4, 2, 5, 3} {
			add(t, r, inGroup("main", n))
		}
		synctest.Wait()
		w.mu.Lock()
		w.do = nil
		w.mu.Unlock()
		if err := r.table.Delete(t.Context(), inGroup("main", 2).key()); err != nil {
			t.Fatal(err)
		}
		if err := r.table.Delete(t.Context(), inGroup("main", 4).key()); err != nil {
			t.Fatal(err)
		}
		add(t, r, inGroup("main", 1))
		w.take()
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if seen := w.take(); len(seen) != 3 || seen[0] != "1 +2" || seen[1] != "3 +1" || seen[2] != "5 +0" {
			t.Errorf("%q", seen)
		}
	})
}
