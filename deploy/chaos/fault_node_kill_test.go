package chaos

import (
	"fmt"
	"math/rand/v2"
)

// nodeKill is kill -9 of a NATS node, which comes back at the end.
type nodeKill struct{ i int }

func newNodeKill(r *rand.Rand) fault { return nodeKill{r.IntN(3)} }

func (f nodeKill) String() string  { return fmt.Sprintf("kill nats-%d", f.i) }
func (f nodeKill) strike(w *world) { w.nodes[f.i].kill() }
func (f nodeKill) heal(w *world)   { w.nodes[f.i].start() }
