package desk

import (
	"context"
	"strings"

	own "github.com/argo-bridge/argo-bridge/adapters/slack"
	"github.com/argo-bridge/argo-bridge/adapters/slack/message"
	"github.com/argo-bridge/argo-bridge/bridge"
)

// logs shows what the steps of a run have written last, the newest step at the end.
func (v *visit) logs(ctx context.Context) (string, error) {
	id, ok := own.ParseName(v.word())
	if !ok {
		return ":warning: Name a workflow: " + message.Code(v.o.Command+" logs <workflow> [step]"), nil
	}
	run, fault, err := v.o.Finder.Run(ctx, v.facts, bridge.RunID{Namespace: id.Namespace, Name: id.Name})
	switch {
	case err != nil:
		return "", err
	case fault != "":
		return ":grey_question: " + sentence(fault), nil
	}
	step := ""
	if len(v.line.Words) > 1 {
		step = message.Cut(v.line.Words[1], maxShown)
	}
	steps, err := v.o.Logs.Steps(ctx, run, step)
	if err != nil {
		return "", err
	}
	return written(v.summary(run), steps, step), nil
}

// written shows the newest steps that fit, each with its last lines.
func written(heading string, steps []bridge.StepLog, step string) string {
	room := maxText - len(heading)
	var parts []string
	for _, s := range steps {
		part := "\n" + message.Code(message.Cut(s.Path, maxShown))
		text := ending(s.Lines, room-len(part)-len("\n```\n\n```"))
		switch {
		case text != "":
			part += "\n" + text
		case len(s.Lines) == 0:
			part += " wrote nothing, or nothing is left of it"
		}
		if room -= len(part); room < 0 || text == "" && len(s.Lines) > 0 {
			break
		}
		parts = append([]string{part}, parts...)
	}
	switch {
	case len(parts) > 0:
		return heading + strings.Join(parts, "")
	case step != "":
		return heading + "\nNo step whose name has " + message.Code(step) + " has left a log."
	}
	return heading + "\nNo log is left of it: its pods are gone, or none has begun."
}

// ending are the last lines as a block, in at most n bytes; of a line that is too long, nothing.
func ending(lines []string, n int) string {
	for from := range lines {
		if block := message.Fence(strings.Join(lines[from:], "\n")); len(block) <= n {
			return block
		}
	}
	return ""
}
