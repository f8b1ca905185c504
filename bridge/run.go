package bridge

import (
	"fmt"
	"strings"
	"time"
)

// A Run is the state of one Workflow, as far as anybody is told of it.
type Run struct {
	Namespace string   `json:"namespace"`
	Name      string   `json:"name"`
	UID       string   `json:"uid"`
	Template  Template `json:"template"`
	// Rule is the rule that started it; empty when a person or a schedule did.
	Rule string `json:"rule,omitempty"`
	// Phase is Argo's: Pending, Running, Succeeded, Failed or Error.
	Phase      string      `json:"phase"`
	Message    string      `json:"message,omitempty"`
	Created    time.Time   `json:"created"`
	Started    time.Time   `json:"started"`
	Finished   time.Time   `json:"finished"`
	Parameters []Parameter `json:"parameters,omitempty"`
	// Outputs are the output parameters of the entrypoint and those that steps export by a globalName, of a run
	// that has ended.
	Outputs  []Parameter `json:"outputs,omitempty"`
	Failures []Failure   `json:"failures,omitempty"`
	// Pauses are the suspended steps at which the run waits, or has waited, for somebody: not those that a time ends.
	Pauses []Pause `json:"pauses,omitempty"`
	// Steps are the steps of a run that has ended, in the order of the tree; the first MaxSteps of them.
	Steps       []Step            `json:"steps,omitempty"`
	Labels      map[string]string `json:"labels,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty"`
}

// MaxSteps bounds Run.Steps.
const MaxSteps = 200

// A Step is one step of a run, as people see it in Argo's tree: groups and the attempts of a retry are left out.
type Step struct {
	Name string `json:"name"`
	// Depth is how many steps stand above it.
	Depth    int       `json:"depth,omitempty"`
	Phase    string    `json:"phase"`
	Message  string    `json:"message,omitempty"`
	Started  time.Time `json:"started,omitzero"`
	Finished time.Time `json:"finished,omitzero"`
}

// A Pause is one suspended step: https://argo-workflows.readthedocs.io/en/latest/walk-through/suspending/
type Pause struct {
	// Node is the step's id in the Workflow, Path the way to it as in Failure.
	Node string `json:"node"`
	Path string `json:"path"`
	// Phase is the step's: Running while it waits.
	Phase   string    `json:"phase"`
	Message string    `json:"message,omitempty"`
	Started time.Time `json:"started,omitzero"`
	// Inputs are the parameters that whoever lets the run go on has to supply (valueFrom: supplied).
	Inputs []Declared `json:"inputs,omitempty"`
}

// Open says that the step still waits.
func (p Pause) Open() bool { return p.Phase == "Running" || p.Phase == "Pending" }

// A Failure is one step of a run that failed.
type Failure struct {
	// Path is the way to the step by display names, from the entrypoint: load / extract(0).
	Path     string `json:"path"`
	Template string `json:"template,omitempty"`
	Phase    string `json:"phase"`
	Message  string `json:"message,omitempty"`
	// ExitCode is the main container's, empty when it never ran.
	ExitCode string    `json:"exitCode,omitempty"`
	Finished time.Time `json:"finished"`
	// Node is the step's id in the Workflow, which its pod bears as an annotation.
	Node string `json:"node,omitempty"`
	// Attempts is how often the step was tried, 0 or 1 without retries.
	Attempts int `json:"attempts,omitempty"`
	// Log are the last lines that the step wrote, masked; empty when they are not known.
	Log []string `json:"log,omitempty"`
}

// Text is what the step said, with how often it was tried: "exit code 1 (attempt 3 of 3)".
func (f Failure) Text() string {
	if f.Attempts < 2 {
		return f.Message
	}
	return strings.TrimSpace(fmt.Sprintf("%s (attempt %d of %d)", f.Message, f.Attempts, f.Attempts))
}

// ID names the run.
func (r Run) ID() RunID { return RunID{r.Namespace, r.Name, r.UID} }

// Completed says whether the run has ended.
func (r Run) Completed() bool {
	return r.Phase == "Succeeded" || r.Phase == "Failed" || r.Phase == "Error"
}

// Stopped says whether the bridge has stopped the run, by the word of the rule that started it: its end is no failure.
func (r Run) Stopped() bool {
	_, stopped := r.Annotations[AnnotationStopped]
	return stopped
}

// Outcomes are what an ended run is to a rule that waits for it: Succeeded or Failed, and Completed; of one that was
// Stopped, Completed alone. A run that goes on has none.
func (r Run) Outcomes() []Outcome {
	switch {
	case !r.Completed():
		return nil
	case r.Stopped():
		return []Outcome{Completed}
	case r.Phase == "Succeeded":
		return []Outcome{Succeeded, Completed}
	}
	return []Outcome{Failed, Completed}
}

// Duration is how long the run took, zero while it has not ended.
func (r Run) Duration() time.Duration {
	if r.Started.IsZero() || r.Finished.IsZero() {
		return 0
	}
	return r.Finished.Sub(r.Started)
}

// RunKey identifies what one rule makes of one event, and of one replay of it: a label's worth of characters. Each of
// its runs bears it in its origin's labels and annotations.
func RunKey(eventHash string, t Template, rule, replay string) string {
	return eventHash + "." + Digest(t.String()+"\n"+rule+"\n"+replay)
}
