package bridge

import "time"

// A StepLog is what one step of a run has written last.
type StepLog struct {
	// Path is the way to the step by display names, as in Failure.
	Path    string    `json:"path"`
	Started time.Time `json:"started,omitzero"`
	// Phase is the pod's: Pending, Running, Succeeded, Failed or Unknown.
	Phase string `json:"phase,omitempty"`
	// Lines are the last lines, masked; none: the step has written nothing, or nothing is left of it.
	Lines []string `json:"lines,omitempty"`
}
