package cloudevents

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
)

// DefaultSignatureHeader is where the signature of a body is looked for.
const DefaultSignatureHeader = "X-Signature-256"

// Config is the cloudevents section of the bridge's configuration file: the endpoints by name.
type Config map[string]Endpoint

// An Endpoint is POST /webhooks/cloudevents/<name>. A request needs one of its tokens, or a signature by one of its
// HMAC secrets; where both kinds are given, either will do. While a secret is rotated, the old and the new one are
// listed.
type Endpoint struct {
	// TokenFiles and TokenEnv hold bearer tokens: Authorization: Bearer TOKEN. White space around a secret
	// does not count.
	TokenFiles []string `yaml:"tokenFiles,omitempty"`
	TokenEnv   []string `yaml:"tokenEnv,omitempty"`
	// HMACSecretFiles and HMACSecretEnv hold secrets of HMAC-SHA256 over the raw body, which SignatureHeader
	// carries as hexadecimal digits, with or without sha256= before them.
	HMACSecretFiles []string `yaml:"hmacSecretFiles,omitempty"`
	HMACSecretEnv   []string `yaml:"hmacSecretEnv,omitempty"`
	SignatureHeader string   `yaml:"signatureHeader,omitempty"`
	// Types and Sources are what the endpoint takes: a * stands for any text. Empty: all that is not reserved.
	// What is reserved must be listed by its own prefix: com.github.* and not *.
	Types   []string `yaml:"types,omitempty"`
	Sources []string `yaml:"sources,omitempty"`
}

var (
	endpointName = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`)
	variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	headerName   = regexp.MustCompile(`^[A-Za-z0-9-]+$`)
)

// Validate names every bad field.
func (c Config) Validate() error {
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(c)) {
		bad := func(field, format string, args ...any) {
			errs = append(errs, fmt.Errorf("%s.%s: "+format, append([]any{name, field}, args...)...))
		}
		if !endpointName.MatchString(name) {
			bad("name", "%q is no name: lower-case letters, digits and '-'", name)
		}
		c[name].validate(bad)
	}
	return errors.Join(errs...)
}

func (e Endpoint) validate(bad func(field, format string, args ...any)) {
	if len(e.TokenFiles)+len(e.TokenEnv)+len(e.HMACSecretFiles)+len(e.HMACSecretEnv) == 0 {
		bad("tokenFiles", "no secret is given, and an event of nobody is never taken")
	}
	for field, files := range map[string][]string{"tokenFiles": e.TokenFiles, "hmacSecretFiles": e.HMACSecretFiles} {
		for i, file := range files {
			if strings.TrimSpace(file) == "" {
				bad(fmt.Sprintf("%s[%d]", field, i), "is empty")
			}
		}
	}
	for field, names := range map[string][]string{"tokenEnv": e.TokenEnv, "hmacSecretEnv": e.HMACSecretEnv} {
		for i, name := range names {
			if !variableName.MatchString(name) {
				bad(fmt.Sprintf("%s[%d]", field, i), "%q is no name of an environment variable", name)
			}
		}
	}
	if e.SignatureHeader != "" && (!headerName.MatchString(e.SignatureHeader) || http.CanonicalHeaderKey(e.SignatureHeader) == "Authorization") {
		bad("signatureHeader", "%q is no name of a header for signatures", e.SignatureHeader)
	}
	for field, patterns := range map[string][]string{"types": e.Types, "sources": e.Sources} {
		if slices.Contains(patterns, "") {
			bad(field, "a pattern is empty")
		}
	}
}

// Secrets are what an endpoint's files and variables hold.
type Secrets struct{ Tokens, HMAC []string }

// Load reads the secrets of all endpoints; getenv is os.Getenv outside tests. It names every one that cannot be
// read or is empty.
func (c Config) Load(getenv func(string) string) (map[string]Secrets, error) {
	all := map[string]Secrets{}
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(c)) {
		e := c[name]
		l := loader{name: name, getenv: getenv}
		all[name] = Secrets{
			Tokens: append(l.files("tokenFiles", e.TokenFiles), l.variables("tokenEnv", e.TokenEnv)...),
			HMAC:   append(l.files("hmacSecretFiles", e.HMACSecretFiles), l.variables("hmacSecretEnv", e.HMACSecretEnv)...),
		}
		errs = append(errs, l.errs...)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return all, nil
}

// A loader reads the secrets of one endpoint.
type loader struct {
	name   string
	getenv func(string) string
	errs   []error
}

func (l *loader) fail(field string, i int, format string, args ...any) {
	l.errs = append(l.errs, fmt.Errorf("%s.%s[%d]: "+format, append([]any{l.name, field, i}, args...)...))
}

func (l *loader) files(field string, files []string) (secrets []string) {
	for i, file := range files {
		data, err := os.ReadFile(file)
		secret := strings.TrimSpace(string(data))
		switch {
		case err != nil:
			l.fail(field, i, "read the secret: %w", err)
		case secret == "":
			l.fail(field, i, "%s is empty", file)
		default:
			secrets = append(secrets, secret)
		}
	}
	return secrets
}

func (l *loader) variables(field string, names []string) (secrets []string) {
	for i, name := range names {
		secret := strings.TrimSpace(l.getenv(name))
		if secret == "" {
			l.fail(field, i, "%s is not set", name)
			continue
		}
		secrets = append(secrets, secret)
	}
	return secrets
}
