package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/urfave/cli/v2"

	"github.com/argo-bridge/argo-bridge/adapters/github"
	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/app"
	"github.com/argo-bridge/argo-bridge/bridge/dispatch"
	"github.com/argo-bridge/argo-bridge/bridge/expression"
	"github.com/argo-bridge/argo-bridge/bridge/match"
	"github.com/argo-bridge/argo-bridge/bridge/submit"
	"github.com/argo-bridge/argo-bridge/workflowtemplates"
)

// Exit codes of explain.
const (
	exitNoMatch = 1
	exitFaults  = 2
)

func explainCommand() *cli.Command {
	return &cli.Command{
		Name:  "explain",
		Usage: "say which rules of some template files an event would start, and why the others not",
		Description: "Works offline: on files, with a payload as the source sends it. NAME is what the source calls\n" +
			"the event: push, pull_request; OBJECT_FINALIZE; app_mention, command, action; an outcome, of which\n" +
			"the payload is the Workflow; a CloudEvents type.\n\n" +
			"   argo-bridge explain --template ci.yaml --source github --event push --payload push.json\n" +
			"   argo-bridge explain --template load.yaml --source gcs --event OBJECT_FINALIZE --payload object.json\n" +
			"   argo-bridge explain --template report.yaml --source workflow --event succeeded --payload workflow.json\n" +
			"   argo-bridge explain --template bill.yaml --source cloudevents --event com.example.order --payload data.json\n\n" +
			"Exit code: 0 when a rule matched, 1 when none did, 2 on faults.",
		Flags: []cli.Flag{
			&cli.StringSliceFlag{Name: "template", Usage: "template `FILE` or folder; may be given several times", TakesFile: true},
			&cli.StringFlag{Name: "source", Usage: "`SOURCE` of the event: github, gcs, slack, workflow or cloudevents"},
			&cli.StringFlag{Name: "event", Usage: "`NAME` of the event at its source"},
			&cli.StringFlag{Name: "payload", Usage: "`FILE` with the payload, - for standard input", TakesFile: true},
			&cli.StringFlag{Name: "attributes", Usage: "`FILE` with the Pub/Sub attributes, a JSON object", TakesFile: true},
			outputFlag(),
		},
		Action: explain,
	}
}

// An explanation is the JSON output of explain.
type explanation struct {
	Event explainedEvent  `json:"event"`
	Rules []explainedRule `json:"rules"`
}

type explainedEvent struct {
	Name    string `json:"name"`
	ID      string `json:"id"`
	Source  string `json:"source"`
	Type    string `json:"type"`
	Subject string `json:"subject,omitempty"`
	Title   string `json:"title,omitempty"`
	URL     string `json:"url,omitempty"`
}

type explainedRule struct {
	Template string         `json:"template"`
	Rule     string         `json:"rule"`
	Decision bridge.Verdict `json:"decision"`
	Reason   bridge.Reason  `json:"reason"`
	Detail   string         `json:"detail"`
	// Flow is when it would be created; null: at once.
	Flow *explainedFlow `json:"flow"`
	// Parameters are name → value, and Workflow is the object that would be created; empty and null
	// unless the decision is matched. Of a rule that batches, it is the batch of this event alone.
	Parameters map[string]string `json:"parameters"`
	Workflow   *submit.Object    `json:"workflow"`
}

func explain(c *cli.Context) error {
	if err := errors.Join(checkOutput(c), checkGiven(c, "template", "source", "event", "payload")); err != nil {
		return cli.Exit(err.Error(), exitFaults)
	}
	view, err := loadView(c.StringSlice("template"))
	if err != nil {
		return cli.Exit(err.Error(), exitFaults)
	}
	p, err := readPayload(c)
	if err != nil {
		return cli.Exit(err.Error(), exitFaults)
	}
	result, err := explainPayload(view, p)
	if err != nil {
		return cli.Exit(err.Error(), exitFaults)
	}
	if c.String("output") == "json" {
		err = writeJSON(c.App.Writer, result)
	} else {
		err = writeExplanation(c.App.Writer, result)
	}
	if err != nil {
		return err
	}
	return result.exit()
}

// checkGiven names the flags that are needed and not given.
func checkGiven(c *cli.Context, flags ...string) error {
	var errs []error
	for _, f := range flags {
		if !c.IsSet(f) {
			errs = append(errs, fmt.Errorf("explain: --%s is needed (see --help)", f))
		}
	}
	return errors.Join(errs...)
}

// loadView reads the templates of some files; a file that cannot be read as one is an error.
func loadView(paths []string) (*workflowtemplates.View, error) {
	files, err := workflowtemplates.Load(paths, os.Stdin)
	if err != nil {
		return nil, err
	}
	var errs []error
	for _, f := range files.Faults {
		errs = append(errs, fmt.Errorf("%s:%d: %s", f.File, f.Line, f.Message))
	}
	var templates []*workflowtemplates.Template
	for _, in := range files.Inputs {
		templates = append(templates, workflowtemplates.Parse(in, app.Language()))
	}
	if len(templates) == 0 && len(errs) == 0 {
		errs = append(errs, errors.New("the files hold no WorkflowTemplate and no ClusterWorkflowTemplate"))
	}
	return workflowtemplates.NewView(templates, match.AllowAll()), errors.Join(errs...)
}

func readPayload(c *cli.Context) (payload, error) {
	p := payload{source: c.String("source"), event: c.String("event")}
	var err error
	if path := c.String("payload"); path == "-" {
		p.body, err = io.ReadAll(os.Stdin)
	} else {
		p.body, err = os.ReadFile(path)
	}
	if err != nil {
		return p, fmt.Errorf("read payload: %w", err)
	}
	if path := c.String("attributes"); path != "" {
		data, err := os.ReadFile(path)
		if err != nil {
			return p, fmt.Errorf("read attributes: %w", err)
		}
		if err := json.Unmarshal(data, &p.attributes); err != nil {
			return p, fmt.Errorf("attributes %s: not a JSON object of strings: %w", path, err)
		}
	}
	return p, nil
}

func explainPayload(view *workflowtemplates.View, p payload) (explanation, error) {
	e, err := p.translate()
	if err != nil {
		return explanation{}, fmt.Errorf("payload: %w", err)
	}
	facts, err := dispatch.Describe(app.Finders(github.Identity{}, ""), e)
	if err != nil {
		return explanation{}, err
	}
	scope := expression.NewScope(e, facts)
	result := explanation{Rules: []explainedRule{}, Event: explainedEvent{
		Name: facts.Name, ID: e.ID, Source: e.Source, Type: e.Type, Subject: e.Subject, Title: facts.Title, URL: facts.URL,
	}}
	for _, d := range view.Explain(facts, scope.Variables) {
		result.Rules = append(result.Rules, explainRule(e, facts, scope, d))
	}
	return result, nil
}

func explainRule(e bridge.Event, facts bridge.Facts, scope *expression.Scope, d bridge.Decision) explainedRule {
	r := explainedRule{
		Template: d.Rule.Template.String(), Rule: d.Rule.Name, Decision: d.Verdict, Reason: d.Reason, Detail: d.Detail,
		Parameters: map[string]string{},
	}
	if d.Verdict != bridge.Matched {
		return r
	}
	if facts.Skip != "" {
		r.Decision, r.Reason, r.Detail = bridge.Skipped, bridge.ReasonSkip, facts.Skip
		return r
	}
	r.Detail = dispatch.Condition(d.Rule, facts)
	variables, err := scope.Variables()
	if err != nil {
		r.Decision, r.Reason, r.Detail = bridge.Rejected, bridge.ReasonPayload, err.Error()
		return r
	}
	if r.Flow, err = explainFlow(e, facts, d.Rule, variables); err != nil {
		r.Decision, r.Reason, r.Detail = bridge.Rejected, bridge.ReasonParameter, err.Error()
		return r
	}
	s, err := dispatch.Plan(dispatch.Start{
		Event: e, Facts: facts, Rule: d.Rule, Variables: variables, ClusterNamespace: workflowtemplates.DefaultNamespace,
	})
	if err != nil {
		r.Decision, r.Reason, r.Detail = bridge.Rejected, bridge.ReasonParameter, err.Error()
		return r
	}
	workflow := submit.Workflow(s)
	r.Workflow = &workflow
	for _, p := range s.Parameters {
		r.Parameters[p.Name] = p.Value
	}
	return r
}

// exit is the exit code: faults come before everything, since they may be why nothing matched.
func (x explanation) exit() error {
	matched := false
	for _, r := range x.Rules {
		if r.Decision == bridge.Fault {
			return cli.Exit("", exitFaults)
		}
		matched = matched || r.Decision == bridge.Matched
	}
	if !matched {
		return cli.Exit("", exitNoMatch)
	}
	return nil
}
