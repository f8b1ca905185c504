package chaos

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// clockSkew lets the clock of a bridge jump, and back at the end. The bridge's own margins are five minutes.
type clockSkew struct {
	i    int
	skew time.Duration
}

func newClockSkew(r *rand.Rand) fault {
	return clockSkew{r.IntN(2), time.Duration(r.IntN(360)-180) * time.Second}
}

func (f clockSkew) String() string { return fmt.Sprintf("clock of bridge-%d wrong by %s", f.i, f.skew) }

func (f clockSkew) strike(w *world) {
	if err := w.bridges[f.i].setClock(f.skew); err != nil {
		say("%s: %v", f, err)
	}
}

func (f clockSkew) heal(w *world) {
	if err := w.bridges[f.i].setClock(0); err != nil {
		say("%s: %v", f, err)
	}
}
