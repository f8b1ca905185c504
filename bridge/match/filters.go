package match

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// Filter keys with a meaning of their own; every other filter's key is also the key of the facts.
const (
	keyBranches = "branches"
	keyTags     = "tags"
	keyPaths    = "paths"
	ignore      = "-ignore"
)

// globFilter wants one of the event's values to match.
type globFilter struct {
	key, fact string
	globs     globs
	// exempt says that events which are about another kind of ref are not tested.
	exempt func(f bridge.Facts) bool
}

// Globs wants one of the event's values under key to match the patterns. Repositories match
// whatever the case, as GitHub's names do.
func Globs(key string, patterns []string) (bridge.Filter, error) {
	g, err := compileGlobs(patterns, key == "repositories")
	if err != nil {
		return nil, err
	}
	return &globFilter{key: key, fact: key, globs: g, exempt: never}, nil
}

func never(bridge.Facts) bool { return false }

func (g *globFilter) Key() string { return g.key }

func (g *globFilter) Test(f bridge.Facts) (bool, string) {
	if g.exempt(f) {
		return true, ""
	}
	values, ok := f.Values[g.fact]
	if !ok {
		return false, absent(f, g.fact)
	}
	if g.globs.any(values) || f.Beyond[g.fact] {
		return true, ""
	}
	return false, got(f, g.fact, values) + ", want " + list(g.globs.source) + beyond(f, g.fact)
}

// beyond says that the source does not tell all values, and that those which it does not tell count as not fitting.
func beyond(f bridge.Facts, fact string) string {
	if _, more := f.Beyond[fact]; !more {
		return ""
	}
	return "; the source tells no more of them"
}

// ignoreFilter wants one of the event's values not to match.
type ignoreFilter struct{ globFilter }

// Ignore is the twin of [Globs] for a key that ends in -ignore: the event passes unless all of its values
// match. As in Actions, an event that has none of them does not pass.
func Ignore(key string, patterns []string) (bridge.Filter, error) {
	g, err := compileGlobs(patterns, false)
	if err != nil {
		return nil, err
	}
	return &ignoreFilter{globFilter{key: key, fact: strings.TrimSuffix(key, ignore), globs: g, exempt: never}}, nil
}

func (i *ignoreFilter) Test(f bridge.Facts) (bool, string) {
	if i.exempt(f) {
		return true, ""
	}
	values, ok := f.Values[i.fact]
	if !ok {
		return false, absent(f, i.fact)
	}
	for _, v := range values {
		if !i.globs.match(v) {
			return true, ""
		}
	}
	if f.Beyond[i.fact] {
		return true, ""
	}
	return false, got(f, i.fact, values) + ", which " + list(i.globs.source) + " excludes" + beyond(f, i.fact)
}

// Refs makes the filters for branches, branches-ignore, tags, tags-ignore, paths and paths-ignore,
// which depend on one another as in GitHub Actions: with filters for both branches and tags, either
// will do; with one of them, events about the other do not pass; paths are not tested for tags.
func Refs(key string, patterns []string, both bool) (bridge.Filter, error) {
	var filter bridge.Filter
	var inner *globFilter
	if strings.HasSuffix(key, ignore) {
		f, err := Ignore(key, patterns)
		if err != nil {
			return nil, err
		}
		own := f.(*ignoreFilter)
		filter, inner = own, &own.globFilter
	} else {
		f, err := Globs(key, patterns)
		if err != nil {
			return nil, err
		}
		own := f.(*globFilter)
		filter, inner = own, own
	}
	switch inner.fact {
	case keyPaths:
		inner.exempt = only(keyTags, keyBranches)
	case keyBranches:
		inner.exempt = when(both, only(keyTags, keyBranches))
	case keyTags:
		inner.exempt = when(both, only(keyBranches, keyTags))
	}
	return filter, nil
}

func when(condition bool, f func(bridge.Facts) bool) func(bridge.Facts) bool {
	if condition {
		return f
	}
	return never
}

// only holds for events that have the one and not the other.
func only(has, hasNot string) func(bridge.Facts) bool {
	return func(f bridge.Facts) bool {
		_, one := f.Values[has]
		_, other := f.Values[hasNot]
		return one && !other
	}
}

// setFilter wants one of the event's values to be in a set.
type setFilter struct {
	key     string
	want    []string
	include map[string]bool
	exclude map[string]bool
	fold    bool
}

// Set wants one of the event's values under key to be one of the wanted. A wanted value with a leading !
// excludes; with excluding ones alone every other value will do. Actors match whatever the case.
func Set(key string, want []string) (bridge.Filter, error) {
	s := &setFilter{key: key, want: want, include: map[string]bool{}, exclude: map[string]bool{}, fold: key == "actors" || key == "repositories"}
	if len(want) == 0 {
		return nil, fmt.Errorf("the list is empty")
	}
	for _, w := range want {
		value, negative := strings.CutPrefix(w, "!")
		if value == "" {
			return nil, fmt.Errorf("a value is empty")
		}
		if negative {
			s.exclude[s.normal(value)] = true
		} else {
			s.include[s.normal(value)] = true
		}
	}
	return s, nil
}

func (s *setFilter) normal(value string) string {
	if s.fold {
		return strings.ToLower(value)
	}
	return value
}

func (s *setFilter) Key() string { return s.key }

func (s *setFilter) Test(f bridge.Facts) (bool, string) {
	values, ok := f.Values[s.key]
	if !ok {
		return false, absent(f, s.key)
	}
	if s.accepts(values) {
		return true, ""
	}
	return false, got(f, s.key, values) + ", want " + list(s.want)
}

func (s *setFilter) accepts(values []string) bool {
	found := len(s.include) == 0 && len(values) > 0
	for _, v := range values {
		if s.exclude[s.normal(v)] {
			return false
		}
		found = found || s.include[s.normal(v)]
	}
	return found
}

// commentFilter wants a line of a comment to begin with a command.
type commentFilter struct{ commands []string }

// Comment wants a line of the comment to begin with one of the commands as a whole word: /deploy
// matches "/deploy staging" and not "/deployment".
func Comment(commands []string) (bridge.Filter, error) {
	if len(commands) == 0 {
		return nil, fmt.Errorf("the list is empty")
	}
	for _, c := range commands {
		if c == "" || strings.TrimSpace(c) != c || strings.Contains(c, "\n") {
			return nil, fmt.Errorf("%q is no command: one line without spaces at its ends", c)
		}
	}
	return &commentFilter{commands}, nil
}

func (c *commentFilter) Key() string { return "comment" }

func (c *commentFilter) Test(f bridge.Facts) (bool, string) {
	values, ok := f.Values[c.Key()]
	if !ok {
		return false, absent(f, c.Key())
	}
	for _, body := range values {
		for line := range strings.Lines(body) {
			if slices.ContainsFunc(c.commands, func(command string) bool { return begins(line, command) }) {
				return true, ""
			}
		}
	}
	return false, "no line begins with " + list(c.commands)
}

func begins(line, command string) bool {
	rest, ok := strings.CutPrefix(strings.TrimSpace(line), command)
	return ok && (rest == "" || rest[0] == ' ' || rest[0] == '\t')
}

// sizeFilter wants a size on one side of a bound.
type sizeFilter struct {
	key   string
	bound int64
	max   bool
}

// Size makes the filters min-size and max-size, both inclusive. The size is a number of bytes, or one
// with a unit: kB, MB, GB, TB (powers of 1000) or KiB, MiB, GiB, TiB (powers of 1024).
func Size(key, size string) (bridge.Filter, error) {
	bound, err := parseSize(size)
	if err != nil {
		return nil, err
	}
	return &sizeFilter{key: key, bound: bound, max: key == "max-size"}, nil
}

func (s *sizeFilter) Key() string { return s.key }

func (s *sizeFilter) Test(f bridge.Facts) (bool, string) {
	values := f.Values["size"]
	if len(values) == 0 {
		return false, absent(f, "size")
	}
	size, err := strconv.ParseInt(values[0], 10, 64)
	if err != nil {
		return false, fmt.Sprintf("got %q, which is no number of bytes", values[0])
	}
	if s.max && size > s.bound {
		return false, fmt.Sprintf("got %d bytes, want at most %d", size, s.bound)
	}
	if !s.max && size < s.bound {
		return false, fmt.Sprintf("got %d bytes, want at least %d", size, s.bound)
	}
	return true, ""
}

var sizePattern = regexp.MustCompile(`^([0-9]{1,12})\s*(B|[kK]B|MB|GB|TB|KiB|MiB|GiB|TiB|Ki|Mi|Gi|Ti)?$`)

var sizeUnits = map[string]int64{
	"": 1, "B": 1, "kB": 1e3, "KB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12,
	"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40,
	"Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30, "Ti": 1 << 40,
}

func parseSize(size string) (int64, error) {
	m := sizePattern.FindStringSubmatch(size)
	if m == nil {
		return 0, fmt.Errorf("%q is no size: write bytes, or a number with a unit such as 10MiB", size)
	}
	number, err := strconv.ParseInt(m[1], 10, 64)
	unit := sizeUnits[m[2]]
	if err != nil || number > (1<<62)/unit {
		return 0, fmt.Errorf("the size %q is too large", size)
	}
	return number * unit, nil
}
