package slacktest

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
)

// Limits of elements and texts: https://docs.slack.dev/reference/block-kit/block-elements and
// https://docs.slack.dev/reference/block-kit/composition-objects
const (
	maxButton      = 75
	maxValue       = 2000
	maxOptions     = 100
	maxOption      = 75
	maxOptionValue = 150
	maxOverflow    = 5
	maxChoices     = 10 // of checkboxes and radio buttons
	maxPlaceholder = 150
	maxInput       = 3000
)

// A text is a composition object of that name.
type text struct {
	Type string `json:"type"`
	Text string `json:"text"`
}

// any checks a text of either type, and counts it.
func (t text) any(longest int, total *int) error {
	*total += length(t.Text)
	switch {
	case t.Type != "mrkdwn" && t.Type != "plain_text":
		return fmt.Errorf("%q is no type of a text", t.Type)
	case t.Text == "":
		return errors.New("must be more than 0 characters")
	case length(t.Text) > longest:
		return fmt.Errorf("must be less than %d characters", longest+1)
	}
	return nil
}

// plain checks a text that must be there and must be plain_text.
func (t *text) plain(longest int, total *int) error {
	if t == nil || t.Type != "plain_text" {
		return errors.New("must be a plain_text")
	}
	return t.any(longest, total)
}

type option struct {
	Text        *text  `json:"text"`
	Value       string `json:"value"`
	Description *text  `json:"description"`
	URL         string `json:"url"`
}

// An element is what people press, choose from or fill in.
type element struct {
	Type          string   `json:"type"`
	ActionID      string   `json:"action_id"`
	Text          *text    `json:"text"`
	Value         string   `json:"value"`
	URL           string   `json:"url"`
	Style         string   `json:"style"`
	Label         string   `json:"accessibility_label"`
	Placeholder   *text    `json:"placeholder"`
	Options       []option `json:"options"`
	OptionGroups  []group  `json:"option_groups"`
	InitialOption *option  `json:"initial_option"`
	InitialValue  string   `json:"initial_value"`
	MaxLength     int      `json:"max_length"`
	MinLength     int      `json:"min_length"`
	ImageURL      string   `json:"image_url"`
	AltText       string   `json:"alt_text"`
	Confirm       *confirm `json:"confirm"`
}

type group struct {
	Label   *text    `json:"label"`
	Options []option `json:"options"`
}

type confirm struct {
	Title, Text, Confirm, Deny *text
	Style                      string
}

// input says whether the element stands in input blocks alone.
func (e element) input() bool {
	return slices.Contains([]string{"plain_text_input", "number_input", "email_text_input", "url_text_input"}, e.Type)
}

func (e element) check(total *int) error {
	if length(e.ActionID) > maxID {
		return fmt.Errorf("action_id is longer than %d", maxID)
	}
	if e.Placeholder != nil {
		if err := e.Placeholder.plain(maxPlaceholder, total); err != nil {
			return fmt.Errorf("placeholder: %w", err)
		}
	}
	if err := e.Confirm.check(total); err != nil {
		return fmt.Errorf("confirm: %w", err)
	}
	switch e.Type {
	case "button":
		return e.button(total)
	case "image":
		return checkImage(e.ImageURL, e.AltText, false)
	case "static_select", "multi_static_select":
		return e.choice(maxOptions, total)
	case "overflow":
		return e.choice(maxOverflow, total)
	case "checkboxes", "radio_buttons":
		return e.choice(maxChoices, total)
	case "plain_text_input", "email_text_input", "url_text_input", "number_input":
		return e.written()
	case "users_select", "conversations_select", "channels_select", "multi_users_select", "multi_conversations_select",
		"multi_channels_select", "external_select", "datepicker", "timepicker", "datetimepicker":
		return nil
	}
	return fmt.Errorf("unsupported element: %q", e.Type)
}

func (e element) button(total *int) error {
	switch {
	case length(e.Value) > maxValue:
		return fmt.Errorf("value is longer than %d", maxValue)
	case length(e.URL) > maxURL:
		return fmt.Errorf("url is longer than %d", maxURL)
	case length(e.Label) > maxButton:
		return fmt.Errorf("accessibility_label is longer than %d", maxButton)
	case e.Style != "" && e.Style != "primary" && e.Style != "danger":
		return fmt.Errorf("%q is no style", e.Style)
	}
	return e.Text.plain(maxButton, total)
}

// choice checks the options of a menu, and that the one that is chosen at first is among them.
func (e element) choice(most int, total *int) error {
	all := slices.Clone(e.Options)
	if len(e.OptionGroups) > maxOptions || len(e.OptionGroups) > 0 && len(e.Options) > 0 {
		return fmt.Errorf("either options, or no more than %d option_groups", maxOptions)
	}
	for _, g := range e.OptionGroups {
		if err := g.Label.plain(maxOption, total); err != nil {
			return err
		}
		all = append(all, g.Options...)
	}
	if len(all) == 0 || len(e.Options) > most {
		return fmt.Errorf("%s has 1 to %d options", e.Type, most)
	}
	for _, o := range all {
		if err := o.check(e.Type, total); err != nil {
			return fmt.Errorf("option: %w", err)
		}
	}
	if e.InitialOption != nil && !slices.ContainsFunc(all, func(o option) bool { return reflect.DeepEqual(o, *e.InitialOption) }) {
		return errors.New("initial_option is none of the options")
	}
	return nil
}

func (o option) check(in string, total *int) error {
	switch {
	case length(o.Value) > maxOptionValue || o.Value == "":
		return fmt.Errorf("value has 1 to %d characters", maxOptionValue)
	case length(o.URL) > maxURL || o.URL != "" && in != "overflow":
		return fmt.Errorf("url has up to %d characters, in an overflow", maxURL)
	case o.Text == nil:
		return errors.New("has no text")
	}
	if o.Description != nil {
		if err := o.Description.any(maxOption, total); err != nil {
			return err
		}
	}
	if in == "checkboxes" || in == "radio_buttons" {
		return o.Text.any(maxOption, total)
	}
	return o.Text.plain(maxOption, total)
}

func (e element) written() error {
	switch {
	case e.MaxLength < 0 || e.MaxLength > maxInput || e.MinLength < 0 || e.MinLength > maxInput:
		return fmt.Errorf("min_length and max_length are at most %d", maxInput)
	case e.MaxLength > 0 && length(e.InitialValue) > e.MaxLength, length(e.InitialValue) > maxInput:
		return errors.New("initial_value is longer than max_length")
	}
	return nil
}

func (c *confirm) check(total *int) error {
	if c == nil {
		return nil
	}
	if err := c.Title.plain(100, total); err != nil {
		return err
	}
	if c.Text == nil {
		return errors.New("has no text")
	}
	return errors.Join(c.Text.any(300, total), c.Confirm.plain(30, total), c.Deny.plain(30, total))
}
