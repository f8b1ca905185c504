package github

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestValidateNamesEveryBadField(t *testing.T) {
	t.Parallel()
	err := Config{WebhookSecretFiles: []string{"ok", " "}, WebhookSecretEnv: []string{"A=B"}}.Validate()
	for _, want := range []string{"webhookSecretFiles[1]", "webhookSecretEnv[0]"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not name %s", err, want)
		}
	}
	if err := (Config{}).Validate(); err == nil {
		t.Error("no secret is valid")
	}
}

func TestLoad(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file, empty := filepath.Join(dir, "secret"), filepath.Join(dir, "empty")
	for f, text := range map[string]string{file: "s1\n", empty: "\n"} {
		if err := os.WriteFile(f, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	env := func(k string) string { return map[string]string{"SECRET": "s2"}[k] }
	got, err := Config{WebhookSecretFiles: []string{file}, WebhookSecretEnv: []string{"SECRET"}}.Load(env)
	if err != nil || strings.Join(got, ",") != "s1,s2" {
		t.Errorf("got %v, %v", got, err)
	}
	_, err = Config{WebhookSecretFiles: []string{filepath.Join(dir, "none"), empty}, WebhookSecretEnv: []string{"NONE"}}.Load(env)
	for _, want := range []string{"webhookSecretFiles[0]", "webhookSecretFiles[1]", "webhookSecretEnv[0]"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not name %s", err, want)
		}
	}
}
