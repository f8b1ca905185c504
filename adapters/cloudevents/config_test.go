package cloudevents

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTheConfigNamesEveryBadField(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		config Config
		want   []string
	}{
		"none":                  {nil, nil},
		"a token":               {Config{"shop": {TokenFiles: []string{"f"}, Types: []string{"com.example.*"}}}, nil},
		"a secret":              {Config{"shop-2": {HMACSecretEnv: []string{"SHOP"}, SignatureHeader: "X-Shop"}}, nil},
		"no secret":             {Config{"shop": {}}, []string{"shop.tokenFiles: no secret is given"}},
		"a name of a path":      {Config{"a/b": {TokenFiles: []string{"f"}}}, []string{`a/b.name: "a/b" is no name`}},
		"bad lists":             {Config{"a": {TokenFiles: []string{" "}, TokenEnv: []string{"A B"}, HMACSecretFiles: []string{""}, HMACSecretEnv: []string{"1"}, Types: []string{""}, Sources: []string{""}}}, []string{"a.tokenFiles[0]", "a.tokenEnv[0]", "a.hmacSecretFiles[0]", "a.hmacSecretEnv[0]", "a.types", "a.sources"}},
		"a header for tokens":   {Config{"a": {HMACSecretEnv: []string{"A"}, SignatureHeader: "authorization"}}, []string{"a.signatureHeader"}},
		"a header that is none": {Config{"a": {HMACSecretEnv: []string{"A"}, SignatureHeader: "a b"}}, []string{"a.signatureHeader"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := test.config.Validate()
			if (err == nil) != (test.want == nil) {
				t.Fatalf("got %v", err)
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("got %v, want %q", err, want)
				}
			}
		})
	}
}

func TestSecretsComeFromFilesAndVariables(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	good, empty := filepath.Join(dir, "good"), filepath.Join(dir, "empty")
	for file, text := range map[string]string{good: " one\n", empty: "\n"} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	env := func(name string) string { return map[string]string{"TWO": "two "}[name] }
	got, err := Config{"a": {TokenFiles: []string{good}, TokenEnv: []string{"TWO"}}, "b": {HMACSecretFiles: []string{good}}}.Load(env)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]Secrets{"a": {Tokens: []string{"one", "two"}}, "b": {HMAC: []string{"one"}}}, got); diff != "" {
		t.Error(diff)
	}
	_, err = Config{"a": {TokenFiles: []string{empty, "/nowhere"}, HMACSecretEnv: []string{"THREE"}}}.Load(env)
	for _, want := range []string{"a.tokenFiles[0]: ", "a.tokenFiles[1]: read the secret", "a.hmacSecretEnv[0]: THREE is not set"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

func TestAStarIsAnyText(t *testing.T) {
	t.Parallel()
	for pattern, values := range map[string]map[string]bool{
		"com.example.*":  {"com.example.a.b": true, "com.example.": true, "com.example": false, "xcom.example.a": false},
		"*":              {"": true, "a/b": true},
		"a":              {"a": true, "ab": false, "": false},
		"a*a":            {"aa": true, "aba": true, "a": false},
		"https://*.x/*z": {"https://a.b.x/y/z": true, "https://.x/z": true, "https://x/z": false},
		"*b*b*":          {"abcb": true, "ab": false},
	} {
		for value, want := range values {
			if got := matches(pattern, value); got != want {
				t.Errorf("%q and %q: %v", pattern, value, got)
			}
		}
	}
}
