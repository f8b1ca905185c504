package message

import "github.com/argo-bridge/argo-bridge/bridge"

// Of is the alert that a notification alone makes, when nothing is known of what was told before.
func Of(n bridge.Notification) Alert {
	a := Alert{Newest: n, State: StateOf(n), Count: 1, Templates: 1}
	if a.State == Firing {
		l := LineOf(n)
		a.Lines, a.First, a.Last = []Line{l}, l.At, l.At
	}
	return a
}

// StateOf is how an alert of one run stands by its newest notification.
func StateOf(n bridge.Notification) State {
	switch n.Outcome {
	case bridge.Queued, bridge.Started:
		return Going
	case bridge.Suspended:
		if n.Pause != nil && !n.Pause.Open() {
			return Ended
		}
		return Waiting
	case bridge.Succeeded, bridge.Recovered:
		return Good
	case bridge.EventRejected, bridge.EventHeld, bridge.EventSkipped, bridge.Answered:
		return Ended
	}
	switch {
	case n.Run.Stopped():
		return Ended
	case n.Run.Completed() && good(n):
		return Good
	}
	return Firing
}
