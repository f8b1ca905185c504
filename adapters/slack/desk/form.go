package desk

import (
	"slices"
	"strings"

	own "github.com/argo-bridge/argo-bridge/adapters/slack"
	"github.com/argo-bridge/argo-bridge/adapters/slack/message"
	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/mask"
	"github.com/slack-go/slack"
)

// Limits of a form: https://docs.slack.dev/reference/views/modal-views,
// https://docs.slack.dev/reference/block-kit/blocks/input-block and
// https://docs.slack.dev/reference/block-kit/block-elements/select-menu-element.
const (
	maxTitle    = 24
	maxBlocks   = 100
	maxBlockID  = 255
	maxMetadata = 3000
	maxLabel    = 200 // of 2000: more is not read
	maxHint     = 500 // of 2000
	maxIntro    = 2000
	maxInitial  = 3000
	maxChoices  = 100
	maxChoice   = 75
	maxValue    = 150
	// maxWeight bounds the bytes of the whole form: JSON makes up to six of one, and Slack takes 250 kB.
	maxWeight = 38_000
	// longLine is from how many characters on a value gets more than one line.
	longLine = 80
)

// form is the form of a template, made from the parameters that it declares and filled in with what was written. fits is
// false where the parameters are more, or longer, than it can hold. Of those with a default it leaves out what is too much.
func form(t Template, given []bridge.Parameter, f own.Form) (view slack.ModalViewRequest, fits bool) {
	metadata := f.String()
	if len(metadata) > maxMetadata {
		f.ResponseURL = ""
		metadata = f.String()
	}
	blocks, fits := fields(t, given)
	view = slack.ModalViewRequest{
		Type: slack.VTModal, CallbackID: own.FormID, PrivateMetadata: metadata,
		Title: plain(message.Cut("Run "+t.Ref.Name, maxTitle)), Submit: plain("Run"), Close: plain("Cancel"),
		Blocks: slack.Blocks{BlockSet: append([]slack.Block{intro(t)}, blocks...)},
	}
	return view, fits && len(metadata) <= maxMetadata
}

func intro(t Template) slack.Block {
	text := "*" + message.Escape(message.CutEscaped(t.Ref.String(), maxIntro/2)) + "*"
	if t.Description != "" {
		text += "\n" + message.Escape(message.CutEscaped(t.Description, maxIntro))
	}
	return slack.NewSectionBlock(slack.NewTextBlockObject(slack.MarkdownType, text, false, false), nil, nil)
}

// fields are the inputs, in the order of the template; where there is no room for all, those that have to be filled in or
// were written go before the others.
func fields(t Template, given []bridge.Parameter) (blocks []slack.Block, fits bool) {
	kept, weight := map[string]bool{}, 0
	for _, must := range []bool{true, false} {
		for _, d := range t.Declared {
			value, written := valueOf(d.Name, given)
			if kept[d.Name] || must != (d.Default == nil || written) {
				continue
			}
			w := heft(d, value)
			room := len(kept) < maxBlocks-1 && weight+w <= maxWeight && d.Name != "" && len(message.InputPrefix+d.Name) <= maxBlockID &&
				message.Cut(value, maxInitial) == value
			if !room && must {
				return nil, false
			}
			if room {
				kept[d.Name], weight = true, weight+w
			}
		}
	}
	for _, d := range t.Declared {
		if kept[d.Name] {
			value, written := valueOf(d.Name, given)
			blocks = append(blocks, field(d, value, written))
			kept[d.Name] = false
		}
	}
	return blocks, true
}

func valueOf(name string, given []bridge.Parameter) (value string, written bool) {
	i := slices.IndexFunc(given, func(p bridge.Parameter) bool { return p.Name == name })
	if i < 0 {
		return "", false
	}
	return given[i].Value, true
}

// heft is how many characters a field takes, at most.
func heft(d bridge.Declared, value string) int {
	w := 200 + 2*len(d.Name) + min(len(d.Description), 4*maxHint) + len(value)
	if d.Default != nil {
		w += min(len(*d.Default), 4*maxInitial)
	}
	if choosable(d.Enum) {
		for _, e := range d.Enum {
			w += 60 + 2*len(e)
		}
	}
	return w
}

// field asks for one parameter. What has a default may be left empty: then the default holds.
func field(d bridge.Declared, value string, written bool) slack.Block {
	hint := strings.Join(strings.Fields(d.Description), " ")
	var element slack.BlockElement
	switch preset, shown := initial(d, value, written); {
	case choosable(d.Enum):
		element = choice(d.Enum, preset)
	default:
		if len(d.Enum) > 0 {
			hint = strings.TrimSpace(hint + " One of: " + listed(d.Enum))
		}
		if !shown {
			hint = strings.TrimSpace(hint + " Left empty, the template's default holds.")
		}
		input := slack.NewPlainTextInputBlockElement(nil, message.InputAction)
		input.InitialValue, input.Multiline = preset, long(d, preset)
		element = input
	}
	b := slack.NewInputBlock(message.InputPrefix+d.Name, plain(message.Cut(d.Name, maxLabel)), nil, element)
	if hint != "" {
		b.Hint = plain(message.Cut(hint, maxHint))
	}
	return b.WithOptional(d.Default != nil)
}

// initial is what stands in a field at first; shown is false for a default that does not stand there, since it is too long
// or, by its name, a secret.
func initial(d bridge.Declared, value string, written bool) (preset string, shown bool) {
	if written || d.Default == nil {
		return value, true
	}
	if mask.Named(d.Name) || message.Cut(*d.Default, maxInitial) != *d.Default {
		return "", *d.Default == ""
	}
	return *d.Default, true
}

// long says whether a value wants more than one line.
func long(d bridge.Declared, preset string) bool {
	text := strings.TrimSpace(preset)
	if d.Default != nil && text == "" {
		text = strings.TrimSpace(*d.Default)
	}
	return len(text) > longLine || strings.ContainsAny(text, "\n") || strings.HasPrefix(text, "{") || strings.HasPrefix(text, "[")
}

// choosable says whether a choice can have the values.
func choosable(enum []string) bool {
	for i, value := range enum {
		if strings.TrimSpace(value) == "" || message.Cut(value, maxValue) != value || slices.Contains(enum[:i], value) || i == maxChoices {
			return false
		}
	}
	return len(enum) > 0
}

func choice(enum []string, preset string) slack.BlockElement {
	e := slack.NewOptionsSelectBlockElement(slack.OptTypeStatic, nil, message.InputAction)
	for _, value := range enum {
		option := slack.NewOptionBlockObject(value, plain(message.Cut(value, maxChoice)), nil)
		e.Options = append(e.Options, option)
		if value == preset {
			e.InitialOption = option
		}
	}
	return e
}

func plain(text string) *slack.TextBlockObject {
	return slack.NewTextBlockObject(slack.PlainTextType, text, false, false)
}
