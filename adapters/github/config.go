package github

import (
	"errors"
	"fmt"
	"os"
	"strings"
)

// Config is the github section of the bridge's configuration file. The webhook secret is the one
// that the GitHub App (or the repository's webhook) was given. While it is rotated, both the old
// and the new one are listed: a delivery that either has signed is taken.
type Config struct {
	// WebhookSecretFiles are files, such as those of a mounted Kubernetes Secret, that each hold
	// one secret. White space around it does not count.
	WebhookSecretFiles []string `yaml:"webhookSecretFiles,omitempty"`
	// WebhookSecretEnv are names of environment variables that each hold one secret.
	WebhookSecretEnv []string `yaml:"webhookSecretEnv,omitempty"`
}

// Validate names every bad field.
func (c Config) Validate() error {
	var errs []error
	if len(c.WebhookSecretFiles)+len(c.WebhookSecretEnv) == 0 {
		errs = append(errs, errors.New("webhookSecretFiles: no secret is given, and an unsigned event is never taken"))
	}
	for i, f := range c.WebhookSecretFiles {
		if strings.TrimSpace(f) == "" {
			errs = append(errs, fmt.Errorf("webhookSecretFiles[%d]: is empty", i))
		}
	}
	for i, n := range c.WebhookSecretEnv {
		if strings.TrimSpace(n) == "" || strings.ContainsAny(n, "= ") {
			errs = append(errs, fmt.Errorf("webhookSecretEnv[%d]: %q is no name of an environment variable", i, n))
		}
	}
	return errors.Join(errs...)
}

// Load reads the secrets; getenv is os.Getenv outside tests. It names every one that cannot be
// read or is empty.
func (c Config) Load(getenv func(string) string) (secrets []string, err error) {
	var errs []error
	for i, f := range c.WebhookSecretFiles {
		b, err := os.ReadFile(f)
		secret := strings.TrimSpace(string(b))
		switch {
		case err != nil:
			errs = append(errs, fmt.Errorf("webhookSecretFiles[%d]: read webhook secret: %w", i, err))
		case secret == "":
			errs = append(errs, fmt.Errorf("webhookSecretFiles[%d]: %s is empty", i, f))
		default:
			secrets = append(secrets, secret)
		}
	}
	for i, n := range c.WebhookSecretEnv {
		secret := strings.TrimSpace(getenv(n))
		if secret == "" {
			errs = append(errs, fmt.Errorf("webhookSecretEnv[%d]: %s is not set", i, n))
			continue
		}
		secrets = append(secrets, secret)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return secrets, nil
}
