package gcs

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"

	"cloud.google.com/go/auth/credentials"
	"google.golang.org/api/option"
)

// Defaults of [Config].
const (
	DefaultMaxMessages = 1000
	DefaultMaxBytes    = 64 << 20
)

// Config is the gcs section of the bridge's configuration file.
type Config struct {
	// Subscriptions are full names: projects/P/subscriptions/S. Their topics receive the buckets'
	// notifications. The bridge needs roles/pubsub.subscriber on each. Empty: nothing is pulled.
	Subscriptions []string `yaml:"subscriptions,omitempty"`
	// CredentialsFile is a service account key or workload identity federation file. Without it the
	// environment's own credentials are used: Workload Identity on GKE needs no file.
	CredentialsFile string `yaml:"credentialsFile,omitempty"`
	// MaxMessages and MaxBytes bound what one subscription holds that is not yet on the bus;
	// 0 means DefaultMaxMessages and DefaultMaxBytes.
	MaxMessages int `yaml:"maxMessages,omitempty"`
	MaxBytes    int `yaml:"maxBytes,omitempty"`
	// Push takes push subscriptions and Eventarc's events at POST /webhooks/gcs; nil: they are refused.
	Push *PushConfig `yaml:"push,omitempty"`
}

// PushConfig says whose requests are taken at POST /webhooks/gcs.
type PushConfig struct {
	// Audience is that of the requests' tokens: what the subscription says, by default the address that it pushes to.
	Audience string `yaml:"audience"`
	// ServiceAccounts are the email addresses of those that sign: the subscription's --push-auth-service-account, or
	// the service account of the Eventarc trigger.
	ServiceAccounts []string `yaml:"serviceAccounts"`
	// CertsURL is where the keys of the tokens are; default: https://www.googleapis.com/oauth2/v3/certs
	CertsURL string `yaml:"certsURL,omitempty"`
}

// Validate names every bad field.
func (c PushConfig) Validate() error {
	var errs []error
	if c.Audience == "" {
		errs = append(errs, errors.New("push.audience: it is missing; it is the subscription's, by default the address that it pushes to"))
	}
	if len(c.ServiceAccounts) == 0 {
		errs = append(errs, errors.New("push.serviceAccounts: none is given"))
	}
	for i, a := range c.ServiceAccounts {
		if name, domain, ok := strings.Cut(a, "@"); !ok || name == "" || !strings.Contains(domain, ".") {
			errs = append(errs, fmt.Errorf("push.serviceAccounts[%d]: %q is no email address", i, a))
		}
	}
	if u, err := url.Parse(c.CertsURL); c.CertsURL != "" && (err != nil || u.Host == "" || u.Scheme != "https" && u.Hostname() != "127.0.0.1") {
		errs = append(errs, fmt.Errorf("push.certsURL: %q is no https address", c.CertsURL))
	}
	return errors.Join(errs...)
}

var subscriptionName = regexp.MustCompile(`^projects/([a-z][a-z0-9.:-]{2,}[a-z0-9]|[0-9]+)/subscriptions/[A-Za-z][A-Za-z0-9._~+%-]{2,254}$`)

// Validate names every bad field.
func (c Config) Validate() error {
	var errs []error
	if len(c.Subscriptions) == 0 && c.Push == nil {
		errs = append(errs, errors.New("subscriptions: none is given, nor push"))
	}
	if c.Push != nil {
		errs = append(errs, c.Push.Validate())
	}
	seen := map[string]bool{}
	for i, s := range c.Subscriptions {
		switch {
		case !subscriptionName.MatchString(s):
			errs = append(errs, fmt.Errorf("subscriptions[%d]: %q is not of the form projects/PROJECT/subscriptions/NAME", i, s))
		case seen[s]:
			errs = append(errs, fmt.Errorf("subscriptions[%d]: %q is given twice", i, s))
		}
		seen[s] = true
	}
	if c.MaxMessages < 0 {
		errs = append(errs, fmt.Errorf("maxMessages: %d is negative", c.MaxMessages))
	}
	if c.MaxBytes < 0 {
		errs = append(errs, fmt.Errorf("maxBytes: %d is negative", c.MaxBytes))
	}
	return errors.Join(errs...)
}

// Load reads the credentials and returns the options for [NewSource]: none without a
// CredentialsFile.
func (c Config) Load() ([]option.ClientOption, error) {
	o, err := Credentials(c.CredentialsFile, "https://www.googleapis.com/auth/pubsub")
	if err != nil {
		return nil, fmt.Errorf("credentialsFile: %w", err)
	}
	return o, nil
}

// Credentials are the options for Google's clients to use a file for a scope: a service account's key, or the
// description of an external account that workload identity federation takes. None without a file.
func Credentials(file, scope string) ([]option.ClientOption, error) {
	if file == "" {
		return nil, nil
	}
	creds, err := credentials.DetectDefault(&credentials.DetectOptions{Scopes: []string{scope}, CredentialsFile: file})
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", file, err)
	}
	return []option.ClientOption{option.WithAuthCredentials(creds)}, nil
}

func project(subscription string) string {
	return strings.Split(subscription, "/")[1]
}
