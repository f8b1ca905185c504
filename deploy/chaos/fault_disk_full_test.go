package chaos

import (
	"fmt"
	"math/rand/v2"

	"golang.org/x/sys/unix"
)

// diskFull lets every write of a NATS node to a file fail, as on a full disk, without the rights of an
// administrator: no file may be longer than nothing. JetStream gives up what it cannot write; at the end there
// is room again, and the node is started anew, as its operator would.
type diskFull struct{ i int }

func newDiskFull(r *rand.Rand) fault { return diskFull{r.IntN(3)} }

func (f diskFull) String() string { return fmt.Sprintf("disk of nats-%d full", f.i) }

func (f diskFull) strike(w *world) {
	none := unix.Rlimit{Cur: 0, Max: unix.RLIM_INFINITY}
	if err := unix.Prlimit(w.nodes[f.i].pid(), unix.RLIMIT_FSIZE, &none, nil); err != nil {
		say("%s: %v", f, err)
	}
}

func (f diskFull) heal(w *world) { w.nodes[f.i].restart() }
