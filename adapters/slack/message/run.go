package message

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/mask"
	"github.com/slack-go/slack"
)

// logLines are the lines of a failed step's log in the channel; all that are known stand in the thread.
const logLines = 5

// run shows how a run stands: where it is, what failed of it, and what it was given.
func run(a Alert) (blocks []slack.Block) {
	n := a.Newest
	blocks = append(blocks, facts(a))
	if a.State == Closed || a.State == Firing || failed(n) {
		blocks = append(blocks, failure(a)...)
	}
	if a.State != Closed {
		blocks = append(blocks, parameters(n.Run.Parameters, maxParameters)...)
	}
	return blocks
}

// event shows what became of an event for which there is no run.
func event(a Alert) []slack.Block {
	n := a.Newest
	why := shown(cmp.Or(n.Reason, n.Run.Message), maxMessage)
	switch {
	case n.Outcome == bridge.EventRejected:
		return []slack.Block{section("*Nothing was started*\n" + Fence(cmp.Or(why, "no reason is known")))}
	case why != "":
		return []slack.Block{section(Escape(why))}
	}
	return []slack.Block{section(Escape(CutEscaped(sentenceOf(n), maxField)))}
}

func sentenceOf(n bridge.Notification) string {
	if n.Outcome == bridge.Queued {
		return "No Workflow is made yet."
	}
	return "There is no Workflow."
}

// facts are the run's fields, two in a row.
func facts(a Alert) slack.Block {
	n, r := a.Newest, a.Newest.Run
	var fields []*slack.TextBlockObject
	field := func(name, value string) {
		if value != "" {
			fields = append(fields, mrkdwn("*"+name+"*\n"+value))
		}
	}
	field("Workflow", shortAnchor(n.Link, CutEscaped(workflow(r), maxField)))
	if !r.Completed() {
		if !r.Started.IsZero() {
			field("Running since", date(r.Started)+usual(n))
		}
	} else {
		field("Duration", duration(n))
	}
	if r.Rule != "" && r.Rule != bridge.DefaultRule {
		field("Rule", Escape(CutEscaped(r.Rule, 100)))
	}
	if (a.State == Good || a.State == Ended) && r.Completed() {
		field("Status", Escape(CutEscaped(r.Phase, 100)))
	}
	return slack.NewSectionBlock(nil, fields, nil)
}

// duration is how long the run took, against the usual.
func duration(n bridge.Notification) string {
	d := n.Run.Duration()
	if d <= 0 {
		return ""
	}
	return Duration(d) + usual(n)
}

func usual(n bridge.Notification) string {
	if n.Usual <= 0 {
		return ""
	}
	return ", usually " + Duration(n.Usual)
}

// failure shows the first step that failed and the end of its log, or the run's own message when no step did.
func failure(a Alert) (blocks []slack.Block) {
	failures := a.Newest.Run.Failures
	if len(failures) == 0 {
		if text := shown(a.Newest.Run.Message, maxMessage); text != "" {
			blocks = append(blocks, section(Fence(text)))
		}
		return blocks
	}
	f := failures[0]
	blocks = append(blocks, section(step(f, maxMessage)))
	if log := lastLines(f.Log, logLines, maxLog); log != "" && a.State != Closed {
		blocks = append(blocks, section("*Log*\n"+Fence(log)))
	}
	if more := len(failures) - 1; more > 0 {
		blocks = append(blocks, context(plural(more, "more failed step")+", see the thread"))
	}
	return blocks
}

// step shows a failed step, with room characters of its message.
func step(f bridge.Failure, room int) string {
	line := "*Failed step* " + Code(CutEscaped(cmp.Or(f.Path, f.Template), maxField))
	if f.ExitCode != "" {
		line += " · exit code " + Escape(CutEscaped(f.ExitCode, 20))
	}
	line += within(" · ", attempts(f))
	if text := shown(message(f), room); text != "" {
		line += "\n" + Fence(text)
	}
	return line
}

// lastLines are the last lines of a log that fit.
func lastLines(log []string, lines, room int) string {
	log = log[max(0, len(log)-lines):]
	for len(log) > 1 && escapedLength(strings.Join(log, "\n")) > room {
		log = log[1:]
	}
	return shown(strings.Join(log, "\n"), room)
}

func escapedLength(s string) (n int) {
	for _, r := range s {
		n += escapedWidth(r)
	}
	return n
}

// parameters lists what the run was given, with values hidden that may be secrets.
func parameters(all []bridge.Parameter, room int) []slack.Block {
	if len(all) == 0 {
		return nil
	}
	b := strings.Builder{}
	b.WriteString("*Parameters*")
	for i, p := range all {
		line := "\n• " + Code(CutEscaped(p.Name, 100)) + " " + Code(value(p))
		if b.Len()+len(line) > room {
			fmt.Fprintf(&b, "\nand %d more", len(all)-i)
			break
		}
		b.WriteString(line)
	}
	return []slack.Block{section(b.String())}
}

// value is a parameter's for people.
func value(p bridge.Parameter) string {
	if p.Value != "" && mask.Named(Cut(p.Name, 500)) {
		return mask.Hidden
	}
	return shown(p.Value, maxParameter)
}

// shown is the text with what looks like a secret hidden, cut to room characters once it is escaped; empty where it is
// but white space.
func shown(s string, room int) string {
	if s = hidden(s, room); strings.TrimSpace(s) == "" {
		return ""
	}
	return CutEscaped(s, room)
}

// hidden is the beginning of the text, longer than room, with what looks like a secret hidden. It ends with a word: half
// of a token would not be known as one.
func hidden(s string, room int) string {
	if head, rest := split(s, 2*room+1000, width); rest != "" {
		s = head[:max(strings.LastIndexAny(head, " \n"), room)]
	}
	return mask.Secrets(s)
}

// plural counts things.
func plural(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
