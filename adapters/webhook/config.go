package webhook

import (
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/textproto"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// Config is the webhooks section of the bridge's configuration file: the endpoints by name.
type Config map[string]Endpoint

// An Endpoint is where the notifications to webhook:<name> go.
type Endpoint struct {
	// URL is the address, http or https; URLFile a file that holds it, for addresses that are secrets themselves.
	URL     string `yaml:"url,omitempty"`
	URLFile string `yaml:"urlFile,omitempty"`
	// SecretFile or SecretEnv holds the secret of the signature: 24 to 64 bytes in base64, with whsec_ before it or
	// without, as https://www.standardwebhooks.com has it. It is needed.
	SecretFile string `yaml:"secretFile,omitempty"`
	SecretEnv  string `yaml:"secretEnv,omitempty"`
	// HeadersFile holds further headers of each request, one a line: Authorization: Bearer …
	HeadersFile string `yaml:"headersFile,omitempty"`
}

// A Target is an endpoint with what its files hold.
type Target struct {
	URL     string
	Secret  []byte
	Headers http.Header
}

var (
	endpointName = regexp.MustCompile(`^[A-Za-z0-9][-A-Za-z0-9_.]{0,62}$`)
	variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
)

// Validate names every bad field.
func (c Config) Validate() error {
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(c)) {
		bad := func(field, format string, args ...any) {
			errs = append(errs, fmt.Errorf("%s.%s: "+format, append([]any{name, field}, args...)...))
		}
		if !endpointName.MatchString(name) {
			bad("name", "%q is no name: letters, digits, '.', '_' and '-'", name)
		}
		c[name].validate(bad)
	}
	return errors.Join(errs...)
}

func (e Endpoint) validate(bad func(field, format string, args ...any)) {
	switch {
	case (e.URL == "") == (e.URLFile == ""):
		bad("url", "give one of url and urlFile")
	case e.URL != "":
		if err := checkURL(e.URL); err != nil {
			bad("url", "%v", err)
		}
	}
	if (e.SecretFile == "") == (e.SecretEnv == "") {
		bad("secretFile", "give one of secretFile and secretEnv: receivers must be able to tell the bridge's requests from others")
	}
	if e.SecretEnv != "" && !variableName.MatchString(e.SecretEnv) {
		bad("secretEnv", "%q is no name of an environment variable", e.SecretEnv)
	}
}

// Redacted is c without what may not be logged: the paths of its addresses.
func (c Config) Redacted() Config {
	if c == nil {
		return nil
	}
	shown := Config{}
	for name, e := range c {
		if e.URL != "" {
			e.URL = Target{URL: e.URL}.host()
		}
		shown[name] = e
	}
	return shown
}

func checkURL(address string) error {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return errors.New("it is no http(s) address") // which may hold a secret
	}
	if u.User != nil {
		return errors.New("user and password do not stand in the address: put an Authorization header into headersFile")
	}
	return nil
}

// Load reads what the files and variables hold; getenv is os.Getenv outside tests. It names every one that cannot be
// read, is empty, or holds something else. No error shows what is in them.
func (c Config) Load(getenv func(string) string) (map[string]Target, error) {
	all := map[string]Target{}
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(c)) {
		t, err := c[name].load(getenv)
		for _, one := range err {
			errs = append(errs, fmt.Errorf("%s.%w", name, one))
		}
		all[name] = t
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return all, nil
}

func (e Endpoint) load(getenv func(string) string) (t Target, errs []error) {
	fail := func(field string, err error) { errs = append(errs, fmt.Errorf("%s: %w", field, err)) }
	t.URL = e.URL
	if e.URLFile != "" {
		text, err := read(e.URLFile)
		if err == nil {
			err = checkURL(text)
		}
		if err != nil {
			fail("urlFile", err)
		}
		t.URL = text
	}
	field, text, err := "secretEnv", strings.TrimSpace(getenv(e.SecretEnv)), error(nil)
	if e.SecretFile != "" {
		field = "secretFile"
		text, err = read(e.SecretFile)
	}
	if err == nil {
		t.Secret, err = decodeSecret(text)
	}
	if err != nil {
		fail(field, err)
	}
	if e.HeadersFile != "" {
		text, err := read(e.HeadersFile)
		if err == nil {
			t.Headers, err = parseHeaders(text)
		}
		if err != nil {
			fail("headersFile", err)
		}
	}
	return t, errs
}

func read(file string) (string, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("read secret: %w", err)
	}
	text := strings.TrimSpace(string(data))
	if text == "" {
		return "", errors.New("the file is empty")
	}
	return text, nil
}

// decodeSecret reads a secret as Standard Webhooks writes it:
// https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md#signature-scheme
func decodeSecret(text string) ([]byte, error) {
	if text == "" {
		return nil, errors.New("the secret is empty or not set")
	}
	secret, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(text, "whsec_"))
	if err != nil || len(secret) < 24 || len(secret) > 64 {
		return nil, errors.New(`it is no secret of 24 to 64 bytes in base64; make one with: echo "whsec_$(openssl rand -base64 32)"`)
	}
	return secret, nil
}

// own are the headers that the bridge sets.
var own = []string{"Content-Type", "Content-Length", "Host", "Transfer-Encoding", "Connection", headerID, headerTimestamp, headerSignature}

func parseHeaders(text string) (http.Header, error) {
	all := http.Header{}
	for i, line := range strings.Split(text, "\n") {
		if line = strings.TrimSpace(line); line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, value, found := strings.Cut(line, ":")
		name, value = textproto.CanonicalMIMEHeaderKey(strings.TrimSpace(name)), strings.TrimSpace(value)
		switch {
		case !found || !httpguts.ValidHeaderFieldName(name) || !httpguts.ValidHeaderFieldValue(value):
			return nil, fmt.Errorf("line %d is no header; write Name: value", i+1)
		case slices.Contains(own, name):
			return nil, fmt.Errorf("line %d: the bridge itself sets %s", i+1, name)
		}
		all.Add(name, value)
	}
	return all, nil
}
