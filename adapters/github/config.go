package github

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"
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

	// App is the GitHub App by which the bridge asks GitHub, and answers there. Without it events are taken, and what
	// needs an answer of GitHub is not to be had.
	App *AppConfig `yaml:"app,omitempty"`
	// BaseURL is the address of a GitHub Enterprise Server, such as https://ghe.example.com; GitHub itself if empty.
	BaseURL string `yaml:"baseURL,omitempty"`
	// BeyondLimits says what a filter of paths makes of a change of more files than GitHub tells: BeyondRun, the default,
	// takes it that one of the others fits, and BeyondSkip that none does.
	BeyondLimits string `yaml:"beyondLimits,omitempty"`
	// Trust says whose code from forks, and whose commands, run where a template does not say it itself.
	Trust *TrustConfig `yaml:"trust,omitempty"`
	// Sweep is the search for deliveries that did not arrive.
	Sweep SweepConfig `yaml:"sweep,omitempty"`
}

// Values of Config.BeyondLimits.
const (
	BeyondRun  = "run"
	BeyondSkip = "skip"
)

// SweepConfig is the part sweep of the github section.
type SweepConfig struct {
	Disabled bool `yaml:"disabled,omitempty"`
	// Every is the time between two sweeps, five minutes if 0.
	Every time.Duration `yaml:"every,omitempty"`
}

// Bounds and default of SweepConfig.Every. GitHub keeps deliveries for three days.
const (
	minSweep     = 10 * time.Second
	maxSweep     = 24 * time.Hour
	defaultSweep = 5 * time.Minute
)

// Interval is the time between two sweeps.
func (s SweepConfig) Interval() time.Duration { return cmp.Or(s.Every, defaultSweep) }

// RunsBeyond says whether paths that GitHub does not tell count as fitting.
func (c Config) RunsBeyond() bool { return c.BeyondLimits != BeyondSkip }

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
		if !variable(n) {
			errs = append(errs, fmt.Errorf("webhookSecretEnv[%d]: %q is no name of an environment variable", i, n))
		}
	}
	if c.BeyondLimits != "" && c.BeyondLimits != BeyondRun && c.BeyondLimits != BeyondSkip {
		errs = append(errs, fmt.Errorf("beyondLimits: %q is neither %s nor %s", c.BeyondLimits, BeyondRun, BeyondSkip))
	}
	if e := c.Sweep.Every; e != 0 && (e < minSweep || e > maxSweep) {
		errs = append(errs, fmt.Errorf("sweep.every: %v is not between %v and %v", e, minSweep, maxSweep))
	}
	if _, err := Root(c.BaseURL); err != nil {
		errs = append(errs, fmt.Errorf("baseURL: %w", err))
	}
	return errors.Join(append(errs, c.App.validate(), c.Trust.validate())...)
}

func variable(name string) bool {
	return strings.TrimSpace(name) != "" && !strings.ContainsAny(name, "= ")
}

// Load reads the webhook secrets; getenv is os.Getenv outside tests. It names every one that cannot be
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
