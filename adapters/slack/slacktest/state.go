package slacktest

import (
	"encoding/json"
	"fmt"
	"strings"
)

// A part is one element of a message or modal, with the block that it stands in.
type part struct {
	blockID  string
	input    bool // stands in an input block
	optional bool
	element  element
}

// partsOf are the elements of blocks, and of the blocks of attachments, in order. A block without an id gets one, as Slack
// gives it.
func partsOf(blocks, attachments json.RawMessage) (all []part) {
	all = partsOfList(blocks, "b")
	var under []struct {
		Blocks json.RawMessage `json:"blocks"`
	}
	_ = json.Unmarshal(attachments, &under) // of a message that was checked
	for i, a := range under {
		all = append(all, partsOfList(a.Blocks, fmt.Sprintf("a%d", i))...)
	}
	return all
}

func partsOfList(raw json.RawMessage, prefix string) (all []part) {
	var blocks []struct {
		block
		Optional bool `json:"optional"`
	}
	_ = json.Unmarshal(raw, &blocks) // of a message that was checked
	for i, b := range blocks {
		id := b.BlockID
		if id == "" {
			id = fmt.Sprintf("%s%d", prefix, i)
		}
		switch {
		case b.Type == "input" && b.Element != nil:
			all = append(all, part{id, true, b.Optional, *b.Element})
		case b.Accessory != nil:
			all = append(all, part{blockID: id, element: *b.Accessory})
		case b.Type == "actions":
			for _, raw := range b.Elements {
				var e element
				if json.Unmarshal(raw, &e) == nil {
					all = append(all, part{blockID: id, element: e})
				}
			}
		}
	}
	return all
}

// options are those of a menu.
func (e element) options() []option {
	all := e.Options
	for _, g := range e.OptionGroups {
		all = append(all[:len(all):len(all)], g.Options...)
	}
	return all
}

func (e element) option(value string) *option {
	for _, o := range e.options() {
		if o.Value == value {
			return &o
		}
	}
	return nil
}

// action is what an element sends that was pressed, or of which an option was chosen.
func (p part) action(value, at string) (_ object, fault string) {
	e := p.element
	o := object{"type": e.Type, "action_id": e.ActionID, "block_id": p.blockID, "action_ts": at}
	if e.Type != "button" {
		chosen := e.option(value)
		if chosen == nil {
			return nil, fmt.Sprintf("%s has no option %q", e.ActionID, value)
		}
		o["selected_option"] = chosen.wire()
		return o, ""
	}
	o["text"] = object{"type": "plain_text", "text": e.Text.Text, "emoji": true}
	if e.Value != "" {
		o["value"] = e.Value
	}
	if e.Style != "" {
		o["style"] = e.Style
	}
	return o, ""
}

func (o option) wire() object {
	return object{"text": object{"type": o.Text.Type, "text": o.Text.Text, "emoji": true}, "value": o.Value}
}

// stateOf is what stands in all inputs: what was filled in by block_id, or what was there at first. missing names an input
// that must be filled in and is not.
func stateOf(parts []part, filled map[string]string) (state object, missing, fault string) {
	values, seen := object{}, map[string]bool{}
	for _, p := range parts {
		if p.element.Type == "button" || p.element.Type == "overflow" || p.element.Type == "image" {
			continue
		}
		given, ok := filled[p.blockID]
		seen[p.blockID] = true
		value, fault := p.element.state(given, ok)
		if fault != "" {
			return nil, "", fault
		}
		if p.input && !p.optional && value["value"] == nil && value["selected_option"] == nil && value["selected"] == nil {
			missing = "the input " + p.blockID + " is required"
		}
		block, _ := values[p.blockID].(object)
		if block == nil {
			block = object{}
			values[p.blockID] = block
		}
		block[p.element.ActionID] = value
	}
	for id := range filled {
		if !seen[id] {
			return nil, "", fmt.Sprintf("there is no input %q", id)
		}
	}
	return object{"values": values}, missing, ""
}

// state is one input as a view_submission tells it; given is what the user has filled in, if ok.
func (e element) state(given string, ok bool) (o object, fault string) {
	o = object{"type": e.Type}
	switch {
	case e.input():
		if !ok {
			given = e.InitialValue
		}
		if e.MaxLength > 0 && length(given) > e.MaxLength || length(given) < e.MinLength {
			return nil, fmt.Sprintf("%s has %d to %d characters", e.ActionID, e.MinLength, e.MaxLength)
		}
		if given == "" {
			o["value"] = nil
		} else {
			o["value"] = given
		}
		return o, ""
	case e.Type == "checkboxes" || e.Type == "multi_static_select":
		return e.chosen(given)
	case len(e.options()) > 0:
		chosen := e.InitialOption
		if ok {
			if chosen = e.option(given); chosen == nil && given != "" {
				return nil, fmt.Sprintf("%s has no option %q", e.ActionID, given)
			}
		}
		if o["selected_option"] = nil; chosen != nil {
			o["selected_option"] = chosen.wire()
		}
		return o, ""
	}
	if ok { // of users, channels and days
		o["selected"] = given
		o[map[string]string{
			"users_select": "selected_user", "channels_select": "selected_channel", "conversations_select": "selected_conversation",
			"datepicker": "selected_date", "timepicker": "selected_time",
		}[e.Type]] = given
	}
	return o, ""
}

// chosen is an element of which several options can be chosen, whose values given has with commas between them.
func (e element) chosen(given string) (o object, fault string) {
	all := []object{}
	for value := range strings.SplitSeq(given, ",") {
		if value == "" {
			continue
		}
		chosen := e.option(value)
		if chosen == nil {
			return nil, fmt.Sprintf("%s has no option %q", e.ActionID, value)
		}
		all = append(all, chosen.wire())
	}
	o = object{"type": e.Type, "selected_options": all}
	if len(all) > 0 {
		o["selected"] = given
	}
	return o, ""
}
