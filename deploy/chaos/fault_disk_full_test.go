package chaos

import (
	"fmt"
	"math/rand/v2"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"
)

// diskFull lets every write of a NATS node to a file fail, as on a full disk, without the rights of an
// administrator: no file may be longer than nothing. JetStream gives up what it cannot write; at the end there
// is room again, and the node is started anew, as its operator would.
type diskFull struct{ i int }

func newDiskFull(r *rand.Rand) fault { return diskFull{r.IntN(3)} }

func (f diskFull) String() string { return fmt.Sprintf("disk of nats-%d full", f.i) }

func (f diskFull) strike(w *world) {
	if err := w.nodes[f.i].setRoom(0); err != nil {
		say("%s: %v", f, err)
	}
}

func (f diskFull) heal(w *world) { w.nodes[f.i].restart() }

// setRoom bounds the size of the files that the process writes, in bytes.
func (c *child) setRoom(size uint64) error {
	return unix.Prlimit(c.pid(), unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: size, Max: unix.RLIM_INFINITY}, nil)
}

// failOnFullDisk is for the child: where a file may not grow, a write is to fail and not to end the process.
func failOnFullDisk() { signal.Ignore(syscall.SIGXFSZ) }
