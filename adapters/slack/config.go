package slack

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
)

// Config is the slack section of the bridge's configuration file. The signing secret is needed to
// take events, the token to post notifications; either part may be left out.
type Config struct {
	// SigningSecretFiles and SigningSecretEnv are files and environment variables that each hold a
	// signing secret: two while the secret is regenerated, or one per app.
	SigningSecretFiles []string `yaml:"signingSecretFiles,omitempty"`
	SigningSecretEnv   []string `yaml:"signingSecretEnv,omitempty"`
	// TokenFile or TokenEnv holds the bot token (xoxb-...).
	TokenFile string `yaml:"tokenFile,omitempty"`
	TokenEnv  string `yaml:"tokenEnv,omitempty"`
	// APIURL is the root of the Web API, DefaultAPIURL if empty; https://slack-gov.com/api/ for
	// GovSlack.
	APIURL string `yaml:"apiURL,omitempty"`
}

// Secrets are what a Config points to.
type Secrets struct {
	Signing []string
	Token   string
}

// Validate names every bad field.
func (c Config) Validate() error {
	var errs []error
	if len(c.SigningSecretFiles)+len(c.SigningSecretEnv) == 0 && c.TokenFile == "" && c.TokenEnv == "" {
		errs = append(errs, errors.New("signingSecretFiles, tokenFile: neither a signing secret nor a token is given"))
	}
	for i, f := range c.SigningSecretFiles {
		if strings.TrimSpace(f) == "" {
			errs = append(errs, fmt.Errorf("signingSecretFiles[%d]: is empty", i))
		}
	}
	for i, n := range c.SigningSecretEnv {
		if !variable(n) {
			errs = append(errs, fmt.Errorf("signingSecretEnv[%d]: %q is no name of an environment variable", i, n))
		}
	}
	if c.TokenFile != "" && c.TokenEnv != "" {
		errs = append(errs, errors.New("tokenFile, tokenEnv: only one of them can hold the token"))
	}
	if c.TokenEnv != "" && !variable(c.TokenEnv) {
		errs = append(errs, fmt.Errorf("tokenEnv: %q is no name of an environment variable", c.TokenEnv))
	}
	if u, err := url.Parse(c.APIURL); c.APIURL != "" && (err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http")) {
		errs = append(errs, fmt.Errorf("apiURL: %q is not an http(s) address", c.APIURL))
	}
	return errors.Join(errs...)
}

func variable(name string) bool {
	return strings.TrimSpace(name) != "" && !strings.ContainsAny(name, "= ")
}

// Load reads the secrets; getenv is os.Getenv outside tests. It names every one that cannot be
// read or is empty.
func (c Config) Load(getenv func(string) string) (Secrets, error) {
	var s Secrets
	var errs []error
	take := func(field, value string, err error) string {
		value = strings.TrimSpace(value)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: read secret: %w", field, err))
		} else if value == "" {
			errs = append(errs, fmt.Errorf("%s: the secret is empty or not set", field))
		}
		return value
	}
	for i, f := range c.SigningSecretFiles {
		b, err := os.ReadFile(f)
		s.Signing = append(s.Signing, take(fmt.Sprintf("signingSecretFiles[%d]", i), string(b), err))
	}
	for i, n := range c.SigningSecretEnv {
		s.Signing = append(s.Signing, take(fmt.Sprintf("signingSecretEnv[%d]", i), getenv(n), nil))
	}
	switch {
	case c.TokenFile != "":
		b, err := os.ReadFile(c.TokenFile)
		s.Token = take("tokenFile", string(b), err)
	case c.TokenEnv != "":
		s.Token = take("tokenEnv", getenv(c.TokenEnv), nil)
	}
	if err := errors.Join(errs...); err != nil {
		return Secrets{}, err
	}
	return s, nil
}
