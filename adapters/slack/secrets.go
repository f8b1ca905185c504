package slack

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
)

// Secrets are what a Config points to.
type Secrets struct {
	Signing []string
	// Token is the bot token of the default workspace, Tokens are those of the others, by team id.
	Token  string
	Tokens map[string]string
	// App is the app-level token; empty: no Socket Mode.
	App string
}

// appTokenPrefix begins an app-level token: https://docs.slack.dev/authentication/tokens#app
const appTokenPrefix = "xapp-"

// Load reads the secrets; getenv is os.Getenv outside tests. It names every one that cannot be
// read or is empty.
func (c Config) Load(getenv func(string) string) (Secrets, error) {
	l := loader{getenv: getenv}
	var s Secrets
	for i, f := range c.SigningSecretFiles {
		s.Signing = append(s.Signing, l.file(fmt.Sprintf("signingSecretFiles[%d]", i), f))
	}
	for i, n := range c.SigningSecretEnv {
		s.Signing = append(s.Signing, l.env(fmt.Sprintf("signingSecretEnv[%d]", i), n))
	}
	s.Token = l.either("", "token", c.TokenFile, c.TokenEnv)
	s.App = l.either("", "appToken", c.AppTokenFile, c.AppTokenEnv)
	if s.App != "" && !strings.HasPrefix(s.App, appTokenPrefix) {
		l.errs = append(l.errs, fmt.Errorf("appTokenFile, appTokenEnv: the token does not begin with %s, as app-level tokens do", appTokenPrefix))
	}
	for _, id := range slices.Sorted(maps.Keys(c.Workspaces)) {
		if s.Tokens == nil {
			s.Tokens = map[string]string{}
		}
		w := c.Workspaces[id]
		s.Tokens[id] = l.either("workspaces."+id+".", "token", w.TokenFile, w.TokenEnv)
	}
	if err := errors.Join(l.errs...); err != nil {
		return Secrets{}, err
	}
	return s, nil
}

// A loader reads secrets and keeps what went wrong.
type loader struct {
	getenv func(string) string
	errs   []error
}

func (l *loader) either(prefix, name, file, env string) string {
	switch {
	case file != "":
		return l.file(prefix+name+"File", file)
	case env != "":
		return l.env(prefix+name+"Env", env)
	}
	return ""
}

func (l *loader) file(field, path string) string {
	b, err := os.ReadFile(path)
	return l.take(field, string(b), err)
}

func (l *loader) env(field, name string) string { return l.take(field, l.getenv(name), nil) }

func (l *loader) take(field, value string, err error) string {
	value = strings.TrimSpace(value)
	if err != nil {
		l.errs = append(l.errs, fmt.Errorf("%s: read secret: %w", field, err))
	} else if value == "" {
		l.errs = append(l.errs, fmt.Errorf("%s: the secret is empty or not set", field))
	}
	return value
}
