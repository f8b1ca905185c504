package match

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// pairsFilter wants entries of a map, such as an object's metadata.
type pairsFilter struct {
	key  string
	keys []string
	want map[string]globs
}

// Pairs wants the event's values under key, each written as name=value, to have every name, with a value that
// matches its patterns.
func Pairs(key string, want map[string][]string) (bridge.Filter, error) {
	if len(want) == 0 {
		return nil, fmt.Errorf("the map is empty")
	}
	p := &pairsFilter{key: key, keys: slices.Sorted(maps.Keys(want)), want: map[string]globs{}}
	for _, k := range p.keys {
		g, err := compileGlobs(want[k], false)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", k, err)
		}
		p.want[k] = g
	}
	return p, nil
}

func (p *pairsFilter) Key() string { return p.key }

func (p *pairsFilter) Test(f bridge.Facts) (bool, string) {
	values, ok := f.Values[p.key]
	if !ok {
		return false, absent(f, p.key)
	}
	have := map[string]string{}
	for _, v := range values {
		key, value, _ := strings.Cut(v, "=")
		have[key] = value
	}
	for _, k := range p.keys {
		value, ok := have[k]
		if !ok {
			return false, "there is no " + k
		}
		if !p.want[k].match(value) {
			return false, fmt.Sprintf("got %s=%q, want %s", k, abbreviate(value), list(p.want[k].source))
		}
	}
	return true, ""
}

// textFilter wants a text to match a regular expression.
type textFilter struct{ pattern *regexp.Regexp }

// Text wants the event's text to match a regular expression (https://golang.org/s/re2syntax)
// somewhere in it.
func Text(pattern string) (bridge.Filter, error) {
	compiled, err := regexp.Compile(pattern)
	if err != nil {
		return nil, fmt.Errorf("bad regular expression: %w", err)
	}
	return &textFilter{compiled}, nil
}

func (t *textFilter) Key() string { return "text" }

func (t *textFilter) Test(f bridge.Facts) (bool, string) {
	values, ok := f.Values[t.Key()]
	if !ok {
		return false, absent(f, t.Key())
	}
	if slices.ContainsFunc(values, t.pattern.MatchString) {
		return true, ""
	}
	return false, got(f, t.Key(), values) + ", want " + t.pattern.String()
}

// foldersFilter refuses the placeholders of folders.
type foldersFilter struct{}

// Folders is the filter folders: false, which refuses objects whose name ends in a slash: tools make such
// empty objects to show folders, which a bucket does not have.
func Folders() bridge.Filter { return foldersFilter{} }

func (foldersFilter) Key() string { return "folders" }

func (foldersFilter) Test(f bridge.Facts) (bool, string) {
	values, ok := f.Values["objects"]
	if !ok {
		return false, absent(f, "objects")
	}
	for _, v := range values {
		if strings.HasSuffix(v, "/") {
			return false, fmt.Sprintf("got %q, which is a folder; folders: true takes them", abbreviate(v))
		}
	}
	return true, ""
}

// overwrittenFilter refuses the end of a version that a newer one replaced.
type overwrittenFilter struct{}

// Overwritten is the filter overwritten: false, which refuses the deletion or archiving of a version whose cause
// is a newer version: https://cloud.google.com/storage/docs/pubsub-notifications#replacing_objects
func Overwritten() bridge.Filter { return overwrittenFilter{} }

func (overwrittenFilter) Key() string { return "overwritten" }

func (o overwrittenFilter) Test(f bridge.Facts) (bool, string) {
	if by := f.Values[o.Key()]; len(by) > 0 {
		return false, fmt.Sprintf("the object is still there, as generation %s; overwritten: true takes replaced versions", abbreviate(by[0]))
	}
	return true, ""
}

// contentTypeFilter matches with and without the parameters of a content type.
type contentTypeFilter struct{ globs globs }

// ContentTypes wants the object's content type to match; "; charset=utf-8" and the like need not be
// in the pattern.
func ContentTypes(patterns []string) (bridge.Filter, error) {
	g, err := compileGlobs(patterns, true)
	if err != nil {
		return nil, err
	}
	return &contentTypeFilter{g}, nil
}

func (c *contentTypeFilter) Key() string { return "content-types" }

func (c *contentTypeFilter) Test(f bridge.Facts) (bool, string) {
	values, ok := f.Values[c.Key()]
	if !ok {
		return false, absent(f, c.Key())
	}
	for _, v := range values {
		media, _, _ := strings.Cut(v, ";")
		if c.globs.match(v) || c.globs.match(strings.TrimSpace(media)) {
			return true, ""
		}
	}
	return false, got(f, c.Key(), values) + ", want " + list(c.globs.source)
}

// A Beginning is how the texts begin that a pattern accepts; the text as it is when Whole.
type Beginning struct {
	Text  string
	Whole bool
}

// Beginnings are those of a filter's including patterns, in their order; of a list of values, the values that it wants; nil for
// any other filter. By them a check from outside knows which buckets, commands or channels a rule names and which objects it
// may want.
func Beginnings(f bridge.Filter) []Beginning {
	if s, ok := f.(*setFilter); ok {
		var all []Beginning
		for _, want := range s.want {
			if !strings.HasPrefix(want, "!") {
				all = append(all, Beginning{want, true})
			}
		}
		return all
	}
	g, ok := f.(*globFilter)
	if !ok {
		return nil
	}
	var all []Beginning
	for _, p := range g.globs.patterns {
		if !p.negative {
			all = append(all, Beginning{literalPrefix(p.literal), p.compiled == nil})
		}
	}
	return all
}
