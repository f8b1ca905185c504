package workflowtemplates

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/expression"
)

// Bounds and defaults of batch.
const (
	defaultBatchItems = 100
	defaultBatchWait  = 10 * time.Second
	minBatchWait      = time.Second
	maxBatchWait      = 24 * time.Hour
)

// eventsVariable is what expressions call the events of a batch.
const eventsVariable = "events"

// flow reads the keys that say when a Workflow may be made. Their expressions are evaluated for each event alone.
func (p *parser) flow(sections map[string]*section, shapes map[string]*bridge.Shape) bridge.Flow {
	f := bridge.Flow{
		Concurrency: sections[keyConcurrency].concurrency(shapes),
		LatestOnly:  sections[keyLatestOnly].latestOnly(),
		Rate:        sections[keyRate].rate(),
		Batch:       sections[keyBatch].batch(shapes),
	}
	if s := sections[keyOrdered]; s != nil {
		f.Ordered = s.expression(s.text, 1, shapes)
	}
	return f
}

// withEvents are the variables of the keys that are evaluated once for a batch: those of its first event, and events.
func withEvents(sections map[string]*section, shapes map[string]*bridge.Shape) map[string]*bridge.Shape {
	if sections[keyBatch] == nil {
		return shapes
	}
	all := map[string]*bridge.Shape{eventsVariable: {Items: &bridge.Shape{Fields: shapes}}}
	for name, shape := range shapes {
		all[name] = shape
	}
	return all
}

// A field reads one member of a map.
type field func(p pair)

// fields reads a map whose members have names of their own; hints are suggestions for names of other systems.
func (s *section) fields(n *yaml.Node, readers map[string]field, names []string, hints map[string]string) {
	for _, p := range s.pairs(n, s.base) {
		read, ok := readers[p.name]
		if ok {
			read(p)
			continue
		}
		suggestion := hints[p.name]
		if suggestion == "" {
			suggestion = didYouMean(nearest(p.name, names))
		}
		if suggestion == "" {
			suggestion = "the fields are " + strings.Join(names, ", ")
		}
		s.fail(p.key.Line, suggestion, "%s has no field %s", s.base, p.name)
	}
}

// expressionOf reads a member that is an expression; nil after a fault.
func (s *section) expressionOf(p pair, shapes map[string]*bridge.Shape) bridge.Expression {
	source, ok := s.scalar(p.value, "the expression "+p.name)
	if !ok {
		return nil
	}
	return s.expression(source, firstLine(p.value), shapes)
}

// wholeNumber reads a member that is a whole number of least to most; most 0: no bound.
func (s *section) wholeNumber(p pair, least, most int) int {
	n, err := strconv.Atoi(p.value.Value)
	if p.value.Kind == yaml.ScalarNode && err == nil && n >= least && (most == 0 || n <= most) {
		return n
	}
	bounds := fmt.Sprintf("of at least %d", least)
	if most > 0 {
		bounds = fmt.Sprintf("from %d to %d", least, most)
	}
	s.fail(p.value.Line, "", "%s must be a whole number %s, got %s", p.name, bounds, valueOf(p.value))
	return 0
}

// valueOf is a value as its author wrote it, for a message.
func valueOf(n *yaml.Node) string {
	if n.Kind != yaml.ScalarNode || isNull(n) {
		return kind(n)
	}
	return strconv.Quote(n.Value)
}

// latestOnly reads a boolean.
func (s *section) latestOnly() bool {
	if s == nil {
		return false
	}
	switch strings.TrimSpace(s.text) {
	case "true":
		return true
	case "false":
		return false
	}
	s.fail(1, "", "%s must be true or false, got %q", s.base, strings.TrimSpace(s.text))
	return false
}

// batch reads how events are collected.
func (s *section) batch(shapes map[string]*bridge.Shape) *bridge.Batch {
	if s == nil {
		return nil
	}
	n := s.node()
	if n == nil {
		return nil
	}
	b := &bridge.Batch{MaxItems: defaultBatchItems, MaxWait: defaultBatchWait}
	s.fields(n, map[string]field{
		"max-items": func(p pair) { b.MaxItems = s.wholeNumber(p, 1, bridge.MaxBatchItems) },
		"max-wait":  func(p pair) { b.MaxWait = s.batchWait(p) },
		"group":     func(p pair) { b.Group = s.expressionOf(p, shapes) },
	}, batchFields, nil)
	return b
}

var batchFields = []string{"max-items", "max-wait", "group"}

func (s *section) batchWait(p pair) time.Duration {
	d, err := time.ParseDuration(p.value.Value)
	if p.value.Kind != yaml.ScalarNode || err != nil {
		suggestion := "write a time such as 10s, 5m or 1h30m"
		if _, err := strconv.Atoi(p.value.Value); err == nil {
			suggestion = "write " + p.value.Value + "s for seconds"
		}
		s.fail(p.value.Line, suggestion, "max-wait must be a time, got %s", valueOf(p.value))
		return 0
	}
	if d < minBatchWait || d > maxBatchWait {
		s.fail(p.value.Line, "", "max-wait must be from 1s to 24h, got %s", p.value.Value)
		return 0
	}
	return d
}

// compiles says whether a text is an expression, whatever its names are.
func compiles(source string) bool {
	_, err := expression.Compile(source)
	return err == nil
}
