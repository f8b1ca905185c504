package message

import (
	"slices"
	"strings"
)

// limits are the most characters of texts in Block Kit, by where they stand: https://docs.slack.dev/reference/block-kit.
// The first name is that of the object or block around, the second the text's own; * is any object.
var limits = map[string]int{
	"header.text": maxHeader, "section.text": 3000, "section.fields": 2000, "context.elements": 3000,
	"input.label": 2000, "input.hint": 2000, "image.title": 2000, "image.alt_text": 2000, "video.title": 200,
	"video.description": 200, "video.alt_text": 2000, "video.author_name": 50, "markdown.text": maxAll,
	"button.text": 75, "button.value": 2000, "button.accessibility_label": 75,
	"plain_text_input.initial_value": maxInitial, "confirm.title": 100, "confirm.text": 300, "confirm.confirm": 30, "confirm.deny": 30,
	"option.text": maxChoice, "option.description": 75, "option_group.label": 75, "*.placeholder": 150,
}

// counts are the most entries of lists, by where they stand.
var counts = map[string]int{
	"section.fields": 10, "context.elements": 10, "actions.elements": 25, "*.options": 100, "*.option_groups": 100,
}

// identifiers are cut from what bears them where they are too long: they cannot be cut without becoming others.
var identifiers = map[string]int{"action_id": 255, "url": 3000, "image_url": 3000, "block_id": maxBlockID}

// roles are the names of what an object is that says no type.
var roles = map[string]string{"confirm": "confirm", "options": "option", "initial_option": "option", "initial_options": "option", "option_groups": "option_group"}

// fitBlock cuts a block; it is false where nothing is left of it that Slack takes.
func fitBlock(kind string, block map[string]any) bool {
	fitObject(kind, block)
	switch kind {
	case "header":
		return texted(block["text"])
	case "section":
		if !texted(block["text"]) {
			delete(block, "text")
		}
		return texted(block["text"]) || filled(block["fields"])
	case "context", "actions":
		block["elements"] = distinct(block["elements"])
		return filled(block["elements"])
	case "image":
		return pictured(block)
	case "input":
		return texted(block["label"]) && block["element"] != nil
	}
	return true
}

// fitObject cuts all texts and lists of an object.
func fitObject(kind string, object map[string]any) {
	for key, value := range object {
		if most, ok := identifiers[key]; ok {
			if s, isText := value.(string); isText && Cut(s, most) != s {
				delete(object, key)
			}
			continue
		}
		if fitted, ok := fitValue(kind, key, value); ok {
			object[key] = fitted
		} else {
			delete(object, key)
		}
	}
}

// fitValue cuts what stands under a key of an object; ok is false where nothing is left of it.
func fitValue(kind, key string, value any) (fitted any, ok bool) {
	switch v := value.(type) {
	case string:
		if most := limit(limits, kind, key); most > 0 {
			return Cut(v, most), v != "" || key != "text"
		}
	case map[string]any:
		return v, fitChild(kind, key, v)
	case []any:
		return fitList(kind, key, v)
	}
	return value, true
}

// fitChild cuts an object within another; false: it is a text without characters.
func fitChild(kind, key string, child map[string]any) bool {
	if !textual(child) {
		of := kindOf(key, child)
		fitObject(of, child)
		return of != "button" && of != "image" || of == "button" && texted(child["text"]) || of == "image" && pictured(child)
	}
	text, _ := child["text"].(string)
	if most := limit(limits, kind, key); most > 0 {
		text = cutMarkup(text, most)
	}
	child["text"] = text
	return text != ""
}

func fitList(kind, key string, list []any) (fitted []any, ok bool) {
	for _, entry := range list {
		if child, isObject := entry.(map[string]any); isObject && !fitChild(kind, key, child) {
			continue
		}
		if most := limit(counts, kind, key); most > 0 && len(fitted) == most {
			break
		}
		fitted = append(fitted, entry)
	}
	return fitted, len(fitted) > 0 || len(list) == 0
}

func limit(table map[string]int, kind, key string) int {
	if most, ok := table[kind+"."+key]; ok {
		return most
	}
	return table["*."+key]
}

// kindOf says what an object is: by its type, or by where it stands.
func kindOf(key string, object map[string]any) string {
	if kind, _ := object["type"].(string); kind != "" {
		return kind
	}
	return roles[key]
}

// textual says whether the object is a text: https://docs.slack.dev/reference/block-kit/composition-objects/text-object
func textual(object map[string]any) bool {
	kind, _ := object["type"].(string)
	return kind == "plain_text" || kind == "mrkdwn"
}

// pictured says whether an image has an address; it is given a word for where it is not shown.
func pictured(image map[string]any) bool {
	if alt, _ := image["alt_text"].(string); alt == "" {
		image["alt_text"] = "image"
	}
	address, _ := image["image_url"].(string)
	return address != "" || image["slack_file"] != nil
}

// distinct leaves out elements whose action_id another one has before them.
func distinct(elements any) []any {
	list, _ := elements.([]any)
	seen := map[string]bool{}
	return slices.DeleteFunc(list, func(e any) bool {
		object, _ := e.(map[string]any)
		id, _ := object["action_id"].(string)
		again := id != "" && seen[id]
		seen[id] = true
		return again
	})
}

func texted(v any) bool {
	object, ok := v.(map[string]any)
	text, _ := object["text"].(string)
	return ok && strings.TrimSpace(text) != ""
}

func filled(v any) bool {
	list, ok := v.([]any)
	return ok && len(list) > 0
}
