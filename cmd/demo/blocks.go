package main

import (
	"encoding/json"
	"html"
	"regexp"
	"strings"
)

// A block is what the demo reads of Slack's Block Kit.
type block struct {
	Type     string      `json:"type"`
	Text     *blockText  `json:"text"`
	Fields   []blockText `json:"fields"`
	Elements []blockText `json:"elements"`
}

type blockText struct {
	Text string `json:"text"`
}

// readBlocks writes a message's blocks as lines; fallback is its text for where no blocks are shown.
func readBlocks(raw json.RawMessage, fallback string) []text {
	var blocks []block
	if json.Unmarshal(raw, &blocks) != nil || len(blocks) == 0 {
		return readText(fallback)
	}
	var lines []text
	for _, b := range blocks {
		switch b.Type {
		case "header":
			lines = append(lines, text{unmarked(b.text()), bold})
		case "section":
			for _, f := range b.Fields {
				lines = append(lines, field(f.Text)...)
			}
			lines = append(lines, readText(b.text())...)
		case "context":
			for _, e := range b.Elements {
				lines = append(lines, text{unmarked(e.Text), dim})
			}
		}
	}
	return lines
}

func (b block) text() string {
	if b.Text == nil {
		return ""
	}
	return b.Text.Text
}

// field puts a field's name, which is its first line, before its value.
func field(mrkdwn string) []text {
	name, value, _ := strings.Cut(mrkdwn, "\n")
	name = unmarked(name)
	pad := strings.Repeat(" ", max(1, 11-columns(name)))
	lines := []text{{name + pad + unmarked(value), plain}}
	if link := firstLink.FindStringSubmatch(value); link != nil {
		lines = append(lines, text{strings.Repeat(" ", 11) + html.UnescapeString(link[1]), dim})
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
	firstLink = regexp.MustCompile(`<(https?://[^|>]+)\|[^>]*>`)
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
