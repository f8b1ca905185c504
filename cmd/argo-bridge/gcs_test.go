package main

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/storage"
	"github.com/google/go-cmp/cmp"

	"github.com/argo-bridge/argo-bridge/adapters/gcs"
	"github.com/argo-bridge/argo-bridge/adapters/gcs/gcstest"
	"github.com/argo-bridge/argo-bridge/adapters/gcs/setup"
	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/app"
	"github.com/argo-bridge/argo-bridge/bridge/expression"
)

// A page is one of docs/: its commands of argo-bridge, with their lines joined, and its other blocks.
type page struct {
	commands [][]string
	blocks   []string
	text     string
	path     string
}

func readPage(t *testing.T) page {
	t.Helper()
	return readPageOf(t, "../../docs/gcs.md")
}

func readPageOf(t *testing.T, path string) page {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	p := page{path: path, text: string(text)}
	for _, m := range regexp.MustCompile("(?s)```[a-z]*\n(.*?)```").FindAllStringSubmatch(p.text, -1) {
		p.blocks = append(p.blocks, m[1])
		for line := range strings.Lines(strings.ReplaceAll(m[1], "\\\n", " ")) {
			if command, ok := strings.CutPrefix(line, "argo-bridge "); ok {
				p.commands = append(p.commands, strings.Fields(command))
			}
		}
	}
	return p
}

// block is the only one with the beginning.
func (p page) block(t *testing.T, beginning string) string {
	t.Helper()
	for _, b := range p.blocks {
		if strings.HasPrefix(b, beginning) {
			return b
		}
	}
	t.Fatalf("%s has no block that begins with %q", p.path, beginning)
	return ""
}

func (p page) command(t *testing.T, part string) []string {
	t.Helper()
	for _, c := range p.commands {
		if strings.Contains(strings.Join(c, " "), part) {
			return c
		}
	}
	t.Fatalf("%s has no command with %q", p.path, part)
	return nil
}

// stored is a publisher that hands on what it gets.
type stored chan bridge.Event

func (s stored) Publish(ctx context.Context, e bridge.Event) error {
	select {
	case s <- e:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// TestThePageLeadsFromNothingToALoadedFile does what docs/gcs.md says, in its order, as a newcomer would.
func TestThePageLeadsFromNothingToALoadedFile(t *testing.T) {
	cloud := gcstest.Start(t, []string{"landing-prod"})
	cloud.Environment(t)
	p := readPage(t)

	code, out := invoke(t, p.command(t, "gcs setup --bucket")...)
	if code != 0 || !strings.HasPrefix(out, p.block(t, "created ")) {
		t.Fatalf("%d:\n%s", code, cmp.Diff(p.block(t, "created "), out))
	}
	config := p.block(t, "gcs:\n  subscriptions")
	if !strings.Contains(out, config) {
		t.Errorf("the page's configuration is not the command's:\n%s", out)
	}
	dir := t.TempDir()
	t.Chdir(dir)
	write(t, "config.yaml", config)
	write(t, "load.yaml", p.block(t, "apiVersion"))
	if code, out := invoke(t, p.command(t, "lint")...); code != 0 || !strings.HasPrefix(out, "0 errors, 0 warnings") {
		t.Errorf("%d %s", code, out)
	}

	e := upload(t, p, config)
	facts, ok, err := gcs.FactFinder{}.Facts(e)
	if !ok || err != nil {
		t.Fatal(err)
	}
	view, err := loadView([]string{"load.yaml"})
	if err != nil {
		t.Fatal(err)
	}
	d := view.Match(facts, expression.NewScope(e, facts).Variables)
	if len(d) != 1 || d[0].Verdict != bridge.Matched {
		t.Errorf("got %+v", d)
	}

	if code, out := invoke(t, p.command(t, "gcs check")...); code != 0 || out != "0 findings in 1 subscription and 1 bucket\n" {
		t.Errorf("%d %s", code, out)
	}
	code, out = invoke(t, p.command(t, "--push-endpoint")...)
	if push := p.block(t, "gcs:\n  push"); code != 0 || !sameConfig(t, push, out[strings.Index(out, "gcs:"):strings.Index(out, "\nA WorkflowTemplate")]) {
		t.Errorf("%d %s", code, out)
	}
}

// upload runs a source by the configuration and writes the page's object; it returns the event of that.
func upload(t *testing.T, p page, config string) bridge.Event {
	t.Helper()
	var o app.Options
	if err := decodeOptions([]byte(config), &o); err != nil {
		t.Fatal(err)
	}
	events := make(stored)
	ctx, stop := context.WithCancel(t.Context())
	source, err := gcs.NewSource(ctx, *o.GCS, events, gcs.SourceOptions{})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error)
	go func() { ended <- source.Run(ctx) }()
	defer func() { stop(); <-ended }()
	m := regexp.MustCompile(`gs://([^/]+)/(\S+)`).FindStringSubmatch(p.text)
	client, err := storage.NewClient(ctx)
	if err != nil {
		t.Fatal(err)
	}
	w := client.Bucket(m[1]).Object(m[2]).NewWriter(ctx)
	if _, err := w.Write([]byte("{}")); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	select {
	case e := <-events:
		return e
	case <-time.After(30 * time.Second):
		t.Fatal("no event within 30 s of the upload")
		return bridge.Event{}
	}
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func sameConfig(t *testing.T, a, b string) bool {
	t.Helper()
	var one, other app.Options
	if err := decodeOptions([]byte(a), &one); err != nil {
		t.Fatal(err)
	}
	if err := decodeOptions([]byte(b), &other); err != nil {
		t.Fatal(err)
	}
	return one.GCS.Validate() == nil && cmp.Equal(one.GCS, other.GCS)
}

func TestTheCheckReadsConfigAndTemplates(t *testing.T) {
	cloud := gcstest.Start(t, []string{"landing-prod", "landing-test"})
	cloud.Environment(t)
	if code, out := invoke(t, "gcs", "setup", "--bucket", "landing-prod", "--project", "acme"); code != 0 {
		t.Fatal(out)
	}
	cloud.IAM.Allow("pubsub.subscriptions.consume")
	config := file(t, "config.yaml", "gcs: {subscriptions: [projects/acme/subscriptions/argo-bridge]}\n")
	template := func(on string) string {
		return file(t, "t.yaml", "apiVersion: argoproj.io/v1alpha1\nkind: WorkflowTemplate\nmetadata:\n  name: load\n  annotations:\n"+
			"    bridge.argoproj.io/on: '"+on+"'\n")
	}
	for name, tt := range map[string]struct {
		args []string
		code int
		says string
	}{
		"all well":                     {[]string{"--config", config, "--template", template("gcs.finalized: {buckets: [landing-prod]}")}, 0, "0 findings in 1 subscription and 1 bucket\n"},
		"a subscription by its name":   {[]string{"--project", "acme", "--subscription", "argo-bridge", "--bucket", "landing-prod"}, 0, "0 findings"},
		"several templates":            {[]string{"--config", config, "--template", template("gcs.finalized: {buckets: [landing-prod]}"), template("gcs.finalized: {buckets: [landing-test]}")}, 1, "bucket landing-test: it notifies nobody"},
		"an event that is not told":    {[]string{"--config", config, "--template", template("gcs.deleted: {buckets: [landing-prod]}")}, 1, "load, rule default wants OBJECT_DELETE"},
		"a glob and a bucket":          {[]string{"--config", config, "--bucket", "landing-prod", "--template", template("gcs.deleted: {buckets: [\"landing-*\"]}")}, 1, "--event-type=deleted"},
		"a rule that needs no bucket":  {[]string{"--config", config, "--template", template("github.push")}, 0, "0 findings in 1 subscription and 0 buckets\n"},
		"nothing to look at":           {nil, 2, "name a --config or a --subscription"},
		"a config that is not there":   {[]string{"--config", "none.yaml"}, 2, "read config"},
		"a config without gcs":         {[]string{"--config", file(t, "c.yaml", "namespace: argo\n")}, 2, "no section gcs"},
		"a subscription of no project": {[]string{"--subscription", "x"}, 2, "is not of the form"},
		"a template that is not there": {[]string{"--config", config, "--template", "none.yaml"}, 2, "none.yaml"},
		"an argument":                  {[]string{"--config", config, "more"}, 2, "is no flag"},
		"an unknown output":            {[]string{"--config", config, "-o", "xml"}, 2, "the formats are"},
		"credentials that are none":    {[]string{"--config", config, "--credentials-file", "none.json"}, 2, "none.json"},
	} {
		t.Run(name, func(t *testing.T) {
			code, out := invoke(t, append([]string{"gcs", "check"}, tt.args...)...)
			if code != tt.code || !strings.Contains(out, tt.says) {
				t.Errorf("got %d, %q; want %d, %q", code, out, tt.code, tt.says)
			}
		})
	}
	code, out := invoke(t, "gcs", "check", "-o", "json", "--config", config, "--bucket", "landing-test")
	var a setup.Answer
	if err := json.Unmarshal([]byte(out), &a); err != nil || code != 1 || len(a.Findings) != 1 || a.Findings[0].Subject != "bucket landing-test" {
		t.Errorf("%d %v %s", code, err, out)
	}
}

func TestSetupsCalls(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		args []string
		code int
		says string
	}{
		"a dry run":                   {[]string{"--bucket", "gs://landing", "--project", "acme", "--dry-run"}, 0, "gcloud storage buckets notifications create gs://landing "},
		"several types":               {[]string{"--bucket", "landing", "--project", "acme", "--event-type", "finalized,deleted", "--dry-run"}, 0, "--event-types=OBJECT_DELETE,OBJECT_FINALIZE"},
		"attributes":                  {[]string{"--bucket", "landing", "--project", "acme", "--attribute", "a=b=c", "--attribute", "d=", "--dry-run"}, 0, "--custom-attributes=a=b=c,d="},
		"no bucket":                   {[]string{"--project", "acme"}, 2, "--bucket"},
		"an attribute without a key":  {[]string{"--bucket", "landing", "--project", "acme", "--attribute", "x"}, 2, "KEY=VALUE"},
		"a push to nowhere":           {[]string{"--bucket", "landing", "--project", "acme", "--push-service-account", "a@b.c"}, 2, "--push-endpoint"},
		"an argument":                 {[]string{"--bucket", "landing", "--project", "acme", "more"}, 2, "is no flag"},
		"a flag that does not exist":  {[]string{"--buckets", "landing"}, 2, "see --help"},
		"a command that is not there": {nil, 0, "setup"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			args := append([]string{"gcs", "setup"}, tt.args...)
			if tt.args == nil {
				args = []string{"gcs"}
			}
			code, out := invoke(t, args...)
			if code != tt.code || !strings.Contains(out, tt.says) {
				t.Errorf("got %d, %q; want %d, %q", code, out, tt.code, tt.says)
			}
		})
	}
}

// TestSetupsAnnotationsAreGood lints what setup prints, also for a prefix that is full of globs.
func TestSetupsAnnotationsAreGood(t *testing.T) {
	t.Parallel()
	w := setup.Wanted{Bucket: "landing", Project: "acme", Prefix: `!a*[b]\"c/`, EventTypes: []string{"finalized", "deleted"}}.Defaults()
	text := "apiVersion: argoproj.io/v1alpha1\nkind: WorkflowTemplate\n" + setup.Annotations(w) + "  name: x\nspec: {arguments: {parameters: [{name: path}]}}\n"
	path := filepath.Join(t.TempDir(), "x.yaml")
	write(t, path, text)
	if code, out := invoke(t, "lint", path); code != 0 {
		t.Errorf("%s\n%s", out, text)
	}
	all, err := needs([]string{path}, nil)
	if err != nil || len(all) != 2 || all[1].EventType != "OBJECT_DELETE" || !all[0].Wants("landing") || all[0].Wants("other") {
		t.Errorf("%v %+v", err, all)
	}
}
