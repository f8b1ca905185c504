package alerts

import (
	"time"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// Kinds of replies in an alert's thread.
const (
	partDetails  = "details"
	partRecovery = "recovery"
	partNote     = "note"
)

// A part is one reply in the alert's thread.
type part struct {
	Key  string               `json:"key"`
	Kind string               `json:"kind"`
	Of   *bridge.Notification `json:"of,omitempty"` // nil once it is posted
	Text string               `json:"text,omitempty"`
	// Ring shows the reply in the channel too: the message above it was posted before the run failed, and its update
	// calls nobody.
	Ring bool      `json:"ring,omitempty"`
	Not  time.Time `json:"not,omitzero"` // not before
	TS   string    `json:"ts,omitempty"`
	// Doubt is when it was tried to post it, without knowing what came of that; zero: there is no doubt.
	Doubt time.Time `json:"doubt,omitzero"`
}

// part is the reply with a key; nil when there is none.
func (e *entry) part(key string) *part {
	for i := range e.Parts {
		if e.Parts[i].Key == key {
			return &e.Parts[i]
		}
	}
	return nil
}
