package message

import (
	"encoding/json"
	"time"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/slack-go/slack"
)

// A State is how an alert stands.
type State string

// The states of an alert.
const (
	// Going: the run goes on, or waits for its turn.
	Going State = "going"
	// Waiting: the run waits at a suspended step for somebody's approval.
	Waiting State = "waiting"
	// Firing: the run has failed, and nothing has made that good.
	Firing State = "firing"
	// Good: the run has ended well.
	Good State = "good"
	// Closed: it had failed, and a later run, or the run itself after a retry, has succeeded.
	Closed State = "closed"
	// Ended: over without a word of good or bad: stopped, skipped, held back, rejected.
	Ended State = "ended"
)

// An Alert is what one message in a channel shows: one run, or a group of runs that failed alike.
type Alert struct {
	// Newest is the newest notification of the run that is shown, of a group that of the run that failed last.
	Newest bridge.Notification
	State  State
	// Count is how many failures the message stands for. Above 1 it is a group, whose Lines are listed.
	Count int
	// Lines are the last failures, the newest first, at most MaxLines; Templates is how many templates they are of.
	Lines     []Line
	Templates int
	// Cause is what the runs of a group failed of, when they are grouped by that; Overflow says that the group is what
	// was too much for the channel.
	Cause    string
	Overflow bool
	// First and Last are when the first and the last failure were.
	First, Last time.Time
	// By is the run that has made it good, of a Closed alert.
	By *Line
	// Notes are what people have done about it, in the order of time: "retried by <@U024BE7LH>"; they are Slack's markup.
	Notes []string
	// Mentions are Slack's markup of who is called: <@U024BE7LH>, <!subteam^S0614TZR7>.
	Mentions []string
	// Silenced says until when the template's alerts are silent; zero: they are not.
	Silenced time.Time
}

// MaxLines is how many failures of a group are kept for its list.
const MaxLines = 20

// A Line is one failure in the list of a group.
type Line struct {
	Template bridge.Template `json:"template"`
	Run      bridge.RunID    `json:"run"`
	Link     string          `json:"link,omitempty"`
	// Step is the path of the first step that failed, and Message what it said.
	Step    string    `json:"step,omitempty"`
	Message string    `json:"message,omitempty"`
	At      time.Time `json:"at"`
}

// Rendered is a message as chat.postMessage takes it.
type Rendered struct {
	// Text is a full sentence, for where blocks are not shown: the notification of a phone, a screen reader.
	Text string
	// Blocks stand above the attachment; Color and Below are the attachment's, and Below may be empty.
	Blocks []slack.Block
	Color  string
	Below  []slack.Block
}

// Options are the message's parts for chat.postMessage and chat.update.
func (r Rendered) Options() []slack.MsgOption {
	return []slack.MsgOption{
		slack.MsgOptionText(r.Text, false), slack.MsgOptionBlocks(r.Blocks...), slack.MsgOptionAttachments(r.attachments()...),
	}
}

// attachments are never nil: an update leaves an attachment standing that it does not name.
func (r Rendered) attachments() []slack.Attachment {
	if len(r.Below) == 0 {
		return []slack.Attachment{}
	}
	return []slack.Attachment{{Color: r.Color, Fallback: r.Text, Blocks: slack.Blocks{BlockSet: r.Below}}}
}

// MarshalJSON is the message as the arguments text, blocks and attachments of chat.postMessage.
func (r Rendered) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Text        string             `json:"text"`
		Blocks      []slack.Block      `json:"blocks"`
		Attachments []slack.Attachment `json:"attachments,omitempty"`
	}{r.Text, r.Blocks, r.attachments()})
}

// ActionPrefix begins the action_id of every button of the bridge; the act follows: argo_bridge.retry. A button's value is
// what Value makes.
const ActionPrefix = "argo_bridge."

// InputPrefix begins the block_id of the inputs of a request for approval; the parameter's name follows. Their action_id is
// InputAction.
const (
	InputPrefix = "argo_bridge.input."
	InputAction = "argo_bridge.value"
)

// A Value is what a button of the bridge carries: the run, and what else its act needs.
type Value struct {
	Run      bridge.RunID `json:"run,omitzero"`
	Template string       `json:"template,omitempty"` // of silence: namespace/name
	Node     string       `json:"node,omitempty"`     // of resume and reject
	For      string       `json:"for,omitempty"`      // of silence: a duration, 1h
}

// String is the value as a button's, within Slack's 2,000 characters.
func (v Value) String() string {
	data, err := json.Marshal(v)
	if err != nil || len(data) > 2000 {
		return ""
	}
	return string(data)
}

// ParseValue reads what Value.String has written; ok is false for anything else.
func ParseValue(s string) (v Value, ok bool) {
	err := json.Unmarshal([]byte(s), &v)
	return v, err == nil
}
