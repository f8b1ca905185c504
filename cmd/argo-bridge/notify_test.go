package main

import (
	"bytes"
	"encoding/json"
	"image/png"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/argo-bridge/argo-bridge/adapters/slack/slacktest"
)

const previewFiles = "testdata/preview/"

func previewOf(t *testing.T, args ...string) (int, string) {
	t.Helper()
	return invoke(t, append([]string{"notify", "preview", "--template", previewFiles + "template.yaml", "--workflow", previewFiles + "workflow.yaml"}, args...)...)
}

// timeOf is when the preview was made.
var timeOf = regexp.MustCompile(`"time": "[^"]*"`)

func TestPreviewShowsWhatWouldBeSent(t *testing.T) {
	t.Parallel()
	layout := []string{"--layout", previewFiles + "layout.yaml"}
	slack := []string{"--destination", "slack:#data-alerts"}
	for name, args := range map[string][]string{
		"all.txt":      {},
		"failed.txt":   append(layout, slack...),
		"failed.json":  append(append([]string{"--format", "json", "--ui", "https://argo.example.com"}, layout...), slack...),
		"failed.html":  append([]string{"--format", "html"}, slack...),
		"webhook.json": {"--format", "json", "--destination", "webhook:pager"},
		"rejected.txt": append([]string{"--outcome", "rejected"}, layout...),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			code, out := previewOf(t, args...)
			if code != 0 {
				t.Fatalf("code %d: %s", code, out)
			}
			out = timeOf.ReplaceAllString(out, `"time": "now"`)
			path := previewFiles + name
			if *update {
				if err := os.WriteFile(path, []byte(out), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if want, err := os.ReadFile(path); err != nil || string(want) != out {
				t.Errorf("%v; run with -update when it should change:\n%s", err, out)
			}
			if strings.Contains(out, "hunter2") {
				t.Error("a secret is shown")
			}
		})
	}
}

func TestWhatPreviewPrintsIsTakenBySlack(t *testing.T) {
	t.Parallel()
	code, out := previewOf(t, "--format", "json", "--destination", "slack:#data-alerts")
	var message struct{ Blocks, Attachments json.RawMessage }
	if err := json.Unmarshal([]byte(out), &message); code != 0 || err != nil {
		t.Fatalf("%d, %v: %s", code, err, out)
	}
	if word, detail := slacktest.CheckMessage(message.Blocks, message.Attachments); word != "" {
		t.Errorf("%s: %s", word, detail)
	}
}

func TestPreviewDrawsAPicture(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "alert.png")
	if code, out := previewOf(t, "--format", "png", "--destination", "slack:#data-alerts", "--output", path); code != 0 || out != "" {
		t.Fatalf("%d: %s", code, out)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if picture, err := png.Decode(bytes.NewReader(data)); err != nil || picture.Bounds().Dx() < 1000 {
		t.Errorf("%v", err)
	}
}

func TestPreviewSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	template, workflow := previewFiles+"template.yaml", previewFiles+"workflow.yaml"
	silent := file(t, "silent.yaml", "apiVersion: argoproj.io/v1alpha1\nkind: WorkflowTemplate\nmetadata: {name: nightly-export, annotations: {bridge.argoproj.io/on: github.push}}\n")
	for name, tt := range map[string]struct {
		args []string
		code int
		want string
	}{
		"nothing":                     {nil, 2, "--template is needed"},
		"no workflow":                 {[]string{"--template", template}, 2, "--workflow is needed"},
		"a file that is not there":    {[]string{"--template", template, "--workflow", "none.yaml"}, 2, "none.yaml"},
		"no YAML":                     {[]string{"--template", template, "--workflow", file(t, "w.yaml", "a: [")}, 2, "read workflow"},
		"no Workflow":                 {[]string{"--template", template, "--workflow", template}, 2, `it is of kind "WorkflowTemplate"`},
		"another template":            {[]string{"--template", file(t, "o.yaml", "apiVersion: argoproj.io/v1alpha1\nkind: WorkflowTemplate\nmetadata: {name: other}\n"), "--workflow", workflow}, 2, `of the template "nightly-export", and the files hold: other`},
		"a faulty template":           {[]string{"--template", file(t, "f.yaml", "apiVersion: argoproj.io/v1alpha1\nkind: WorkflowTemplate\nmetadata: {name: nightly-export, annotations: {bridge.argoproj.io/notify: 'failed: pigeon:x'}}\n"), "--workflow", workflow}, 2, "unknown destination pigeon:x"},
		"no notify":                   {[]string{"--template", silent, "--workflow", workflow}, 1, "no annotation notify"},
		"nobody hears of it":          {[]string{"--template", template, "--workflow", workflow, "--outcome", "started"}, 1, "nothing would be sent of started; notify says: failed: slack:#data-alerts"},
		"an unknown outcome":          {[]string{"--template", template, "--workflow", workflow, "--outcome", "broken"}, 2, "no such outcome"},
		"an unknown format":           {[]string{"--template", template, "--workflow", workflow, "--format", "gif"}, 2, "text, json, html and png"},
		"several in one picture":      {[]string{"--template", template, "--workflow", workflow, "--format", "png"}, 2, "name one by --destination"},
		"a picture of JSON":           {[]string{"--template", template, "--workflow", workflow, "--format", "png", "--destination", "webhook:pager"}, 2, "no picture"},
		"a layout that is none":       {[]string{"--template", template, "--workflow", workflow, "--layout", template}, 2, "hold no ConfigMap"},
		"words that belong to a flag": {[]string{"--template", template, "--workflow", workflow, "failed"}, 2, `"failed": everything is given by flags`},
	} {
		code, out := invoke(t, append([]string{"notify", "preview"}, tt.args...)...)
		if code != tt.code || !strings.Contains(out, tt.want) {
			t.Errorf("%s: code %d: %s", name, code, out)
		}
	}
}
