package workflowtemplates

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/expression"
	"github.com/argo-bridge/argo-bridge/bridge/mapping"
)

func nearest(name string, candidates []string) string { return expression.Nearest(name, candidates) }

// rule reads all keys of one rule.
func (p *parser) rule(name string) *bridge.Rule {
	sections := p.sections[name]
	r := &bridge.Rule{Template: p.in.Ref, Name: name}
	r.Triggers = sections[keyOn].on()
	shapes := p.shapes(r.Triggers)
	if s := sections[keyWhen]; s != nil {
		if e := s.expression(s.text, 1, shapes); e != nil {
			r.When = e
		}
	}
	r.Flow = p.flow(sections, shapes)
	shapes = withEvents(sections, shapes)
	r.Parameters = p.parameters(sections, shapes)
	r.Submit = bridge.SubmitRule{
		Labels:         sections[keyLabels].labels(shapes),
		Entrypoint:     sections[keyEntrypoint].textOf(shapes, p.checkEntrypoint),
		ServiceAccount: sections[keyServiceAccount].textOf(shapes, checkServiceAccount),
		Priority:       sections[keyPriority].textOf(shapes, checkPriority),
	}
	r.Trust = sections[keyTrust].trust()
	r.Reads = distinctNames(p.reads[name])
	r.Declared = declared(p.in.Parameters)
	return r
}

func distinctNames(names []string) []string {
	slices.Sort(names)
	return slices.Compact(names)
}

func declared(parameters []Parameter) (all []bridge.Declared) {
	for _, p := range parameters {
		all = append(all, bridge.Declared{Name: p.Name, Description: p.Description, Default: p.Value, Enum: p.Enum})
	}
	return all
}

// reading notes what an expression of the rule looks at.
func (s *section) reading(paths []string) {
	s.parser.reads[s.rule] = append(s.parser.reads[s.rule], paths...)
}

// expression compiles and checks; nil after a fault.
func (s *section) expression(source string, line int, shapes map[string]*bridge.Shape) bridge.Expression {
	if problems := expression.Check(source, shapes); len(problems) > 0 {
		s.problems(problems, line, source)
		return nil
	}
	e, err := s.parser.language.Programs.Compile(strings.TrimSpace(source))
	if err != nil {
		s.fail(line, "", "%v", err)
		return nil
	}
	s.reading(expression.Reads(source))
	return e
}

// parameters reads the mapping and holds it against the template's declaration.
func (p *parser) parameters(sections map[string]*section, shapes map[string]*bridge.Shape) []bridge.ParameterRule {
	s := sections[keyParameters]
	var rules []bridge.ParameterRule
	filled := map[string]bool{}
	if s != nil {
		if n := s.node(); n != nil {
			for _, pair := range s.pairs(n, "parameters") {
				filled[pair.name] = true
				if rule, ok := s.parameter(pair, shapes); ok {
					rules = append(rules, rule)
				}
			}
		}
	}
	p.required(sections, filled)
	return rules
}

func (s *section) parameter(pair pair, shapes map[string]*bridge.Shape) (bridge.ParameterRule, bool) {
	declared := s.parser.in.Parameters
	i := slices.IndexFunc(declared, func(d Parameter) bool { return d.Name == pair.name })
	if i < 0 {
		suggestion := didYouMean(nearest(pair.name, parameterNames(declared)))
		if suggestion == "" {
			suggestion = "declare it there, or take it out of parameters"
		}
		s.fail(pair.key.Line, suggestion,
			"the template does not declare the parameter %q in spec.arguments.parameters", pair.name)
	}
	source, ok := s.scalar(pair.value, "the expression of the parameter "+strconv.Quote(pair.name))
	if !ok {
		return bridge.ParameterRule{}, false
	}
	e := s.expression(source, firstLine(pair.value), shapes)
	if e == nil || i < 0 {
		return bridge.ParameterRule{}, false
	}
	s.parser.mapped = append(s.parser.mapped, mapped{s, pair.key.Line, pair.name, expression.Paths(source)})
	return bridge.ParameterRule{Name: pair.name, Value: e, Default: declared[i].Default, Enum: declared[i].Enum}, true
}

func parameterNames(declared []Parameter) []string {
	names := make([]string, len(declared))
	for i, d := range declared {
		names[i] = d.Name
	}
	return names
}

// required reports the parameters that have no value whatever the event is.
func (p *parser) required(sections map[string]*section, filled map[string]bool) {
	s := sections[keyParameters]
	if s == nil {
		s = sections[keyOn]
	}
	for _, d := range p.in.Parameters {
		if !d.Default && !filled[d.Name] {
			s.fail(1, "add "+d.Name+" to "+joinKey(keyParameters, s.rule)+", or give it a value in spec.arguments.parameters",
				"nothing fills the parameter %q, and the template has no default for it", d.Name)
		}
	}
}

// textOf compiles a constant or a text with expressions; check sees constants. A nil section is no text.
func (s *section) textOf(shapes map[string]*bridge.Shape, check func(constant string) (message, suggestion string)) bridge.Text {
	if s == nil {
		return nil
	}
	source := strings.TrimSpace(s.text)
	if source == "" {
		s.fail(1, "", "the annotation is empty")
		return nil
	}
	return s.compileText(source, 1, shapes, check)
}

func (s *section) compileText(source string, line int, shapes map[string]*bridge.Shape, check func(string) (message, suggestion string)) bridge.Text {
	if problems := expression.CheckText(source, shapes); len(problems) > 0 {
		s.problems(problems, line, source)
		return nil
	}
	text, err := expression.CompileText(source)
	if err != nil {
		s.fail(line, "", "%v", err)
		return nil
	}
	if !strings.Contains(source, "{{") {
		if message, suggestion := check(source); message != "" {
			s.fail(line, suggestion, "%s", message)
			return nil
		}
	}
	s.reading(expression.TextReads(source))
	return text
}

func (p *parser) checkEntrypoint(name string) (message, suggestion string) {
	if p.in.Templates == nil || slices.Contains(p.in.Templates, name) {
		return "", ""
	}
	return "the template has no template " + strconv.Quote(name) + " in spec.templates", didYouMean(nearest(name, p.in.Templates))
}

func checkServiceAccount(name string) (message, suggestion string) {
	if faults := validation.IsDNS1123Subdomain(name); len(faults) > 0 {
		return strconv.Quote(name) + " is no name of a service account: " + brief(faults[0]), ""
	}
	return "", ""
}

// brief cuts the example and the regular expression from a message of Kubernetes.
func brief(message string) string {
	message, _, _ = strings.Cut(message, " (e.g.")
	return message
}

func checkPriority(number string) (message, suggestion string) {
	if _, err := strconv.ParseInt(number, 10, 32); err != nil {
		return strconv.Quote(number) + " is no whole number of 32 bits", ""
	}
	return "", ""
}

// labels reads a map of texts. Labels of Argo and of the bridge are not the author's to set.
func (s *section) labels(shapes map[string]*bridge.Shape) map[string]bridge.Text {
	if s == nil {
		return nil
	}
	n := s.node()
	if n == nil {
		return nil
	}
	labels := map[string]bridge.Text{}
	for _, pair := range s.pairs(n, "labels") {
		if message := checkLabel(pair.name); message != "" {
			s.fail(pair.key.Line, "", "%s", message)
			continue
		}
		source, ok := s.scalar(pair.value, "the label "+pair.name)
		if !ok {
			continue
		}
		if text := s.compileText(source, firstLine(pair.value), shapes, checkLabelValue); text != nil {
			labels[pair.name] = text
		}
	}
	return labels
}

func checkLabel(name string) string {
	for _, reserved := range []string{bridge.Prefix, "workflows.argoproj.io/"} {
		if strings.HasPrefix(name, reserved) {
			return "labels under " + reserved + " are not for templates to set"
		}
	}
	if faults := validation.IsQualifiedName(name); len(faults) > 0 {
		return strconv.Quote(name) + " is no name of a label: " + brief(faults[0])
	}
	return ""
}

func checkLabelValue(value string) (message, suggestion string) {
	if !mapping.ValidLabel(value) {
		return strconv.Quote(value) + " is no value of a label: at most 63 letters, digits, '-', '_' and '.', with a letter or digit at both ends", ""
	}
	return "", ""
}

// shapes are the variables of all events of a rule. A path must exist in one of them.
func (p *parser) shapes(triggers []bridge.Trigger) map[string]*bridge.Shape {
	union := expression.Shapes()
	merge := newMerger()
	for _, t := range triggers {
		d, ok := p.language.dialect(t.Event)
		if !ok {
			continue
		}
		own := map[string]*bridge.Shape{d.Source: nil}
		if d.Variables != nil {
			if known := d.Variables(t.Event); known != nil {
				own = known
			}
		}
		for _, name := range slices.Sorted(maps.Keys(own)) {
			if old, ok := union[name]; ok {
				union[name] = merge.union(old, own[name])
			} else {
				union[name] = own[name]
			}
		}
	}
	return union
}
