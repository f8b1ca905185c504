package workflowtemplates

import (
	"slices"
	"strings"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// A link leads from a template to one that its end starts.
type link struct {
	to   *Template
	rule *bridge.Rule
}

// loops finds templates that start one another in a circle, and reports each circle once: an error when it has
// no condition, a warning when a `when` may end it. A template that starts itself is reported by Parse.
func loops(templates []*Template) (faults []Fault) {
	seen := map[string]bool{}
	for _, conditional := range []bool{false, true} {
		links := linksOf(templates, conditional)
		for _, t := range templates {
			circle := shortest(links, t)
			if len(circle) == 0 || seen[nameOf(circle)] {
				continue
			}
			seen[nameOf(circle)] = true
			faults = append(faults, circleFault(t, circle, conditional))
		}
	}
	return faults
}

// linksOf are the links of all templates; those of rules with a `when` only where conditional.
func linksOf(templates []*Template, conditional bool) map[*Template][]link {
	links := map[*Template][]link{}
	for _, to := range templates {
		for _, r := range slices.Concat(to.Rules, to.Faulty) {
			if r.When != nil && !conditional {
				continue
			}
			for _, from := range templates {
				if from != to && waitsFor(r, from.Ref) {
					links[from] = append(links[from], link{to, r})
				}
			}
		}
	}
	return links
}

// shortest is the shortest way from a template back to itself, breadth first; nil for none.
func shortest(links map[*Template][]link, start *Template) []link {
	type step struct {
		link
		before *step
	}
	var queue []*step
	visit := func(from *Template, before *step) {
		for _, l := range links[from] {
			queue = append(queue, &step{l, before})
		}
	}
	visit(start, nil)
	visited := map[*Template]bool{}
	for len(queue) > 0 {
		s := queue[0]
		queue = queue[1:]
		if s.to == start {
			var way []link
			for ; s != nil; s = s.before {
				way = append(way, s.link)
			}
			slices.Reverse(way)
			return way
		}
		if !visited[s.to] {
			visited[s.to] = true
			visit(s.to, s)
		}
	}
	return nil
}

// nameOf is the same for a circle wherever it is entered.
func nameOf(circle []link) string {
	names := make([]string, len(circle))
	for i, l := range circle {
		names[i] = l.to.Ref.String()
	}
	first := slices.Index(names, slices.Min(names))
	return strings.Join(slices.Concat(names[first:], names[:first]), "\n")
}

// circleFault is on the rule that closes the circle.
func circleFault(start *Template, circle []link, conditional bool) Fault {
	names := []string{start.Ref.String()}
	for _, l := range circle {
		names = append(names, l.to.Ref.String())
	}
	f := Fault{
		Template: start.Ref, Key: joinKey(keyOn, circle[len(circle)-1].rule.Name), Line: 1, Severity: Error,
		Message:    "these templates start one another for ever: " + strings.Join(names, " → "),
		Suggestion: "take one of them out, or end the loop with a condition: when: chain.depth < 3",
	}
	if conditional {
		f.Severity, f.Suggestion = Warning, ""
		f.Message = "these templates start one another for as long as when holds: " + strings.Join(names, " → ")
	}
	return f
}
