package message

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/slack-go/slack"
)

// raw is a block as its author wrote it, with what this library does not know of.
type raw struct {
	kind, id string
	json     json.RawMessage
}

// BlockType is the block's type.
func (r raw) BlockType() slack.MessageBlockType { return slack.MessageBlockType(r.kind) }

// ID is the block's block_id.
func (r raw) ID() string { return r.id }

// MarshalJSON is the block itself.
func (r raw) MarshalJSON() ([]byte, error) { return r.json, nil }

// authored are the author's own blocks, a JSON array of Block Kit, as far as Slack takes them: at most that many blocks,
// with so much text. Texts are cut, and what is too much or no block is left out; fault says so. What it knows nothing of
// is kept. Where the text is no array of blocks there are none of them.
func authored(text string, blocks, room int) (all []slack.Block, fault string) {
	if strings.TrimSpace(text) == "" {
		return nil, ""
	}
	var given []json.RawMessage
	if err := json.Unmarshal([]byte(text), &given); err != nil {
		return nil, "The template's own blocks are no JSON array of Block Kit: " + Escape(CutEscaped(oneLine(err.Error()), 200))
	}
	seen, left := map[string]bool{}, 0
	for _, one := range given {
		b, ok := fit(one, seen)
		size := weight([]slack.Block{b})
		if !ok || len(all) == blocks || size > room {
			left++
			continue
		}
		room -= size
		all = append(all, b)
	}
	if left > 0 {
		fault = fmt.Sprintf("%s of the template's own left out: too much for one message, or not of Block Kit", plural(left, "block"))
	}
	return all, fault
}

// fit is one block cut to Slack's limits; ok is false where nothing is left of it.
func fit(text json.RawMessage, seen map[string]bool) (b raw, ok bool) {
	var block map[string]any
	d := json.NewDecoder(strings.NewReader(string(text)))
	d.UseNumber()
	if d.Decode(&block) != nil || block == nil {
		return raw{}, false
	}
	kind, _ := block["type"].(string)
	if kind == "" || !fitBlock(kind, block) {
		return raw{}, false
	}
	id, _ := block["block_id"].(string)
	if id == "" || seen[id] || Cut(id, maxBlockID) != id {
		delete(block, "block_id") // Slack makes one
		id = ""
	}
	seen[id] = true
	data, err := json.Marshal(block)
	if err != nil {
		return raw{}, false
	}
	return raw{kind: kind, id: id, json: data}, true
}
