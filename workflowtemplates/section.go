package workflowtemplates

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/expression"
)

// A section is one annotation that is being read. Its methods report faults and return what they
// could read, so that reading goes on and finds the other faults.
type section struct {
	parser *parser
	key    string // without the prefix
	base   string
	rule   string // as in Fault
	text   string
}

func (s *section) report(severity Severity, line int, suggestion, format string, arguments ...any) {
	s.parser.faults = append(s.parser.faults, Fault{
		Template: s.parser.in.Ref, Key: s.key, Line: max(1, line), Severity: severity,
		Message: fmt.Sprintf(format, arguments...), Suggestion: suggestion, rule: s.rule,
	})
}

func (s *section) fail(line int, suggestion, format string, arguments ...any) {
	s.report(Error, line, suggestion, format, arguments...)
}

func didYouMean(name string) string {
	if name == "" {
		return ""
	}
	return "did you mean " + name + "?"
}

var yamlLine = regexp.MustCompile(`^yaml: (?:line ([0-9]+): )?`)

// node parses the text as YAML; nil when it holds nothing that can be read.
func (s *section) node() *yaml.Node {
	decoder := yaml.NewDecoder(strings.NewReader(s.text))
	var document, second yaml.Node
	err := decoder.Decode(&document)
	if errors.Is(err, io.EOF) || err == nil && (len(document.Content) == 0 || isNull(document.Content[0])) {
		s.fail(1, "", "the annotation is empty")
		return nil
	}
	if err == nil && !errors.Is(decoder.Decode(&second), io.EOF) {
		s.fail(1, "", "the annotation must hold one YAML document")
		return nil
	}
	if err != nil {
		m := yamlLine.FindStringSubmatch(err.Error())
		line := 1
		if len(m) > 1 && m[1] != "" {
			line, _ = strconv.Atoi(m[1])
		}
		s.fail(line, "", "bad YAML: %s", yamlLine.ReplaceAllString(err.Error(), ""))
		return nil
	}
	return document.Content[0]
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }

// A pair is one member of a YAML map.
type pair struct {
	name  string
	key   *yaml.Node
	value *yaml.Node
}

// pairs reads a map; each name may occur once.
func (s *section) pairs(n *yaml.Node, what string) []pair {
	if n.Kind != yaml.MappingNode {
		s.fail(n.Line, "", "%s must be a map, got %s", what, kind(n))
		return nil
	}
	seen := map[string]bool{}
	var pairs []pair
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if key.Kind != yaml.ScalarNode || key.Tag == "!!merge" {
			s.fail(key.Line, "", "a name in %s must be a text", what)
			continue
		}
		if seen[key.Value] {
			s.fail(key.Line, "", "%s is given twice", key.Value)
			continue
		}
		seen[key.Value] = true
		pairs = append(pairs, pair{key.Value, key, value})
	}
	return pairs
}

// strings reads one text or a list of texts; ok is false when a fault was reported.
func (s *section) strings(n *yaml.Node, what string) (texts []string, ok bool) {
	if n.Kind == yaml.ScalarNode && !isNull(n) {
		return []string{n.Value}, true
	}
	if n.Kind != yaml.SequenceNode {
		s.fail(n.Line, "", "%s must be a text or a list of texts, got %s", what, kind(n))
		return nil, false
	}
	ok = true
	for _, item := range n.Content {
		if item.Kind != yaml.ScalarNode || isNull(item) {
			s.fail(item.Line, "", "%s must be a list of texts, one entry is %s", what, kind(item))
			ok = false
			continue
		}
		texts = append(texts, item.Value)
	}
	return texts, ok
}

// scalar reads one text.
func (s *section) scalar(n *yaml.Node, what string) (string, bool) {
	if n.Kind != yaml.ScalarNode || isNull(n) {
		s.fail(n.Line, "", "%s must be a text, got %s", what, kind(n))
		return "", false
	}
	return n.Value, true
}

func kind(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a map"
	case yaml.SequenceNode:
		return "a list"
	case yaml.AliasNode:
		return "an alias, which annotations do not have"
	}
	if isNull(n) {
		return "nothing"
	}
	return "a text"
}

// firstLine is the line of the first character of a scalar's value.
func firstLine(n *yaml.Node) int {
	if n.Style == yaml.LiteralStyle || n.Style == yaml.FoldedStyle {
		return n.Line + 1
	}
	return n.Line
}

// problems reports the problems of an expression whose text begins at the given line.
func (s *section) problems(problems []expression.Problem, line int, source string) {
	for _, p := range problems {
		message := p.Message
		if p.Column > 1 || p.Line > 1 {
			message = fmt.Sprintf("%s (column %d of the expression)", p.Message, p.Column)
		}
		s.fail(line+p.Line-1, s.suggest(p, source), "%s", message)
	}
}

// suggest adds what the language knows to the nearest name.
func (s *section) suggest(p expression.Problem, source string) string {
	switch {
	case len(p.Path) == 1 && p.Path[0] == eventsVariable:
		return s.suggestBatch()
	case p.Suggestion != "":
		return didYouMean(p.Suggestion)
	case len(p.Path) > 2 && p.Path[1] == "event":
		return "a field newer than this bridge can be read as data." + strings.Join(p.Path[2:], ".")
	case len(p.Path) == 1 && strings.TrimSpace(source) == p.Path[0]:
		return fmt.Sprintf("a constant text is written '%q', with both kinds of quotes", p.Path[0])
	}
	return ""
}

// suggestBatch says where there is a list of events.
func (s *section) suggestBatch() string {
	if s.parser.sections[s.rule][keyBatch] != nil {
		what := s.base
		if what == keyBatch || what == keyConcurrency {
			what += "'s group"
		}
		return what + " is evaluated for each event alone, before it joins a batch"
	}
	return "add the annotation " + bridge.Prefix + joinKey(keyBatch, s.rule) + ": with it, events is the list of the batch's events"
}
