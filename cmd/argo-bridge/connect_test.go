package main

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"

	"github.com/argo-bridge/argo-bridge/bridge/admin/client"
)

const kubeconfigHead = "apiVersion: v1\nkind: Config\ncurrent-context: c\ncontexts: [{name: c, context: {cluster: c, user: u, namespace: ops}}]\n" +
	"clusters: [{name: c, cluster: {server: 'https://127.0.0.1:1'}}]\nusers:\n- name: u\n  user:\n"

func TestTheTokenOfTheKubeconfigsUserIsTaken(t *testing.T) {
	t.Parallel()
	plugin := file(t, "plugin", "#!/bin/sh\necho '{\"apiVersion\":\"client.authentication.k8s.io/v1\",\"kind\":\"ExecCredential\",\"status\":{\"token\":\"of-the-plugin\"}}'\n")
	if err := os.Chmod(plugin, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ user, token, err string }{
		"it stands there":          {"    token: of-the-user\n", "of-the-user", ""},
		"it stands in a file":      {"    tokenFile: " + file(t, "token", "of-the-file\n") + "\n", "of-the-file", ""},
		"a plugin makes it":        {"    exec: {apiVersion: client.authentication.k8s.io/v1, command: " + plugin + ", interactiveMode: Never}\n", "of-the-plugin", ""},
		"a password is none":       {"    username: a\n    password: b\n", "", "kubectl -n ops create token SERVICEACCOUNT"},
		"there is none":            {"    impersonate-user-extra: {}\n", "", "no token: the kubeconfig's user has none"},
		"a plugin that is away":    {"    exec: {apiVersion: client.authentication.k8s.io/v1, command: /nowhere/plugin, interactiveMode: Never}\n", "", "plugin"},
		"a file that is not there": {"    tokenFile: /nowhere/token\n", "", "kubeconfig"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if runtime.GOOS == "windows" && strings.Contains(c.user, "exec") {
				t.Skip("the plugin is a shell script")
			}
			token, err := tokenOfKubeconfig(t, file(t, "kubeconfig", kubeconfigHead+c.user))
			if token != c.token || (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
				t.Errorf("got %q, %v; want %q, %q", token, err, c.token, c.err)
			}
		})
	}
}

// withContext runs do as the action of a command with the connect flags.
func withContext(t *testing.T, args []string, do func(c *cli.Context) error) error {
	t.Helper()
	one.Lock()
	defer one.Unlock()
	a := &cli.App{Flags: connectFlags(), Action: do, ExitErrHandler: func(*cli.Context, error) {}}
	return a.RunContext(t.Context(), append([]string{"test"}, args...))
}

// tokenOfKubeconfig is what the command would send.
func tokenOfKubeconfig(t *testing.T, path string) (string, error) {
	t.Helper()
	var k *cluster
	err := withContext(t, []string{"--kubeconfig", path}, func(c *cli.Context) (err error) { k, err = loadCluster(c); return err })
	if err != nil {
		return "", err
	}
	return k.token(context.Background())
}

func TestTheKubeconfigsTokenDoesNotTravelInTheClear(t *testing.T) {
	t.Parallel()
	kubeconfig := file(t, "kubeconfig", kubeconfigHead+"    token: of-the-user\n")
	for server, clear := range map[string]bool{
		"https://bridge.example.com": false, "http://127.0.0.1:8080": false, "http://localhost:1": false, "http://[::1]:1": false,
		"http://bridge.example.com": true, "http://10.0.0.1:8080": true,
	} {
		code, out := 0, ""
		if clear {
			code, out = invoke(t, "events", "list", "--server", server, "--kubeconfig", kubeconfig)
			if code != 1 || !strings.Contains(out, "in the clear") {
				t.Errorf("%s: %d %s", server, code, out)
			}
		}
		if exposed(server) != clear {
			t.Errorf("%s: exposed %v", server, !clear)
		}
	}
}

func TestTheTokenThatIsGivenGoesFirst(t *testing.T) {
	t.Parallel()
	kubeconfig := file(t, "kubeconfig", kubeconfigHead+"    token: of-the-user\n")
	for name, c := range map[string]struct {
		args  []string
		token string
		err   string
	}{
		"in the call":              {[]string{"--token", "given"}, "given", ""},
		"in a file":                {[]string{"--token-file", file(t, "t", " filed\n")}, "filed", ""},
		"nothing but a kubeconfig": {nil, "of-the-user", ""},
		"an empty file":            {[]string{"--token-file", file(t, "t", "\n")}, "", "does not hold one token"},
		"two tokens":               {[]string{"--token-file", file(t, "t", "a\nb\n")}, "", "does not hold one token"},
		"no file":                  {[]string{"--token-file", filepath.Join(t.TempDir(), "t")}, "", "read token"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var source client.Token
			args := append([]string{"--kubeconfig", kubeconfig, "--server", "http://127.0.0.1:1"}, c.args...)
			err := withContext(t, args, func(x *cli.Context) error {
				k, err := loadCluster(x)
				if err != nil {
					return err
				}
				source, err = tokenOf(x, k)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			token, err := source(t.Context())
			if token != c.token || (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
				t.Errorf("got %q, %v", token, err)
			}
		})
	}
}

func TestWithoutAKubeconfigATokenIsWanted(t *testing.T) {
	t.Setenv("KUBECONFIG", filepath.Join(t.TempDir(), "none"))
	t.Setenv("HOME", t.TempDir())
	if code, out := invoke(t, "events", "list"); code != 1 || !strings.Contains(out, "no token: there is no kubeconfig") {
		t.Errorf("%d %s", code, out)
	}
	if code, out := invoke(t, "events", "list", "--kubeconfig", "/nowhere/kubeconfig"); code != 1 || !strings.Contains(out, "/nowhere/kubeconfig") {
		t.Errorf("%d %s", code, out)
	}
}

func TestABusThatDoesNotAnswerIsNamed(t *testing.T) {
	t.Parallel()
	if code, out := invoke(t, "events", "list", "--bus", "nats://127.0.0.1:1"); code != 1 || !strings.Contains(out, "connect to NATS") {
		t.Errorf("%d %s", code, out)
	}
}
