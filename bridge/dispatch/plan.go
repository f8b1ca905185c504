package dispatch

import (
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/mapping"
	"github.com/argo-bridge/argo-bridge/bridge/match"
)

// Annotations that Argo's UI shows in its lists.
const (
	annotationTitle       = "workflows.argoproj.io/title"
	annotationDescription = "workflows.argoproj.io/description"
)

// A Start is one rule that an event, or a batch of them, starts.
type Start struct {
	// Event is what started it; of a batch, the first.
	Event     bridge.Event
	Facts     bridge.Facts
	Rule      *bridge.Rule
	Variables map[string]any
	// Batch are the events of a batch with the variables of each; nil: the event alone.
	Batch []Member
	// Replay names the replay that asks for another Workflow of the same event and rule; empty for the
	// event's own.
	Replay string
	// Approved is who has approved the code of somebody who is not trusted; empty: nobody had to.
	Approved string
	// ClusterNamespace is where runs of ClusterWorkflowTemplates are made.
	ClusterNamespace string
}

// A Member is one event of a batch.
type Member struct {
	Event     bridge.Event
	Variables map[string]any
}

// Plan is the Workflow that a rule makes of an event: a pure function, so that doing it again after a
// crash makes the same one. An error is permanent and says which parameter or setting cannot be filled.
func Plan(start Start) (bridge.Submission, error) {
	rule := start.Rule
	if rule.Flow.Batch != nil && start.Batch == nil {
		start.Batch = []Member{{start.Event, start.Variables}}
	}
	s := bridge.Submission{
		Template:  rule.Template,
		Rule:      rule.Name,
		Namespace: rule.Template.Namespace,
		Name:      start.name(),
	}
	if rule.Template.Cluster() {
		s.Namespace = start.ClusterNamespace
	}
	keys, err := mapping.Keys(rule, start.Variables)
	if err != nil {
		return s, err
	}
	variables := start.variables()
	if s.Parameters, err = mapping.Parameters(rule, variables, start.given()); err != nil {
		return s, err
	}
	settings, err := mapping.Render(rule, variables)
	if err != nil {
		return s, err
	}
	s.Entrypoint, s.ServiceAccount, s.Priority = settings.Entrypoint, settings.ServiceAccount, settings.Priority
	s.Labels = originLabels(start.Event, start.Facts, rule)
	for name, value := range settings.Labels {
		s.Labels[name] = value
	}
	s.Annotations = originAnnotations(start.Event, start.Facts, rule)
	if start.Replay != "" {
		s.Annotations[bridge.AnnotationReplay] = start.Replay
	}
	if start.Approved != "" {
		s.Annotations[bridge.AnnotationApproved] = start.Approved
	}
	start.stampBatch(&s)
	stampFlow(&s, rule, keys)
	return s, nil
}

// given are the arguments of the command that the rule starts for.
func (start Start) given() map[string]string {
	c, ok := match.CommandOf(start.Rule, start.Facts)
	if !ok {
		return nil
	}
	return c.Arguments
}

// WorkflowName is derived from template, rule, event and replay.
func WorkflowName(rule *bridge.Rule, e bridge.Event, replay string) string {
	identity := rule.Template.String() + "\n" + rule.Name + "\n" + e.Key()
	if replay != "" {
		identity += "\n" + replay
	}
	sum := sha256.Sum256([]byte(identity))
	return nameOf(rule.Template, sum)
}

func nameOf(template bridge.Template, identity [sha256.Size]byte) string {
	suffix := "-" + strings.ToLower(base32.StdEncoding.EncodeToString(identity[:10]))
	name := template.Name
	name = strings.TrimRight(name[:min(len(name), bridge.MaxLabel-len(suffix))], "-.")
	return name + suffix
}

func originLabels(e bridge.Event, f bridge.Facts, rule *bridge.Rule) map[string]string {
	source := f.Source
	if source == "" {
		source = "cloudevent"
	}
	return map[string]string{
		bridge.LabelSource: bridge.LabelValue(source),
		bridge.LabelType:   bridge.LabelValue(e.Type),
		bridge.LabelRule:   bridge.LabelValue(rule.Name),
		bridge.LabelEvent:  e.Hash(),
	}
}

func originAnnotations(e bridge.Event, f bridge.Facts, rule *bridge.Rule) map[string]string {
	all := map[string]string{
		bridge.AnnotationEventID:      e.ID,
		bridge.AnnotationEventType:    e.Type,
		bridge.AnnotationEventSource:  e.Source,
		bridge.AnnotationEventSubject: e.Subject,
		bridge.AnnotationEventURL:     f.URL,
		bridge.AnnotationEventTitle:   f.Title,
		bridge.AnnotationActor:        f.Actor,
		bridge.AnnotationReplyTo:      f.ReplyTo,
		annotationTitle:               escapeMarkdown(f.Title),
		annotationDescription:         description(f, rule),
	}
	if !e.Time.IsZero() {
		all[bridge.AnnotationEventTime] = e.Time.UTC().Format(time.RFC3339Nano)
	}
	if f.Depth > 0 {
		all[bridge.AnnotationDepth] = strconv.Itoa(f.Depth)
	}
	if (bridge.Destination{Scheme: f.Source}).AtSource() {
		delete(all, bridge.AnnotationReplyTo) // the record of the event holds it, where nobody can change it
	}
	for name, value := range all {
		if value == "" {
			delete(all, name)
		}
	}
	return all
}

func description(f bridge.Facts, rule *bridge.Rule) string {
	text := fmt.Sprintf("Started by the rule `%s` for `%s`", rule.Name, f.Name)
	if f.URL != "" && !strings.ContainsAny(f.URL, " ()<>") {
		text += fmt.Sprintf(" ([event](%s))", f.URL)
	}
	return text
}

// escapeMarkdown keeps an outsider's title text: Argo's UI renders titles as Markdown.
func escapeMarkdown(s string) string {
	var b strings.Builder
	for _, r := range s {
		if strings.ContainsRune("\\`*_[]<>!|~#", r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}
