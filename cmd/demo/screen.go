package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"
)

// A style is an ANSI colour or weight.
type style string

// The styles.
const (
	plain  style = ""
	bold   style = "1"
	dim    style = "2"
	red    style = "31"
	green  style = "32"
	yellow style = "33"
	blue   style = "36"
)

// A screen prints the story. Colours are for terminals, unless NO_COLOR is set (https://no-color.org).
type screen struct {
	out     io.Writer
	colours bool
}

func newScreen(out *os.File, getenv func(string) string) *screen {
	info, err := out.Stat()
	terminal := err == nil && info.Mode()&os.ModeCharDevice != 0
	return &screen{out: out, colours: terminal && getenv("NO_COLOR") == "" && getenv("TERM") != "dumb"}
}

func (s *screen) paint(st style, text string) string {
	if !s.colours || st == plain || text == "" {
		return text
	}
	return "\x1b[" + string(st) + "m" + text + "\x1b[0m"
}

func (s *screen) line(format string, args ...any) { fmt.Fprintf(s.out, format+"\n", args...) }

func (s *screen) title(text string) { s.line("\n%s\n", s.paint(bold, text)) }

// started tells that a part is up.
func (s *screen) started(name string, took time.Duration, says string) {
	s.line("%s %-30s %5.1f s  %s", s.paint(green, "✓"), name, took.Seconds(), s.paint(dim, says))
}

func (s *screen) scene(number int, title string) {
	s.line("\n%s", s.paint(bold, fmt.Sprintf("%d  %s", number, title)))
}

// sent tells what the source sent.
func (s *screen) sent(sent sending) {
	s.moment(0, "sent", plain, sent.action)
}

// entry tells one thing that happened, with the milliseconds since the event was sent.
func (s *screen) entry(since time.Time, e entry) {
	word, st := string(e.kind), plain
	switch e.kind {
	case kindFiltered, kindRepeated:
		st = yellow
	case kindRejected, kindTrouble:
		st = red
	case kindSubmitted:
		st = blue
	case kindNotified:
		st = green
	case kindPhase:
		word, st = e.phase, phaseStyle(e.phase)
	case kindStep:
		word = "  step"
	}
	s.moment(e.at.Sub(since), word, st, e.text)
}

func (s *screen) moment(after time.Duration, word string, st style, text string) {
	ms := fmt.Sprintf("%7d ms", max(0, after.Milliseconds()))
	s.line("%s  %s %s", s.paint(dim, ms), s.paint(st, fmt.Sprintf("%-10s", word)), text)
}

func phaseStyle(phase string) style {
	switch phase {
	case "Succeeded":
		return green
	case "Failed", "Error":
		return red
	}
	return blue
}

// message shows a message as its readers in Slack see it; where is its channel, or who alone sees it.
func (s *screen) message(where string, lines []text) {
	for _, l := range drawBox("argo-bridge APP · "+where, lines) {
		s.line("%s%s", strings.Repeat(" ", 12), s.paint(l.style, l.text))
	}
}

// summary is the table at the end.
func (s *screen) summary(rows []row) {
	s.title("What became of the events")
	w := tabwriter.NewWriter(s.out, 0, 0, 3, ' ', 0)
	fmt.Fprintln(w, "EVENT\tTEMPLATE\tWORKFLOW\tPHASE\tTOLD TO")
	for _, r := range rows {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", r.event, bare(r.template), bare(r.workflow), dash(r.phase), dash(r.told))
	}
	_ = w.Flush()
}

// bare is a name without the namespace, which is the same for all.
func bare(name string) string { return dash(strings.TrimPrefix(name, namespace+"/")) }

func dash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

// further are the commands to look at what happened.
func (s *screen) further(o settings, bridgeURL string) {
	s.title("To look further")
	kubeconfig := "KUBECONFIG=" + short(o.path("cluster", "kubeconfig")) + " "
	cluster := short(o.cluster)
	rows := [][2]string{
		{kubeconfig + cluster + " argo list", "the runs; also argo get, argo submit --from workflowtemplate/nightly-report"},
		{kubeconfig + cluster + " kubectl get workflow -o yaml", "labels and annotations that the bridge stamped"},
		{"curl -s " + bridgeURL + "/metrics | grep ^argo_bridge", "the bridge's metrics"},
	}
	if !o.keep {
		s.line("These need the parts to run: start the demo again with --keep (make demo KEEP=1).")
	}
	s.commands(rows)
	s.line("")
	s.commands([][2]string{
		{short(o.bridge) + " explain --template workflowtemplates/examples --source github --event push --payload workflowtemplates/examples/payloads/github-push-docs.json", ""},
		{short(o.bridge) + " lint workflowtemplates/examples", ""},
		{short(o.path("bridge.log")), "the bridge's log"},
		{short(o.path("bridge.yaml")), "its config"},
		{short(o.path("cluster", "log")), "the cluster's logs"},
	})
	s.line("")
}

func (s *screen) commands(rows [][2]string) {
	for _, r := range rows {
		s.line("  %s", r[0])
		if r[1] != "" {
			s.line("      %s", s.paint(dim, r[1]))
		}
	}
}
