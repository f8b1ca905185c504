package picture

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// A Message is what chat.postMessage takes, as far as it is seen.
type Message struct {
	Text        string       `json:"text"`
	Blocks      []Block      `json:"blocks"`
	Attachments []Attachment `json:"attachments"`
}

// An Attachment stands below the blocks, behind a bar in its colour.
type Attachment struct {
	Color  string  `json:"color"`
	Text   string  `json:"text"`
	Blocks []Block `json:"blocks"`
}

// A Block is one of Block Kit: https://docs.slack.dev/reference/block-kit/blocks
type Block struct {
	Type      string    `json:"type"`
	Text      Text      `json:"text"`
	Fields    []Text    `json:"fields"`
	Elements  []Element `json:"elements"`
	Accessory *Element  `json:"accessory"`
	Label     Text      `json:"label"`
	Hint      Text      `json:"hint"`
	Element   *Element  `json:"element"`
	Optional  bool      `json:"optional"`
	AltText   string    `json:"alt_text"`
	// Others are the texts of a block of another type.
	Others []string `json:"-"`
}

// An Element is what a block holds: a text, a button, an input, an image.
type Element struct {
	Type          string  `json:"type"`
	Text          Text    `json:"text"`
	Style         string  `json:"style"`
	URL           string  `json:"url"`
	AltText       string  `json:"alt_text"`
	Placeholder   Text    `json:"placeholder"`
	InitialValue  string  `json:"initial_value"`
	InitialOption *option `json:"initial_option"`
	Options       []option
}

type option struct {
	Text Text `json:"text"`
}

// A Text is a text object, or the bare text of an element that is one.
type Text struct {
	Type string
	Text string
}

// UnmarshalJSON reads a text object or a string.
func (t *Text) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '"' {
		return json.Unmarshal(data, &t.Text)
	}
	var object struct {
		Type string `json:"type"`
		Text string `json:"text"`
	}
	if err := json.Unmarshal(data, &object); err != nil {
		return err
	}
	t.Type, t.Text = object.Type, object.Text
	return nil
}

// drawn are the types of blocks that are shown as Slack does.
var drawn = map[string]bool{
	"header": true, "section": true, "context": true, "divider": true, "actions": true, "input": true, "image": true, "markdown": true,
}

// UnmarshalJSON reads a block; of one that is not known it takes the texts.
func (b *Block) UnmarshalJSON(data []byte) error {
	var typed struct {
		Type string `json:"type"`
	}
	if err := json.Unmarshal(data, &typed); err != nil {
		return err
	}
	type block Block
	if drawn[typed.Type] {
		return json.Unmarshal(data, (*block)(b))
	}
	b.Type = typed.Type
	var tree any
	if err := json.Unmarshal(data, &tree); err != nil {
		return err
	}
	b.Others = texts("", tree, 0)
	return nil
}

// maxDepth is how deep texts are looked for.
const maxDepth = 20

// texts are all texts below a value.
func texts(key string, v any, depth int) (all []string) {
	if depth > maxDepth {
		return nil
	}
	switch v := v.(type) {
	case string:
		if key == "text" {
			return []string{v}
		}
	case []any:
		for _, e := range v {
			all = append(all, texts(key, e, depth+1)...)
		}
	case map[string]any:
		for _, k := range []string{"title", "text", "subtitle", "body", "elements", "rows", "blocks"} {
			all = append(all, texts(k, v[k], depth+1)...)
		}
	}
	return all
}

// Parse reads a message: an object with text, blocks and attachments, or an array of blocks.
func Parse(data []byte) (m Message, err error) {
	data = bytes.TrimSpace(data)
	switch {
	case len(data) == 0:
		return m, errors.New("the message is empty: it is a JSON object with text, blocks and attachments, or an array of blocks")
	case data[0] == '[':
		err = json.Unmarshal(data, &m.Blocks)
	default:
		err = json.Unmarshal(data, &m)
	}
	if err != nil {
		return Message{}, fmt.Errorf("read the message: it is a JSON object with text, blocks and attachments, or an array of blocks: %w", err)
	}
	return m, nil
}
