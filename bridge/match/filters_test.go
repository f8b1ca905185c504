package match_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/match"
)

// filterOf makes what a constructor returned into a filter.
func filterOf(t testing.TB, f bridge.Filter, err error) bridge.Filter {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return f
}

type values = map[string][]string

func TestFilters(t *testing.T) {
	t.Parallel()
	globs := func(key string, patterns ...string) func(testing.TB) bridge.Filter {
		return func(t testing.TB) bridge.Filter { f, err := match.Globs(key, patterns); return filterOf(t, f, err) }
	}
	ignore := func(key string, patterns ...string) func(testing.TB) bridge.Filter {
		return func(t testing.TB) bridge.Filter { f, err := match.Ignore(key, patterns); return filterOf(t, f, err) }
	}
	refs := func(key string, both bool, patterns ...string) func(testing.TB) bridge.Filter {
		return func(t testing.TB) bridge.Filter {
			f, err := match.Refs(key, patterns, both)
			return filterOf(t, f, err)
		}
	}
	set := func(key string, want ...string) func(testing.TB) bridge.Filter {
		return func(t testing.TB) bridge.Filter { f, err := match.Set(key, want); return filterOf(t, f, err) }
	}
	comment := func(commands ...string) func(testing.TB) bridge.Filter {
		return func(t testing.TB) bridge.Filter { f, err := match.Comment(commands); return filterOf(t, f, err) }
	}
	size := func(key, size string) func(testing.TB) bridge.Filter {
		return func(t testing.TB) bridge.Filter { f, err := match.Size(key, size); return filterOf(t, f, err) }
	}
	metadata := func(want map[string][]string) func(testing.TB) bridge.Filter {
		return func(t testing.TB) bridge.Filter { f, err := match.Pairs("metadata", want); return filterOf(t, f, err) }
	}
	text := func(pattern string) func(testing.TB) bridge.Filter {
		return func(t testing.TB) bridge.Filter { f, err := match.Text(pattern); return filterOf(t, f, err) }
	}
	types := func(patterns ...string) func(testing.TB) bridge.Filter {
		return func(t testing.TB) bridge.Filter { f, err := match.ContentTypes(patterns); return filterOf(t, f, err) }
	}
	folders := func(testing.TB) bridge.Filter { return match.Folders() }
	overwritten := func(testing.TB) bridge.Filter { return match.Overwritten() }
	for name, test := range map[string]struct {
		filter func(testing.TB) bridge.Filter
		values values
		// no is a part of the detail; empty: the filter accepts.
		no string
	}{
		"a literal matches itself":                           {globs("labels", "bug"), values{"labels": {"ui", "bug"}}, ""},
		"a literal does not match a part":                    {globs("labels", "bug"), values{"labels": {"bugs"}}, `got "bugs", want bug`},
		"one star stops at a slash":                          {globs("objects", "a/*"), values{"objects": {"a/b/c"}}, `got "a/b/c"`},
		"two stars cross slashes":                            {globs("objects", "a/**"), values{"objects": {"a/b/c"}}, ""},
		"two stars and a slash match no folder as well":      {globs("objects", "**/*.json"), values{"objects": {"x.json"}}, ""},
		"a question mark makes the character before it free": {globs("objects", "v1?.txt"), values{"objects": {"v.txt"}}, ""},
		"a range of characters":                              {globs("objects", "v[0-9]"), values{"objects": {"v7"}}, ""},
		"a dot is a dot":                                     {globs("objects", "*.md"), values{"objects": {"xmd"}}, "want *.md"},
		"a later pattern excludes":                           {globs("objects", "a/**", "!a/tmp/**"), values{"objects": {"a/tmp/x"}}, "want a/** or !a/tmp/**"},
		"a still later pattern includes again":               {globs("objects", "a/**", "!a/tmp/**", "a/tmp/keep"), values{"objects": {"a/tmp/keep"}}, ""},
		"an escaped exclamation mark is one":                 {globs("objects", `\!a`), values{"objects": {"!a"}}, ""},
		"repositories match whatever the case":               {globs("repositories", "Acme/*"), values{"repositories": {"aCME/App"}}, ""},
		"buckets do not":                                     {globs("buckets", "Acme"), values{"buckets": {"acme"}}, `got "acme"`},
		"what is absent matches nothing":                     {globs("labels", "**"), values{}, "the event has no labels"},
		"what is known to be empty matches nothing":          {globs("labels", "**"), values{"labels": {}}, "got none"},
		"many values are counted":                            {globs("labels", "x"), values{"labels": {"a", "b", "c", "d", "e"}}, `got "a", "b", "c" and 2 more`},
		"all ignored is a no":                                {ignore("paths-ignore", "docs/**"), values{"paths": {"docs/a", "docs/b"}}, "docs/** excludes"},
		"not all ignored is a yes":                           {ignore("paths-ignore", "docs/**"), values{"paths": {"docs/a", "src/b"}}, ""},
		"an exclamation mark takes out of the ignored":       {ignore("objects-ignore", "a/**", "!a/b"), values{"objects": {"a/b"}}, ""},
		"nothing to ignore is a no, as in Actions":           {ignore("paths-ignore", "docs/**"), values{"paths": {}}, "got none"},
		"branches alone refuse a push of a tag":              {refs("branches", false, "**"), values{"tags": {"v1"}}, "the event has no branches"},
		"tags alone refuse a push of a branch":               {refs("tags", false, "**"), values{"branches": {"main"}}, "the event has no tags"},
		"branches-ignore alone refuse a push of a tag":       {refs("branches-ignore", false, "x"), values{"tags": {"v1"}}, "the event has no branches"},
		"branches beside tags let a tag pass":                {refs("branches", true, "main"), values{"tags": {"v1"}}, ""},
		"tags beside branches let a branch pass":             {refs("tags", true, "v*"), values{"branches": {"main"}}, ""},
		"branches beside tags still test a branch":           {refs("branches", true, "main"), values{"branches": {"dev"}}, `got "dev", want main`},
		"paths are not tested for a push of a tag":           {refs("paths", false, "src/**"), values{"tags": {"v1"}}, ""},
		"paths-ignore is not tested for a push of a tag":     {refs("paths-ignore", false, "src/**"), values{"tags": {"v1"}}, ""},
		"paths are tested for a push of a branch":            {refs("paths", false, "src/**"), values{"branches": {"main"}, "paths": {"docs/x"}}, `got "docs/x"`},
		"a set has no globs":                                 {set("actors", "dependabot[bot]"), values{"actors": {"dependabot[bot]"}}, ""},
		"actors match whatever the case":                     {set("actors", "Octocat"), values{"actors": {"octoCAT"}}, ""},
		"channels do not":                                    {set("channels", "C1"), values{"channels": {"c1"}}, `got "c1", want C1`},
		"a set may exclude":                                  {set("actors", "!bot"), values{"actors": {"bot"}}, "want !bot"},
		"an excluding set takes the others":                  {set("actors", "!bot"), values{"actors": {"octocat"}}, ""},
		"any of several values will do":                      {set("channels", "#ops"), values{"channels": {"C1", "#ops"}}, ""},
		"a command at the beginning":                         {comment("/deploy"), values{"comment": {"/deploy"}}, ""},
		"a command with arguments":                           {comment("/deploy"), values{"comment": {"/deploy staging"}}, ""},
		"a command on a later line":                          {comment("/deploy"), values{"comment": {"thanks!\r\n/deploy\r\n"}}, ""},
		"a longer word is no command":                        {comment("/deploy"), values{"comment": {"/deployment"}}, "no line begins with /deploy"},
		"a command inside a sentence is none":                {comment("/deploy"), values{"comment": {"say /deploy"}}, "no line begins"},
		"a quoted command is none":                           {comment("/deploy"), values{"comment": {"> /deploy"}}, "no line begins"},
		"a size at the bound is enough":                      {size("min-size", "1KiB"), values{"size": {"1024"}}, ""},
		"a smaller size is not":                              {size("min-size", "1KiB"), values{"size": {"1023"}}, "got 1023 bytes, want at least 1024"},
		"a size at the upper bound will do":                  {size("max-size", "1 kB"), values{"size": {"1000"}}, ""},
		"a larger size will not":                             {size("max-size", "1000"), values{"size": {"1001"}}, "got 1001 bytes, want at most 1000"},
		"a size that is none":                                {size("max-size", "1000"), values{"size": {"many"}}, "no number"},
		"no size":                                            {size("max-size", "1000"), values{}, "the event has no size"},
		"metadata with the wanted value":                     {metadata(map[string][]string{"team": {"data-*"}}), values{"metadata": {"a=b", "team=data-x=y"}}, ""},
		"metadata with another value":                        {metadata(map[string][]string{"team": {"data"}}), values{"metadata": {"team=ops"}}, `got team="ops", want data`},
		"metadata without the key":                           {metadata(map[string][]string{"team": {"**"}}), values{"metadata": {"a=b"}}, "there is no team"},
		"a text that matches somewhere":                      {text(`(?i)\bhelp\b`), values{"text": {"please HELP me"}}, ""},
		"a text that does not":                               {text(`^help`), values{"text": {"please help"}}, `got "please help", want ^help`},
		"a content type without its parameters":              {types("text/*"), values{"content-types": {"text/csv; charset=utf-8"}}, ""},
		"another content type":                               {types("text/csv"), values{"content-types": {"application/json"}}, `got "application/json"`},
		"a folder is no file":                                {folders, values{"objects": {"a/"}}, `got "a/", which is a folder; folders: true takes them`},
		"a file is a file":                                   {folders, values{"objects": {"a/b"}}, ""},
		"a replaced version is no deletion":                  {overwritten, values{"overwritten": {"17"}}, "as generation 17; overwritten: true takes"},
		"a deletion is one":                                  {overwritten, values{}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ok, detail := test.filter(t).Test(bridge.Facts{Values: test.values})
			if ok != (test.no == "") || !strings.Contains(detail, test.no) {
				t.Errorf("got %v, %q, want a detail with %q", ok, detail, test.no)
			}
		})
	}
}

func TestBeginnings(t *testing.T) {
	t.Parallel()
	f, err := match.Globs("objects", []string{"exports/**/*.json", "!exports/tmp/**", "one"})
	if err != nil {
		t.Fatal(err)
	}
	want := []match.Beginning{{Text: "exports/"}, {Text: "one", Whole: true}}
	if diff := cmp.Diff(want, match.Beginnings(f)); diff != "" {
		t.Error(diff)
	}
	if got := match.Beginnings(match.Folders()); got != nil {
		t.Errorf("got %v of a filter without patterns", got)
	}
}

func TestAFilterSaysWhyAValueIsUnknown(t *testing.T) {
	t.Parallel()
	f, err := match.Globs("paths", []string{"src/**"})
	facts := bridge.Facts{Missing: map[string]string{"paths": "changed files are not in the payload"}}
	_, detail := filterOf(t, f, err).Test(facts)
	if want := "unknown: changed files are not in the payload"; detail != want {
		t.Errorf("got %q, want %q", detail, want)
	}
}

func TestConstructorsRefuse(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		make func() (bridge.Filter, error)
		want string
	}{
		"an empty list of globs":          {func() (bridge.Filter, error) { return match.Globs("x", nil) }, "the list is empty"},
		"an empty glob":                   {func() (bridge.Filter, error) { return match.Globs("x", []string{""}) }, "a pattern is empty"},
		"a bracket without its twin":      {func() (bridge.Filter, error) { return match.Globs("x", []string{"a["}) }, `bad pattern "a["`},
		"globs that exclude alone":        {func() (bridge.Filter, error) { return match.Globs("x", []string{"!a"}) }, "alone matches nothing"},
		"an empty set":                    {func() (bridge.Filter, error) { return match.Set("x", nil) }, "the list is empty"},
		"an empty value":                  {func() (bridge.Filter, error) { return match.Set("x", []string{"!"}) }, "a value is empty"},
		"a command with spaces around":    {func() (bridge.Filter, error) { return match.Comment([]string{" /x"}) }, "no command"},
		"a size without a number":         {func() (bridge.Filter, error) { return match.Size("max-size", "MiB") }, "no size"},
		"a size beyond 64 bits":           {func() (bridge.Filter, error) { return match.Size("max-size", "999999999999TiB") }, "too large"},
		"an empty map of metadata":        {func() (bridge.Filter, error) { return match.Pairs("metadata", nil) }, "the map is empty"},
		"a regular expression that fails": {func() (bridge.Filter, error) { return match.Text("(") }, "bad regular expression"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := test.make(); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}
