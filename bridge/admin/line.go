package admin

import "github.com/argo-bridge/argo-bridge/bridge"

// A Line is one line of a streamed answer; exactly one member is set.
type Line struct {
	Record   *bridge.Record   `json:"record,omitempty"`
	Replayed *bridge.Replayed `json:"replayed,omitempty"`
	// End is true on the last line of an answer that is whole.
	End bool `json:"end,omitempty"`
	// Fault is the last line of an answer that failed after it had begun.
	Fault *Fault `json:"fault,omitempty"`
}
