package alerts

import (
	"cmp"
	"time"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// An order says which of two states of one run is the newer: notifications come in any order.
type order struct {
	// Attempt is when the run began, anew after a retry; zero while it has not.
	Attempt time.Time `json:"attempt,omitzero"`
	Stage   int       `json:"stage"`
	At      time.Time `json:"at,omitzero"`
}

// Stages of a run.
const (
	stageMatched = iota + 1
	stageGoing
	stageEnded
)

func orderOf(n bridge.Notification) order {
	switch {
	case n.Run.Completed():
		return order{Attempt: n.Run.Started, Stage: stageEnded, At: n.Run.Finished}
	case n.Outcome == bridge.Started, n.Outcome == bridge.Suspended:
		at := n.Run.Started
		if n.Pause != nil {
			at = n.Created // a step that waits, and then does not any more
		}
		return order{Attempt: n.Run.Started, Stage: stageGoing, At: at}
	}
	return order{Stage: stageMatched, At: n.Created}
}

func (o order) after(p order) bool {
	return cmp.Or(o.Attempt.Compare(p.Attempt), cmp.Compare(o.Stage, p.Stage), o.At.Compare(p.At)) > 0
}
