package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/argo-bridge/argo-bridge/adapters/slack/slacktest"
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
	m := slacktest.Message{Text: "fallback", Blocks: json.RawMessage(`[{"type":"header","text":{"text":"❌ load failed"}},
		{"type":"section","fields":[{"text":"*Workflow*\n<https://argo/wf|load-1>"}]},
		{"type":"section","text":{"text":"step ` + "`main`" + ` &lt;1&gt;\n` + "```boom```" + `"}}]`), Attachments: json.RawMessage(`[{"color": "#e01e5a", "blocks": [{"type": "divider"}, {"type":"section","text":{"type":"mrkdwn","text":"exit code 1"}}]}]`)}
	var all []string
	for _, l := range readMessage(m) {
		all = append(all, l.text)
	}
	got := strings.Join(all, "\n")
	for _, want := range []string{"❌ load failed", "load-1", "https://argo/wf", "<1>", "exit code 1"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	if got := readMessage(slacktest.Message{Text: "the sentence", Blocks: json.RawMessage(`{`)}); len(got) != 1 || got[0].text != "the sentence" {
		t.Errorf("without blocks: %v", got)
	}
}
