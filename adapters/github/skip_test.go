package github

import (
	"strings"
	"testing"
)

func TestSkipsCI(t *testing.T) {
	t.Parallel()
	for message, want := range map[string]string{
		"fix the build":                     "",
		"docs [skip ci]":                    "[skip ci] in",
		"docs\n\n[CI Skip] for now":         "[ci skip] in",
		"[no ci] docs":                      "[no ci] in",
		"a [skip actions] b":                "[skip actions] in",
		"[actions skip]":                    "[actions skip] in",
		"skip ci":                           "",
		"[skip  ci]":                        "",
		"docs\n\nskip-checks: true":         "skip-checks: true in",
		"docs\n\n\nskip-checks:true\n":      "skip-checks: true in",
		"docs\r\n\r\nSkip-Checks: true\r\n": "skip-checks: true in",
		"docs\n\nSigned-off-by: octocat\nskip-checks: true":     "skip-checks: true in",
		"docs\nskip-checks: true":                               "",
		"skip-checks: true":                                     "",
		"docs\n\nskip-checks: true\nSigned-off-by: octocat":     "",
		"docs\n\nskip-checks: false":                            "",
		"say in the message: skip-checks: true\n\nand go on":    "",
		"a line\n\nwith skip-checks: true at its end, as it is": "",
	} {
		got := SkipsCI(message)
		if (got == "") != (want == "") || !strings.HasPrefix(got, want) {
			t.Errorf("%q: %q", message, got)
		}
	}
}

func FuzzSkipsCI(f *testing.F) {
	for _, seed := range []string{"", "a [skip ci]", "a\n\nskip-checks: true", "İ[skip ci]", "\r\n\r\nskip-checks:true"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, message string) {
		why := SkipsCI(message)
		if why == "" {
			if strings.Contains(message, "[skip ci]") {
				t.Error("a word was missed")
			}
			return
		}
		word := strings.TrimSuffix(why, " in the commit's message")
		if word == "skip-checks: true" {
			word = "skip-checks:"
		}
		if !strings.Contains(strings.ToLower(message), word) {
			t.Errorf("%q is not in the message", word)
		}
		if SkipsCI("first\n\n"+message) == "" {
			t.Error("a paragraph before has changed the answer")
		}
	})
}
