package message

import (
	"slices"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/slack-go/slack"
)

// Message writes the message that an alert is in its channel: on top a headline and who is called, in the attachment
// whose colour tells how it stands what there is to know, what people did about it, and buttons. A request for approval
// has its form and buttons on top.
//
// The author's own text (Newest.Text) stands for the facts of the run. The author's own blocks (the option blocks of
// Newest, a JSON array of Block Kit) stand for them on top.
func Message(a Alert) Rendered {
	r := Rendered{Text: sentence(a), Color: colors[a.State]}
	r.Blocks = append(r.Blocks, header(emoji(a)+" "+headline(a)))
	if called := mentions(a.Mentions); called != "" {
		r.Blocks = append(r.Blocks, section(called))
	}
	if pause(a) != nil {
		r.Blocks = append(r.Blocks, approval(a.Newest)...)
	}
	foot, actions := footer(a), actions(a)
	taken := slices.Concat(r.Blocks, foot, actions)
	blocks, fault := authored(a.Newest.Options[bridge.OptionBlocks], maxBlocks-len(taken)-1, maxAll-weight(taken)-maxFault)
	if len(blocks) > 0 {
		r.Blocks = append(r.Blocks, blocks...)
	} else {
		r.Below = body(a)
	}
	r.Below = slices.Concat(r.Below, foot, faulty(a, fault), actions)
	return r
}

// faulty says what is wrong with the look that the template's author wants.
func faulty(a Alert, fault string) []slack.Block {
	if text := a.Newest.Options[bridge.OptionBlocksFault]; fault == "" && text != "" {
		fault = "The template's own blocks cannot be shown: " + Escape(shown(oneLine(text), maxFault-100))
	}
	if fault == "" {
		return nil
	}
	return []slack.Block{context(":warning: " + fault)}
}

// actions are the buttons of an alert, in a block.
func actions(a Alert) []slack.Block {
	all := buttons(a)
	if len(all) == 0 {
		return nil
	}
	return []slack.Block{slack.NewActionBlock("", all...)}
}

// colors tell how an alert stands. They are those of Slack's own palette.
var colors = map[State]string{
	Going: "#36c5f0", Waiting: "#ecb22e", Firing: "#e01e5a", Good: "#2eb67d", Closed: "#2eb67d", Ended: "#8d8d8d",
}

// body is what there is to know of the alert.
func body(a Alert) []slack.Block {
	switch n := a.Newest; {
	case a.Count > 1:
		return group(a)
	case n.Text != "":
		return own(n.Text)
	case n.Run.Name == "":
		return event(a)
	default:
		return run(a)
	}
}

// good says whether the run has ended well.
func good(n bridge.Notification) bool { return n.Run.Phase == "Succeeded" }

// failed says whether the run that the alert shows has failed, whatever became of that.
func failed(n bridge.Notification) bool {
	return n.Run.Completed() && !good(n) && !n.Run.Stopped()
}
