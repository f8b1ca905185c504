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
	// Request, when set, is all that the task is: somebody without a bridge at hand asks for a replay.
	Request *bridge.Replay `json:"request,omitempty"`
}

// Lane is what the task queues up in.
func (t Task) Lane() string { return LaneOf(t.Template) }

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
