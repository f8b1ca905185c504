// Package docs_test holds the documentation to the code.
package docs_test

import (
	"flag"
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/app"
	"github.com/argo-bridge/argo-bridge/bridge/dispatch"
	"github.com/argo-bridge/argo-bridge/bridge/match"
	"github.com/argo-bridge/argo-bridge/workflowtemplates"
)

var update = flag.Bool("update", false, "write what the examples make into the page")

const annotationsPage = "annotations.md"

var link = regexp.MustCompile(`\]\(([^)]+)\)`)

func TestEachExampleOfTheReferenceMakesWhatThePageSays(t *testing.T) {
	p := readPage(t, annotationsPage)
	if len(p.examples) < 10 {
		t.Fatalf("%d examples", len(p.examples))
	}
	for _, e := range p.examples {
		t.Run(fmt.Sprintf("line %d", e.line), func(t *testing.T) {
			if len(e.rows) == 0 {
				t.Fatal("no table says what the example makes")
			}
			template := load(t, e.yaml)
			for _, r := range e.rows {
				got := r.answer(t, template)
				p.set(r, got)
				if len(r.cells) != 2 || r.cells[1] != got && !*update {
					t.Errorf("line %d: got %s (go test ./docs -update writes it)", r.line+1, got)
				}
			}
		})
	}
	if *update {
		p.write(t, annotationsPage)
	}
}

// answer is what the second cell must be.
func (r row) answer(t *testing.T, template *workflowtemplates.Template) string {
	t.Helper()
	if r.kind == outcomeTable {
		return destinations(template, bridge.Outcome(strings.Trim(r.cells[0], "`")))
	}
	var events []occurrence
	for _, m := range link.FindAllStringSubmatch(r.cells[0], -1) {
		events = append(events, occur(t, filepath.FromSlash(m[1])))
	}
	if len(events) == 0 || len(events) > 1 && r.kind != batchTable {
		t.Fatalf("line %d names %d events", r.line+1, len(events))
	}
	if r.kind == messageTable {
		return message(t, template, events[0])
	}
	return answer(t, template, events)
}

func destinations(template *workflowtemplates.Template, outcome bridge.Outcome) string {
	var to []string
	for _, route := range template.Routes(bridge.DefaultRule) {
		if route.Outcome == outcome {
			to = append(to, code(route.To.String()))
		}
	}
	if len(to) == 0 {
		return "nobody"
	}
	return strings.Join(to, ", ")
}

// message renders the text of a run of the event that fails after three minutes.
func message(t *testing.T, template *workflowtemplates.Template, o occurrence) string {
	t.Helper()
	rule, variables := template.Rules[0], maps.Clone(o.variables(t))
	s, err := dispatch.Plan(dispatch.Start{Event: o.event, Facts: o.facts, Rule: rule, Variables: variables})
	if err != nil {
		t.Fatal(err)
	}
	parameters := map[string]any{}
	for _, p := range s.Parameters {
		parameters[p.Name] = p.Value
	}
	variables["parameters"] = parameters
	variables["workflow"] = map[string]any{"name": s.Name, "namespace": s.Namespace, "status": "Failed", "duration": 180.0}
	text, err := template.Routes(rule.Name)[0].Message.Render(variables)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(text)
}

// Each filter's example is one that lint takes, and that some event of the repository passes.
func TestEachFilterOfTheReferenceFitsAnEvent(t *testing.T) {
	p, events := readPage(t, annotationsPage), allEvents(t)
	if len(p.filters) == 0 {
		t.Fatal("no tables of filters")
	}
	for _, table := range p.filters {
		for _, r := range table.rows {
			name, value := strings.Trim(r.cells[0], "`"), strings.Trim(r.cells[2], "`")
			t.Run(table.events[0]+" "+name, func(t *testing.T) {
				fits := func(event string) bool { return fit(t, event, name, value, events) }
				if !slices.ContainsFunc(table.events, fits) {
					t.Errorf("line %d: no event passes the filter %s: %s", r.line+1, name, value)
				}
			})
		}
	}
}

// fit says whether an event of that name passes the filter; one that the event does not have is no fault here.
func fit(t *testing.T, event, name, value string, events []occurrence) bool {
	t.Helper()
	template := workflowtemplates.Parse(workflowtemplates.Input{
		Ref:         bridge.Template{Namespace: "argo", Name: "example"},
		Annotations: map[string]string{bridge.Prefix + "on": fmt.Sprintf("%s:\n  %s: %s\n", event, name, value)},
	}, app.Language())
	if len(template.Rules) == 0 {
		return false
	}
	matcher := match.New(template.Rules, match.AllowAll())
	return slices.ContainsFunc(events, func(o occurrence) bool {
		decisions := matcher.Explain(o.facts, o.scope.Variables)
		return decisions[0].Verdict == bridge.Matched || decisions[0].Verdict == bridge.Undecided && name == "groups" // for Slack to say
	})
}
