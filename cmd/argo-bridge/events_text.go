package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"sigs.k8s.io/yaml"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// now is the clock of the commands.
func now() time.Time { return time.Now() }

// Widths. An id that is longer than GitHub's and Slack's is given as the event's hash.
const (
	maxID      = 44
	maxSource  = 32
	maxPayload = 200
)

// A recordWriter writes records as a table, or as lines of JSON.
type recordWriter struct {
	out   io.Writer
	table *tabwriter.Writer // nil for JSON
	count int
	err   error
}

func newRecordWriter(out io.Writer, format string) *recordWriter {
	w := &recordWriter{out: out}
	if format != "json" {
		w.table = tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	}
	return w
}

func (w *recordWriter) write(r bridge.Record) {
	w.count++
	if w.table == nil {
		w.err = writeLine(w.out, r)
		return
	}
	if w.count == 1 {
		fmt.Fprintln(w.table, "TIME\tID\tSOURCE\tTYPE\tOUTCOME\tWORKFLOW")
	}
	fmt.Fprintln(w.table, strings.TrimRight(strings.Join(cells(r), "\t"), "\t"))
}

// finish says how to see more, for people.
func (w *recordWriter) finish(more bool) {
	if w.table == nil {
		return
	}
	_ = w.table.Flush()
	switch {
	case w.count == 0:
		fmt.Fprintln(w.out, "No event fits.")
	case more:
		fmt.Fprintf(w.out, "\nThere are more: --limit %d, or 0 for all; or ask for fewer by --since, --outcome and the like\n", 4*w.count)
	}
}

func cells(r bridge.Record) []string {
	return []string{at(r.Stored), shortID(r), tail(plain(r.Source), maxSource), plain(cmp.Or(r.Name, r.Type)), outcome(r), workflows(r)}
}

func tailLine(r bridge.Record) string {
	c := cells(r)
	c[0] = at(r.Updated)
	return strings.TrimRight(strings.Join(c, "  "), " ")
}

// shortID is what show and replay take: the id, or the hash of one that is too long for a table.
func shortID(r bridge.Record) string {
	if len(r.Event) > maxID || plain(r.Event) != r.Event || strings.ContainsAny(r.Event, " \n\t") {
		return r.Hash()
	}
	return r.Event
}

// outcome sums the results up: matched 1, filtered 3.
func outcome(r bridge.Record) string {
	counts := map[bridge.Verdict]int{}
	for _, res := range r.Results {
		counts[res.Verdict]++
	}
	var parts []string
	for _, v := range []bridge.Verdict{bridge.Matched, bridge.Waiting, bridge.Parked, bridge.Rejected, bridge.Fault, bridge.Skipped, bridge.Filtered, bridge.OtherEvent} {
		if n := counts[v]; n > 0 {
			parts = append(parts, fmt.Sprintf("%s %d", v, n))
		}
	}
	switch {
	case len(parts) > 0:
		return strings.Join(parts, ", ")
	case r.Done:
		return "no rule"
	}
	return "being handled"
}

func workflows(r bridge.Record) string {
	var names []string
	for _, res := range r.Results {
		if res.Workflow != "" && !slices.Contains(names, res.Workflow) {
			names = append(names, plain(res.Workflow))
		}
	}
	switch len(names) {
	case 0:
		return ""
	case 1:
		return names[0]
	}
	return fmt.Sprintf("%s and %d more", names[0], len(names)-1)
}

// at is a time that --since and --until take.
func at(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format(time.RFC3339)
}

func tail(s string, width int) string {
	if runes := []rune(s); len(runes) > width {
		return "…" + string(runes[len(runes)-width+1:])
	}
	return s
}

// writeLine writes v as one line of JSON.
func writeLine(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// writeReplayed writes one decision of a replay, with the Workflow of a dry run.
func writeReplayed(w io.Writer, r bridge.Replayed, dryRun bool) error {
	var b strings.Builder
	mark, what := marks[r.Verdict], string(r.Verdict)
	detail := r.Detail
	switch {
	case r.Refused != "":
		mark, what, detail = marks[bridge.Rejected], "the API server refuses "+r.Workflow, r.Refused
	case r.Verdict == bridge.Matched && dryRun:
		what, detail = "would start "+r.Workflow, ""
	case r.Verdict == bridge.Matched:
		what, detail = "started "+r.Workflow, ""
	case r.Verdict == bridge.Waiting && r.Workflow != "":
		what = "waits for its turn, to start " + r.Workflow
	}
	fmt.Fprintf(&b, "%s %s, rule %s, event %s: %s\n", mark, plain(r.Template), plain(r.Rule), plain(r.Event), plain(what))
	if detail != "" {
		fmt.Fprintf(&b, "    %s\n", indent(plain(detail), 4))
	}
	if r.Object != nil {
		object, err := yaml.Marshal(r.Object)
		if err != nil {
			return err
		}
		fmt.Fprintf(&b, "\n      %s\n\n", indent(plain(strings.TrimSpace(string(object))), 6))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func indent(text string, by int) string {
	return strings.ReplaceAll(text, "\n", "\n"+strings.Repeat(" ", by))
}

// pretty lays a payload out, or cuts it short.
func pretty(data json.RawMessage, whole bool) string {
	if whole {
		var b bytes.Buffer
		if json.Indent(&b, data, "", "  ") == nil {
			return b.String()
		}
		return string(data)
	}
	var b bytes.Buffer
	if json.Compact(&b, data) != nil {
		b.Reset()
		b.Write(data)
	}
	if runes := []rune(b.String()); len(runes) > maxPayload {
		return string(runes[:maxPayload]) + "…"
	}
	return b.String()
}
