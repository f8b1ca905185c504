package message

import (
	"regexp"
	"strings"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/slack-go/slack"
)

// footer says what started the run, what people did, and for how long nobody hears of the template.
func footer(a Alert) (blocks []slack.Block) {
	if line := trigger(a); line != "" {
		blocks = append(blocks, context(line))
	}
	if a.Count < 2 {
		if line := made(a); line != "" {
			blocks = append(blocks, context(line))
		}
	}
	if lines := notes(a.Notes); lines != "" {
		blocks = append(blocks, context(lines))
	}
	if !a.Silenced.IsZero() {
		blocks = append(blocks, context(":no_bell: Alerts of "+Code(CutEscaped(subject(a.Newest), 200))+" are silent until "+date(a.Silenced)+"."))
	}
	return blocks
}

// made says which run has made the failure good.
func made(a Alert) string {
	if a.State != Closed || a.By == nil {
		return ""
	}
	run := shortAnchor(a.By.Link, CutEscaped(a.By.Run.String(), maxField))
	if a.By.Run == a.Newest.Run.ID() {
		return "Recovered: the same Workflow has succeeded, tried again" + after(a, ", ")
	}
	return "Recovered by " + run + after(a, ", ")
}

// after says how long after the first failure the run came that has made it good.
func after(a Alert, before string) string {
	first := a.First
	if first.IsZero() {
		first = a.Newest.Run.Finished
	}
	if a.By == nil || first.IsZero() || !a.By.At.After(first) {
		return ""
	}
	return before + Duration(a.By.At.Sub(first)) + " after the failure"
}

// trigger says in one line what started the run, and leads there and, below an author's own message, to the run.
func trigger(a Alert) string {
	n, origin := a.Newest, a.Newest.Run.Annotations
	if a.Count > 1 {
		return ""
	}
	var parts []string
	if (n.Text != "" || n.Options[bridge.OptionBlocks] != "") && n.Run.Name != "" {
		parts = append(parts, shortAnchor(n.Link, CutEscaped(workflow(n.Run), maxField)))
	}
	if line := started(n, origin); line != "" {
		parts = append(parts, line)
	}
	if actor := oneLine(origin[bridge.AnnotationActor]); actor != "" {
		parts = append(parts, "by "+Escape(CutEscaped(actor, 100)))
	}
	return strings.Join(parts, " · ")
}

func started(n bridge.Notification, origin map[string]string) string {
	title := shown(oneLine(origin[bridge.AnnotationEventTitle]), 200)
	address := origin[bridge.AnnotationEventURL]
	if title == "" {
		if address == "" {
			return ""
		}
		title = "event"
	}
	if n.Run.Name == "" {
		return "Event: " + shortAnchor(address, title)
	}
	return "Started by " + shortAnchor(address, title)
}

// notes are what people did, the newest as far as they fit.
func notes(all []string) string {
	text := ""
	for i := len(all) - 1; i >= 0; i-- {
		line := cutMarkup(all[i], 200)
		if len(text)+len(line) > maxNotes {
			return "…\n" + text
		}
		if text != "" {
			line += "\n"
		}
		text = line + text
	}
	return text
}

// mention is the markup by which somebody is called.
var mention = regexp.MustCompile(`^<(?:@[A-Z0-9]+|!subteam\^[A-Z0-9]+|!here|!channel|!everyone)>$`)

// mentions are who is called. What is no mention is shown as it is written.
func mentions(all []string) string {
	var called []string
	room := maxMentions
	for _, one := range all {
		if !mention.MatchString(one) {
			one = Escape(CutEscaped(oneLine(one), 100))
		}
		if room -= len(one) + 1; one == "" || room < 0 {
			continue
		}
		called = append(called, one)
	}
	return strings.Join(called, " ")
}

// own shows the author's message in as many sections as it needs, up to a bound.
func own(text string) (blocks []slack.Block) {
	text = hidden(text, maxOwnText*maxSection)
	for range maxOwnText {
		head, rest := split(text, maxSection-100, escapedWidth) // room for the links' brackets
		if rest != "" && len(blocks) == maxOwnText-1 {
			head, rest = CutEscaped(text, maxSection-100), ""
		}
		if links := linked(head); strings.TrimSpace(links) != "" {
			blocks = append(blocks, section(bounded(links, head)))
		}
		if text = rest; text == "" {
			break
		}
	}
	return blocks
}

// bounded is the text with links, or without them where they make it too long.
func bounded(linked, plain string) string {
	if _, rest := split(linked, maxSection, width); rest != "" {
		return Escape(plain)
	}
	return linked
}
