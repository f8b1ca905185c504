package slack

import (
	"fmt"
	"slices"
	"strings"

	"github.com/argo-bridge/argo-bridge/adapters/slack/message"
	"github.com/argo-bridge/argo-bridge/bridge"
)

// describe says in Slack's markup what one command started, or why nothing was. Of templates that
// the channel has no access to it tells nothing.
func describe(r bridge.Record, command string, link func(string) string) string {
	var started, waiting, not []string
	for _, res := range r.Results {
		name := message.Code(res.Template)
		if res.Rule != "" && res.Rule != bridge.DefaultRule {
			name += " (rule " + message.Code(res.Rule) + ")"
		}
		switch {
		case res.Workflow != "":
			started = append(started, fmt.Sprintf(":rocket: %s started: %s", name, message.Anchor(link(res.Workflow), res.Workflow)))
		case res.Verdict == bridge.Waiting:
			waiting = append(waiting, fmt.Sprintf(":hourglass_flowing_sand: %s waits for its turn: %s", name, message.Escape(why(res))))
		case res.Verdict == bridge.OtherEvent, res.Reason == bridge.ReasonAccess:
		default:
			not = append(not, fmt.Sprintf("• %s: %s", name, message.Escape(why(res))))
		}
	}
	started = append(started, waiting...)
	switch {
	case len(started) > 0:
		return strings.Join(append(started, rejected(r)...), "\n")
	case len(not) > 0:
		return "Nothing was started by " + message.Code(command) + ":\n" + strings.Join(not, "\n")
	default:
		return "No template has a rule for " + message.Code(command) + " here."
	}
}

// rejected are the lines of the rules that should have started something beside the others.
func rejected(r bridge.Record) (lines []string) {
	for _, res := range r.Results {
		if res.Workflow == "" && res.Verdict == bridge.Rejected && res.Reason != bridge.ReasonAccess {
			lines = append(lines, fmt.Sprintf(":warning: %s: %s", message.Code(res.Template), message.Escape(why(res))))
		}
	}
	return lines
}

// ordered says in Slack's markup what became of an order to the bridge itself; false: the event was none.
func (h *Inbox) ordered(r bridge.Record, e bridge.Event) (text string, ordered bool) {
	i := slices.IndexFunc(r.Results, func(res bridge.Result) bool { return res.Template == bridge.OrderTemplate })
	if i < 0 {
		return "", false
	}
	order := r.Results[i]
	var lines []string
	for _, res := range r.Results {
		if res.Workflow != "" && res.Template != bridge.OrderTemplate {
			lines = append(lines, ":rocket: "+message.Code(res.Template)+" started: "+message.Anchor(h.link(res.Workflow), res.Workflow))
		}
	}
	switch said := message.Escape(message.Cut(order.Detail, 2000)); {
	case order.Verdict == bridge.Matched && len(lines) == 0:
		lines = append(lines, ":white_check_mark: "+said+h.about(e))
	case order.Verdict != bridge.Matched && strings.HasPrefix(order.Detail, order.Rule):
		lines = append(lines, ":no_entry: "+said)
	case order.Verdict != bridge.Matched:
		lines = append(lines, ":no_entry: "+message.Code(order.Rule)+": "+said)
	}
	return strings.Join(lines, "\n"), true
}

// about leads to the run that a command named, where it named its namespace.
func (h *Inbox) about(e bridge.Event) string {
	d, err := decode(e.Data)
	if err != nil || e.Type != typeCommand {
		return ""
	}
	o := ParseLine(d.text("text")).Order(d.text("command"))
	if o == nil || o.Run.Namespace == "" {
		return ""
	}
	link := h.link(o.Run.String())
	if link == "" {
		return ""
	}
	return ": " + message.Anchor(link, o.Run.String())
}

func why(res bridge.Result) string {
	if res.Detail != "" {
		return res.Detail
	}
	return string(res.Reason)
}
