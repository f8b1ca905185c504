package checks

import (
	"path"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/argo-bridge/argo-bridge/bridge"
)

func TestAnnotationsAreRemarksOnFilesOfTheRepository(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		line string
		want *annotation
	}{
		"file and line":            {"main.go:12: undefined: x", &annotation{"main.go", 12, 0, "failure", "undefined: x"}},
		"a column":                 {"  ./pkg/a/main.go:12:3: undefined", &annotation{"pkg/a/main.go", 12, 3, "failure", "undefined"}},
		"a warning":                {"src/x.c:7:1: warning: unused", &annotation{"src/x.c", 7, 1, "warning", "warning: unused"}},
		"a note":                   {"src/x.c:7:1: note: declared here", &annotation{"src/x.c", 7, 1, "notice", "note: declared here"}},
		"an error":                 {"src/x.c:7:1: fatal error: no file", &annotation{"src/x.c", 7, 1, "failure", "fatal error: no file"}},
		"the word before":          {"[WARNING] pom.xml:3: old", &annotation{"pom.xml", 3, 0, "warning", "old"}},
		"a file without extension": {"build/Makefile:3: *** missing separator", &annotation{"build/Makefile", 3, 0, "failure", "*** missing separator"}},
		"above the repository":     {"../main.go:12: x", nil},
		"within and out":           {"a/../../main.go:12: x", nil},
		"absolute":                 {"/usr/lib/go/main.go:12: x", nil},
		"an address":               {"https://example.com:443: refused", nil},
		"a host":                   {"example.com:443: connection refused", nil},
		"a host without a domain":  {"localhost:8080: connection refused", nil},
		"an address of numbers":    {"10.0.0.1:8080: connection refused", nil},
		"a time":                   {"12:30:45: started", nil},
		"line zero":                {"main.go:0: x", nil},
		"a huge line":              {"main.go:99999999: x", nil},
		"no message":               {"main.go:12:", nil},
		"words":                    {"see main.go:12 for more", nil},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, ok := parseAnnotation(c.line)
			if ok != (c.want != nil) {
				t.Fatalf("got %+v, %v", got, ok)
			}
			if ok {
				if diff := cmp.Diff(*c.want, got); diff != "" {
					t.Error(diff)
				}
			}
		})
	}
}

func TestARemarkThatIsRepeatedIsOne(t *testing.T) {
	t.Parallel()
	f := bridge.Failure{Log: []string{"a.go:1: x", "a.go:1: x", "a.go:2: x"}}
	if got := annotationsOf(bridge.Run{Failures: []bridge.Failure{f, f}}); len(got) != 2 {
		t.Errorf("got %+v", got)
	}
}

func FuzzParseAnnotation(f *testing.F) {
	for _, seed := range []string{"main.go:12:3: x", "error: a/b.c:1: y", "../x.go:1: z", "a//b.go:1: x", "C:\\x.go:1: y", "\x00a.go:1:\xff", "-x.go:1: y"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, line string) {
		a, ok := parseAnnotation(line)
		if !ok {
			return
		}
		if a.Path == "" || path.IsAbs(a.Path) || strings.Contains("/"+a.Path+"/", "/../") || path.Clean(a.Path) != a.Path || len(a.Path) > 255 {
			t.Errorf("path %q", a.Path)
		}
		if a.Line < 1 || a.Line > maxLine || a.Column < 0 || a.Message == "" || len(a.Message) > maxAnnotationText || !utf8.ValidString(a.Message) {
			t.Errorf("%+v", a)
		}
		if a.Level != "failure" && a.Level != "warning" && a.Level != "notice" {
			t.Errorf("level %q", a.Level)
		}
	})
}
