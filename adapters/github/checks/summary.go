package checks

import (
	"fmt"
	"strings"

	adapter "github.com/argo-bridge/argo-bridge/adapters/github"
	"github.com/argo-bridge/argo-bridge/bridge"
)

// maxSummary is how long a summary may be: https://docs.github.com/en/rest/checks/runs#create-a-check-run
// GitHub counts characters; bytes are the stricter reading.
const maxSummary = 65535

// A measure is how much of each part of a summary is shown.
type measure struct {
	logLines, failures, message, steps, text int
}

// measures are tried one after the other until the summary fits: logs go first, then the tree.
var measures = []measure{
	{logLines: 20, failures: 10, message: 2000, steps: bridge.MaxSteps, text: 20000},
	{logLines: 10, failures: 10, message: 1000, steps: bridge.MaxSteps, text: 20000},
	{logLines: 0, failures: 10, message: 500, steps: bridge.MaxSteps, text: 20000},
	{logLines: 0, failures: 10, message: 500, steps: 100, text: 20000},
	{logLines: 0, failures: 10, message: 500, steps: 30, text: 20000},
	{logLines: 0, failures: 3, message: 200, steps: 0, text: 10000},
}

// summary tells as Markdown what has become of the run, in at most maxSummary bytes.
func summary(m bridge.Notification, a adapter.Address, s stage) string {
	var text string
	for _, size := range measures {
		var b strings.Builder
		if m.Text != "" {
			b.WriteString(strings.TrimSpace(cut(printable(m.Text), size.text)) + "\n\n")
		}
		b.WriteString(sentence(m, a, s) + "\n\n" + origin(m) + "\n")
		if s == stageEnded {
			writeFailures(&b, m, s, size)
			writeSteps(&b, m.Run.Steps, size)
		}
		if text = b.String(); len(text) <= maxSummary {
			return text
		}
	}
	return cut(text, maxSummary)
}

// sentence says what happened.
func sentence(m bridge.Notification, a adapter.Address, s stage) string {
	why := ""
	if m.Reason != "" {
		why = ": " + code(m.Reason, 4000)
	}
	after := ""
	if d := m.Run.Duration(); d > 0 {
		after = " after " + took(d)
	}
	switch s {
	case stageHeld:
		text := "⏸ This run **waits for approval**" + why + ".\n\nWhoever may approve it looks at the changes"
		if a.Number == 0 {
			return text + ", and has the event replayed with `argo-bridge events replay`."
		}
		return text + " and comments `/ok-to-test " + a.Commit + "`: that starts it with this commit, and no later one."
	case stageQueued:
		return "🕓 The event matched. Its Workflow is made, or **waits for its turn**" + why + "."
	case stageRunning:
		return "▶ The Workflow **runs**."
	}
	switch resultOf(m, s) {
	case succeeded:
		return "✅ The Workflow **succeeded**" + after + "."
	case stopped:
		return "⏹ The Workflow was **stopped**" + after + stoppedFor(m) + "."
	case skipped:
		return "⏭ The event matched, and was **skipped**" + why + "."
	}
	if s == stageSettled {
		return "❌ The event matched, but **no Workflow could be made**" + why + "."
	}
	if m.Run.Message != "" && len(m.Run.Failures) == 0 {
		why = ": " + code(m.Run.Message, 2000)
	}
	return "❌ The Workflow **failed**" + after + why + "."
}

func stoppedFor(m bridge.Notification) string {
	if why := code(m.Run.Annotations[bridge.AnnotationStopped], 300); why != "" {
		return ": " + why
	}
	return ""
}

// origin says which Workflow of which template it is, and what has started it.
func origin(m bridge.Notification) string {
	var parts []string
	if m.Run.Name != "" {
		parts = append(parts, "Workflow "+link(code(m.Run.Namespace+"/"+m.Run.Name, 300), m.Link))
	}
	template := "template " + code(m.Run.Template.String(), 300)
	if rule := ruleName(m); rule != "" {
		template += ", rule " + code(rule, 100)
	}
	parts = append(parts, template)
	if event := code(m.Run.Annotations[bridge.AnnotationEventTitle], 300); event != "" {
		parts = append(parts, "started by "+link(event, m.Run.Annotations[bridge.AnnotationEventURL]))
	}
	text := strings.Join(parts, " · ")
	return strings.ToUpper(text[:1]) + text[1:] // begins with a word of its own
}

func writeFailures(b *strings.Builder, m bridge.Notification, s stage, size measure) {
	if r := resultOf(m, s); r != failed && r != broken {
		return
	}
	for i, f := range m.Run.Failures {
		if i == size.failures {
			fmt.Fprintf(b, "\n%d more steps failed.\n", len(m.Run.Failures)-i)
			break
		}
		fmt.Fprintf(b, "\n### ✗ %s\n\n", code(f.Path, 300))
		var parts []string
		if f.ExitCode != "" {
			parts = append(parts, "Exit code "+code(f.ExitCode, 20))
		}
		if text := f.Text(); text != "" {
			parts = append(parts, code(text, size.message))
		}
		if len(parts) > 0 {
			b.WriteString(strings.Join(parts, ": ") + "\n")
		}
		if log := f.Log[max(0, len(f.Log)-size.logLines):]; len(log) > 0 {
			b.WriteString("\n" + block(printable(strings.Join(log, "\n"))))
		}
	}
}

// marks stand before steps, by Argo's phases.
var marks = map[string]string{
	"Succeeded": "✓", "Failed": "✗", "Error": "✗", "Skipped": "–", "Omitted": "–", "Running": "▶", "Pending": "○",
}

const maxIndent = 20 // steps deeper than that stand below one another

func writeSteps(b *strings.Builder, steps []bridge.Step, size measure) {
	if len(steps) == 0 || size.steps == 0 {
		return
	}
	var lines []string
	for i, s := range steps {
		if i == size.steps {
			lines = append(lines, "…")
			break
		}
		mark, known := marks[s.Phase]
		if !known {
			mark = "?"
		}
		line := strings.Repeat("  ", min(s.Depth, maxIndent)) + mark + " " + oneLine(s.Name)
		if !s.Started.IsZero() && s.Finished.After(s.Started) {
			line += "  " + took(s.Finished.Sub(s.Started))
		}
		lines = append(lines, line)
	}
	b.WriteString("\n### Steps\n\n" + block(strings.Join(lines, "\n")))
	if len(steps) == bridge.MaxSteps {
		fmt.Fprintf(b, "\nThe first %d steps; the Argo UI shows all.\n", bridge.MaxSteps)
	}
}
