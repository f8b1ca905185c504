package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// writeStory writes one event with all that became of it, like explain.
func writeStory(w io.Writer, s bridge.Story, payload bool) error {
	var b strings.Builder
	writeEvent(&b, s, payload)
	writeResults(&b, s)
	writeNotifications(&b, s.Notifications)
	_, err := io.WriteString(w, b.String())
	return err
}

func writeEvent(b *strings.Builder, s bridge.Story, payload bool) {
	r := s.Record
	fmt.Fprintf(b, "%s   %s\n", plain(cmp.Or(r.Name, r.Type)), plain(r.Source))
	line := func(name, value string) {
		if value != "" {
			fmt.Fprintf(b, "  %-12s %s\n", plain(name), indent(plain(value), 15))
		}
	}
	line("id", r.Event)
	line("hash", cmp.Or(s.Hash, r.Hash()))
	if r.Name != "" {
		line("type", r.Type)
	}
	line("subject", r.Subject)
	if s.Event != nil && !s.Event.Time.IsZero() {
		line("time", at(s.Event.Time))
	}
	if !r.Stored.IsZero() {
		line("stored", fmt.Sprintf("%s, as message %d", at(r.Stored), r.Sequence))
	}
	if r.Attempt > 1 {
		line("attempts", fmt.Sprint(r.Attempt))
	}
	if s.Event == nil {
		line("payload", "no longer on the bus: the event cannot be replayed")
		return
	}
	for _, name := range sortedKeys(s.Event.Extensions) {
		line(name, s.Event.Extensions[name])
	}
	size := fmt.Sprintf("%d bytes", len(s.Event.Data))
	if !payload && len(s.Event.Data) > maxPayload {
		size += ", all by --payload"
	}
	line("payload", size+"\n"+pretty(s.Event.Data, payload))
}

func writeResults(b *strings.Builder, s bridge.Story) {
	b.WriteString("\n")
	if len(s.Record.Results) == 0 {
		fmt.Fprintf(b, "%s.\n", map[bool]string{true: "No rule is for such events of that source", false: "Its rules are not decided yet"}[s.Record.Done])
	}
	told := map[string]bool{}
	for _, r := range s.Record.Results {
		writeResult(b, r)
		for _, run := range s.Runs {
			if r.Workflow != "" && run.Workflow == r.Workflow {
				told[run.UID] = true
				fmt.Fprintf(b, "    %s\n", runText(run))
			}
		}
	}
	for _, run := range s.Runs {
		if !told[run.UID] {
			fmt.Fprintf(b, "  %s, rule %s: %s %s\n", plain(run.Template), plain(run.Rule), plain(run.Workflow), runText(run))
		}
	}
}

func writeResult(b *strings.Builder, r bridge.Result) {
	fmt.Fprintf(b, "%s %s, rule %s: %s", marks[r.Verdict], plain(r.Template), plain(r.Rule), r.Verdict)
	if r.Workflow != "" {
		fmt.Fprintf(b, " → %s", plain(r.Workflow))
	}
	var notes []string
	if r.Replay != "" {
		notes = append(notes, "replay "+plain(r.Replay))
	}
	if r.Attempts > 1 {
		notes = append(notes, fmt.Sprintf("%d attempts", r.Attempts))
	}
	if !r.At.IsZero() {
		notes = append(notes, at(r.At))
	}
	if len(notes) > 0 {
		fmt.Fprintf(b, "  (%s)", strings.Join(notes, ", "))
	}
	b.WriteString("\n")
	if r.Batch != nil {
		fmt.Fprintf(b, "    %s\n", indent(plain(batchText(*r.Batch)), 4))
	}
	if r.Detail != "" && r.Verdict != bridge.Matched {
		fmt.Fprintf(b, "    %s\n", indent(plain(r.Detail), 4))
	}
}

func batchText(b bridge.BatchRef) string {
	if b.Items == 1 {
		return "in a batch of its own"
	}
	return fmt.Sprintf("in a batch of %d events, from %s to %s", b.Items, b.First, b.Last)
}

func runText(r bridge.RunState) string {
	text := cmp.Or(plain(r.Phase), "Pending")
	if !r.Started.IsZero() && !r.Finished.IsZero() {
		text += " after " + r.Finished.Sub(r.Started).Round(time.Second).String()
	}
	if r.Message != "" {
		text += ": " + indent(plain(r.Message), 4)
	}
	return text
}

func writeNotifications(b *strings.Builder, all []bridge.SentRecord) {
	if len(all) == 0 {
		return
	}
	b.WriteString("\nNotifications\n")
	for _, n := range all {
		fmt.Fprintf(b, "%s %s → %s: %s", sentMarks[n.State], n.Outcome, plain(n.To), plain(n.State))
		if !n.At.IsZero() {
			fmt.Fprintf(b, "  (%s)", at(n.At))
		}
		b.WriteString("\n")
		if n.Error != "" {
			fmt.Fprintf(b, "    %s\n", indent(plain(n.Error), 4))
		}
	}
}

// sentMarks are the marks of SentRecord.State.
var sentMarks = map[string]string{"sent": "✓", "failed": "✗", "queued": "…", "begun": "…"}

func sortedKeys(m map[string]string) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
