package message

import (
	"fmt"
	"strings"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/slack-go/slack"
)

// listed is how many failures of a group are listed, in maxList characters.
const (
	listed  = 8
	maxList = 2600
)

// groupHeadline says how many failed of what, and in what time.
func groupHeadline(a Alert) string {
	what := subject(a.Newest)
	if a.Templates > 1 {
		what = plural(a.Templates, "template")
	}
	text := plural(a.Count, "failure") + " of " + what
	if span := a.Last.Sub(a.First); !a.First.IsZero() && span > 0 {
		text += " in " + words(span)
	}
	if a.State == Closed {
		text += ", recovered"
	}
	return text
}

// lastOf says of what the last failure of a group was.
func lastOf(a Alert) string {
	switch {
	case a.Cause != "":
		return ", all for the same reason: " + a.Cause
	case len(a.Lines) == 0:
		return ""
	}
	l := a.Lines[0]
	return ", the last one " + l.Run.String() + within(" at ", l.Step) + within(": ", l.Message)
}

// group lists failures that were alike, or too many to be told one by one.
func group(a Alert) (blocks []slack.Block) {
	if a.Overflow {
		blocks = append(blocks, section("More failed than this channel can be told one by one: what was too much is counted and listed here."))
	}
	if a.Cause != "" {
		blocks = append(blocks, section("*All for the same reason*\n"+Fence(shown(a.Cause, maxMessage))))
	}
	if list := lines(a); list != "" {
		blocks = append(blocks, section(list))
	}
	if line := made(a); line != "" {
		blocks = append(blocks, context(line))
	}
	if !a.First.IsZero() && !a.Last.IsZero() {
		blocks = append(blocks, context("First "+date(a.First)+", last "+date(a.Last)))
	}
	return blocks
}

// lines are the last failures, one a line, and how many more there are.
func lines(a Alert) string {
	b, count := strings.Builder{}, 0
	for _, l := range a.Lines {
		line := "• " + line(a, l) + "\n"
		if count == listed || b.Len()+len(line) > maxList {
			break
		}
		b.WriteString(line)
		count++
	}
	if more := a.Count - count; more > 0 && count > 0 {
		fmt.Fprintf(&b, "and %d more", more)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// line is one failure: when, what, where, and why unless all of them have the same cause.
func line(a Alert, l Line) string {
	name := l.Run.Name
	if a.Templates > 1 || name == "" {
		name = l.Template.String() + within(": ", l.Run.Name)
	}
	text := shortAnchor(l.Link, CutEscaped(oneLine(name), 200))
	if !l.At.IsZero() {
		text = clock(l.At) + " " + text
	}
	if l.Step != "" {
		text += " at " + Code(CutEscaped(l.Step, 150))
	}
	if why := shown(oneLine(l.Message), 200); why != "" && a.Cause == "" {
		text += ": " + Escape(why)
	}
	return text
}

// LineOf is the line of a failed run.
func LineOf(n bridge.Notification) Line {
	l := Line{Template: n.Run.Template, Run: n.Run.ID(), Link: n.Link, Message: n.Run.Message, At: n.Run.Finished}
	if len(n.Run.Failures) > 0 {
		l.Step, l.Message = n.Run.Failures[0].Path, n.Run.Failures[0].Message
	}
	if n.Run.Name == "" {
		l.Message = n.Reason
	}
	if l.At.IsZero() {
		l.At = n.Created
	}
	return l
}
