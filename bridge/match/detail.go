package match

import (
	"fmt"
	"strings"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// absent says that the event lacks what a filter tests, and why if that is known.
func absent(f bridge.Facts, key string) string {
	if why := f.Missing[key]; why != "" {
		return "unknown: " + why
	}
	return "the event has no " + key
}

// got names the values that a filter saw.
func got(f bridge.Facts, key string, values []string) string {
	const most = 3
	var b strings.Builder
	b.WriteString("got ")
	if len(values) == 0 {
		b.WriteString("none")
	}
	for i, v := range values {
		if i == most {
			fmt.Fprintf(&b, " and %d more", len(values)-most)
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%q", abbreviate(v))
	}
	if why := f.Missing[key]; why != "" {
		fmt.Fprintf(&b, " (%s)", why)
	}
	return b.String()
}

// list is "a, b or c".
func list(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}

// abbreviate cuts a value for a message.
func abbreviate(s string) string {
	const most = 80
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}
