package message

import (
	"cmp"
	"fmt"
	"regexp"
	"strings"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// outcomes are the emoji and the words of what became of an event, for which there is no run.
var outcomes = map[bridge.Outcome]struct{ emoji, says string }{
	bridge.EventRejected: {":no_entry:", "rejected an event"},
	bridge.EventHeld:     {":lock:", "holds an event back for approval"},
	bridge.EventSkipped:  {":fast_forward:", "skipped an event"},
	bridge.Queued:        {":hourglass_flowing_sand:", "waits for its turn"},
}

// states are those of how a run stands.
var states = map[State]struct{ emoji, says string }{
	Going:   {":arrow_forward:", "is running"},
	Waiting: {":raised_hand:", "waits for approval"},
	Firing:  {":x:", "failed"},
	Good:    {":white_check_mark:", "succeeded"},
	Closed:  {":large_green_circle:", "recovered"},
	Ended:   {":black_square_for_stop:", "was stopped"},
}

// says are the emoji and the word for how the alert stands.
func says(a Alert) (emoji, word string) {
	n := a.Newest
	if p := pause(a); p != nil && !p.Open() {
		return decision(*p)
	}
	if told, ok := outcomes[n.Outcome]; ok && (a.State == Going || a.State == Ended || a.State == "") {
		if n.Outcome == bridge.Queued && n.Run.Name != "" {
			return told.emoji, "is about to start"
		}
		return told.emoji, told.says
	}
	told, ok := states[a.State]
	switch {
	case !ok:
		return ":information_source:", cmp.Or(string(n.Outcome), "has news")
	case a.State == Good && n.Outcome == bridge.Recovered:
		return states[Closed].emoji, states[Closed].says
	case a.State == Ended && !n.Run.Stopped():
		return told.emoji, "ended"
	}
	return told.emoji, told.says
}

func emoji(a Alert) string {
	symbol, _ := says(a)
	return symbol
}

// headline says in a few words what happened to what.
func headline(a Alert) string {
	if a.Count > 1 {
		return oneLine(groupHeadline(a))
	}
	_, word := says(a)
	return oneLine(subject(a.Newest) + " " + word)
}

// subject is what the alert is about: the template, or where there is none the run.
func subject(n bridge.Notification) string {
	if n.Run.Template.Name != "" {
		return n.Run.Template.String()
	}
	return cmp.Or(workflow(n.Run), "a Workflow")
}

// workflow is the run's name for people.
func workflow(r bridge.Run) string {
	if r.Name == "" {
		return ""
	}
	return r.Namespace + "/" + r.Name
}

// sentence is the message for where no blocks are shown: one sentence that says what happened, where, and why.
func sentence(a Alert) string {
	return Escape(shown(oneLine(full(a)), maxSentence))
}

func full(a Alert) string {
	n, what := a.Newest, headline(a)
	switch {
	case a.State == Closed && a.By != nil:
		return fmt.Sprintf("%s: %s has succeeded%s.", what, a.By.Run, after(a, " "))
	case n.Text != "" && a.Count < 2:
		return what + ": " + n.Text
	case a.Count > 1:
		return stop(what + lastOf(a))
	case pause(a) != nil:
		return stop(what + within(" at step ", n.Pause.Path))
	case n.Run.Name == "" && n.Reason != "":
		return what + ": " + n.Reason
	case a.State == Firing:
		return stop(what + took(n.Run) + reason(n))
	}
	if name := workflow(n.Run); name != "" {
		return what + took(n.Run) + " (" + name + ")."
	}
	return stop(what)
}

// took says how long the run took.
func took(r bridge.Run) string {
	if d := r.Duration(); d > 0 {
		return " after " + Duration(d)
	}
	return ""
}

// reason says where the run has failed and why.
func reason(n bridge.Notification) string {
	if len(n.Run.Failures) == 0 {
		return within(": ", n.Run.Message)
	}
	f := n.Run.Failures[0]
	var why []string
	for _, one := range []string{message(f), exitCode(f), attempts(f)} {
		if one != "" {
			why = append(why, one)
		}
	}
	return within(" at ", cmp.Or(f.Path, f.Template)) + within(": ", strings.Join(why, ", "))
}

// bareExit is Argo's message of a container of which nothing is known but its exit code.
var bareExit = regexp.MustCompile(`^(?:[\w.-]+: )?Error \(exit code \d+\)$`)

// message is what a failed step says beside its exit code.
func message(f bridge.Failure) string {
	if f.ExitCode != "" && len(f.Message) < 100 && bareExit.MatchString(f.Message) {
		return ""
	}
	return f.Message
}

// exitCode is empty where the message names it.
func exitCode(f bridge.Failure) string {
	if f.ExitCode == "" || strings.Contains(message(f), "exit code "+f.ExitCode) {
		return ""
	}
	return "exit code " + f.ExitCode
}

func attempts(f bridge.Failure) string {
	if f.Attempts < 2 {
		return ""
	}
	return fmt.Sprintf("tried %d times", f.Attempts)
}

// within is the text with what stands before it, or nothing where it is empty.
func within(before, text string) string {
	if strings.TrimSpace(text) == "" {
		return ""
	}
	return before + text
}

// stop ends a sentence.
func stop(s string) string {
	if strings.HasSuffix(s, ".") || strings.HasSuffix(s, "!") || strings.HasSuffix(s, "?") {
		return s
	}
	return s + "."
}
