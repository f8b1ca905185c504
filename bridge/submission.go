package bridge

// A Submission is one Workflow to be made from one template for one rule and event.
type Submission struct {
	Template  Template
	Rule      string
	Namespace string
	// Name is derived from template, rule and event, so that submitting again finds the first one.
	Name           string
	Parameters     []Parameter
	Labels         map[string]string
	Annotations    map[string]string
	Entrypoint     string
	ServiceAccount string
	Priority       *int32
}

// A Parameter is one argument of a Workflow.
type Parameter struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Labels and annotations that the bridge stamps on every Workflow that it makes.
const (
	LabelSource = Prefix + "source"     // the source's short name: github
	LabelType   = Prefix + "event-type" // the CloudEvents type, cut to a label's 63 characters
	LabelRule   = Prefix + "rule"
	LabelEvent  = Prefix + "event" // a hash of the event's source and id

	AnnotationEventID      = Prefix + "event-id"
	AnnotationEventType    = Prefix + "event-type"
	AnnotationEventSource  = Prefix + "event-source"
	AnnotationEventSubject = Prefix + "event-subject"
	AnnotationEventTime    = Prefix + "event-time"
	AnnotationEventURL     = Prefix + "event-url"
	AnnotationEventTitle   = Prefix + "event-title"
	AnnotationActor        = Prefix + "actor"
	AnnotationReplyTo      = Prefix + "reply-to" // see Facts.ReplyTo
	AnnotationReplay       = Prefix + "replay"   // the replay that asked for it, see Replay.ID
)
