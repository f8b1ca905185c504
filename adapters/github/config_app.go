package github

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"strings"
)

// AppConfig is the part app of the github section: the App's id and its private key, which GitHub makes on the page of
// the App and `argo-bridge github setup` writes.
type AppConfig struct {
	// ID is the App's id, which its page shows; not the client id.
	ID int64 `yaml:"id"`
	// PrivateKeyFile or PrivateKeyEnv holds the key, in PEM.
	PrivateKeyFile string `yaml:"privateKeyFile,omitempty"`
	PrivateKeyEnv  string `yaml:"privateKeyEnv,omitempty"`
	// Slug is the App's name in addresses: github.com/apps/SLUG. With it the bridge knows what its own bot has done.
	Slug string `yaml:"slug,omitempty"`
}

// validate names every bad field; there may be no App.
func (a *AppConfig) validate() error {
	if a == nil {
		return nil
	}
	var errs []error
	if a.ID <= 0 {
		errs = append(errs, fmt.Errorf("app.id: %d is no id of a GitHub App: its page shows it as App ID", a.ID))
	}
	switch {
	case a.PrivateKeyFile == "" && a.PrivateKeyEnv == "":
		errs = append(errs, errors.New("app.privateKeyFile, app.privateKeyEnv: neither names the App's private key"))
	case a.PrivateKeyFile != "" && a.PrivateKeyEnv != "":
		errs = append(errs, errors.New("app.privateKeyFile, app.privateKeyEnv: only one of them can hold the private key"))
	case a.PrivateKeyEnv != "" && !variable(a.PrivateKeyEnv):
		errs = append(errs, fmt.Errorf("app.privateKeyEnv: %q is no name of an environment variable", a.PrivateKeyEnv))
	}
	if strings.ContainsAny(a.Slug, "/[] ") {
		errs = append(errs, fmt.Errorf("app.slug: %q is no App's name in addresses, which is what follows github.com/apps/", a.Slug))
	}
	return errors.Join(errs...)
}

// LoadKey reads the App's private key and says what is wrong with it; getenv is os.Getenv outside tests. Without an App
// there is no key, and that is no error.
func (c Config) LoadKey(getenv func(string) string) ([]byte, error) {
	a := c.App
	if a == nil {
		return nil, nil
	}
	field, text := "app.privateKeyFile", ""
	if a.PrivateKeyFile != "" {
		b, err := os.ReadFile(a.PrivateKeyFile)
		if err != nil {
			return nil, fmt.Errorf("%s: read private key: %w", field, err)
		}
		text = string(b)
	} else {
		// One line is all that some ways of setting a variable let through.
		field, text = "app.privateKeyEnv", strings.ReplaceAll(getenv(a.PrivateKeyEnv), `\n`, "\n")
	}
	key := []byte(strings.TrimSpace(text) + "\n")
	if _, err := ParseKey(key); err != nil {
		return nil, fmt.Errorf("%s: %w", field, err)
	}
	return key, nil
}

// ParseKey reads an App's private key: an RSA key in PEM, as PKCS #1 (which GitHub hands out) or PKCS #8. No error
// repeats any of it.
func ParseKey(text []byte) (*rsa.PrivateKey, error) {
	const wanted = "want the file that GitHub's page of the App makes under Private keys, with BEGIN RSA PRIVATE KEY"
	block, _ := pem.Decode(text)
	switch {
	case strings.TrimSpace(string(text)) == "":
		return nil, errors.New("the private key is empty or not set")
	case block == nil:
		return nil, errors.New("the private key is not in PEM: " + wanted)
	case block.Headers["DEK-Info"] != "" || block.Type == "ENCRYPTED PRIVATE KEY":
		return nil, errors.New("the private key is encrypted: write it without a passphrase")
	case block.Type == "RSA PRIVATE KEY":
		key, err := x509.ParsePKCS1PrivateKey(block.Bytes)
		if err != nil {
			return nil, errors.New("the private key is damaged: " + wanted)
		}
		return key, nil
	case block.Type != "PRIVATE KEY":
		return nil, errors.New("the PEM block holds no private RSA key: " + wanted)
	}
	any8, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, errors.New("the private key is damaged: " + wanted)
	}
	key, ok := any8.(*rsa.PrivateKey)
	if !ok {
		return nil, errors.New("the private key is not an RSA key: " + wanted)
	}
	return key, nil
}
