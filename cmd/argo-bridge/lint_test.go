package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestLintExitCodes(t *testing.T) {
	t.Parallel()
	template := func(on string) string {
		return "apiVersion: argoproj.io/v1alpha1\nkind: WorkflowTemplate\nmetadata:\n  name: a\n  annotations:\n    bridge.argoproj.io/on: " + on + "\n"
	}
	dir := t.TempDir()
	for name, on := range map[string]string{"clean.yaml": "github.push", "faulty.yaml": "github.push/x/y: {", "warned.yaml": "slack.something_very_new"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(template("'"+on+"'")), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, test := range map[string]struct {
		args   []string
		code   int
		output string
	}{
		"no fault":                      {[]string{filepath.Join(dir, "clean.yaml")}, 0, "0 errors, 0 warnings in 1 template with 1 rule\n"},
		"a warning alone":               {[]string{filepath.Join(dir, "warned.yaml")}, 0, "0 errors, 1 warning in 1 template with 1 rule\n"},
		"an error":                      {[]string{filepath.Join(dir, "faulty.yaml")}, 1, "faulty.yaml:6: error: a: on: bad YAML"},
		"an error in JSON":              {[]string{"-o", "json", filepath.Join(dir, "faulty.yaml")}, 1, `"line": 6,`},
		"no fault in JSON is a list":    {[]string{"-o", "json", filepath.Join(dir, "clean.yaml")}, 0, "[]\n"},
		"a path that cannot be read":    {[]string{filepath.Join(dir, "nope")}, 2, ""},
		"no path":                       {nil, 2, ""},
		"an output that does not exist": {[]string{"-o", "xml", dir}, 2, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			code, out := invoke(t, append([]string{"lint"}, test.args...)...)
			if code != test.code || !strings.Contains(out, test.output) {
				t.Errorf("got exit code %d and %q, want %d and %q", code, out, test.code, test.output)
			}
		})
	}
}
