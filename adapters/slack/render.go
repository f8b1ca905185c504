package slack

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/slack-go/slack"
)

// Bounds of one message's parts. Slack's own are 150 characters for a header, 3000 for a section,
// 2000 for a field, and some 9600 for all blocks together, which no page of Slack's says:
// https://docs.slack.dev/reference/block-kit/blocks, https://github.com/slackapi/bolt-js/issues/2867
const (
	maxHeader     = 150
	maxSection    = 2900
	maxField      = 500
	maxMessage    = 1500 // of a failed step
	maxParameters = 1800
	maxParameter  = 300
	maxContext    = 700
	maxSummary    = 1000
	maxOwnText    = 3 // sections
	maxSteps      = 3
)

// Render writes a notification in Block Kit, with a sentence for where blocks are not shown (the
// notification of a phone, a screen reader). All text that comes from runs, events and annotations
// is escaped: nothing in it can mention anybody or hide where a link leads. A message of the
// template's author keeps *bold*, `code` and :emoji:, and its bare addresses become links.
func Render(n bridge.Notification) (text string, blocks []slack.Block) {
	blocks = append(blocks, slack.NewHeaderBlock(&slack.TextBlockObject{
		Type: slack.PlainTextType, Text: cut(emoji(n)+" "+headline(n), maxHeader), Emoji: new(true),
	}))
	switch {
	case n.Text != "":
		blocks = append(blocks, own(n.Text)...)
	case n.Outcome == bridge.EventRejected:
		blocks = append(blocks, section("*Nothing was started*\n"+fence(cutEscaped(cmp.Or(n.Reason, "no reason is known"), maxMessage))))
	default:
		blocks = append(blocks, status(n))
		blocks = append(blocks, steps(n)...)
		blocks = append(blocks, parameters(n.Run.Parameters)...)
	}
	if line := trigger(n); line != "" {
		blocks = append(blocks, slack.NewContextBlock("", mrkdwn(line)))
	}
	return sentence(n), blocks
}

// good says whether the run ended well.
func good(n bridge.Notification) bool { return n.Run.Phase == "Succeeded" }

func emoji(n bridge.Notification) string {
	switch n.Outcome {
	case bridge.Started:
		return ":arrow_forward:"
	case bridge.Recovered:
		return ":large_green_circle:"
	case bridge.EventRejected:
		return ":no_entry:"
	case bridge.Failed:
		return ":x:"
	}
	if n.Outcome == bridge.Succeeded || good(n) {
		return ":white_check_mark:"
	}
	return ":x:"
}

// verb is what the run did, for a headline and a sentence.
func verb(n bridge.Notification) string {
	switch n.Outcome {
	case bridge.EventRejected:
		return "rejected an event"
	case bridge.Completed:
		if good(n) {
			return "succeeded"
		}
		return "failed"
	default:
		return string(n.Outcome)
	}
}

func headline(n bridge.Notification) string {
	what := n.Run.Template.String()
	if what == "" {
		what = workflow(n.Run)
	}
	return strings.TrimSpace(oneLine(what + " " + verb(n)))
}

func workflow(r bridge.Run) string {
	if r.Name == "" {
		return ""
	}
	return r.Namespace + "/" + r.Name
}

func status(n bridge.Notification) slack.Block {
	r := n.Run
	var fields []*slack.TextBlockObject
	field := func(name, value string) {
		if value != "" {
			fields = append(fields, mrkdwn("*"+name+"*\n"+value))
		}
	}
	field("Workflow", anchor(n.Link, cutEscaped(workflow(r), maxField)))
	field("Status", escape(cutEscaped(r.Phase, maxField)))
	if d := r.Duration(); d > 0 {
		field("Duration", d.Round(time.Second).String())
	}
	if r.Rule != "" && r.Rule != bridge.DefaultRule {
		field("Rule", escape(cutEscaped(r.Rule, maxField)))
	}
	if len(fields) == 0 {
		return section(escape(headline(n)))
	}
	return slack.NewSectionBlock(nil, fields, nil)
}

// steps shows the steps that failed, or the run's own message when no step did.
func steps(n bridge.Notification) (blocks []slack.Block) {
	if n.Outcome != bridge.Failed && (n.Outcome != bridge.Completed || good(n)) {
		return nil
	}
	failures := n.Run.Failures
	if len(failures) == 0 && n.Run.Message != "" {
		return []slack.Block{section(fence(cutEscaped(n.Run.Message, maxMessage)))}
	}
	// Together they have the room of one long message.
	room := maxMessage / max(1, min(len(failures), maxSteps))
	for i, f := range failures {
		if i == maxSteps {
			blocks = append(blocks, slack.NewContextBlock("", mrkdwn(fmt.Sprintf("and %d more failed steps", len(failures)-maxSteps))))
			break
		}
		line := "*Failed step* " + code(cutEscaped(cmp.Or(f.Path, f.Template), 300))
		if f.ExitCode != "" {
			line += " (exit code " + escape(cutEscaped(f.ExitCode, 20)) + ")"
		}
		if text := f.Text(); text != "" {
			line += "\n" + fence(cutEscaped(text, room))
		}
		blocks = append(blocks, section(line))
	}
	return blocks
}

func parameters(all []bridge.Parameter) []slack.Block {
	if len(all) == 0 {
		return nil
	}
	b := strings.Builder{}
	b.WriteString("*Parameters*")
	for i, p := range all {
		line := "\n• " + code(cutEscaped(p.Name, 100)) + " " + code(cutEscaped(p.Value, maxParameter))
		if b.Len()+len(line) > maxParameters {
			fmt.Fprintf(&b, "\nand %d more", len(all)-i)
			break
		}
		b.WriteString(line)
	}
	return []slack.Block{section(b.String())}
}

// own shows the author's message in as many sections as it needs, up to a bound.
func own(text string) (blocks []slack.Block) {
	for range maxOwnText {
		head, rest := split(text, maxSection-100, escapedWidth) // room for the links' brackets
		if rest != "" && len(blocks) == maxOwnText-1 {
			head, rest = cutEscaped(text, maxSection-100), ""
		}
		if shown := linked(head); strings.TrimSpace(shown) != "" {
			blocks = append(blocks, section(bounded(shown, head)))
		}
		if text = rest; text == "" {
			break
		}
	}
	return blocks
}

// bounded is the text with links, or without them where they make it too long.
func bounded(shown, plain string) string {
	if _, rest := split(shown, maxSection, width); rest != "" {
		return escape(plain)
	}
	return shown
}

// trigger says in one line what started the run, and leads there and, below an author's own
// message, to the run.
func trigger(n bridge.Notification) string {
	a := n.Run.Annotations
	var parts []string
	if n.Text != "" && n.Run.Name != "" {
		parts = append(parts, anchor(n.Link, cutEscaped(workflow(n.Run), 300)))
	}
	title := cutEscaped(oneLine(a[bridge.AnnotationEventTitle]), 200)
	if title == "" && a[bridge.AnnotationEventURL] != "" {
		title = "event"
	}
	if title != "" {
		parts = append(parts, "Started by "+anchorWithin(a[bridge.AnnotationEventURL], title))
		if n.Outcome == bridge.EventRejected {
			parts[len(parts)-1] = "Event: " + anchorWithin(a[bridge.AnnotationEventURL], title)
		}
	}
	if actor := a[bridge.AnnotationActor]; actor != "" {
		parts = append(parts, "by "+escape(cutEscaped(oneLine(actor), 100)))
	}
	return strings.Join(parts, " · ")
}

// anchorWithin leaves out a link that takes more room than a line of context has.
func anchorWithin(address, text string) string {
	if len(address) > maxContext {
		return escape(text)
	}
	return anchor(address, text)
}

// sentence is the message for where no blocks are shown.
func sentence(n bridge.Notification) string {
	r := n.Run
	if n.Text != "" {
		return escape(cutEscaped(oneLine(headline(n)+": "+n.Text), maxSummary))
	}
	var s string
	switch n.Outcome {
	case bridge.EventRejected:
		s = fmt.Sprintf("%s rejected an event: %s", r.Template, cmp.Or(n.Reason, "no reason is known"))
	case bridge.Started:
		s = fmt.Sprintf("Workflow %s of %s started.", workflow(r), r.Template)
	default:
		s = fmt.Sprintf("Workflow %s of %s %s", workflow(r), r.Template, verb(n))
		if d := r.Duration(); d > 0 {
			s += " after " + d.Round(time.Second).String()
		}
		switch {
		case len(r.Failures) > 0 && !good(n):
			s += fmt.Sprintf(": step %s: %s", r.Failures[0].Path, r.Failures[0].Text())
		case r.Message != "" && !good(n):
			s += ": " + r.Message
		default:
			s += "."
		}
	}
	return escape(cutEscaped(oneLine(s), maxSummary))
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

func section(text string) slack.Block { return slack.NewSectionBlock(mrkdwn(text), nil, nil) }

// mrkdwn is verbatim, so that Slack looks for no names of channels and users in it.
func mrkdwn(text string) *slack.TextBlockObject {
	return &slack.TextBlockObject{Type: slack.MarkdownType, Text: text, Verbatim: true}
}
