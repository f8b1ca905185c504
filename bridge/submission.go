package bridge

import "strings"

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
	// Bounds are the limits of the rule's own that must allow it.
	Bounds []Bound
}

// A Bound is a limit of a rule's own: at most Limit runs of its template in flight that bear a label.
type Bound struct {
	// Reason is the annotation: concurrency or ordered.
	Reason Reason
	// Label and Value are what the runs bear. Hand says that runs which people have started count as well:
	// those of the template without a rule.
	Label, Value string
	Hand         bool
	Limit        int
	// Name is the group for people: `group "main"`.
	Name string
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
	LabelEvent  = Prefix + "event" // a hash of the event's source and id; of a batch, its first event's
	LabelGroup  = Prefix + "group" // the concurrency group, see GroupLabel; a run by hand may bear it as well
	LabelOrder  = Prefix + "order" // a digest of the key of `ordered`

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
	AnnotationApproved     = Prefix + "approved" // who has approved the run of an outsider's code

	AnnotationGroup      = Prefix + "group"       // the concurrency group in full
	AnnotationOrder      = Prefix + "order"       // the key of `ordered` in full
	AnnotationBatchItems = Prefix + "batch-items" // how many events a batch has; its first one is the Workflow's event
	AnnotationBatchLast  = Prefix + "batch-last"  // the id of its last event
	AnnotationDepth      = Prefix + "chain-depth" // how many runs of the chain came before, see adapters/workflow
	AnnotationRetried    = Prefix + "retried"     // who has had the run retried through the bridge
	AnnotationOrders     = Prefix + "orders"      // which orders were carried out on it, so that none is twice; see Carried
	AnnotationResubmitOf = Prefix + "resubmit-of" // namespace/name of the run that it is a new one of
	// AnnotationStopped says on a run that the bridge has stopped why it did.
	AnnotationStopped = Prefix + "stopped"
)

// GroupLabel is the value of LabelGroup for a concurrency group: the group itself where Kubernetes takes it for a
// label, else its beginning with a digest.
func GroupLabel(group string) string {
	const digest = 17
	label := LabelValue(group)
	if label == group && group != "" {
		return label
	}
	label = strings.TrimRight(label[:min(len(label), MaxLabel-digest)], "-_.")
	return strings.TrimLeft(label+"-"+Digest(group), "-")
}

// LabelValue makes any text a valid value of a label: other characters become dots, and it is cut.
func LabelValue(s string) string {
	s = strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' || r == '.' {
			return r
		}
		return '.'
	}, s)
	return strings.Trim(s[:min(len(s), MaxLabel)], "-_.")
}

// MaxLabel is the most characters of a label's value, and so of a Workflow's name, which its pods carry as one:
// https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set
const MaxLabel = 63
