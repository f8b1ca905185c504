package github

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestValidateNamesTheFieldsOfTheAppAndOfTrust(t *testing.T) {
	t.Parallel()
	secret := []string{"SECRET"}
	for name, c := range map[string]struct {
		config Config
		want   []string
	}{
		"all that can be set": {Config{
			App: &AppConfig{ID: 1, PrivateKeyFile: "key", Slug: "argo-bridge"}, BaseURL: "https://ghe.example.com", BeyondLimits: "skip",
			Trust: &TrustConfig{Permission: "maintain", Teams: []string{"acme/deployers", "@acme/ops"}, Users: []string{"octocat", "renovate[bot]"}},
			Sweep: SweepConfig{Every: time.Minute},
		}, nil},
		"an App without anything": {Config{App: &AppConfig{}}, []string{"app.id", "app.privateKeyFile, app.privateKeyEnv"}},
		"two keys":                {Config{App: &AppConfig{ID: 1, PrivateKeyFile: "a", PrivateKeyEnv: "B"}}, []string{"only one of them"}},
		"no variable, no slug":    {Config{App: &AppConfig{ID: -1, PrivateKeyEnv: "A=B", Slug: "apps/x"}}, []string{"app.id", "app.privateKeyEnv", "app.slug"}},
		"no address":              {Config{BaseURL: "ghe.example.com"}, []string{"baseURL"}},
		"an address in the clear": {Config{BaseURL: "http://ghe.example.com"}, []string{"baseURL", "https"}},
		"a password in it":        {Config{BaseURL: "https://me:hunter2@ghe.example.com"}, []string{"baseURL"}},
		"no word for limits":      {Config{BeyondLimits: "stop"}, []string{"beyondLimits"}},
		"a sweep without rest":    {Config{Sweep: SweepConfig{Every: time.Second}}, []string{"sweep.every"}},
		"strange trust": {Config{Trust: &TrustConfig{Permission: "read", Teams: []string{"deployers"}, Users: []string{"a b"}}},
			[]string{"trust.permission", "trust.teams[0]", "trust.users[0]"}},
	} {
		c.config.WebhookSecretEnv = secret
		err := c.config.Validate()
		if err != nil && (len(c.want) == 0 || strings.Contains(err.Error(), "hunter2")) {
			t.Errorf("%s: %v", name, err)
		}
		for _, want := range c.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v does not say %s", name, err, want)
			}
		}
	}
}

func TestRootIsWhereTheAPIStands(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"":                                "https://api.github.com/",
		"https://github.com":              "https://api.github.com/",
		"https://api.github.com/":         "https://api.github.com/",
		"https://api.acme.ghe.com":        "https://api.acme.ghe.com/",
		"https://ghe.example.com":         "https://ghe.example.com/api/v3/",
		"https://ghe.example.com/api/v3":  "https://ghe.example.com/api/v3/",
		"https://ghe.example.com/api/v3/": "https://ghe.example.com/api/v3/",
		"http://127.0.0.1:8091":           "http://127.0.0.1:8091/api/v3/",
		"http://localhost:8091/api/v3/":   "http://localhost:8091/api/v3/",
	} {
		if got, err := Root(address); err != nil || got.String() != want {
			t.Errorf("%q: %v, %v", address, got, err)
		}
	}
}

// keys are the forms that a private key comes in, and some that it does not.
func keys(t *testing.T) map[string][]byte {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, _ := x509.MarshalPKCS8PrivateKey(key)
	curve8, _ := x509.MarshalPKCS8PrivateKey(curve)
	public, _ := x509.MarshalPKIXPublicKey(&key.PublicKey)
	pkcs1 := x509.MarshalPKCS1PrivateKey(key)
	as := func(kind string, b []byte) []byte { return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: b}) }
	return map[string][]byte{
		"PKCS #1": as("RSA PRIVATE KEY", pkcs1), "PKCS #8": as("PRIVATE KEY", pkcs8),
		"curve": as("PRIVATE KEY", curve8), "public": as("PUBLIC KEY", public), "damaged": as("RSA PRIVATE KEY", pkcs1[:100]),
		"damaged 8": as("PRIVATE KEY", pkcs8[:100]), "encrypted": as("ENCRYPTED PRIVATE KEY", pkcs8), "empty": nil, "text": []byte("secret-word"),
	}
}

func TestLoadKeySaysWhatIsWrongAndNotTheKey(t *testing.T) {
	t.Parallel()
	all := keys(t)
	file := filepath.Join(t.TempDir(), "key.pem")
	for name, want := range map[string]string{
		"PKCS #1": "", "PKCS #8": "", "curve": "not an RSA key", "public": "no private RSA key", "damaged": "damaged",
		"damaged 8": "damaged", "encrypted": "encrypted", "empty": "empty", "text": "not in PEM",
	} {
		if err := os.WriteFile(file, all[name], 0o600); err != nil {
			t.Fatal(err)
		}
		oneLine := func(string) string { return strings.ReplaceAll(string(all[name]), "\n", `\n`) }
		for field, c := range map[string]Config{
			"app.privateKeyFile": {App: &AppConfig{ID: 1, PrivateKeyFile: file}}, "app.privateKeyEnv": {App: &AppConfig{ID: 1, PrivateKeyEnv: "KEY"}},
		} {
			key, err := c.LoadKey(oneLine)
			if want == "" && (err != nil || len(key) == 0) {
				t.Errorf("%s: %v", name, err)
			}
			if want != "" && (err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), field) || strings.Contains(err.Error(), "secret-word")) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	_, err := Config{App: &AppConfig{ID: 1, PrivateKeyFile: file + ".none"}}.LoadKey(os.Getenv)
	if err == nil || !strings.Contains(err.Error(), "app.privateKeyFile") {
		t.Error(err)
	}
	if key, err := (Config{}).LoadKey(os.Getenv); key != nil || err != nil {
		t.Error("no App:", err)
	}
}
