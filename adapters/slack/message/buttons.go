package message

import (
	"net/url"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/slack-go/slack"
)

// silenceFor is how long the button silences a template.
const silenceFor = "1h"

// open is the action of the button that leads to the Argo UI; it asks for nothing, but Slack sends it all the same.
const open = ActionPrefix + "open"

// buttons are what can be done about an alert as it stands.
func buttons(a Alert) (all []slack.BlockElement) {
	n := a.Newest
	run := Value{Run: n.Run.ID()}
	single := a.Count < 2 && n.Run.Name != ""
	switch {
	case a.State == Firing && single:
		all = add(all, button(bridge.Retry, "Retry", run), slack.StylePrimary)
		all = add(all, button(bridge.Resubmit, "Resubmit", run), "")
	case a.State == Going && single:
		stop := button(bridge.Stop, "Stop", run)
		if stop != nil {
			stop.Confirm = confirm("Stop it?", "The Workflow ends at once; its exit handlers run.", "Stop")
		}
		all = add(all, stop, slack.StyleDanger)
	}
	if a.State == Firing && a.Silenced.IsZero() && a.Templates < 2 && n.Run.Template.Name != "" {
		all = add(all, button(bridge.Mute, "Silence 1 h", Value{Template: n.Run.Template.String(), For: silenceFor}), "")
	}
	if address := webAddress(n.Link); address != "" {
		b := slack.NewButtonBlockElement(open, "", plain("Open in Argo"))
		b.URL = address
		all = append(all, b)
	}
	return all
}

// button is nil where the value is too long for one.
func button(act bridge.Act, text string, v Value) *slack.ButtonBlockElement {
	value := v.String()
	if value == "" {
		return nil
	}
	return slack.NewButtonBlockElement(ActionPrefix+string(act), value, plain(text))
}

func add(all []slack.BlockElement, b *slack.ButtonBlockElement, style slack.Style) []slack.BlockElement {
	if b == nil {
		return all
	}
	b.Style = style
	return append(all, b)
}

func confirm(title, text, yes string) *slack.ConfirmationBlockObject {
	return slack.NewConfirmationBlockObject(plain(title), plain(text), plain(yes), plain("Leave it")).WithStyle(slack.StyleDanger)
}

// webAddress is an address that a button may lead to; Slack takes 3000 characters.
func webAddress(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") || len(u.String()) > 3000 {
		return ""
	}
	return u.String()
}
