package chaos

import (
	"fmt"
	"math/rand/v2"
	"syscall"
)

// bridgePause stops a bridge in the middle of whatever it does, as a machine that swaps or is moved does.
// Afterwards it goes on with what it knew before.
type bridgePause struct{ i int }

func newBridgePause(r *rand.Rand) fault { return bridgePause{r.IntN(2)} }

func (f bridgePause) String() string  { return fmt.Sprintf("pause bridge-%d", f.i) }
func (f bridgePause) strike(w *world) { _ = syscall.Kill(w.bridges[f.i].pid(), syscall.SIGSTOP) }
func (f bridgePause) heal(w *world)   { _ = syscall.Kill(w.bridges[f.i].pid(), syscall.SIGCONT) }
