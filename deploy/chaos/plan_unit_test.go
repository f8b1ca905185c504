package chaos

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestTheSameSeedMakesTheSamePlanAndTheSameEvents(t *testing.T) {
	t.Parallel()
	all := func(seed uint64) (text string) {
		text = newPlan(seed, 5*time.Minute, lanes(5*time.Minute)).String()
		for _, e := range newEvents(seed, 500, time.Minute, "http://slack") {
			text += fmt.Sprintln(e.id, e.at, e.again, e.gentle, e.runs, string(e.request.body))
		}
		return text
	}
	if diff := cmp.Diff(all(1), all(1)); diff != "" {
		t.Errorf("one seed, two plans:\n%s", diff)
	}
	if all(1) == all(2) {
		t.Error("two seeds make the same plan")
	}
}

func TestAPlanStrikesInTurnAndIsOverInTime(t *testing.T) {
	t.Parallel()
	const span = 5 * time.Minute
	for i, blows := range newPlan(3, span, lanes(span)) {
		var free time.Duration
		seen := map[string]bool{}
		for _, b := range blows {
			if b.at < free {
				t.Errorf("%s strikes at %s, before %s", b.fault, b.at, free)
			}
			free = b.at + b.lasts
			seen[fmt.Sprintf("%T", b.fault)] = true
		}
		if free > span {
			t.Errorf("the lane ends at %s", free)
		}
		makers := map[string]bool{}
		for _, m := range lanes(span)[i].makers {
			makers[fmt.Sprintf("%T", m(rand.New(rand.NewPCG(1, 1))))] = true
		}
		if len(seen) != len(makers) {
			t.Errorf("lane %s: %v struck, of %v", lanes(span)[i].name, seen, makers)
		}
	}
}
