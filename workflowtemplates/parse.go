package workflowtemplates

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// A parser reads the annotations of one template.
type parser struct {
	in       Input
	language Language
	faults   []Fault
	// sections by rule and base key; notify, message, github and slack without suffix stand under "".
	sections map[string]map[string]*section
	// reads are the variables that the expressions of each rule look at.
	reads map[string][]string
	// mapped are the parameters that rules fill, for the search for untrusted text.
	mapped []mapped
}

// Parse reads a template's annotations. It never fails: what cannot be read is a fault of the result.
func Parse(in Input, language Language) *Template {
	p := &parser{in: in, language: language, sections: map[string]map[string]*section{}, reads: map[string][]string{}}
	p.split()
	t := &Template{Ref: in.Ref, UID: in.UID, Description: in.Description, Declared: declared(in.Parameters)}
	var rules []*bridge.Rule
	for _, name := range p.ruleNames() {
		rules = append(rules, p.rule(name))
	}
	p.orphans()
	p.untrusted(rules)
	t.routes, t.Allow = p.routes()
	for _, r := range rules {
		if slices.ContainsFunc(p.faults, func(f Fault) bool { return f.stops(r.Name) }) {
			t.Faulty = append(t.Faulty, r)
		} else {
			t.Rules = append(t.Rules, r)
		}
	}
	sortFaults(p.faults)
	t.Faults = p.faults
	return t
}

// split sorts the annotations by rule and reports those that are no key.
func (p *parser) split() {
	for _, annotation := range slices.Sorted(maps.Keys(p.in.Annotations)) {
		key, ok := strings.CutPrefix(annotation, bridge.Prefix)
		if !ok {
			continue
		}
		base, rule, suffixed := splitKey(key)
		s := &section{parser: p, key: key, base: base, rule: rule, text: p.in.Annotations[annotation]}
		if !p.validKey(s, suffixed) {
			continue
		}
		if !suffixed {
			s.rule = bridge.DefaultRule
		}
		name := s.rule
		if ofRuns(base) {
			s.rule = noRule
			if !suffixed {
				name = ""
			}
		}
		if p.sections[name] == nil {
			p.sections[name] = map[string]*section{}
		}
		p.sections[name][base] = s
	}
}

func (p *parser) validKey(s *section, suffixed bool) bool {
	switch {
	case !slices.Contains(keys, s.base):
		suggestion := s.suggestKey(suffixed)
		s.rule = p.existingRule(s.rule)
		s.fail(1, suggestion, "unknown key %s%s", bridge.Prefix, s.key)
		return false
	case suffixed && s.rule == bridge.DefaultRule:
		s.fail(1, "write "+s.base, "the keys of the rule %s have no suffix", bridge.DefaultRule)
		return false
	case suffixed && !ruleName.MatchString(s.rule):
		bad := s.rule
		s.rule = ""
		s.fail(1, "", "%q is no name of a rule: at most 40 lower-case letters, digits and '-', with a letter or digit at both ends", bad)
		return false
	}
	return true
}

func (s *section) suggestKey(suffixed bool) string {
	near := nearest(s.base, keys)
	switch {
	case near == "":
		return "the keys are " + strings.Join(keys, ", ")
	case suffixed:
		near += "." + s.rule
	}
	return didYouMean(near)
}

// existingRule is the rule if there is one of that name; otherwise "", so that a fault stops all rules.
func (p *parser) existingRule(rule string) string {
	if _, ok := p.in.Annotations[bridge.Prefix+joinKey(keyOn, rule)]; ok {
		return rule
	}
	return ""
}

// ruleNames are the names of the rules, those with an on, default first.
func (p *parser) ruleNames() []string {
	var names []string
	for name, sections := range p.sections {
		if sections[keyOn] != nil {
			names = append(names, name)
		}
	}
	slices.SortFunc(names, func(a, b string) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a, b))
	})
	return names
}

func rank(rule string) int {
	if rule == bridge.DefaultRule {
		return 0
	}
	return 1
}

// orphans reports the keys of rules that have no on.
func (p *parser) orphans() {
	for _, name := range slices.Sorted(maps.Keys(p.sections)) {
		sections := p.sections[name]
		for _, base := range slices.Sorted(maps.Keys(sections)) {
			s := sections[base]
			if name != "" && sections[keyOn] == nil {
				s.fail(1, didYouMean(p.nearestRule(base, name)), "there is no rule %s: no annotation %s%s", name, bridge.Prefix, joinKey(keyOn, name))
			}
		}
	}
}

func (p *parser) nearestRule(base, name string) string {
	near := nearest(name, p.ruleNames())
	if near == "" {
		return ""
	}
	return joinKey(base, near)
}
