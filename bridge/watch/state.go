package watch

import (
	"hash/fnv"
	"slices"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// A state is as much of a run as tells whether it is to be reported again. One is kept for each Workflow that there is.
type state struct {
	phase uint8
	// started is when this attempt has begun, in Unix seconds: a retry may begin and end while nobody watches.
	started int64
	// pauses is a digest of which steps wait, and which have waited.
	pauses uint64
}

// phases are Argo's; the place of one stands for it.
var phases = []string{"", "Pending", "Running", "Succeeded", "Failed", "Error"}

func stateOf(run bridge.Run) state {
	s := state{phase: uint8(slices.Index(phases, run.Phase) + 1)}
	if run.Phase == "Pending" {
		return s // it has not begun, whatever it says of its begin
	}
	if !run.Started.IsZero() {
		s.started = run.Started.Unix()
	}
	if len(run.Pauses) == 0 {
		return s
	}
	digest := fnv.New64a()
	for _, p := range run.Pauses {
		open := "closed"
		if p.Open() {
			open = "open"
		}
		_, _ = digest.Write([]byte(p.Node + "\n" + open + "\n"))
	}
	s.pauses = digest.Sum64()
	return s
}
