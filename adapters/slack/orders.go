package slack

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/argo-bridge/argo-bridge/adapters/slack/message"
	"github.com/argo-bridge/argo-bridge/bridge"
)

// FormID is the callback_id of the form by which a template is run; its inputs are named as those of a request for
// approval are, see [message.InputPrefix].
const FormID = message.ActionPrefix + string(bridge.Start)

// A Form is what the form carries as its private_metadata: the template that it is for, and where the command was that
// has opened it.
type Form struct {
	Template string `json:"template"` // as bridge.Template writes it
	Channel  string `json:"channel"`
	// ChannelName is the channel's name without #, where it has one.
	ChannelName string `json:"channelName,omitempty"`
	// ResponseURL is the command's, and At when it was given, in Unix seconds.
	ResponseURL string `json:"responseURL,omitempty"`
	At          int64  `json:"at,omitempty"`
	// Command is the bridge's own slash command, as it was typed.
	Command string `json:"command,omitempty"`
}

// String is the form as private_metadata.
func (f Form) String() string {
	data, _ := json.Marshal(f) // texts alone: cannot fail
	return string(data)
}

// order is what the event asks of the bridge itself.
func (x FactFinder) order(h *happening, d document) *bridge.Order {
	switch typePrefix + h.kind {
	case typeCommand:
		command := x.Command
		if command == "" {
			command = DefaultCommand
		}
		if h.command == command {
			return ParseLine(h.text).Order(command)
		}
	case typeAction:
		return pressed(d)
	case typeView:
		if h.callbackID == FormID {
			return h.filled(d)
		}
	}
	return nil
}

// words are the acts that have buttons, as the buttons are called.
var words = map[bridge.Act]string{
	bridge.Retry: "Retry", bridge.Resubmit: "Resubmit", bridge.Stop: "Stop", bridge.Resume: "Approve", bridge.Reject: "Reject",
	bridge.Mute: "Silence", bridge.Unmute: "Unsilence",
}

// pressed is the order of the bridge's button that was pressed; nil for any other.
func pressed(d document) *bridge.Order {
	for _, action := range d.all("actions") {
		act, ours := strings.CutPrefix(action.text("action_id"), message.ActionPrefix)
		word, known := words[bridge.Act(act)]
		if !ours || !known {
			continue
		}
		o := &bridge.Order{Act: bridge.Act(act), Word: word}
		value, ok := message.ParseValue(action.text("value"))
		if fault := carry(o, value, d); !ok || fault != "" {
			o.Fault = "the button says not what it is for" + fault + ": write the command instead"
		}
		return o
	}
	return nil
}

var nodeID = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`)

// carry gives the order what the button carries, and says what of it is wrong.
func carry(o *bridge.Order, v message.Value, d document) (fault string) {
	switch o.Act {
	case bridge.Mute, bridge.Unmute:
		t, ok := ParseName(v.Template)
		if !ok {
			return ": it names no template"
		}
		o.Template, o.For = t.String(), DefaultSilence
		if lasts, ok := ParseLasting(v.For); ok {
			o.For = lasts
			return lastsTooLong(lasts)
		}
		return ""
	case bridge.Resume, bridge.Reject:
		if v.Node == "" || len(v.Node) > maxName || !nodeID.MatchString(v.Node) {
			return ": it names no step"
		}
		o.Node = v.Node
		if o.Act == bridge.Resume {
			o.Parameters = inputs(d, "state")
		}
	}
	t, ok := ParseName(v.Run.String())
	if !ok || t.Cluster() || len(v.Run.UID) > maxName {
		return ": it names no run"
	}
	o.Run = bridge.RunID{Namespace: t.Namespace, Name: t.Name, UID: v.Run.UID}
	return ""
}

// filled is the order of a form that was submitted. Where the form is from is where the order was given.
func (h *happening) filled(d document) *bridge.Order {
	o := &bridge.Order{Act: bridge.Start, Word: DefaultCommand + " run"}
	form, read := formOf(d)
	if form.Command != "" {
		o.Word = form.Command + " run"
	}
	t, ok := ParseName(form.Template)
	if !read || !ok || form.Channel == "" {
		o.Fault = "the form says not what it is for: write the command again"
		return o
	}
	h.channel, h.channelName, h.responseURL = form.Channel, form.ChannelName, form.ResponseURL
	view, _ := d["view"].(map[string]any)
	o.Template, o.Parameters, o.Word = t.String(), inputs(view, "state"), o.Word+" "+t.String()
	return o
}

// inputs are the values of the bridge's inputs in the state of a message or view, by name. What was left empty is not
// there: https://docs.slack.dev/reference/views/modal-views#view-submission
func inputs(d document, state string) (parameters []bridge.Parameter) {
	s, _ := d[state].(map[string]any)
	values, _ := s["values"].(map[string]any)
	for _, block := range slices.Sorted(maps.Keys(values)) {
		name, ours := strings.CutPrefix(block, message.InputPrefix)
		actions, _ := values[block].(map[string]any)
		input, is := actions[message.InputAction].(map[string]any)
		if !ours || !is || name == "" || len(parameters) == MaxArguments {
			continue
		}
		value, given := input["value"].(string)
		if chosen, is := input["selected_option"].(map[string]any); is {
			value, given = chosen["value"].(string)
		}
		if given {
			parameters = append(parameters, bridge.Parameter{Name: name, Value: value})
		}
	}
	return parameters
}
