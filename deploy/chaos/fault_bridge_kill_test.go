package chaos

import (
	"fmt"
	"math/rand/v2"
)

// bridgeKill is kill -9 of a bridge, which comes back at the end.
type bridgeKill struct{ i int }

func newBridgeKill(r *rand.Rand) fault { return bridgeKill{r.IntN(2)} }

func (f bridgeKill) String() string  { return fmt.Sprintf("kill bridge-%d", f.i) }
func (f bridgeKill) strike(w *world) { w.bridges[f.i].kill() }
func (f bridgeKill) heal(w *world)   { w.bridges[f.i].start() }
