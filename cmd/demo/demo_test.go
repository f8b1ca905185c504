package main

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

func TestABoxIsAsWideOnEveryLine(t *testing.T) {
	t.Parallel()
	lines := drawBox("argo-bridge APP", []text{
		{"❌ data/load failed", bold}, {"table orders: column 'price' is missing " + strings.Repeat("long ", 30), red},
		{strings.Repeat("x", 200), plain}, {"表の列がありません", plain},
	})
	for _, l := range lines {
		if got := columns(l.text); got != boxWidth {
			t.Errorf("%d columns, want %d: %s", got, boxWidth, l.text)
		}
	}
}

func TestASlackMessageIsReadAsAPersonReadsIt(t *testing.T) {
	t.Parallel()
	raw := `[{"type":"header","text":{"text":"❌ load failed"}},
		{"type":"section","fields":[{"text":"*Workflow*\n<https://argo/wf|load-1>"}]},
		{"type":"section","text":{"text":"step ` + "`main`" + ` &lt;1&gt;\n` + "```boom```" + `"}}]`
	var all []string
	for _, l := range readBlocks([]byte(raw), "fallback") {
		all = append(all, l.text)
	}
	got := strings.Join(all, "\n")
	for _, want := range []string{"❌ load failed", "Workflow   load-1", "https://argo/wf", "step main <1>"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	if got := readBlocks([]byte(`{`), "the sentence"); len(got) != 1 || got[0].text != "the sentence" {
		t.Errorf("without blocks: %v", got)
	}
}

func TestTheDemoTellsItsStory(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("needs the local cluster, which -short leaves out")
	}
	if _, err := os.Stat("../../bin/local-cluster"); err != nil {
		t.Skip("bin/local-cluster is not built: run make local-cluster")
	}
	if _, err := os.Stat("../../bin/argo-bridge"); err != nil {
		t.Skip("bin/argo-bridge is not built: run make build")
	}
	binary := t.TempDir() + "/demo"
	if out, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	cmd := exec.Command(binary)
	cmd.Dir = "../.."
	cmd.Env = append(os.Environ(), "NO_COLOR=1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{"column 'price' is missing", "failed slack:#data-alerts", "recovered slack:#data-alerts", "not started: paths-ignore", "only visible to @mona"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("the demo does not tell %q", want)
		}
	}
	if n := strings.Count(string(out), "╭─"); n != 4 {
		t.Errorf("%d messages are drawn, want 4: the failure, the recovery, the answer and the end of the command", n)
	}
}
