package chaos

import (
	"fmt"
	"math/rand/v2"
)

// busCut breaks a bridge's connection to one node; it may take another.
type busCut struct{ bridge, node int }

func newBusCut(r *rand.Rand) fault { return busCut{r.IntN(2), r.IntN(3)} }

func (f busCut) String() string  { return fmt.Sprintf("cut bridge-%d from nats-%d", f.bridge, f.node) }
func (f busCut) strike(w *world) { w.busLinks[f.bridge][f.node].set(linkCut) }
func (f busCut) heal(w *world)   { w.busLinks[f.bridge][f.node].set(linkUp) }

// busStall lets nothing through between a bridge and all nodes; afterwards what was under way arrives.
type busStall struct{ bridge int }

func newBusStall(r *rand.Rand) fault { return busStall{r.IntN(2)} }

func (f busStall) String() string  { return fmt.Sprintf("stall bridge-%d's way to the bus", f.bridge) }
func (f busStall) strike(w *world) { f.set(w, linkStalled) }
func (f busStall) heal(w *world)   { f.set(w, linkUp) }

func (f busStall) set(w *world, s linkState) {
	for _, l := range w.busLinks[f.bridge] {
		l.set(s)
	}
}

// routeCut breaks the connection between two nodes.
type routeCut struct{ a, b int }

func newRouteCut(r *rand.Rand) fault {
	a := r.IntN(3)
	return routeCut{a, (a + 1) % 3}
}

func (f routeCut) String() string  { return fmt.Sprintf("cut nats-%d from nats-%d", f.a, f.b) }
func (f routeCut) strike(w *world) { w.setRoute(f.a, f.b, linkCut) }
func (f routeCut) heal(w *world)   { w.setRoute(f.a, f.b, linkUp) }

// nodeAlone breaks the connections of a node to both others, but not to the bridges.
type nodeAlone struct{ i int }

func newNodeAlone(r *rand.Rand) fault { return nodeAlone{r.IntN(3)} }

func (f nodeAlone) String() string  { return fmt.Sprintf("cut nats-%d from the other nodes", f.i) }
func (f nodeAlone) strike(w *world) { f.set(w, linkCut) }
func (f nodeAlone) heal(w *world)   { f.set(w, linkUp) }

func (f nodeAlone) set(w *world, s linkState) {
	for other := range w.nodes {
		if other != f.i {
			w.setRoute(f.i, other, s)
		}
	}
}

// setRoute changes both directions: either node may have made the connection.
func (w *world) setRoute(a, b int, s linkState) {
	w.routes[[2]int{a, b}].set(s)
	w.routes[[2]int{b, a}].set(s)
}
