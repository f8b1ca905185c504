package message

import (
	"cmp"
	"fmt"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/slack-go/slack"
)

// Bounds of the details in a thread.
const (
	maxDetailed  = 12   // failed steps
	maxStepsRoom = 6500 // characters of all of them
	maxStepLine  = 420  // of a step without its message and log
)

// Details writes the first reply in the thread of a failed run: every step that failed with its message and log, and
// all that the run was given.
func Details(n bridge.Notification) Rendered {
	r := Rendered{Text: Escape(shown(oneLine(stop("Details of "+subject(n)+", which failed"+reason(n))), maxSentence))}
	failures := n.Run.Failures
	if len(failures) == 0 {
		text := cmp.Or(shown(n.Run.Message, maxSection-100), "No step of it has failed, and it says no reason.")
		r.Blocks = append(r.Blocks, section(Fence(text)))
	}
	most := min(len(failures), maxDetailed)
	for i, f := range failures[:most] {
		share := (maxStepsRoom-weight(r.Blocks))/(most-i) - maxStepLine
		r.Blocks = append(r.Blocks, detail(f, max(share, 100))...)
	}
	if more := len(failures) - most; more > 0 {
		r.Blocks = append(r.Blocks, context(fmt.Sprintf("and %s", plural(more, "more failed step"))))
	}
	r.Blocks = append(r.Blocks, parameters(n.Run.Parameters, 1800)...)
	if n.Link != "" {
		r.Blocks = append(r.Blocks, context(shortAnchor(n.Link, "All of it in the Argo UI")))
	}
	return r
}

// detail shows one failed step within room characters: the message takes what it needs up to half of them.
func detail(f bridge.Failure, room int) []slack.Block {
	message := min(escapedLength(f.Message), room/2, maxSection-maxStepLine)
	blocks := []slack.Block{section(step(f, max(message, 1)))}
	if log := lastLines(f.Log, len(f.Log), min(room-message, maxSection-100)); log != "" {
		blocks = append(blocks, section(Fence(log)))
	}
	return blocks
}

// Recovery writes what the thread of an alert hears when a run has made the failure good.
func Recovery(n bridge.Notification) Rendered {
	text := fmt.Sprintf("%s recovered: %s has succeeded%s.", subject(n), cmp.Or(workflow(n.Run), "a Workflow"), took(n.Run))
	line := ":large_green_circle: *Recovered*: " + shortAnchor(n.Link, CutEscaped(cmp.Or(workflow(n.Run), subject(n)), maxField)) + " has succeeded" + took(n.Run) + usual(n)
	r := Rendered{Text: Escape(CutEscaped(oneLine(text), maxSentence)), Blocks: []slack.Block{section(line)}}
	if by := trigger(Alert{Newest: n}); by != "" {
		r.Blocks = append(r.Blocks, context(by))
	}
	return r
}
