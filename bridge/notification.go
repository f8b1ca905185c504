package bridge

import "time"

// An Outcome is what a notification is about.
type Outcome string

// The outcomes, as the `notify` annotation names them.
const (
	Started   Outcome = "started"
	Succeeded Outcome = "succeeded"
	Failed    Outcome = "failed" // Argo's Failed and Error
	// Recovered: succeeded, and the run before it (of the same template) had failed.
	Recovered Outcome = "recovered"
	// Completed: any end.
	Completed Outcome = "completed"
	// Suspended ("waiting"): a run waits at a suspended step for somebody to let it go on.
	Suspended Outcome = "waiting"
	// EventRejected ("rejected"): an event matched, but no Workflow could be made.
	EventRejected Outcome = "rejected"
	// Queued: an event matched; its Workflow is made, or waits for its turn.
	Queued Outcome = "queued"
	// EventHeld ("held"): an event matched, and waits for somebody's approval.
	EventHeld Outcome = "held"
	// EventSkipped ("skipped"): an event matched, and by the rule's own word, or somebody's order, no Workflow is made.
	EventSkipped Outcome = "skipped"
)

// Answered is the outcome of a notification that answers a command or order where it was given; no annotation names it.
const Answered Outcome = "answered"

// Outcomes are all outcomes, in the order in which a run passes them.
var Outcomes = []Outcome{Queued, EventHeld, EventSkipped, Started, Suspended, Succeeded, Failed, Recovered, Completed, EventRejected}

// A Destination is where a notification goes: scheme:target, such as slack:#data-alerts.
type Destination struct {
	Scheme string `json:"scheme"`
	Target string `json:"target"`
}

// String is the destination as the annotation writes it.
func (d Destination) String() string { return d.Scheme + ":" + d.Target }

// AtSource says that it is a place at the source of the event that started a run, such as github:check: runs that no
// event of that source has started have no such place.
func (d Destination) AtSource() bool {
	return d.Scheme == "github" || d.Scheme == "slack" && (d.Target == TargetAnswer || d.Target == TargetProgress)
}

// Targets that no annotation names: where a command or button was, for the answer to an order, and for how the run that a
// command has started goes on.
const (
	TargetAnswer   = "answer"
	TargetProgress = "progress"
)

// A Route is one entry of the `notify` annotation.
type Route struct {
	Outcome Outcome
	To      Destination
	// Message replaces the default text; nil for the default.
	Message Text
	// Options are settings of the destination, by name: those of the annotations `github` and `slack`.
	Options map[string]Text
	// Mentions are who is called by name, as the author wrote them behind the destination: @oncall-group, U024BE7LH.
	Mentions []string
}

// Options of Slack's messages.
const (
	// OptionBlocks is the message's own look, a JSON array of Block Kit.
	OptionBlocks = "blocks"
	// OptionBlocksFrom names where it is kept, NAME/KEY of a ConfigMap in the run's namespace, and OptionBlocksFault says
	// why it could not be taken from there.
	OptionBlocksFrom  = "blocks-from"
	OptionBlocksFault = "blocks-fault"
	// OptionWindow, OptionRepeat and OptionQuiet are the fields of the annotation `slack` that space alerts, and
	// OptionMention is who else is called.
	OptionWindow  = "window"
	OptionRepeat  = "repeat"
	OptionQuiet   = "quiet"
	OptionMention = "mention"
)

// A Notification is one message to one destination. It holds all that is needed to write it, so
// that it can be sent after the Workflow and the template are gone.
type Notification struct {
	// Key is the same however often the notification is made; a notifier puts it into what it
	// sends, to recognise a message whose sending was interrupted.
	Key     string      `json:"key"`
	Outcome Outcome     `json:"outcome"`
	To      Destination `json:"to"`
	// Text is the author's own message, rendered; empty for the default.
	Text string `json:"text,omitempty"`
	// Run is what it is about; where nothing was made only its template, rule, labels and annotations
	// are set and Reason says why nothing was made.
	Run    Run    `json:"run"`
	Reason string `json:"reason,omitempty"`
	// Subject is the same for all notifications about one event and rule (and replay, if any), see RunKey.
	Subject string `json:"subject,omitempty"`
	// Address is where the event's source answers, see Facts.ReplyTo, as the bridge itself has kept it: a run's
	// annotations are anybody's to write. Set for destinations of the source itself, such as github:check.
	Address string `json:"address,omitempty"`
	// Options are the settings of Route.Options, rendered.
	Options map[string]string `json:"options,omitempty"`
	// Mentions are those of Route.Mentions.
	Mentions []string `json:"mentions,omitempty"`
	// Usual is how long runs of the template take that succeed: the median of the last twenty; 0: not known.
	Usual time.Duration `json:"usual,omitempty"`
	// Follow says that the notification only brings up to date what was told before; where nothing was, nothing is told.
	Follow bool `json:"follow,omitempty"`
	// Pause is the suspended step that a Suspended notification is about.
	Pause *Pause `json:"pause,omitempty"`
	// Link leads to the run in the Argo UI; empty when the bridge does not know the UI's address.
	Link    string    `json:"link,omitempty"`
	Created time.Time `json:"created"`
}
