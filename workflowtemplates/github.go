package workflowtemplates

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/expression"
)

var githubFields = []string{"annotations", "check-name", "environment-url"}

// following are the destinations that show a run from its beginning to its end.
var following = []string{"check", "status", "deployment"}

// begun are the outcomes that such a destination hears of beside the end, when it is to hear of the end whatever it is.
var begun = []bridge.Outcome{bridge.Queued, bridge.EventHeld, bridge.EventSkipped, bridge.Started, bridge.EventRejected}

// followed adds to a route of completed what comes before the end, for a destination that shows it.
func followed(routes []bridge.Route) []bridge.Route {
	var all []bridge.Route
	for _, r := range routes {
		all = append(all, r)
		if r.Outcome != bridge.Completed || !follows(r.To) {
			continue
		}
		for _, o := range begun {
			all = append(all, bridge.Route{Outcome: o, To: r.To})
		}
	}
	return distinct(all)
}

func follows(to bridge.Destination) bool {
	return to.AtSource() && slices.Contains(following, to.Target)
}

// endless reports what would begin and never end.
func (s *section) endless(outcome pair, to bridge.Destination, routes []bridge.Route) {
	o := bridge.Outcome(outcome.name)
	if !follows(to) || o != bridge.Queued && o != bridge.Started {
		return
	}
	if slices.ContainsFunc(routes, func(r bridge.Route) bool { return r.To == to && r.Outcome == bridge.Completed }) {
		return
	}
	s.fail(outcome.key.Line, "write completed: "+to.String()+", which shows the run from its match to its end",
		"%s of %s alone would never come to an end", to, o)
}

// options reads the settings of the destinations under github:; they may use what message may.
func (s *section) options() map[string]bridge.Text {
	if s == nil {
		return nil
	}
	n := s.node()
	if n == nil {
		return nil
	}
	options := map[string]bridge.Text{}
	text := func(p pair) {
		source, ok := s.scalar(p.value, p.name)
		if !ok {
			return
		}
		t, err := expression.CompileText(source)
		if err != nil {
			s.problems(expression.CheckText(source, nil), firstLine(p.value), source)
			return
		}
		options[p.name] = t
	}
	s.fields(n, map[string]field{
		"annotations": func(p pair) {
			if p.value.Kind != yaml.ScalarNode || p.value.Tag != "!!bool" {
				s.fail(p.value.Line, "", "%s must be true or false", p.name)
				return
			}
			text(p)
		},
		"check-name": text,
		"environment-url": func(p pair) {
			if v := strings.TrimSpace(p.value.Value); !strings.HasPrefix(v, "http") && !strings.HasPrefix(v, "{{") {
				s.fail(p.value.Line, "", "%s must be an address such as https://{{=parameters.env}}.example.com", p.name)
				return
			}
			text(p)
		},
	}, githubFields, nil)
	return options
}
