package workflowtemplates

import (
	"slices"
	"strings"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/match"
)

// keyTemplates is the filter that names the templates whose ends start a rule.
const keyTemplates = "templates"

var workflowFilters = map[string]filterReader{keyTemplates: templatesFilter}

// requireTemplates reports an event workflow.<outcome> without templates, which would start at the end of every
// run there is, its own included.
func (s *section) requireTemplates(event string, line int, given []pair) {
	if source, _, _ := strings.Cut(event, "."); source != workflowSource || has(given, keyTemplates) {
		return
	}
	s.fail(line, "write "+event+": {templates: [NAME]}", "the event %s needs the filter templates", event)
}

// templatesFilter reads the names of templates: a bare one is in the rule's own namespace. A rule of a
// ClusterWorkflowTemplate has none: there it is that name in every namespace that access allows.
func templatesFilter(s *section, p pair, _ []pair) bridge.Filter {
	names, ok := s.strings(p.value, p.name)
	if !ok {
		return nil
	}
	own := s.parser.in.Ref
	patterns := make([]string, len(names))
	for i, name := range names {
		patterns[i] = qualify(name, own)
	}
	f, err := match.Globs(p.name, patterns)
	if f = s.made(p, f, err); f != nil && accepts(f, own) {
		s.ownEnd(p)
	}
	return f
}

// qualify puts the namespace before a bare pattern.
func qualify(pattern string, own bridge.Template) string {
	bare, negative := strings.CutPrefix(pattern, "!")
	if bare == "" || strings.Contains(bare, "/") {
		return pattern
	}
	namespace := own.Namespace
	if own.Cluster() {
		namespace = "*"
	}
	if bare == "**" {
		bare = "*"
	}
	if negative {
		return "!" + namespace + "/" + bare
	}
	return namespace + "/" + bare
}

// ownEnd reports a template that is started by its own end: without a condition it never stops.
func (s *section) ownEnd(p pair) {
	name := s.parser.in.Ref.Name
	if s.parser.sections[s.rule][keyWhen] == nil {
		s.fail(p.value.Line, "exclude it: \"!"+name+"\", or end the loop with a condition: when: chain.depth < 3",
			"the template %s would start itself again at each of its ends", name)
		return
	}
	s.report(Warning, p.value.Line, "", "the template %s starts itself again at its end for as long as when holds", name)
}

// accepts says whether the end of a run of the template passes the filter.
func accepts(f bridge.Filter, t bridge.Template) bool {
	namespace := t.Namespace
	if t.Cluster() {
		namespace = "cluster" // any: its runs may be everywhere
	}
	ok, _ := f.Test(bridge.Facts{Values: map[string][]string{keyTemplates: {namespace + "/" + t.Name}}})
	return ok
}

// waitsFor says whether the rule is started by an end of the template.
func waitsFor(r *bridge.Rule, t bridge.Template) bool {
	return slices.ContainsFunc(r.Triggers, func(trigger bridge.Trigger) bool {
		source, _, _ := strings.Cut(trigger.Event, ".")
		return source == workflowSource && slices.ContainsFunc(trigger.Filters, func(f bridge.Filter) bool {
			return f.Key() == keyTemplates && accepts(f, t)
		})
	})
}
