package slacktest

import (
	"encoding/json"
	"fmt"
	"unicode/utf16"
)

// Limits of Block Kit: https://docs.slack.dev/reference/block-kit/blocks. The last is nowhere
// documented: https://github.com/slackapi/bolt-js/issues/2867 saw 9597 accepted and 11341 refused.
const (
	maxBlocks   = 50
	maxHeader   = 150
	maxSection  = 3000
	maxFields   = 10
	maxField    = 2000
	maxElements = 10
	maxContext  = 3000
	maxBlockID  = 255
	maxAllText  = 9597
)

type object struct {
	Type string `json:"type"`
	Text string `json:"text"`
}

type block struct {
	Type     string   `json:"type"`
	BlockID  string   `json:"block_id"`
	Text     *object  `json:"text"`
	Fields   []object `json:"fields"`
	Elements []object `json:"elements"`
}

// CheckBlocks says with Slack's word, and where, what is wrong with a message's blocks: "" if
// nothing. It knows the blocks of plain messages: header, section, context and divider.
func CheckBlocks(raw json.RawMessage) (word, detail string) {
	if len(raw) == 0 {
		return "", ""
	}
	var blocks []block
	if err := json.Unmarshal(raw, &blocks); err != nil {
		return "invalid_blocks_format", err.Error()
	}
	if len(blocks) > maxBlocks {
		return "invalid_blocks", fmt.Sprintf("more than %d blocks", maxBlocks)
	}
	total := 0
	for i, b := range blocks {
		for _, o := range append(append([]object{}, b.Fields...), b.Elements...) {
			total += length(o.Text)
		}
		if b.Text != nil {
			total += length(b.Text.Text)
		}
		if err := b.check(); err != nil {
			return "invalid_blocks", fmt.Sprintf("%v [json-pointer:/blocks/%d]", err, i)
		}
	}
	if total > maxAllText {
		return "msg_blocks_too_long", fmt.Sprintf("%d characters", total)
	}
	return "", ""
}

func (b block) check() error {
	if length(b.BlockID) > maxBlockID {
		return fmt.Errorf("block_id is longer than %d", maxBlockID)
	}
	switch b.Type {
	case "header":
		if b.Text == nil || b.Text.Type != "plain_text" {
			return fmt.Errorf("a header's text is plain_text")
		}
		return b.Text.check(maxHeader)
	case "section":
		if b.Text == nil && len(b.Fields) == 0 {
			return fmt.Errorf("a section has text or fields")
		}
		if b.Text != nil {
			if err := b.Text.check(maxSection); err != nil {
				return err
			}
		}
		return checkAll(b.Fields, maxFields, maxField)
	case "context":
		if len(b.Elements) == 0 {
			return fmt.Errorf("a context has elements")
		}
		return checkAll(b.Elements, maxElements, maxContext)
	case "divider":
		return nil
	}
	return fmt.Errorf("unsupported type: %q", b.Type)
}

func checkAll(objects []object, most, longest int) error {
	if len(objects) > most {
		return fmt.Errorf("more than %d items", most)
	}
	for _, o := range objects {
		if err := o.check(longest); err != nil {
			return err
		}
	}
	return nil
}

func (o object) check(longest int) error {
	switch {
	case o.Type != "mrkdwn" && o.Type != "plain_text":
		return fmt.Errorf("%q is no type of a text", o.Type)
	case o.Text == "":
		return fmt.Errorf("must be more than 0 characters")
	case length(o.Text) > longest:
		return fmt.Errorf("must be less than %d characters", longest+1)
	}
	return nil
}

// length counts UTF-16 units, the strictest reading of "characters".
func length(s string) int { return len(utf16.Encode([]rune(s))) }
