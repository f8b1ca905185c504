package slack

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// DefaultCommand is the slash command of the bridge itself.
const DefaultCommand = "/argo"

// Config is the slack section of the bridge's configuration file. A signing secret, or the app-level token, is needed to
// take events, a bot token to post; either part may be left out.
type Config struct {
	// SigningSecretFiles and SigningSecretEnv are files and environment variables that each hold a
	// signing secret: two while the secret is regenerated, or one per app.
	SigningSecretFiles []string `yaml:"signingSecretFiles,omitempty"`
	SigningSecretEnv   []string `yaml:"signingSecretEnv,omitempty"`
	// TokenFile or TokenEnv holds the bot token (xoxb-...) of the default workspace, the one that destinations without a
	// workspace mean.
	TokenFile string `yaml:"tokenFile,omitempty"`
	TokenEnv  string `yaml:"tokenEnv,omitempty"`
	// Workspaces are further ones, by team id such as T012AB3CD.
	Workspaces map[string]Workspace `yaml:"workspaces,omitempty"`
	// AppTokenFile or AppTokenEnv holds the app-level token (xapp-...), with which the bridge fetches events from Slack by
	// Socket Mode, so that Slack needs not reach the bridge.
	AppTokenFile string `yaml:"appTokenFile,omitempty"`
	AppTokenEnv  string `yaml:"appTokenEnv,omitempty"`
	// Command is the slash command of the bridge itself, DefaultCommand if empty.
	Command string `yaml:"command,omitempty"`
	// Alerts are the settings of alerts.
	Alerts AlertsConfig `yaml:"alerts,omitempty"`
	// People finds users of Slack, by id, by their names at other services, such as GitHub logins, for mentions.
	People map[string]string `yaml:"people,omitempty"`
	// Allow says who may do what from Slack, where a template says nothing of that right. A right that neither names nobody
	// has, but to see things everybody.
	Allow bridge.Allowances `yaml:"allow,omitempty"`
	// APIURL is the root of the Web API, DefaultAPIURL if empty; https://slack-gov.com/api/ for
	// GovSlack.
	APIURL string `yaml:"apiURL,omitempty"`
}

// A Workspace is where the bot token of one workspace is.
type Workspace struct {
	TokenFile string `yaml:"tokenFile,omitempty"`
	TokenEnv  string `yaml:"tokenEnv,omitempty"`
}

// OwnCommand is the slash command of the bridge itself, with its slash.
func (c Config) OwnCommand() string { return cmp.Or(c.Command, DefaultCommand) }

// Socket says whether events are fetched by Socket Mode.
func (c Config) Socket() bool { return c.AppTokenFile != "" || c.AppTokenEnv != "" }

var (
	teamPattern = regexp.MustCompile(`^[TE][A-Z0-9]{2,}$`)
	// https://docs.slack.dev/interactivity/implementing-slash-commands#naming_your_command
	commandPattern = regexp.MustCompile(`^/[^\s/A-Z]{1,31}$`)
)

// Validate names every bad field.
func (c Config) Validate() error {
	var errs []error
	if len(c.SigningSecretFiles)+len(c.SigningSecretEnv)+len(c.Workspaces) == 0 && c.TokenFile == "" && c.TokenEnv == "" && !c.Socket() {
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
	errs = append(errs, oneOf("", "token", c.TokenFile, c.TokenEnv), oneOf("", "appToken", c.AppTokenFile, c.AppTokenEnv))
	for _, id := range slices.Sorted(maps.Keys(c.Workspaces)) {
		errs = append(errs, c.Workspaces[id].validate(id))
	}
	if c.Command != "" && !commandPattern.MatchString(c.Command) {
		errs = append(errs, fmt.Errorf("command: %q is no slash command such as /argo: lower case, no spaces, at most 32 characters", c.Command))
	}
	errs = append(errs, within("allow.", ValidateAllowances(c.Allow)))
	if u, err := url.Parse(c.APIURL); c.APIURL != "" && (err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http")) {
		errs = append(errs, fmt.Errorf("apiURL: %q is not an http(s) address", c.APIURL))
	}
	errs = append(errs, c.Alerts.validate(), validatePeople(c.People))
	return errors.Join(errs...)
}

func (w Workspace) validate(id string) error {
	field := "workspaces." + id
	if !teamPattern.MatchString(id) {
		return fmt.Errorf("%s: %q is no team id such as T012AB3CD; `argo-bridge slack check` tells the token's", field, id)
	}
	if w.TokenFile == "" && w.TokenEnv == "" {
		return fmt.Errorf("%s: neither tokenFile nor tokenEnv is given", field)
	}
	return oneOf(field+".", "token", w.TokenFile, w.TokenEnv)
}

// oneOf checks the two fields that can hold one secret.
func oneOf(prefix, name, file, env string) error {
	var errs []error
	if file != "" && env != "" {
		errs = append(errs, fmt.Errorf("%s%sFile, %s%sEnv: only one of them can hold the token", prefix, name, prefix, name))
	}
	if env != "" && !variable(env) {
		errs = append(errs, fmt.Errorf("%s%sEnv: %q is no name of an environment variable", prefix, name, env))
	}
	return errors.Join(errs...)
}

func variable(name string) bool {
	return strings.TrimSpace(name) != "" && !strings.ContainsAny(name, "= ")
}
