package admin

import (
	"errors"
	"fmt"
	"strings"
)

// Config is the admin section of the bridge's configuration file: who may use the API.
type Config struct {
	// Kubernetes lets in whose token the Kubernetes API knows and whom RBAC grants the verb get
	// (to read) or create (to replay) on events.bridge.argoproj.io in the bridge's namespace. On
	// unless it is set to false: it lets nobody in whom RBAC does not name.
	Kubernetes *bool `yaml:"kubernetes"`
	// Audiences are those that a Kubernetes token must be for; empty: the API server's own.
	Audiences []string `yaml:"audiences"`
	// TokenFile is a file of tokens, for where there is no Kubernetes to ask: see TokenFile.
	// Empty: none.
	TokenFile string `yaml:"tokenFile"`
}

// Defaults returns c with every unset field at its default.
func (c Config) Defaults() Config {
	if c.Kubernetes == nil {
		on := true
		c.Kubernetes = &on
	}
	return c
}

// Validate names every field that cannot hold.
func (c Config) Validate() error {
	var errs []error
	if len(c.Audiences) > 0 && !c.AsksKubernetes() {
		errs = append(errs, errors.New("audiences: are those of Kubernetes tokens, and kubernetes is false"))
	}
	for i, a := range c.Audiences {
		if strings.TrimSpace(a) == "" {
			errs = append(errs, fmt.Errorf("audiences[%d]: is empty", i))
		}
	}
	return errors.Join(errs...)
}

// AsksKubernetes says whether Kubernetes tokens are taken.
func (c Config) AsksKubernetes() bool { return c.Kubernetes == nil || *c.Kubernetes }
