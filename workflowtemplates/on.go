package workflowtemplates

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/match"
)

// workflowSource is the source of the events workflow.<outcome>.
const workflowSource = "workflow"

// dialect returns the dialect of an event's name.
func (l Language) dialect(event string) (bridge.Dialect, bool) {
	source, _, _ := strings.Cut(event, ".")
	for _, d := range l.Dialects {
		if d.Source == source {
			return d, true
		}
	}
	return bridge.Dialect{}, false
}

// events are all known event names.
func (l Language) events() []string {
	var names []string
	for _, d := range l.Dialects {
		names = append(names, d.Events...)
	}
	return names
}

// on reads an event's name, a list of names, or a map from names to filters.
func (s *section) on() []bridge.Trigger {
	n := s.node()
	if n == nil {
		return nil
	}
	var triggers []bridge.Trigger
	switch n.Kind {
	case yaml.ScalarNode:
		triggers = s.trigger(triggers, n, nil)
	case yaml.SequenceNode:
		for _, item := range n.Content {
			triggers = s.trigger(triggers, item, nil)
		}
	default:
		for _, pair := range s.pairs(n, "on") {
			triggers = s.trigger(triggers, pair.key, pair.value)
		}
	}
	if len(n.Content) == 0 && n.Kind != yaml.ScalarNode {
		s.fail(n.Line, "", "on names no event")
	}
	return triggers
}

// trigger appends one event with its filters; a nil or null node of filters is none.
func (s *section) trigger(triggers []bridge.Trigger, name, filters *yaml.Node) []bridge.Trigger {
	event, ok := s.scalar(name, "an event's name")
	if !ok || !s.event(event, name.Line) {
		return triggers
	}
	if slices.ContainsFunc(triggers, func(t bridge.Trigger) bool { return t.Event == event }) {
		s.fail(name.Line, "", "the event %s is given twice", event)
		return triggers
	}
	t := bridge.Trigger{Event: event}
	var given []pair
	if filters != nil && !isNull(filters) {
		given = s.pairs(filters, "the filters of "+event)
	}
	s.requireTemplates(event, name.Line, given)
	t.Filters = s.filters(event, given)
	t.Filters = append(t.Filters, usualFilters(event, given)...)
	if usual := usualTypes[event]; usual != nil && !hasFilter(t, "types") {
		if types, err := match.Set("types", usual); err == nil {
			t.Filters = append([]bridge.Filter{types}, t.Filters...)
		}
	}
	return append(triggers, t)
}

// usualTypes are the types that an event stands for unless its filters name some, as in GitHub Actions: there
// a push that deletes a branch or tag starts nothing.
var usualTypes = map[string][]string{
	"github.pull_request": {"opened", "synchronize", "reopened"},
	"github.push":         {"created", "updated"},
}

func hasFilter(t bridge.Trigger, key string) bool {
	return slices.ContainsFunc(t.Filters, func(f bridge.Filter) bool { return f.Key() == key })
}

// event checks an event's name.
func (s *section) event(name string, line int) bool {
	language := s.parser.language
	dotted := strings.Contains(name, ".")
	if d, ok := language.dialect(name); ok && dotted {
		return s.knownEvent(d, name, line)
	}
	for _, known := range language.events() {
		if !dotted && strings.HasSuffix(known, "."+name) || strings.Contains(name+".", "."+known+".") {
			s.fail(line, didYouMean(known), "unknown event %s", name)
			return false
		}
	}
	near := didYouMean(nearest(name, language.events()))
	if near == "" && !dotted {
		near = "an event's name begins with its source, as in github.push"
	}
	if near != "" {
		s.fail(line, near, "unknown event %s", name)
		return false
	}
	return true
}

func (s *section) knownEvent(d bridge.Dialect, name string, line int) bool {
	if slices.Contains(d.Events, name) {
		return true
	}
	suggestion := didYouMean(nearest(name, d.Events))
	if d.Open && suggestion == "" {
		s.report(Warning, line, suggestion, "the event %s is not known to this bridge; it starts the template if %s sends it", name, d.Source)
		return true
	}
	if suggestion == "" && len(d.Events) <= 10 {
		suggestion = "the events are " + strings.Join(d.Events, ", ")
	}
	s.fail(line, suggestion, "unknown event %s", name)
	return false
}
