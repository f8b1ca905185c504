package workflowtemplates

import (
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/argo-bridge/argo-bridge/bridge"
)

var (
	trustFields = []string{"permission", "teams", "users"}
	permissions = []string{"write", "maintain", "admin"}
	team        = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9][A-Za-z0-9_.-]*$`)
)

// anyone is the whole value of trust that trusts everybody.
const anyone = "anyone"

// trust reads whose code and commands a rule runs; nil: as the bridge's config says.
func (s *section) trust() *bridge.Trust {
	if s == nil {
		return nil
	}
	n := s.node()
	if n == nil {
		return nil
	}
	if n.Kind == yaml.ScalarNode {
		if n.Value != anyone {
			s.fail(n.Line, "write "+anyone+", or a map such as {permission: write, users: [octocat]}", "trust cannot be %s", valueOf(n))
		}
		return &bridge.Trust{Anyone: n.Value == anyone}
	}
	t := &bridge.Trust{}
	s.fields(n, map[string]field{
		"permission": func(p pair) {
			if p.value.Kind == yaml.ScalarNode && slices.Contains(permissions, p.value.Value) {
				t.Permission = p.value.Value
				return
			}
			s.unknownValue(p, permissions, "the permissions are ")
		},
		"teams": func(p pair) { t.Teams = s.names(p, team, "a team is written organization/team") },
		"users": func(p pair) { t.Users = s.names(p, nil, "") },
	}, trustFields, map[string]string{anyone: "write trust: " + anyone})
	return t
}

// names reads a list of names; those that are none of the form are faults.
func (s *section) names(p pair, form *regexp.Regexp, usage string) []string {
	names, ok := s.strings(p.value, p.name)
	if !ok {
		return nil
	}
	for _, name := range names {
		if strings.TrimSpace(name) == "" || form != nil && !form.MatchString(name) {
			s.fail(p.value.Line, usage, "%s: %q is no name", p.name, name)
		}
	}
	return names
}
