package dispatch

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"strconv"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// name is the Workflow's. That of a batch is derived from all of its events: a batch of others is another one. An event
// that is alone has its own, also when its rule has begun to batch since the Workflow was first asked for.
func (start Start) name() string {
	if len(start.Batch) < 2 {
		return WorkflowName(start.Rule, start.Event, start.Replay)
	}
	identity := sha256.New()
	fmt.Fprintf(identity, "batch\n%s\n%s\n%s\n", start.Rule.Template, start.Rule.Name, start.Replay)
	for _, m := range start.Batch {
		fmt.Fprintln(identity, m.Event.Hash())
	}
	return nameOf(start.Rule.Template, [sha256.Size]byte(identity.Sum(nil)))
}

// variables are those of the event; a batch has those of its first event, and `events`.
func (start Start) variables() map[string]any {
	if start.Rule.Flow.Batch == nil {
		return start.Variables
	}
	events := make([]any, len(start.Batch))
	for i, m := range start.Batch {
		events[i] = m.Variables
	}
	all := maps.Clone(start.Variables)
	if all == nil {
		all = map[string]any{}
	}
	all["events"] = events
	return all
}

func (start Start) stampBatch(s *bridge.Submission) {
	if start.Rule.Flow.Batch == nil {
		return
	}
	s.Annotations[bridge.AnnotationBatchItems] = strconv.Itoa(len(start.Batch))
	s.Annotations[bridge.AnnotationBatchLast] = start.Batch[len(start.Batch)-1].Event.ID
	if more := len(start.Batch) - 1; more > 0 {
		s.Annotations[annotationTitle] += fmt.Sprintf(" and %d more", more)
	}
}

// stampFlow puts on a Workflow what later ones count it by, and says what it counts itself.
func stampFlow(s *bridge.Submission, rule *bridge.Rule, keys bridge.FlowKeys) {
	if rule.Flow.Ordered != nil {
		label := bridge.Digest(rule.Name + "\n" + keys.Order)
		s.Labels[bridge.LabelOrder], s.Annotations[bridge.AnnotationOrder] = label, keys.Order
		s.Bounds = append(s.Bounds, bridge.Bound{
			Reason: bridge.ReasonOrdered, Label: bridge.LabelOrder, Value: label, Limit: 1, Name: fmt.Sprintf("key %q", keys.Order),
		})
	}
	c := rule.Flow.Concurrency
	if c == nil {
		return
	}
	bound := bridge.Bound{Reason: bridge.ReasonConcurrency, Limit: c.Limit}
	if c.Group == nil {
		bound.Label, bound.Value, bound.Hand = bridge.LabelRule, s.Labels[bridge.LabelRule], true
		bound.Name = "rule " + rule.Name
	} else {
		bound.Label, bound.Value = bridge.LabelGroup, bridge.GroupLabel(keys.Group)
		bound.Name = fmt.Sprintf("group %q", keys.Group)
		s.Labels[bridge.LabelGroup], s.Annotations[bridge.AnnotationGroup] = bound.Value, keys.Group
	}
	s.Bounds = append(s.Bounds, bound)
}
