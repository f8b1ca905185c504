package main

import (
	"encoding/json"
	"html"
	"regexp"
	"strings"

	"github.com/argo-bridge/argo-bridge/adapters/slack/picture"
	"github.com/argo-bridge/argo-bridge/adapters/slack/slacktest"
)

// readMessage writes a message as lines, as a terminal shows it.
func readMessage(m slacktest.Message) []text {
	var out strings.Builder
	data, err := json.Marshal(map[string]any{"blocks": m.Blocks, "attachments": m.Attachments})
	if err == nil {
		var shown picture.Message
		if shown, err = picture.Parse(data); err == nil {
			err = shown.WriteText(&out, false)
		}
	}
	if err != nil {
		return readText(m.Text)
	}
	var lines []text
	for line := range strings.SplitSeq(strings.TrimSpace(out.String()), "\n") {
		lines = append(lines, text{line, plain})
	}
	return lines
}

// readText writes a text in Slack's markup as lines; those of a code block are indented.
func readText(mrkdwn string) []text {
	var lines []text
	fenced := false
	for line := range strings.SplitSeq(strings.TrimSpace(mrkdwn), "\n") {
		if strings.HasPrefix(strings.TrimSpace(line), "```") {
			fenced = !fenced
			continue
		}
		switch {
		case fenced:
			lines = append(lines, text{"  ▏ " + html.UnescapeString(line), red})
		case strings.TrimSpace(line) != "":
			lines = append(lines, text{unmarked(line), plain})
		}
	}
	return lines
}

var (
	link      = regexp.MustCompile(`<(?:https?://[^|>]+)\|([^>]*)>`)
	bareLink  = regexp.MustCompile(`<(https?://[^|>]+)>`)
	strong    = regexp.MustCompile(`(^|[\s(])\*([^*\n]+)\*`)
	shortcode = regexp.MustCompile(`:[a-z_]+:`)
)

// emoji are those that the bridge's messages and the examples use.
var emoji = map[string]string{
	":x:": "❌", ":white_check_mark:": "✅", ":large_green_circle:": "🟢", ":no_entry:": "⛔", ":rocket:": "🚀",
	":boom:": "💥", ":arrow_forward:": "▶", ":warning:": "⚠",
}

// unmarked is one line without Slack's markup, as it reads.
func unmarked(s string) string {
	s = link.ReplaceAllString(s, "$1")
	s = bareLink.ReplaceAllString(s, "$1")
	s = strong.ReplaceAllString(s, "$1$2")
	s = strings.ReplaceAll(s, "`", "")
	s = shortcode.ReplaceAllStringFunc(s, func(code string) string {
		if e, ok := emoji[code]; ok {
			return e
		}
		return code
	})
	return html.UnescapeString(s)
}
