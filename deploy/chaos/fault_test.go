package chaos

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// A fault is one thing that breaks for a while.
type fault interface {
	fmt.Stringer
	// strike breaks it, heal makes it whole again. One goroutine calls both, in this order.
	strike(w *world)
	heal(w *world)
}

// A lane is a part of the world in which one thing breaks at a time; different lanes break independently of
// each other.
type lane struct {
	name string
	// makers make the faults of the lane. All of them strike once before any strikes twice.
	makers []func(r *rand.Rand) fault
	// pause and lasts are between and how long, on average.
	pause, lasts time.Duration
}

// longSpan is a span in which all faults strike more than once with time to recover in between.
const longSpan = 3 * time.Minute

// lanes are those of a world with three nodes and two bridges.
func lanes(span time.Duration) []lane {
	all := []lane{
		{"bridges", []func(*rand.Rand) fault{newBridgeKill, newBridgeKill, newBridgePause, newClockSkew}, 4 * time.Second, 2 * time.Second},
		{"nodes", []func(*rand.Rand) fault{newNodeKill, newNodeKill, newDiskFull}, 10 * time.Second, 6 * time.Second},
		{"network", []func(*rand.Rand) fault{newBusCut, newBusStall, newRouteCut, newNodeAlone}, 5 * time.Second, 5 * time.Second},
		{"api", []func(*rand.Rand) fault{newAPIPause, newAPIError, newAPIBusy, newAPICut, newAPILost, newAPIStop}, 6 * time.Second, 4 * time.Second},
		{"templates", []func(*rand.Rand) fault{newTemplateEdit}, 3 * time.Second, 0},
	}
	if span >= longSpan {
		for i := range all {
			all[i].pause *= 2
		}
	}
	return all
}
