package slacktest

import (
	"encoding/json"
	"fmt"
	"slices"
	"unicode/utf16"
)

// Limits of Block Kit: https://docs.slack.dev/reference/block-kit/blocks. maxAllText is nowhere
// documented: https://github.com/slackapi/bolt-js/issues/2867 saw 9597 accepted and 11341 refused.
const (
	maxBlocks      = 50
	maxAttachments = 100
	maxHeader      = 150
	maxSection     = 3000
	maxFields      = 10
	maxField       = 2000
	maxContext     = 10
	maxActions     = 25
	maxID          = 255
	maxURL         = 3000
	maxLabel       = 2000
	maxAlt         = 2000
	maxMarkdown    = 12000
	maxAllText     = 9597
)

// A block is any of those that messages and modals take.
type block struct {
	Type      string            `json:"type"`
	BlockID   string            `json:"block_id"`
	Text      json.RawMessage   `json:"text"`
	Fields    []text            `json:"fields"`
	Elements  []json.RawMessage `json:"elements"`
	Accessory *element          `json:"accessory"`
	Element   *element          `json:"element"`
	Label     *text             `json:"label"`
	Hint      *text             `json:"hint"`
	Title     *text             `json:"title"`
	ImageURL  string            `json:"image_url"`
	SlackFile json.RawMessage   `json:"slack_file"`
	AltText   string            `json:"alt_text"`
}

// CheckBlocks says with Slack's word, and where, what is wrong with a message's blocks: "" if
// nothing.
func CheckBlocks(raw json.RawMessage) (word, detail string) { return CheckMessage(raw, nil) }

// CheckMessage says with Slack's word, and where, what is wrong with a message's blocks and attachments, whose texts count
// together: "" if nothing.
func CheckMessage(blocks, attachments json.RawMessage) (word, detail string) {
	total := 0
	if word, detail = checkList(blocks, maxBlocks, "/blocks", &total); word != "" {
		return word, detail
	}
	if len(attachments) > 0 {
		var all []struct {
			Blocks json.RawMessage `json:"blocks"`
			Text   string          `json:"text"`
			Color  string          `json:"color"`
		}
		if err := json.Unmarshal(attachments, &all); err != nil {
			return "invalid_attachments", err.Error()
		}
		if len(all) > maxAttachments {
			return "too_many_attachments", ""
		}
		for i, a := range all {
			total += length(a.Text)
			if word, detail = checkList(a.Blocks, maxBlocks, fmt.Sprintf("/attachments/%d/blocks", i), &total); word != "" {
				return "invalid_attachments", detail
			}
		}
	}
	if total > maxAllText {
		return "msg_blocks_too_long", fmt.Sprintf("%d characters", total)
	}
	return "", ""
}

// checkList checks one list of blocks and adds up its text.
func checkList(raw json.RawMessage, most int, at string, total *int) (word, detail string) {
	if len(raw) == 0 {
		return "", ""
	}
	var blocks []block
	if err := json.Unmarshal(raw, &blocks); err != nil {
		return "invalid_blocks_format", err.Error()
	}
	if len(blocks) > most {
		return "invalid_blocks", fmt.Sprintf("no more than %d items allowed [json-pointer:%s]", most, at)
	}
	var ids []string
	for i, b := range blocks {
		err := b.check(total)
		if err == nil && b.BlockID != "" && slices.Contains(ids, b.BlockID) {
			err = fmt.Errorf("block_id %q already exists", b.BlockID)
		}
		if err != nil {
			return "invalid_blocks", fmt.Sprintf("%v [json-pointer:%s/%d]", err, at, i)
		}
		ids = append(ids, b.BlockID)
	}
	return "", ""
}

// length counts UTF-16 units, the strictest reading of "characters".
func length(s string) int { return len(utf16.Encode([]rune(s))) }
