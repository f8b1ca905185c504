package slacktest

import (
	"encoding/json"
	"fmt"
	"slices"
)

func (b block) check(total *int) error {
	if length(b.BlockID) > maxID {
		return fmt.Errorf("block_id is longer than %d", maxID)
	}
	switch b.Type {
	case "header":
		return b.header(total)
	case "section":
		return b.section(total)
	case "context":
		return b.context(total)
	case "actions":
		return b.actions(total)
	case "input":
		return b.input(total)
	case "image":
		return b.image(total)
	case "markdown":
		return b.markdown(total)
	case "divider", "rich_text":
		return nil
	}
	return fmt.Errorf("unsupported type: %q", b.Type)
}

// own is the block's text, which is an object in all blocks but markdown.
func (b block) own() (*text, error) {
	if len(b.Text) == 0 || string(b.Text) == "null" {
		return nil, nil
	}
	var t text
	if err := json.Unmarshal(b.Text, &t); err != nil {
		return nil, fmt.Errorf("text: %w", err)
	}
	return &t, nil
}

func (b block) header(total *int) error {
	t, err := b.own()
	if err != nil {
		return err
	}
	return t.plain(maxHeader, total)
}

func (b block) section(total *int) error {
	t, err := b.own()
	if err != nil {
		return err
	}
	if t == nil && len(b.Fields) == 0 {
		return fmt.Errorf("a section has text or fields")
	}
	if t != nil {
		if err := t.any(maxSection, total); err != nil {
			return err
		}
	}
	if len(b.Fields) > maxFields {
		return fmt.Errorf("no more than %d fields", maxFields)
	}
	for _, f := range b.Fields {
		if err := f.any(maxField, total); err != nil {
			return err
		}
	}
	if b.Accessory != nil {
		return b.Accessory.check(total)
	}
	return nil
}

func (b block) context(total *int) error {
	if len(b.Elements) == 0 || len(b.Elements) > maxContext {
		return fmt.Errorf("a context has 1 to %d elements", maxContext)
	}
	for _, raw := range b.Elements {
		var e element
		if json.Unmarshal(raw, &e) == nil && e.Type == "image" {
			if err := e.check(total); err != nil {
				return err
			}
			continue
		}
		var t text
		if err := json.Unmarshal(raw, &t); err != nil {
			return err
		}
		if err := t.any(maxSection, total); err != nil {
			return err
		}
	}
	return nil
}

func (b block) actions(total *int) error {
	if len(b.Elements) == 0 || len(b.Elements) > maxActions {
		return fmt.Errorf("actions have 1 to %d elements", maxActions)
	}
	var ids []string
	for _, raw := range b.Elements {
		var e element
		if err := json.Unmarshal(raw, &e); err != nil {
			return err
		}
		if e.Type == "image" || e.input() {
			return fmt.Errorf("unsupported element in actions: %q", e.Type)
		}
		if err := e.check(total); err != nil {
			return err
		}
		if e.ActionID != "" && slices.Contains(ids, e.ActionID) {
			return fmt.Errorf("action_id %q already exists", e.ActionID)
		}
		ids = append(ids, e.ActionID)
	}
	return nil
}

func (b block) input(total *int) error {
	if b.Label == nil || b.Element == nil {
		return fmt.Errorf("an input has a label and an element")
	}
	if err := b.Label.plain(maxLabel, total); err != nil {
		return err
	}
	if b.Hint != nil {
		if err := b.Hint.plain(maxLabel, total); err != nil {
			return err
		}
	}
	if b.Element.Type == "button" || b.Element.Type == "overflow" || b.Element.Type == "image" {
		return fmt.Errorf("unsupported element in an input: %q", b.Element.Type)
	}
	return b.Element.check(total)
}

func (b block) image(total *int) error {
	if b.Title != nil {
		if err := b.Title.plain(maxLabel, total); err != nil {
			return err
		}
	}
	return checkImage(b.ImageURL, b.AltText, len(b.SlackFile) > 0)
}

func (b block) markdown(total *int) error {
	var s string
	if err := json.Unmarshal(b.Text, &s); err != nil || s == "" || length(s) > maxMarkdown {
		return fmt.Errorf("the text of markdown has 1 to %d characters", maxMarkdown)
	}
	*total += length(s)
	return nil
}

func checkImage(url, alt string, file bool) error {
	switch {
	case url == "" && !file || length(url) > maxURL:
		return fmt.Errorf("image_url has 1 to %d characters", maxURL)
	case alt == "" || length(alt) > maxAlt:
		return fmt.Errorf("alt_text has 1 to %d characters", maxAlt)
	}
	return nil
}
