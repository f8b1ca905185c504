package match

import (
	"slices"
	"strings"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// An index finds the rules of one event name that may fit an event. Every trigger stands in one
// dimension: that of the first filter which pins it to a name.
type index struct {
	dimensions []*dimension
	rest       []int32 // rules that are pinned to nothing
}

// A dimension holds the triggers that are pinned by one filter, by the names that it accepts and by
// the literal beginnings of its globs.
type dimension struct {
	key      string
	literals map[string][]int32
	prefixes map[string][]int32
	lengths  []int // the lengths of the prefixes, ascending
}

// dimensionKeys are the filters that pin a rule, the most telling first.
var dimensionKeys = []string{"repositories", "buckets", "commands", "ids", "channels", "templates"}

func newIndex() *index {
	x := &index{}
	for _, key := range dimensionKeys {
		x.dimensions = append(x.dimensions, &dimension{key: key, literals: map[string][]int32{}, prefixes: map[string][]int32{}})
	}
	return x
}

func (x *index) add(rule int, t bridge.Trigger) {
	for _, d := range x.dimensions {
		for _, f := range t.Filters {
			if f.Key() == d.key && d.add(int32(rule), f) {
				return
			}
		}
	}
	x.rest = append(x.rest, int32(rule))
}

// add returns false for a filter that pins nothing.
func (d *dimension) add(rule int32, f bridge.Filter) bool {
	switch f := f.(type) {
	case *globFilter:
		for _, p := range f.globs.patterns {
			switch {
			case p.negative:
			case p.compiled == nil:
				d.literals[p.literal] = append(d.literals[p.literal], rule)
			default:
				d.addPrefix(literalPrefix(p.literal), rule)
			}
		}
		return true
	case *setFilter:
		for name := range f.include {
			d.literals[name] = append(d.literals[name], rule)
		}
		return len(f.include) > 0
	}
	return false
}

func (d *dimension) addPrefix(prefix string, rule int32) {
	d.prefixes[prefix] = append(d.prefixes[prefix], rule)
	if i, found := slices.BinarySearch(d.lengths, len(prefix)); !found {
		d.lengths = slices.Insert(d.lengths, i, len(prefix))
	}
}

// candidates returns rules in their order, each once.
func (x *index) candidates(f bridge.Facts) []int32 {
	found := slices.Clone(x.rest)
	for _, d := range x.dimensions {
		for _, v := range f.Values[d.key] {
			if d.key == "repositories" {
				v = strings.ToLower(v)
			}
			found = d.appendCandidates(found, v)
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}

func (d *dimension) appendCandidates(found []int32, value string) []int32 {
	found = append(found, d.literals[value]...)
	for _, length := range d.lengths {
		if length > len(value) {
			break
		}
		found = append(found, d.prefixes[value[:length]]...)
	}
	return found
}
