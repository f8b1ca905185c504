package workflowtemplates

import (
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/match"
)

// A filterReader reads one filter's value; nil after a fault.
type filterReader func(s *section, p pair, siblings []pair) bridge.Filter

// filterReaders returns the filters of an event.
func filterReaders(event string) map[string]filterReader {
	source, _, _ := strings.Cut(event, ".")
	switch source {
	case "github":
		return githubFilters
	case "gcs":
		if endsVersion(event) {
			return gcsEndFilters
		}
		return gcsFilters
	case "slack":
		switch event {
		case "slack.command":
			return slackCommandFilters
		case "slack.action", "slack.shortcut":
			return slackActionFilters
		}
		return slackFilters
	case workflowSource:
		return workflowFilters
	}
	return nil
}

var githubFilters = map[string]filterReader{
	"repositories":    listFilter(match.Globs),
	"types":           listFilter(match.Set),
	"branches":        refFilter,
	"branches-ignore": refFilter,
	"tags":            refFilter,
	"tags-ignore":     refFilter,
	"paths":           refFilter,
	"paths-ignore":    refFilter,
	"labels":          listFilter(match.Globs),
	"comment":         listFilter(func(_ string, commands []string) (bridge.Filter, error) { return match.Comment(commands) }),
	"actors":          listFilter(match.Set),
	"draft":           yesFilter,
}

var gcsFilters = map[string]filterReader{
	"buckets":        listFilter(match.Globs),
	"objects":        listFilter(match.Globs),
	"objects-ignore": ignoreFilter,
	"content-types":  listFilter(func(_ string, patterns []string) (bridge.Filter, error) { return match.ContentTypes(patterns) }),
	"min-size":       sizeFilter,
	"max-size":       sizeFilter,
	"metadata":       pairsFilter,
	"attributes":     pairsFilter,
	"folders":        flagFilter(match.Folders),
}

var gcsEndFilters = alsoReading(gcsFilters, "overwritten", flagFilter(match.Overwritten))

// endsVersion says whether the event is the end of an object's version.
func endsVersion(event string) bool { return event == "gcs.deleted" || event == "gcs.archived" }

// usualFilters are those that an event has unless the template names them: what GCS tells of folders and of replaced
// versions is seldom meant.
func usualFilters(event string, pairs []pair) []bridge.Filter {
	var filters []bridge.Filter
	if strings.HasPrefix(event, "gcs.") && !has(pairs, "folders") {
		filters = append(filters, match.Folders())
	}
	if endsVersion(event) && !has(pairs, "overwritten") {
		filters = append(filters, match.Overwritten())
	}
	return filters
}

func alsoReading(readers map[string]filterReader, name string, reader filterReader) map[string]filterReader {
	more := maps.Clone(readers)
	more[name] = reader
	return more
}

var slackCommandFilters = map[string]filterReader{
	"commands": commandFilter, "channels": listFilter(match.Set), "users": listFilter(match.Set), "groups": listFilter(match.Set),
}

var slackActionFilters = map[string]filterReader{"ids": listFilter(match.Set), "groups": listFilter(match.Set)}

var slackFilters = map[string]filterReader{
	"channels": listFilter(match.Set), "users": listFilter(match.Set), "groups": listFilter(match.Set), "text": textFilter, "emoji": emojiFilter,
}

// filters reads the filters of one event in their order.
func (s *section) filters(event string, pairs []pair) []bridge.Filter {
	readers := filterReaders(event)
	var filters []bridge.Filter
	for _, p := range pairs {
		read, ok := readers[p.name]
		if !ok {
			s.unknownFilter(event, p, readers)
			continue
		}
		if s.contradicts(p, pairs) || s.lacksPaths(event, p) {
			continue
		}
		if f := read(s, p, pairs); f != nil {
			filters = append(filters, f)
		}
	}
	return filters
}

func (s *section) unknownFilter(event string, p pair, readers map[string]filterReader) {
	if len(readers) == 0 {
		s.fail(p.key.Line, "filter it with when, by data and event", "the event %s has no filters, so there is no %s", event, p.name)
		return
	}
	names := slices.Sorted(maps.Keys(readers))
	suggestion := didYouMean(nearest(p.name, names))
	if suggestion == "" {
		suggestion = "the filters are " + strings.Join(names, ", ")
	}
	s.fail(p.key.Line, suggestion, "the event %s has no filter %s", event, p.name)
}

// contradicts reports a filter beside its -ignore twin, once.
func (s *section) contradicts(p pair, pairs []pair) bool {
	base, ok := strings.CutSuffix(p.name, "-ignore")
	if !ok || base == "objects" || !has(pairs, base) {
		return false
	}
	s.fail(p.key.Line, "use "+base+" alone and exclude with a leading !", "%s and %s cannot stand together", base, p.name)
	return true
}

// changing are the events that change files; GitHub tells which, in the payload or when it is asked.
func changing(event string) bool {
	return event == "github.push" || event == "github.merge_group" || strings.HasPrefix(event, "github.pull_request")
}

// lacksPaths reports a filter of changed files for an event that changes none: such a rule would never start.
func (s *section) lacksPaths(event string, p pair) bool {
	if p.name != "paths" && p.name != "paths-ignore" || changing(event) {
		return false
	}
	s.fail(p.key.Line, "pushes and pull requests can be filtered by "+p.name, "%s changes no files", event)
	return true
}

func has(pairs []pair, name string) bool {
	return slices.ContainsFunc(pairs, func(p pair) bool { return p.name == name })
}

// made reports the error of a filter's constructor.
func (s *section) made(p pair, f bridge.Filter, err error) bridge.Filter {
	if err != nil {
		s.fail(p.value.Line, "", "%s: %s", p.name, strings.ReplaceAll(err.Error(), "\n", "; "))
		return nil
	}
	return f
}

func listFilter(make func(key string, values []string) (bridge.Filter, error)) filterReader {
	return func(s *section, p pair, _ []pair) bridge.Filter {
		values, ok := s.strings(p.value, p.name)
		if !ok {
			return nil
		}
		f, err := make(p.name, values)
		return s.made(p, f, err)
	}
}

func ignoreFilter(s *section, p pair, siblings []pair) bridge.Filter {
	return listFilter(match.Ignore)(s, p, siblings)
}

func refFilter(s *section, p pair, siblings []pair) bridge.Filter {
	branches := has(siblings, "branches") || has(siblings, "branches-ignore")
	tags := has(siblings, "tags") || has(siblings, "tags-ignore")
	return listFilter(func(key string, values []string) (bridge.Filter, error) {
		return match.Refs(key, values, branches && tags)
	})(s, p, siblings)
}

func commandFilter(s *section, p pair, siblings []pair) bridge.Filter {
	commands, _ := s.strings(p.value, p.name)
	for _, c := range commands {
		if !strings.HasPrefix(strings.TrimPrefix(c, "!"), "/") {
			s.fail(p.value.Line, "write /"+c, "%q is no slash command", c)
			return nil
		}
	}
	return listFilter(match.Set)(s, p, siblings)
}

func emojiFilter(s *section, p pair, _ []pair) bridge.Filter {
	names, ok := s.strings(p.value, p.name)
	if !ok {
		return nil
	}
	for i, name := range names {
		names[i] = strings.Trim(name, ":")
	}
	f, err := match.Set(p.name, names)
	return s.made(p, f, err)
}

func sizeFilter(s *section, p pair, _ []pair) bridge.Filter {
	size, ok := s.scalar(p.value, p.name)
	if !ok {
		return nil
	}
	f, err := match.Size(p.name, size)
	return s.made(p, f, err)
}

func textFilter(s *section, p pair, _ []pair) bridge.Filter {
	pattern, ok := s.scalar(p.value, p.name)
	if !ok {
		return nil
	}
	f, err := match.Text(pattern)
	return s.made(p, f, err)
}

func pairsFilter(s *section, p pair, _ []pair) bridge.Filter {
	if p.value.Kind != yaml.MappingNode {
		s.fail(p.value.Line, "", "%s must be a map, got %s", p.name, kind(p.value))
		return nil
	}
	want := map[string][]string{}
	for _, entry := range s.pairs(p.value, p.name) {
		values, ok := s.strings(entry.value, p.name+"."+entry.name)
		if !ok {
			return nil
		}
		want[entry.name] = values
	}
	f, err := match.Pairs(p.name, want)
	return s.made(p, f, err)
}

// flagFilter reads true, which makes no filter, or false.
func flagFilter(refuses func() bridge.Filter) filterReader {
	return func(s *section, p pair, _ []pair) bridge.Filter {
		var taken bool
		if p.value.Kind != yaml.ScalarNode || p.value.Tag != "!!bool" || p.value.Decode(&taken) != nil {
			s.fail(p.value.Line, "", "%s must be true or false", p.name)
			return nil
		}
		if taken {
			return nil
		}
		return refuses()
	}
}

// yesFilter reads true or false, and wants the event to say the same.
func yesFilter(s *section, p pair, _ []pair) bridge.Filter {
	if p.value.Kind != yaml.ScalarNode || p.value.Tag != "!!bool" {
		s.fail(p.value.Line, "", "%s must be true or false", p.name)
		return nil
	}
	f, err := match.Set(p.name, []string{strings.ToLower(p.value.Value)})
	return s.made(p, f, err)
}
