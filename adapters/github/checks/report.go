package checks

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	adapter "github.com/argo-bridge/argo-bridge/adapters/github"
	"github.com/argo-bridge/argo-bridge/bridge"
)

// A report is what a check run or commit status says.
type report struct {
	Name    string `json:"name"`    // of the check run
	Context string `json:"context"` // of the commit status
	Status  string `json:"status"`  // of the check run: queued, in_progress or completed
	// Conclusion is that of the check run, State the commit status' state.
	Conclusion  string       `json:"conclusion,omitempty"`
	State       string       `json:"state"`
	Title       string       `json:"title"`
	Description string       `json:"description"`
	Summary     string       `json:"summary"`
	Link        string       `json:"link,omitempty"`
	Started     time.Time    `json:"started,omitzero"`
	Completed   time.Time    `json:"completed,omitzero"`
	Annotations []annotation `json:"annotations,omitempty"`
}

// Conclusions of check runs, and states of commit statuses, by a run's result:
// https://docs.github.com/en/rest/checks/runs#create-a-check-run
// https://docs.github.com/en/rest/commits/statuses#create-a-commit-status
var (
	conclusions = map[result]string{succeeded: "success", failed: "failure", broken: "failure", stopped: "cancelled", skipped: "skipped"}
	states      = map[result]string{"": "pending", succeeded: "success", failed: "failure", broken: "error", stopped: "error", skipped: "success"}
)

const (
	maxTitle       = 120 // characters
	maxDescription = 140 // characters; GitHub's own bound
	maxName        = 100 // characters
)

func newReport(m bridge.Notification, a adapter.Address) (report, stage, error) {
	s, err := stageOf(m)
	if err != nil {
		return report{}, 0, err
	}
	r := report{
		Name: checkName(m), Context: "argo/" + join("/", m.Run.Template.Name, ruleName(m)), Status: "completed",
		Conclusion: conclusions[resultOf(m, s)], State: states[resultOf(m, s)],
		Title: cutCharacters(title(m, s), maxTitle), Summary: summary(m, a, s),
		Link: webAddress(m.Link), Started: m.Run.Started, Completed: cmp.Or(m.Run.Finished, m.Created),
	}
	switch s {
	case stageHeld:
		r.Conclusion = "action_required"
	case stageQueued:
		r.Status, r.Completed = "queued", time.Time{}
	case stageRunning:
		r.Status, r.Completed = "in_progress", time.Time{}
	case stageEnded:
		if m.Options[OptionAnnotations] == "true" {
			r.Annotations = annotationsOf(m.Run)
		}
	}
	r.Description = cutCharacters(join(": ", title(m, s), oneLine(m.Reason)), maxDescription)
	return r, s, nil
}

// checkName is `argo / template`, with the rule where the template has several, or what the author says.
func checkName(m bridge.Notification) string {
	if name := oneLine(m.Options[OptionCheckName]); name != "" {
		return cutCharacters(name, maxName)
	}
	return cutCharacters(join(" / ", "argo", m.Run.Template.Name, ruleName(m)), maxName)
}

// ruleName is the rule's name, empty for the one that needs none.
func ruleName(m bridge.Notification) string {
	if m.Run.Rule == bridge.DefaultRule {
		return ""
	}
	return m.Run.Rule
}

// title says in a few words what has become of the run.
func title(m bridge.Notification, s stage) string {
	after := ""
	if d := m.Run.Duration(); d > 0 {
		after = " after " + took(d)
	}
	switch s {
	case stageHeld:
		return "Waiting for approval"
	case stageQueued:
		return "Queued"
	case stageRunning:
		return "Running"
	}
	switch resultOf(m, s) {
	case succeeded:
		return "Succeeded" + strings.Replace(after, "after", "in", 1)
	case stopped:
		return "Stopped" + after
	case skipped:
		return "Skipped"
	}
	if s == stageSettled {
		return "No Workflow could be made"
	}
	if len(m.Run.Failures) > 0 {
		return fmt.Sprintf("Failed%s: %s", after, oneLine(m.Run.Failures[0].Path))
	}
	return "Failed" + after
}

func oneLine(s string) string { return strings.Join(strings.Fields(printable(s)), " ") }

// join joins what is not empty.
func join(by string, parts ...string) string {
	var kept []string
	for _, p := range parts {
		if p != "" {
			kept = append(kept, p)
		}
	}
	return strings.Join(kept, by)
}
