package match

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// metadataFilter wants entries of an object's metadata.
type metadataFilter struct {
	keys []string
	want map[string]globs
}

// Metadata wants the object's metadata to have every key, with a value that matches its patterns.
func Metadata(want map[string][]string) (bridge.Filter, error) {
	if len(want) == 0 {
		return nil, fmt.Errorf("the map is empty")
	}
	m := &metadataFilter{keys: slices.Sorted(maps.Keys(want)), want: map[string]globs{}}
	for _, k := range m.keys {
		g, err := compileGlobs(want[k], false)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", k, err)
		}
		m.want[k] = g
	}
	return m, nil
}

func (m *metadataFilter) Key() string { return "metadata" }

func (m *metadataFilter) Test(f bridge.Facts) (bool, string) {
	values, ok := f.Values[m.Key()]
	if !ok {
		return false, absent(f, m.Key())
	}
	have := map[string]string{}
	for _, v := range values {
		key, value, _ := strings.Cut(v, "=")
		have[key] = value
	}
	for _, k := range m.keys {
		value, ok := have[k]
		if !ok {
			return false, "there is no " + k
		}
		if !m.want[k].match(value) {
			return false, fmt.Sprintf("got %s=%q, want %s", k, abbreviate(value), list(m.want[k].source))
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

// Folders is the filter folders: false, which refuses objects whose name ends in a slash.
func Folders() bridge.Filter { return foldersFilter{} }

func (foldersFilter) Key() string { return "folders" }

func (foldersFilter) Test(f bridge.Facts) (bool, string) {
	values, ok := f.Values["objects"]
	if !ok {
		return false, absent(f, "objects")
	}
	for _, v := range values {
		if strings.HasSuffix(v, "/") {
			return false, fmt.Sprintf("got %q, which is a folder", abbreviate(v))
		}
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
