package waiting

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/bus"
)

// A Task is one rule of one event whose turn has not come.
type Task struct {
	// Event is the event's hash, the key of its record; Sequence is where it stands on the bus.
	Event    string          `json:"event"`
	Sequence uint64          `json:"sequence"`
	Template bridge.Template `json:"template"`
	Rule     string          `json:"rule"`
	// Replay names the replay that the task belongs to; empty for the event's own.
	Replay string    `json:"replay,omitempty"`
	Since  time.Time `json:"since"`
	// Limit says that it waits for a limit: later events of the template queue up behind it.
	Limit bool `json:"limit,omitempty"`
	// Line says where a task of a rule with flow control waits; nil: in the lane of its template.
	Line *Line `json:"line,omitempty"`
	// Request, when set, is all that the task is: somebody without a bridge at hand asks for a replay.
	Request *bridge.Replay `json:"request,omitempty"`
}

// A Line is a lane that is worked on strictly in order: one task, or one batch of them, at a time, and none
// passes another.
type Line struct {
	bridge.FlowKeys
	// Eager says that a newcomer may change what becomes of those before it, so that they are looked at again.
	Eager bool `json:"eager,omitempty"`
	// MaxItems and MaxWait, when set, make batches: so many tasks are handed out at once, or fewer when the first
	// has waited so long.
	MaxItems int           `json:"maxItems,omitempty"`
	MaxWait  time.Duration `json:"maxWait,omitempty"`
	// MaxWaiting, when set, is how many tasks may wait while the line is full; those that came after them are handed out
	// as excess. A batch that gathers may be larger.
	MaxWaiting int `json:"maxWaiting,omitempty"`
}

// Lane is what the task waits in.
func (t Task) Lane() string {
	if t.Line == nil {
		return LaneOf(t.Template)
	}
	parts := []string{t.Template.String()}
	switch l := t.Line; {
	case l.MaxItems > 0:
		parts = append(parts, t.Rule, "batch", l.Batch, l.Group, l.Order, t.Replay)
	case l.Order != "":
		parts = append(parts, t.Rule, "order", l.Order)
	case l.Group != "":
		parts = append(parts, "group", l.Group) // the rules of a template share it
	default:
		parts = append(parts, t.Rule)
	}
	return bridge.Digest(strings.Join(parts, "\n"))
}

// LaneOf is the lane of a template.
func LaneOf(template bridge.Template) string { return bridge.Digest(template.String()) }

// key orders the tasks of a lane by the event's place on the bus. The same task has the same key.
func (t Task) key() string {
	if t.Request != nil {
		return fmt.Sprintf("%s.%020d.%s", t.Lane(), 0, bridge.Digest(t.Request.ID))
	}
	return fmt.Sprintf("%s.%020d.%s", t.Lane(), t.Sequence, bridge.Digest(t.Event+"\n"+t.Rule+"\n"+t.Replay))
}

// laneOf is the lane of a key.
func laneOf(key string) string {
	lane, _, _ := strings.Cut(key, ".")
	return lane
}

// Decode reads a task from the table.
func Decode(e bus.Entry) (t Task, err error) {
	if err := json.Unmarshal(e.Value, &t); err != nil {
		return t, fmt.Errorf("waiting task %s: %w", e.Key, err)
	}
	return t, nil
}
