// Package announce writes a notification as a CloudEvent, for services that read JSON: those of the destinations webhook
// and nats. The same notification always makes the same event, whose id is its key, so that who takes one twice can tell.
//
// What it says of a run is meant to leave the cluster: values of parameters and outputs that are named like secrets, and
// what looks like a secret anywhere, are hidden as in messages for people.
package announce

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/mask"
)

const (
	// TypePrefix begins the CloudEvents type; the outcome follows: io.argoproj.bridge.notification.failed.
	TypePrefix = "io.argoproj.bridge.notification."
	// SourcePrefix begins the CloudEvents source; the namespace of the run follows, and /notifications.
	SourcePrefix = "//argoproj.io/namespaces/"
)

// Document is the data of the event.
type Document struct {
	Outcome     string `json:"outcome"`
	Destination string `json:"destination"`
	// Summary is a sentence for people. Text is the template author's own message, if there is one.
	Summary  string `json:"summary"`
	Text     string `json:"text,omitempty"`
	Template string `json:"template,omitempty"` // namespace/name
	Rule     string `json:"rule,omitempty"`
	// Reason says why there is no Workflow, where there is none.
	Reason     string            `json:"reason,omitempty"`
	Workflow   *Workflow         `json:"workflow,omitempty"`
	Parameters map[string]string `json:"parameters,omitempty"`
	Outputs    map[string]string `json:"outputs,omitempty"`
	Failures   []Failure         `json:"failures,omitempty"`
	Waiting    *Pause            `json:"waiting,omitempty"`
	// Trigger is what has started it, as far as a rule of the bridge did.
	Trigger *Trigger `json:"trigger,omitempty"`
	// Mentions are who the author wants called, as written behind the destination.
	Mentions []string `json:"mentions,omitempty"`
}

// Workflow is how the run stands.
type Workflow struct {
	Namespace string     `json:"namespace"`
	Name      string     `json:"name"`
	UID       string     `json:"uid,omitempty"`
	Phase     string     `json:"phase"`
	Message   string     `json:"message,omitempty"`
	Link      string     `json:"link,omitempty"`
	Started   *time.Time `json:"started,omitempty"`
	Finished  *time.Time `json:"finished,omitempty"`
	// Seconds is how long it took, UsualSeconds how long runs of the template take that succeed; 0: not known.
	Seconds      float64 `json:"seconds,omitempty"`
	UsualSeconds float64 `json:"usualSeconds,omitempty"`
}

// Failure is a step that failed.
type Failure struct {
	Step     string   `json:"step"`
	Message  string   `json:"message,omitempty"`
	ExitCode string   `json:"exitCode,omitempty"`
	Attempts int      `json:"attempts,omitempty"`
	Log      []string `json:"log,omitempty"`
}

// Pause is the step at which the run waits.
type Pause struct {
	Step   string   `json:"step"`
	Phase  string   `json:"phase"`
	Inputs []string `json:"inputs,omitempty"`
}

// Trigger is the event that has started a run.
type Trigger struct {
	ID     string `json:"id,omitempty"`
	Type   string `json:"type,omitempty"`
	Source string `json:"source,omitempty"`
	Title  string `json:"title,omitempty"`
	URL    string `json:"url,omitempty"`
	Actor  string `json:"actor,omitempty"`
}

// Event is the notification as an event.
func Event(n bridge.Notification) (bridge.Event, error) {
	var data bytes.Buffer
	e := json.NewEncoder(&data)
	e.SetEscapeHTML(false)
	if err := e.Encode(document(n)); err != nil {
		return bridge.Event{}, fmt.Errorf("write the notification: %w", err)
	}
	return bridge.Event{
		ID: n.Key, Source: SourcePrefix + namespace(n.Run) + "/notifications", Type: TypePrefix + string(n.Outcome),
		Subject: subject(n.Run), Time: n.Created, Data: bytes.TrimSpace(data.Bytes()),
	}, nil
}

func namespace(r bridge.Run) string {
	if r.Namespace == "" {
		return "-" // of a ClusterWorkflowTemplate without a run
	}
	return r.Namespace
}

// subject is the Workflow, or the template where there is none.
func subject(r bridge.Run) string {
	if r.Name != "" {
		return "workflows/" + r.Name
	}
	return "templates/" + r.Template.Name
}

func document(n bridge.Notification) Document {
	r := n.Run
	d := Document{
		Outcome: string(n.Outcome), Destination: n.To.String(), Text: mask.Secrets(n.Text), Template: r.Template.String(), Rule: r.Rule,
		Reason: mask.Secrets(n.Reason), Parameters: values(r.Parameters), Outputs: values(r.Outputs), Trigger: trigger(r.Annotations), Mentions: n.Mentions,
	}
	if r.Name != "" {
		d.Workflow = &Workflow{
			Namespace: r.Namespace, Name: r.Name, UID: r.UID, Phase: r.Phase, Message: mask.Secrets(r.Message), Link: n.Link,
			Started: at(r.Started), Finished: at(r.Finished), Seconds: r.Duration().Seconds(), UsualSeconds: n.Usual.Seconds(),
		}
	}
	for _, f := range r.Failures {
		log := f.Log
		if len(log) > 0 {
			log = strings.Split(mask.Secrets(strings.Join(log, "\n")), "\n")
		}
		d.Failures = append(d.Failures, Failure{Step: f.Path, Message: mask.Secrets(f.Message), ExitCode: f.ExitCode, Attempts: f.Attempts, Log: log})
	}
	if p := n.Pause; p != nil {
		d.Waiting = &Pause{Step: p.Path, Phase: p.Phase}
		for _, input := range p.Inputs {
			d.Waiting.Inputs = append(d.Waiting.Inputs, input.Name)
		}
	}
	d.Summary = summary(n, d)
	return d
}

// summary is a sentence: what happened to what, where and why.
func summary(n bridge.Notification, d Document) string {
	words := map[bridge.Outcome]string{
		bridge.Suspended: "waits for approval", bridge.EventRejected: "rejected an event", bridge.EventHeld: "holds an event back",
		bridge.EventSkipped: "skipped an event", bridge.Queued: "waits for its turn",
	}
	word, special := words[n.Outcome]
	if !special {
		word = string(n.Outcome)
	}
	if n.Outcome == bridge.Completed && n.Run.Phase != "" {
		word = "ended: " + n.Run.Phase
	}
	s := d.Template + " " + word
	switch {
	case d.Waiting != nil:
		s += " at " + d.Waiting.Step
	case d.Reason != "":
		s += ": " + d.Reason
	case len(d.Failures) > 0:
		s += " at " + d.Failures[0].Step + ": " + d.Failures[0].Message
	case d.Workflow != nil && d.Workflow.Message != "":
		s += ": " + d.Workflow.Message
	}
	return strings.Join(strings.Fields(s), " ")
}

func values(all []bridge.Parameter) map[string]string {
	if len(all) == 0 {
		return nil
	}
	shown := map[string]string{}
	for _, p := range all {
		shown[p.Name] = mask.Secrets(p.Value)
		if mask.Named(p.Name) && p.Value != "" {
			shown[p.Name] = mask.Hidden
		}
	}
	return shown
}

func trigger(a map[string]string) *Trigger {
	t := Trigger{
		ID: a[bridge.AnnotationEventID], Type: a[bridge.AnnotationEventType], Source: a[bridge.AnnotationEventSource],
		Title: mask.Secrets(a[bridge.AnnotationEventTitle]), URL: a[bridge.AnnotationEventURL], Actor: a[bridge.AnnotationActor],
	}
	if t == (Trigger{}) {
		return nil
	}
	return &t
}

func at(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}
