package message

import (
	"fmt"
	"slices"
	"strings"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/slack-go/slack"
)

// Bounds of a form: https://docs.slack.dev/reference/block-kit/block-elements/select-menu-element and plain-text-input.
const (
	maxInputs      = 15
	maxForm        = 4000 // characters of all labels, hints and choices
	maxBlockID     = 255
	maxLabel       = 100
	maxHint        = 200
	maxChoices     = 100
	maxChoice      = 75
	maxChoiceValue = 150
	maxInitial     = 3000
)

// pause is the suspended step that the alert is about, also when that is decided.
func pause(a Alert) *bridge.Pause {
	if a.Count > 1 || a.State != Waiting && (a.State != Ended || a.Newest.Outcome != bridge.Suspended) {
		return nil
	}
	return a.Newest.Pause
}

// approval asks whoever may for a decision on a suspended step, or says how it was decided.
func approval(n bridge.Notification) []slack.Block {
	p := *n.Pause
	text := "*Step* " + Code(CutEscaped(p.Path, maxField))
	if !p.Open() {
		return []slack.Block{section(text + "\n" + decided(p))}
	}
	text += within("\n", Escape(shown(p.Message, maxField)))
	if !p.Started.IsZero() {
		text += "\nWaiting since " + date(p.Started)
	}
	blocks := []slack.Block{section(text)}
	inputs, left := form(p.Inputs)
	blocks = append(blocks, inputs...)
	if left > 0 {
		blocks = append(blocks, context(fmt.Sprintf(":warning: %s more than a message has room for: let it go on in the Argo UI.", plural(left, "input"))))
	}
	if buttons := decisions(n, left == 0); len(buttons) > 0 {
		blocks = append(blocks, slack.NewActionBlock("", buttons...))
	}
	return blocks
}

// verdicts are the emoji and the word for how a step that waits no more was decided, by its phase.
var verdicts = map[string]struct{ emoji, says string }{
	"Succeeded": {":white_check_mark:", "was approved"}, "Failed": {":no_entry:", "was rejected"}, "Error": {":no_entry:", "was rejected"},
	"Skipped": {":fast_forward:", "was skipped"},
}

func decision(p bridge.Pause) (emoji, word string) {
	v, ok := verdicts[p.Phase]
	if !ok {
		return ":information_source:", "waits no more"
	}
	return v.emoji, v.says
}

// decided says how a step that waits no more was decided, and by whom, which is the step's own message.
func decided(p bridge.Pause) string {
	_, word := decision(p)
	text := Escape(shown(p.Message, maxField))
	if strings.Contains(strings.ToLower(text), word[strings.LastIndexByte(word, ' ')+1:]) {
		return text // it says so itself
	}
	return "It " + word + within(": ", text)
}

// decisions are the buttons; without an input that the message has no room for nothing can be approved.
func decisions(n bridge.Notification, whole bool) (all []slack.BlockElement) {
	v := Value{Run: n.Run.ID(), Node: n.Pause.Node}
	if whole {
		all = add(all, button(bridge.Resume, "Approve", v), slack.StylePrimary)
	}
	reject := button(bridge.Reject, "Reject", v)
	if reject != nil {
		reject.Confirm = confirm("Reject it?", "The step fails, and with it the Workflow unless it goes on regardless.", "Reject")
	}
	return add(all, reject, slack.StyleDanger)
}

// form has one input for each parameter that is to be supplied; left is how many there is no room for.
func form(inputs []bridge.Declared) (blocks []slack.Block, left int) {
	room, seen := maxForm, map[string]bool{}
	for _, d := range inputs {
		if seen[d.Name] {
			continue
		}
		seen[d.Name] = true
		b := input(d)
		size := weight([]slack.Block{b})
		if d.Name == "" || len(InputPrefix+d.Name) > maxBlockID || len(blocks) == maxInputs || size > room {
			left++
			continue
		}
		room -= size
		blocks = append(blocks, b)
	}
	return blocks, left
}

// input asks for one parameter: by a choice where the declaration names the values, and else by a line of text. One that
// has a default may be left as it is.
func input(d bridge.Declared) slack.Block {
	var element slack.BlockElement = textInput(d)
	hint := d.Description
	if len(d.Enum) > 0 {
		if choice := choices(d); choice != nil {
			element = choice
		} else {
			hint = strings.TrimSpace(hint + " One of: " + strings.Join(d.Enum, ", "))
		}
	}
	b := slack.NewInputBlock(InputPrefix+d.Name, plain(Cut(d.Name, maxLabel)), nil, element)
	if hint = oneLine(hint); hint != "" {
		b.Hint = plain(Cut(hint, maxHint))
	}
	return b.WithOptional(d.Default != nil)
}

// textInput is an input of text. A default that is too long for it is not shown: what is left empty is not supplied.
func textInput(d bridge.Declared) *slack.PlainTextInputBlockElement {
	e := slack.NewPlainTextInputBlockElement(nil, InputAction)
	if d.Default != nil && Cut(*d.Default, maxInitial) == *d.Default {
		e.InitialValue = *d.Default
	}
	return e
}

// choices is an input of one of the values; nil where there are more or longer ones than it can have.
func choices(d bridge.Declared) *slack.SelectBlockElement {
	if len(d.Enum) > maxChoices {
		return nil
	}
	e := slack.NewOptionsSelectBlockElement(slack.OptTypeStatic, nil, InputAction)
	for i, value := range d.Enum {
		if strings.TrimSpace(value) == "" || Cut(value, maxChoiceValue) != value || slices.Contains(d.Enum[:i], value) {
			return nil
		}
		option := slack.NewOptionBlockObject(value, plain(Cut(value, maxChoice)), nil)
		e.Options = append(e.Options, option)
		if d.Default != nil && *d.Default == value {
			e.InitialOption = option
		}
	}
	if weight([]slack.Block{slack.NewInputBlock("", nil, nil, e)}) > maxForm/2 {
		return nil
	}
	return e
}
