package workflowtemplates_test

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/workflowtemplates"
)

var update = flag.Bool("update", false, "write the golden files anew")

func TestLintGolden(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/lint/*.[yj]*")
	if err != nil || len(files) == 0 {
		t.Fatal("no files", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			report, err := workflowtemplates.Lint([]string{file}, nil, language())
			if err != nil {
				t.Fatal(err)
			}
			var got strings.Builder
			for _, f := range report.Faults {
				got.WriteString(strings.TrimPrefix(f.String(), "testdata/lint/") + "\n")
			}
			golden := strings.TrimSuffix(file, filepath.Ext(file)) + ".golden"
			if *update {
				if err := os.WriteFile(golden, []byte(got.String()), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got.String()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

const faulty = "kind: WorkflowTemplate\napiVersion: argoproj.io/v1alpha1\nmetadata:\n  name: a\n  annotations:\n    bridge.argoproj.io/on: nonsense\n"

func TestLintReadsStdinAndDirectories(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range map[string]string{"a.yaml": faulty, "sub/b.yml": faulty, "sub/c.json": "{}", ".git/d.yaml": faulty, "e.txt": faulty} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	report, err := workflowtemplates.Lint([]string{dir, "-"}, strings.NewReader(faulty), language())
	if err != nil {
		t.Fatal(err)
	}
	var files []string
	for _, f := range report.Faults {
		files = append(files, strings.TrimPrefix(f.File, dir+"/"))
	}
	if diff := cmp.Diff([]string{"a.yaml", "sub/b.yml", "stdin"}, files); diff != "" {
		t.Error(diff)
	}
	if report.Templates != 3 || report.Rules != 3 || report.Count(workflowtemplates.Error) != 3 {
		t.Errorf("got %d templates, %d rules, %d errors", report.Templates, report.Rules, report.Count(workflowtemplates.Error))
	}
}

func TestLintReadsAFileOfAnyNameThatIsNamed(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "template.txt")
	if err := os.WriteFile(path, []byte(faulty), 0o644); err != nil {
		t.Fatal(err)
	}
	report, err := workflowtemplates.Lint([]string{path}, nil, language())
	if err != nil || len(report.Faults) != 1 {
		t.Errorf("got %v, %v", report, err)
	}
}

func TestLintNamesEveryPathThatItCannotRead(t *testing.T) {
	t.Parallel()
	_, err := workflowtemplates.Lint([]string{"testdata/no-such-file", "testdata/nor-this"}, nil, language())
	for _, want := range []string{"no-such-file", "nor-this"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestFileFaultIsJSON(t *testing.T) {
	t.Parallel()
	report, err := workflowtemplates.Lint([]string{"testdata/lint/json.json"}, nil, language())
	if err != nil {
		t.Fatal(err)
	}
	got, err := json.Marshal(report.Faults)
	if err != nil {
		t.Fatal(err)
	}
	want := `[{"file":"testdata/lint/json.json","line":8,"template":"json","key":"when","severity":"error",` +
		`"message":"unknown field github.event.nmber (column 14 of the expression)","suggestion":"did you mean number?"}]`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Error(diff)
	}
}

func TestLoadGivesTemplatesTheirPlace(t *testing.T) {
	t.Parallel()
	files, err := workflowtemplates.Load([]string{"testdata/lint/events.yaml"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var refs []bridge.Template
	for _, in := range files.Inputs {
		refs = append(refs, in.Ref)
	}
	if diff := cmp.Diff([]bridge.Template{{Namespace: "team", Name: "names"}, {Name: "plain"}}, refs); diff != "" {
		t.Error(diff)
	}
}

func FuzzLoad(f *testing.F) {
	files, err := filepath.Glob("testdata/lint/*.[yj]*")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	f.Fuzz(func(t *testing.T, text string) {
		report, err := workflowtemplates.Lint([]string{"-"}, strings.NewReader(text), language())
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Count(text, "\n") + 1
		for _, fault := range report.Faults {
			if fault.Line < 1 || fault.Line > lines+1 || fault.Message == "" {
				t.Errorf("a fault without a place in %d lines: %+v", lines, fault)
			}
		}
	})
}
