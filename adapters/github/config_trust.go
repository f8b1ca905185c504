package github

import (
	"errors"
	"fmt"
	"strings"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// TrustConfig is the part trust of the github section, see [bridge.Trust]. Empty, it trusts who may write to the
// repository.
type TrustConfig struct {
	Anyone     bool     `yaml:"anyone,omitempty"`
	Permission string   `yaml:"permission,omitempty"`
	Teams      []string `yaml:"teams,omitempty"`
	Users      []string `yaml:"users,omitempty"`
}

// Rule is what it says, in the bridge's words; of nil, the trust of who may write.
func (t *TrustConfig) Rule() bridge.Trust {
	if t == nil {
		return bridge.Trust{}
	}
	return bridge.Trust{Anyone: t.Anyone, Permission: t.Permission, Teams: t.Teams, Users: t.Users}
}

// validate names every bad field; there may be none at all.
func (t *TrustConfig) validate() error {
	if t == nil {
		return nil
	}
	var errs []error
	switch t.Permission {
	case "", "write", "maintain", "admin":
	default:
		errs = append(errs, fmt.Errorf("trust.permission: %q is none of write, maintain, admin", t.Permission))
	}
	for i, team := range t.Teams {
		organization, slug, ok := strings.Cut(strings.TrimPrefix(team, "@"), "/")
		if !ok || !token(organization, "-") || !token(slug, "-_.") {
			errs = append(errs, fmt.Errorf("trust.teams[%d]: %q is no team such as acme/deployers", i, team))
		}
	}
	for i, user := range t.Users {
		if !token(strings.TrimSuffix(user, "[bot]"), "-_") {
			errs = append(errs, fmt.Errorf("trust.users[%d]: %q is no login", i, user))
		}
	}
	return errors.Join(errs...)
}
