package slack

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/argo-bridge/argo-bridge/bridge"
)

func TestValidateNamesEveryBadField(t *testing.T) {
	t.Parallel()
	err := Config{
		SigningSecretFiles: []string{" "}, SigningSecretEnv: []string{"A=B"}, TokenFile: "x", TokenEnv: "a b", APIURL: "slack.com",
		AppTokenFile: "x", AppTokenEnv: "c d", Command: "argo", Allow: bridge.Allowances{"run": {Users: []string{"@ann"}}, "retyr": {}},
		Workspaces: map[string]Workspace{"acme": {TokenFile: "x"}, "T012": {}, "T013": {TokenFile: "x", TokenEnv: "e f"}},
	}.Validate()
	for _, want := range []string{
		"signingSecretFiles[0]", "signingSecretEnv[0]", "tokenFile, tokenEnv", "tokenEnv:", "apiURL", "appTokenFile, appTokenEnv", "appTokenEnv:",
		"command:", "allow.run.users[0]:", "allow.retyr:", "workspaces.acme:", "workspaces.T012:", "workspaces.T013.tokenFile, workspaces.T013.tokenEnv", "workspaces.T013.tokenEnv:",
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not name %s", err, want)
		}
	}
	if err := (Config{}).Validate(); err == nil {
		t.Error("an empty section is valid")
	}
	for _, c := range []Config{{TokenFile: "x"}, {AppTokenEnv: "X"}, {Workspaces: map[string]Workspace{"T012AB3CD": {TokenEnv: "X"}}, Command: "/argo-dev"}} {
		if err := c.Validate(); err != nil {
			t.Error(err)
		}
	}
}

func TestLoad(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "secret")
	if err := os.WriteFile(file, []byte(" s1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	env := func(k string) string {
		return map[string]string{"SECRET": "s2", "TOKEN": "xoxb-1", "APP": "xapp-1", "OTHER": "xoxb-2"}[k]
	}
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

	more := Config{AppTokenEnv: "APP", Workspaces: map[string]Workspace{"T012": {TokenEnv: "OTHER"}}}
	if got, err := more.Load(env); err != nil || got.App != "xapp-1" || got.Tokens["T012"] != "xoxb-2" {
		t.Errorf("got %+v, %v", got, err)
	}
	_, err = Config{AppTokenEnv: "TOKEN", Workspaces: map[string]Workspace{"T012": {TokenFile: "none"}}}.Load(env)
	for _, want := range []string{"does not begin with xapp-", "workspaces.T012.tokenFile"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not say %s", err, want)
		}
	}
}
