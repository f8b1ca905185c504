package chaos

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"
)

// A blow is one fault at its time.
type blow struct {
	at, lasts time.Duration
	fault     fault
}

// A plan is all that will break, by lane; the same seed makes the same one.
type plan [][]blow

func newPlan(seed uint64, span time.Duration, lanes []lane) plan {
	var p plan
	for i, l := range lanes {
		p = append(p, l.plan(rand.New(rand.NewPCG(seed, 100+uint64(i))), span))
	}
	return p
}

// plan fills the span with blows; each ends within it.
func (l lane) plan(random *rand.Rand, span time.Duration) (blows []blow) {
	var round []func(*rand.Rand) fault
	for at := jitter(random, l.pause); ; at += jitter(random, l.pause) {
		if len(round) == 0 {
			round = slices.Clone(l.makers)
			random.Shuffle(len(round), func(i, j int) { round[i], round[j] = round[j], round[i] })
		}
		b := blow{at: at, lasts: jitter(random, l.lasts), fault: round[0](random)}
		round = round[1:]
		if at += b.lasts; at > span {
			return blows
		}
		blows = append(blows, b)
	}
}

// jitter is between a half and three halves of d.
func jitter(random *rand.Rand, d time.Duration) time.Duration {
	if d == 0 {
		return 0
	}
	return (d/2 + time.Duration(random.Int64N(int64(d)))).Round(10 * time.Millisecond)
}

// carryOut strikes and heals as planned, and returns when all is whole.
func (p plan) carryOut(w *world) {
	start := time.Now()
	var running sync.WaitGroup
	for _, blows := range p {
		running.Go(func() {
			for _, b := range blows {
				time.Sleep(time.Until(start.Add(b.at)))
				say("%s, for %s", b.fault, b.lasts)
				b.fault.strike(w)
				time.Sleep(time.Until(start.Add(b.at + b.lasts)))
				b.fault.heal(w)
			}
		})
	}
	running.Wait()
}

// String is the plan in the order of time.
func (p plan) String() string {
	var all []blow
	for _, blows := range p {
		all = append(all, blows...)
	}
	slices.SortFunc(all, func(a, b blow) int { return int(a.at - b.at) })
	var text strings.Builder
	for _, b := range all {
		fmt.Fprintf(&text, "%8s  %s, for %s\n", b.at, b.fault, b.lasts)
	}
	return text.String()
}
