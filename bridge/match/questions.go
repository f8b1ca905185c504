package match

import (
	"maps"
	"slices"
	"strings"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// Questions are what the source must be asked before the rule can be decided, and its Workflow planned.
func Questions(r *bridge.Rule, f bridge.Facts) []string {
	questions := map[string]bool{}
	for _, key := range asked(r, f) {
		questions[f.Asks[key]] = true
	}
	return slices.Sorted(maps.Keys(questions))
}

// asked are the keys of Facts.Asks that the rule needs.
func asked(r *bridge.Rule, f bridge.Facts) []string {
	keys := read(r, f)
	for _, t := range r.Triggers {
		for _, filter := range t.Filters {
			if key := fact(filter); t.Event == f.Name && f.Asks[key] != "" && !slices.Contains(keys, key) {
				keys = append(keys, key)
			}
		}
	}
	return keys
}

// read are the variables that the rule's expressions read and the payload does not hold.
func read(r *bridge.Rule, f bridge.Facts) (keys []string) {
	for _, path := range r.Reads {
		if f.Asks[path] != "" {
			keys = append(keys, path)
		}
	}
	return keys
}

// fact is the key of Facts.Values that a filter tests.
func fact(filter bridge.Filter) string { return strings.TrimSuffix(filter.Key(), ignore) }

// CommandOf is the line of a comment for which the rule starts; ok is false for a rule without a filter of commands.
func CommandOf(r *bridge.Rule, f bridge.Facts) (c bridge.Command, ok bool) {
	for _, t := range r.Triggers {
		for _, filter := range t.Filters {
			commands, is := filter.(*commentFilter)
			if !is || t.Event != f.Name {
				continue
			}
			for _, c := range f.Commands {
				if commands.names(c) {
					return c, true
				}
			}
			ok = true
		}
	}
	return c, ok
}

// names says whether one of the filter's commands, which may have several words, is the one that was given.
func (c *commentFilter) names(given bridge.Command) bool {
	words := append([]string{given.Name}, given.Words...)
	return slices.ContainsFunc(c.commands, func(command string) bool {
		want := strings.Fields(command)
		return len(want) <= len(words) && slices.Equal(want, words[:len(want)])
	})
}
