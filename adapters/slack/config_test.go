package slack

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestValidateNamesEveryBadField(t *testing.T) {
	t.Parallel()
	err := Config{
		SigningSecretFiles: []string{" "}, SigningSecretEnv: []string{"A=B"}, TokenFile: "x", TokenEnv: "a b", APIURL: "slack.com",
	}.Validate()
	for _, want := range []string{"signingSecretFiles[0]", "signingSecretEnv[0]", "tokenFile, tokenEnv", "tokenEnv:", "apiURL"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not name %s", err, want)
		}
	}
	if err := (Config{}).Validate(); err == nil {
		t.Error("an empty section is valid")
	}
	if err := (Config{TokenFile: "x"}).Validate(); err != nil {
		t.Error(err)
	}
}

func TestLoad(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "secret")
	if err := os.WriteFile(file, []byte(" s1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	env := func(k string) string { return map[string]string{"SECRET": "s2", "TOKEN": "xoxb-1"}[k] }
	got, err := Config{SigningSecretFiles: []string{file}, SigningSecretEnv: []string{"SECRET"}, TokenEnv: "TOKEN"}.Load(env)
	if err != nil || strings.Join(got.Signing, ",") != "s1,s2" || got.Token != "xoxb-1" {
		t.Errorf("got %+v, %v", got, err)
	}
	_, err = Config{SigningSecretFiles: []string{filepath.Join(dir, "none")}, SigningSecretEnv: []string{"NONE"}, TokenEnv: "NO_TOKEN"}.Load(env)
	for _, want := range []string{"signingSecretFiles[0]", "signingSecretEnv[0]", "tokenEnv"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not name %s", err, want)
		}
	}
}
