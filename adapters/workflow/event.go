package workflow

import (
	"encoding/json"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"time"

	"github.com/argo-bridge/argo-bridge/bridge"
)

const (
	// source is the short name of this adapter.
	source = "workflow"

	// TypePrefix begins the CloudEvents type of every end; the outcome follows.
	TypePrefix = "io.argoproj.bridge.workflow."

	// SourcePrefix begins the CloudEvents source of every end; the namespace follows.
	SourcePrefix = "//argoproj.io/namespaces/"

	// The extensions hold what filters ask for, so that an event that nobody wants is not parsed.
	extNamespace = "namespace"
	extTemplate  = "template"
	extDepth     = "chaindepth"

	// MaxRoot is the most bytes of the first event's data that the ends of its chain carry.
	MaxRoot = 256 << 10
	// maxPath is how many templates of a chain are remembered by name, the newest.
	maxPath = 32
	// maxDepth bounds the depth that a run's annotation may claim.
	maxDepth = 1 << 20
)

// A document is the data of an end.
type document struct {
	Workflow map[string]any `json:"workflow"`
	// Origin is what started the run; nil for a person or a schedule.
	Origin *origin `json:"origin"`
	Chain  chain   `json:"chain"`
}

// An origin is the event that started the run, as the run's annotations tell.
type origin struct {
	ID      string `json:"id"`
	Type    string `json:"type"`
	Source  string `json:"source"`
	Subject string `json:"subject,omitempty"`
	Time    string `json:"time,omitempty"`
	URL     string `json:"url,omitempty"`
	Title   string `json:"title,omitempty"`
	Actor   string `json:"actor,omitempty"`
}

// A chain is the way from its first event to this end.
type chain struct {
	// Depth is how many runs came to their ends so far, this one included.
	Depth int `json:"depth"`
	// Path are their templates, namespace/name, the oldest first; the newest maxPath of them.
	Path []string `json:"path"`
	// Event is the first event's attributes; nil when a person or a schedule began the chain, or the bus no
	// longer holds it.
	Event *root `json:"event"`
	// Data is the first event's; null when it has more than MaxRoot bytes, or is not known any more.
	Data json.RawMessage `json:"data,omitempty"`
}

type root struct {
	ID         string            `json:"id"`
	Source     string            `json:"source"`
	Type       string            `json:"type"`
	Subject    string            `json:"subject,omitempty"`
	Time       time.Time         `json:"time,omitzero"`
	Extensions map[string]string `json:"extensions,omitempty"`
}

// Translate makes the event of a run that has ended, for one of its outcomes. start is the event that
// started the run, nil when nothing did or it is not known any more.
//
// The id is made of the run's uid, the outcome, the phase and the time of the end: a run that is retried and
// ends again is a new event, and every replica makes the same one.
func Translate(run bridge.Run, outcome bridge.Outcome, start *bridge.Event) (bridge.Event, error) {
	d := document{Workflow: describe(run), Origin: originOf(run), Chain: chainOf(run, start)}
	data, err := json.Marshal(d)
	if err != nil {
		return bridge.Event{}, fmt.Errorf("write the end of %s/%s: %w", run.Namespace, run.Name, err)
	}
	end := run.Finished.UTC().Format(time.RFC3339)
	return bridge.Event{
		ID:      strings.Join([]string{run.UID, string(outcome), run.Phase, end}, "/"),
		Source:  SourcePrefix + run.Namespace + "/workflows",
		Type:    TypePrefix + string(outcome),
		Subject: run.Name,
		Time:    run.Finished.UTC(),
		Extensions: map[string]string{
			extNamespace: run.Namespace, extTemplate: run.Template.Name, extDepth: strconv.Itoa(d.Chain.Depth),
		},
		Data: data,
	}, nil
}

// describe has the names of the variable `workflow` of messages, which are Argo's own, and the outputs.
func describe(run bridge.Run) map[string]any {
	failures := run.Failures
	if failures == nil {
		failures = []bridge.Failure{}
	}
	return map[string]any{
		"name": run.Name, "namespace": run.Namespace, "uid": run.UID, "template": run.Template.Name, "rule": run.Rule,
		"status": run.Phase, "message": run.Message, "failures": failures,
		"parameters": byName(run.Parameters), "outputs": byName(run.Outputs),
		"labels": orEmpty(run.Labels), "annotations": orEmpty(run.Annotations),
		"creationTimestamp": moment(run.Created), "startedAt": moment(run.Started), "finishedAt": moment(run.Finished),
		"duration": run.Duration().Seconds(),
	}
}

func byName(parameters []bridge.Parameter) map[string]string {
	values := make(map[string]string, len(parameters))
	for _, p := range parameters {
		values[p.Name] = p.Value
	}
	return values
}

func orEmpty(m map[string]string) map[string]string {
	if m == nil {
		return map[string]string{}
	}
	return m
}

func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

func originOf(run bridge.Run) *origin {
	a := run.Annotations
	if a[bridge.AnnotationEventID] == "" {
		return nil
	}
	return &origin{
		ID: a[bridge.AnnotationEventID], Type: a[bridge.AnnotationEventType], Source: a[bridge.AnnotationEventSource],
		Subject: a[bridge.AnnotationEventSubject], Time: a[bridge.AnnotationEventTime], URL: a[bridge.AnnotationEventURL],
		Title: a[bridge.AnnotationEventTitle], Actor: a[bridge.AnnotationActor],
	}
}

// chainOf continues the chain that led to the run, or begins one with the event that started it.
func chainOf(run bridge.Run, start *bridge.Event) chain {
	c := chain{Depth: depthOf(run) + 1}
	switch before, ok := chainIn(start); {
	case ok:
		c.Path, c.Event, c.Data = before.Path, before.Event, before.Data
	case start != nil:
		c.Event = &root{start.ID, start.Source, start.Type, start.Subject, start.Time, maps.Clone(start.Extensions)}
		if len(start.Data) <= MaxRoot {
			c.Data = start.Data
		}
	default:
		c.Event = rootOf(run)
	}
	c.Path = append(c.Path[max(0, len(c.Path)-maxPath+1):len(c.Path):len(c.Path)], templateOf(run))
	return c
}

// chainIn is the chain that the event of an end carries.
func chainIn(start *bridge.Event) (chain, bool) {
	if start == nil || !strings.HasPrefix(start.Type, TypePrefix) {
		return chain{}, false
	}
	var d document
	if json.Unmarshal(start.Data, &d) != nil {
		return chain{}, false
	}
	return d.Chain, true
}

// rootOf is what the run itself still tells of the event that started it, when that has aged. Of a run
// in the middle of a chain it is not the first event, which then is not known.
func rootOf(run bridge.Run) *root {
	o := originOf(run)
	if o == nil || strings.HasPrefix(o.Type, TypePrefix) {
		return nil
	}
	at, err := time.Parse(time.RFC3339Nano, o.Time)
	if err != nil {
		at = time.Time{}
	}
	return &root{ID: o.ID, Source: o.Source, Type: o.Type, Subject: o.Subject, Time: at}
}

// depthOf is how many runs came before, as the bridge has stamped it.
func depthOf(run bridge.Run) int {
	depth, err := strconv.Atoi(run.Annotations[bridge.AnnotationDepth])
	if err != nil || depth < 0 {
		return 0
	}
	return min(depth, maxDepth)
}

// templateOf names the template within the namespace of the run, also one of the cluster.
func templateOf(run bridge.Run) string { return run.Namespace + "/" + run.Template.Name }
