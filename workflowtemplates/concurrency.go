package workflowtemplates

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/argo-bridge/argo-bridge/bridge"
)

var (
	concurrencyFields = []string{"group", "limit", "policy", "max-waiting", "shutdown"}
	shutdowns         = []string{string(bridge.ShutdownStop), string(bridge.ShutdownTerminate)}
	// actionsFields are the fields of GitHub Actions' concurrency that are written in another way here.
	actionsFields = map[string]string{
		"cancel-in-progress": "write policy: " + string(bridge.CancelInProgress),
		"queue":              "write policy: " + string(bridge.Queue) + ", and max-waiting for a bound",
	}
)

// concurrency reads a map, or, as in GitHub Actions, the group's expression alone.
func (s *section) concurrency(shapes map[string]*bridge.Shape) *bridge.Concurrency {
	if s == nil {
		return nil
	}
	c := &bridge.Concurrency{Limit: 1, Policy: bridge.Queue}
	if s.isExpression() {
		c.Group = s.expression(s.text, 1, shapes)
		return c
	}
	n := s.node()
	if n == nil {
		return nil
	}
	given := map[string]pair{}
	keep := func(read field) field {
		return func(p pair) { given[p.name] = p; read(p) }
	}
	s.fields(n, map[string]field{
		"group":       func(p pair) { c.Group = s.expressionOf(p, shapes) },
		"limit":       func(p pair) { c.Limit = s.wholeNumber(p, 1, 0) },
		"policy":      keep(func(p pair) { c.Policy = s.policy(p) }),
		"max-waiting": keep(func(p pair) { c.MaxWaiting = s.wholeNumber(p, 1, 0) }),
		"shutdown":    keep(func(p pair) { c.Shutdown = s.shutdown(p) }),
	}, concurrencyFields, actionsFields)
	s.contradictions(c.Policy, given)
	if c.Shutdown == "" && c.Policy == bridge.CancelInProgress {
		c.Shutdown = bridge.ShutdownStop
	}
	return c
}

// contradictions reports what cannot stand beside a policy; after a faulty policy it says nothing.
func (s *section) contradictions(policy bridge.Policy, given map[string]pair) {
	if policy == "" {
		return
	}
	s.onlyWith(policy, bridge.Queue, given["max-waiting"])
	s.onlyWith(policy, bridge.CancelInProgress, given["shutdown"])
	if policy == bridge.Queue {
		return
	}
	for _, other := range []string{keyOrdered, keyBatch} {
		if s.parser.sections[s.rule][other] != nil {
			s.fail(given["policy"].key.Line, "write policy: "+string(bridge.Queue)+", or take out "+joinKey(other, s.rule),
				"the policy %s cannot stand beside %s, by which every event has its turn", policy, other)
		}
	}
}

// isExpression tells an expression from a map. An expression with a colon, such as a ? b : c, can be read as a map
// as well, and one that begins with a quote as bad YAML; no map of ours that is written in lines is an expression.
func (s *section) isExpression() bool {
	var document yaml.Node
	err := yaml.Unmarshal([]byte(s.text), &document)
	if err != nil || len(document.Content) == 0 {
		return compiles(s.text)
	}
	n := document.Content[0]
	if n.Kind == yaml.MappingNode {
		return n.Style&yaml.FlowStyle == 0 && compiles(s.text)
	}
	return !isNull(n)
}

func (s *section) policy(p pair) bridge.Policy {
	policy := bridge.Policy(p.value.Value)
	if p.value.Kind == yaml.ScalarNode && slices.Contains(bridge.Policies, policy) {
		return policy
	}
	names := make([]string, len(bridge.Policies))
	for i, known := range bridge.Policies {
		names[i] = string(known)
	}
	s.unknownValue(p, names, "the policies are ")
	return ""
}

func (s *section) shutdown(p pair) bridge.Shutdown {
	if p.value.Kind == yaml.ScalarNode && slices.Contains(shutdowns, p.value.Value) {
		return bridge.Shutdown(p.value.Value)
	}
	s.unknownValue(p, shutdowns, "they are Argo's own: ")
	return ""
}

func (s *section) unknownValue(p pair, names []string, all string) {
	suggestion := didYouMean(nearest(p.value.Value, names))
	if suggestion == "" {
		suggestion = all + strings.Join(names, ", ")
	}
	s.fail(p.value.Line, suggestion, "unknown %s %s", p.name, valueOf(p.value))
}

// onlyWith reports a field that only another policy has.
func (s *section) onlyWith(policy, needed bridge.Policy, p pair) {
	if p.name == "" || policy == needed {
		return
	}
	s.fail(p.key.Line, "write policy: "+string(needed)+", or take out "+p.name, "the policy %s has no %s", policy, p.name)
}
