package alerts

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/argo-bridge/argo-bridge/adapters/slack/message"
	"github.com/argo-bridge/argo-bridge/bridge"
)

// A Table keeps the alerts. Safe for concurrent use by several processes.
type Table interface {
	bridge.Register
	// List returns the states whose keys begin with prefix, which ends with a dot.
	List(ctx context.Context, prefix string) (map[string][]byte, error)
}

// Beginnings of keys of the table.
const (
	keyAlert   = "alert."   // id → entry
	keyRun     = "run."     // place and run → id of the alert
	keySeries  = "series."  // place and template → pointer
	keyCause   = "cause."   // place and cause → pointer
	keyBudget  = "budget."  // place → budget
	keyMessage = "message." // channel and ts → id of the alert
	keyPause   = "pause."   // what Slack has asked to be spared → until when
)

const (
	// maxSeen bounds how many runs one alert counts: an entry has to fit into a message of the bus.
	maxSeen = 5000
)

// An entry is one message in a channel: what it is to show, and what is known of what Slack shows.
type entry struct {
	ID string             `json:"id"`
	To bridge.Destination `json:"to"`
	At string             `json:"reply,omitempty"` // of slack:reply: channel/ts

	State  message.State       `json:"state"`
	Newest bridge.Notification `json:"newest"`
	Order  order               `json:"order"`
	Lines  []message.Line      `json:"lines,omitempty"`
	Seen   map[string]seen     `json:"seen,omitempty"` // digest of a run → its last failure
	// Firing are the series that have not been made good, each with its last failure.
	Firing   map[string]time.Time `json:"firing,omitempty"`
	Of       map[string]bool      `json:"of,omitempty"` // templates that have failed
	Cause    string               `json:"cause,omitempty"`
	Overflow bool                 `json:"overflow,omitempty"`
	First    time.Time            `json:"first,omitzero"`
	Last     time.Time            `json:"last,omitzero"`
	By       *message.Line        `json:"by,omitempty"`
	Notes    []note               `json:"notes,omitempty"`
	Parts    []part               `json:"parts,omitempty"`
	Set      settings             `json:"set"`

	Opened  time.Time `json:"opened"`
	Version int       `json:"version"`
	Shown   int       `json:"shown"`             // the version that Slack shows
	Team    string    `json:"team,omitempty"`    // of Channel; empty: the default workspace
	Channel string    `json:"channel,omitempty"` // the id, once it is posted
	TS      string    `json:"ts,omitempty"`
	Thread  string    `json:"thread,omitempty"` // that the message itself stands in
	Painted time.Time `json:"painted,omitzero"` // when Slack was last told
	// Held: it was kept back for quiet hours or a silence, before it was ever posted.
	Held bool `json:"held,omitempty"`
	// Gone: somebody has deleted the message. Failed says why Slack does not take it, for ever.
	Gone   bool   `json:"gone,omitempty"`
	Failed string `json:"failed,omitempty"`
	// Doubt is when it was tried to post it, without knowing what came of that; zero: there is no doubt.
	Doubt  time.Time `json:"doubt,omitzero"`
	Writer *claim    `json:"writer,omitempty"`
}

// A seen is the last failure of a run that an alert has counted: a run that is retried may fail again.
type seen struct {
	Started time.Time `json:"started,omitzero"` // the attempt
	Version int       `json:"version"`          // that shows it
}

// A note is what somebody has done about the alert, in Slack's markup.
type note struct {
	Key  string `json:"key"`
	Text string `json:"text"`
}

// again has an alert posted anew whose message is not there any more.
func (e *entry) again() {
	e.Gone, e.Held, e.Shown, e.Doubt = false, false, 0, time.Time{}
	e.Team, e.Channel, e.TS, e.Thread = "", "", "", ""
}

// untold says that there is something which calls people, and which Slack has not shown.
func (e *entry) untold() bool {
	if e.State == message.Waiting && e.Shown < e.Version {
		return true
	}
	for _, s := range e.Seen {
		if s.Version > e.Shown {
			return true
		}
	}
	return false
}

// dirty says that Slack does not show what it should.
func (e *entry) dirty() bool {
	if e.Gone || e.Failed != "" {
		return false
	}
	if e.Shown < e.Version {
		return true
	}
	for _, p := range e.Parts {
		if p.TS == "" {
			return true
		}
	}
	return false
}

// trim keeps an entry within what a message of the bus may hold.
func (e *entry) trim() {
	e.Lines = e.Lines[:min(len(e.Lines), message.MaxLines)]
	if n := len(e.Notes); n > 20 {
		e.Notes = e.Notes[n-20:]
	}
	for len(e.Parts) > 20 { // the oldest of those that are posted
		drop := 0
		for i, p := range e.Parts {
			if p.TS != "" {
				drop = i
				break
			}
		}
		e.Parts = append(e.Parts[:drop], e.Parts[drop+1:]...)
	}
}

// load reads an alert; nil when there is none.
func (n *Notifier) load(ctx context.Context, id string) (*entry, error) {
	var e *entry
	err := n.read(ctx, keyAlert+id, &e)
	return e, err
}

func (n *Notifier) read(ctx context.Context, key string, into any) error {
	data, _, err := n.Table.Load(ctx, key)
	if err != nil {
		return fmt.Errorf("load %s: %w", key, err)
	}
	if data == nil {
		return nil
	}
	if err := json.Unmarshal(data, into); err != nil {
		return bridge.Permanent(fmt.Errorf("%s cannot be read: %w", key, err))
	}
	return nil
}
