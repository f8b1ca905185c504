package cloudevents

import (
	"slices"
	"strings"
)

// Reserved are the beginnings of types and sources that the bridge's own sources use.
type Reserved struct{ Types, Sources []string }

// allowed says whether an endpoint with these patterns takes a value. Without patterns it takes what is not
// reserved. What is reserved, a pattern has to name by the reserved beginning.
func allowed(patterns, reserved []string, value string) bool {
	needs := ""
	if i := slices.IndexFunc(reserved, func(prefix string) bool { return strings.HasPrefix(value, prefix) }); i >= 0 {
		needs = reserved[i]
	}
	if len(patterns) == 0 {
		return needs == ""
	}
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		return strings.HasPrefix(pattern, needs) && matches(pattern, value)
	})
}

// matches says whether the pattern, in which * is any text, is all of the value.
func matches(pattern, value string) bool {
	parts := strings.Split(pattern, "*")
	first, last := parts[0], parts[len(parts)-1]
	if len(parts) == 1 {
		return pattern == value
	}
	if len(value) < len(first)+len(last) || !strings.HasPrefix(value, first) || !strings.HasSuffix(value, last) {
		return false
	}
	value = value[len(first) : len(value)-len(last)]
	for _, part := range parts[1 : len(parts)-1] {
		at := strings.Index(value, part)
		if at < 0 {
			return false
		}
		value = value[at+len(part):]
	}
	return true
}
