package setup

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/match"
)

// FuzzLiteral holds that the glob of a prefix takes the objects that begin with it, whatever is in it.
func FuzzLiteral(f *testing.F) {
	for _, p := range []string{"exports/", "!a", "a*b/", `a\b`, "[x]?+", "a.b^c$(d)|{e}", "ü/"} {
		f.Add(p)
	}
	f.Fuzz(func(t *testing.T, prefix string) {
		if !utf8.ValidString(prefix) || strings.ContainsAny(prefix, "\r\n") {
			t.Skip("no name of an object: https://cloud.google.com/storage/docs/objects#naming")
		}
		filter, err := match.Globs("objects", []string{literal(prefix) + "**"})
		if err != nil {
			t.Fatalf("%q: %v", prefix, err)
		}
		takes := func(name string) bool {
			ok, _ := filter.Test(bridge.Facts{Values: map[string][]string{"objects": {name}}})
			return ok
		}
		other := "\x00" + prefix
		if !takes(prefix+"x/y") || takes(other) != strings.HasPrefix(other, prefix) {
			t.Errorf("the glob %q is not that of the prefix %q", literal(prefix)+"**", prefix)
		}
	})
}
