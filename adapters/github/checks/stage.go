package checks

import (
	"fmt"
	"time"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// A stage is how far a run has come; of one event and rule, the greater is the newer.
type stage int

const (
	stageHeld    stage = iota + 1 // waits for an approval
	stageQueued                   // is made, or waits for its turn
	stageRunning                  // its Workflow runs
	stageSettled                  // there will be no Workflow
	stageEnded                    // its Workflow has ended
)

func stageOf(m bridge.Notification) (stage, error) {
	switch m.Outcome {
	case bridge.EventHeld:
		return stageHeld, nil
	case bridge.Queued:
		return stageQueued, nil
	case bridge.Started:
		return stageRunning, nil
	case bridge.EventSkipped, bridge.EventRejected:
		return stageSettled, nil
	case bridge.Succeeded, bridge.Failed, bridge.Recovered, bridge.Completed:
		return stageEnded, nil
	}
	return 0, fmt.Errorf("nothing shows the outcome %q", m.Outcome)
}

// orderOf is the order among the notifications of one event and rule.
func orderOf(m bridge.Notification, s stage) order {
	o := order{Stage: s}
	if s == stageEnded {
		o.At = m.Run.Finished.UTC()
	}
	return o
}

// A result is how a run, or what was to become one, has ended.
type result string

const (
	succeeded result = "succeeded"
	failed    result = "failed"
	broken    result = "broken" // Argo's Error, and what could not be made
	stopped   result = "stopped"
	skipped   result = "skipped"
)

// resultOf is empty while there is none.
func resultOf(m bridge.Notification, s stage) result {
	switch {
	case m.Outcome == bridge.EventRejected:
		return broken
	case m.Outcome == bridge.EventSkipped:
		return skipped
	case s != stageEnded:
		return ""
	case m.Run.Phase == "Succeeded":
		return succeeded
	case m.Run.Stopped():
		return stopped
	case m.Run.Phase == "Error":
		return broken
	}
	return failed
}

// took is a duration for people: 2m 14s.
func took(d time.Duration) string {
	if d < time.Second {
		return "less than 1s"
	}
	d = d.Round(time.Second)
	h, m, s := int(d.Hours()), int(d.Minutes())%60, int(d.Seconds())%60
	switch {
	case h > 0:
		return fmt.Sprintf("%dh %dm", h, m)
	case m > 0:
		return fmt.Sprintf("%dm %ds", m, s)
	}
	return fmt.Sprintf("%ds", s)
}
