package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/urfave/cli/v2"
	"k8s.io/client-go/kubernetes/fake"
	"sigs.k8s.io/yaml"

	"github.com/argo-bridge/argo-bridge/adapters/github/githubtest"
	"github.com/argo-bridge/argo-bridge/adapters/github/setup"
	"github.com/argo-bridge/argo-bridge/bridge/app"
)

// typed is what a command has written so far; a page's address in it is visited once, as by a person with a browser.
type typed struct {
	mu     sync.Mutex
	text   bytes.Buffer
	once   sync.Once
	visits sync.WaitGroup
	visit  func(page string)
}

var localPage = regexp.MustCompile(`http://127\.0\.0\.1:\d+/[A-Z0-9]{26}`)

func (o *typed) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if page := localPage.FindString(string(b)); page != "" {
		o.once.Do(func() { o.visits.Go(func() { o.visit(page) }) })
	}
	return o.text.Write(b)
}

// made runs a setup with somebody who agrees, and returns what it wrote with the page's address taken out.
func made(t *testing.T, args ...string) (code int, out string) {
	t.Helper()
	o := &typed{visit: func(page string) { agree(t, page) }}
	a := newApp()
	a.Writer, a.ErrWriter = o, o
	err := a.RunContext(t.Context(), arrange(append([]string{"argo-bridge"}, args...)))
	o.visits.Wait()
	out = localPage.ReplaceAllString(o.text.String(), "http://127.0.0.1:PORT/...")
	var exit cli.ExitCoder
	switch {
	case errors.As(err, &exit):
		return exit.ExitCode(), out + exit.Error()
	case err != nil:
		return 1, out + err.Error()
	}
	return 0, out
}

// agree sends the page's form to GitHub and follows where that leads.
func agree(t *testing.T, page string) {
	read := func(r *http.Response, err error) string {
		if err != nil {
			t.Error(err)
			return ""
		}
		defer func() { _ = r.Body.Close() }()
		b, err := io.ReadAll(r.Body)
		if err != nil || r.StatusCode != http.StatusOK {
			t.Errorf("%d, %v: %s", r.StatusCode, err, b)
		}
		return string(b)
	}
	text := read(http.Get(page))
	action := regexp.MustCompile(`action="([^"]*)"`).FindStringSubmatch(text)
	manifest := regexp.MustCompile(`value="([^"]*)"`).FindStringSubmatch(text)
	if action == nil || manifest == nil {
		t.Errorf("no form in %s", text)
		return
	}
	_ = read(http.PostForm(html.UnescapeString(action[1]), url.Values{"manifest": {html.UnescapeString(manifest[1])}}))
}

// A smallCluster is as much of a cluster as the commands look at: one template and one Secret.
type smallCluster struct {
	template string
	mu       sync.Mutex
	secret   map[string]string // nil: there is none
}

func (s *smallCluster) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	switch line := r.Method + " " + r.URL.Path; line {
	case "GET /apis/argoproj.io/v1alpha1/namespaces/argo/workflowtemplates":
		_, _ = fmt.Fprintf(w, `{"apiVersion": "argoproj.io/v1alpha1", "kind": "WorkflowTemplateList", "items": [%s]}`, s.template)
	case "GET /api/v1/namespaces/argo/secrets/argo-bridge-secrets":
		if s.secret == nil {
			w.WriteHeader(http.StatusNotFound)
			_, _ = io.WriteString(w, `{"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound", "code": 404}`)
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"kind": "Secret", "apiVersion": "v1", "data": s.secret})
	case "PATCH /api/v1/namespaces/argo/secrets/argo-bridge-secrets":
		var object struct{ Data map[string]string }
		body, _ := io.ReadAll(r.Body)
		if err := json.Unmarshal(body, &object); err != nil || r.Header.Get("Content-Type") != "application/apply-patch+yaml" {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		s.secret = object.Data
		_, _ = w.Write(body)
	default:
		w.WriteHeader(http.StatusForbidden)
		_, _ = fmt.Fprintf(w, `{"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "Forbidden", "message": %q, "code": 403}`, line)
	}
}

// kubeconfigOf starts the server and returns a kubeconfig that leads to it.
func kubeconfigOf(t *testing.T, s *smallCluster) string {
	t.Helper()
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return file(t, "kubeconfig", "apiVersion: v1\nkind: Config\ncurrent-context: c\nclusters: [{name: c, cluster: {server: '"+server.URL+"'}}]\n"+
		"users: [{name: u, user: {token: t}}]\ncontexts: [{name: c, context: {cluster: c, user: u, namespace: default}}]\n")
}

func readGitHubPage(t *testing.T) page {
	t.Helper()
	return readPageOf(t, "../../docs/github.md")
}

// TestTheGitHubPageLeadsFromNothingToAGoodApp does what docs/github.md says, in its order, as a newcomer would.
func TestTheGitHubPageLeadsFromNothingToAGoodApp(t *testing.T) {
	s := githubtest.New(t, githubtest.Options{AppID: 123456})
	p := readGitHubPage(t)
	template := p.block(t, "apiVersion")
	cluster := &smallCluster{template: asJSON(t, template)}
	t.Setenv("KUBECONFIG", kubeconfigOf(t, cluster))
	t.Chdir(t.TempDir())
	write(t, "ci.yaml", template)
	if code, out := invoke(t, "lint", "ci.yaml"); code != 0 {
		t.Errorf("%d %s", code, out)
	}

	code, out := made(t, append(p.command(t, "github setup --organization"), "--github-url", s.URL, "--no-browser")...)
	if code != 0 {
		t.Fatalf("%d:\n%s", code, out)
	}
	out = strings.ReplaceAll(strings.ReplaceAll(out, "  baseURL: "+s.URL+"\n", ""), s.URL, "https://github.com")
	if want := p.block(t, "The App "); out != want {
		t.Errorf("the page does not say what the command does:\n%s", cmp.Diff(want, out))
	}
	if cluster.secret[privateKeyKey] == "" || cluster.secret[webhookSecretKey] == "" {
		t.Errorf("the Secret holds %v", cluster.secret)
	}
	config := p.block(t, "github:\n  webhookSecretFiles: [/etc/argo-bridge/secrets/github-webhook-secret]\n  app:")
	if !strings.Contains(out, config) {
		t.Errorf("the page's configuration is not the command's:\n%s", out)
	}
	if code, out := made(t, append(p.command(t, "github setup --organization"), "--github-url", s.URL)...); code != 1 || !strings.Contains(out, "--force replaces it") {
		t.Errorf("a second time: %d %s", code, out)
	}

	var o app.Options
	if err := decodeOptions([]byte(config), &o); err != nil {
		t.Fatal(err)
	}
	write(t, "key.pem", string(githubtest.KeyPEM()))
	write(t, "config.yaml", strings.Replace(config, "/etc/argo-bridge/secrets/github-private-key", "key.pem", 1)+"  baseURL: "+s.URL+"\n")
	check := append(p.command(t, "github check"), "--namespace", "argo")
	if code, out := invoke(t, check...); code != 1 || !strings.Contains(out, "it is installed nowhere") || !strings.Contains(out, "repository acme/app: no installation covers it") {
		t.Errorf("%d %s", code, out)
	}
	s.Install(githubtest.Installation{ID: 7, Account: "acme", Repositories: []string{"acme/app"},
		Events: []string{"check_run", "check_suite", "issue_comment", "pull_request", "push"}})
	if code, out := invoke(t, check...); code != 0 || out != p.block(t, "0 findings") {
		t.Errorf("%d %s", code, out)
	}
	var a setup.Answer
	if code, out := invoke(t, append(check, "-o", "json")...); code != 0 || json.Unmarshal([]byte(out), &a) != nil || a.App != "argo-bridge-acme" {
		t.Errorf("%d %s", code, out)
	}
}

func asJSON(t *testing.T, manifest string) string {
	t.Helper()
	b, err := yaml.YAMLToJSON([]byte(manifest))
	if err != nil {
		t.Fatal(err)
	}
	var object map[string]any
	if err := json.Unmarshal(b, &object); err != nil {
		t.Fatal(err)
	}
	object["metadata"].(map[string]any)["namespace"] = "argo"
	b, err = json.Marshal(object)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestTheAppsSecretsGoToFilesThatOnlyTheirOwnerReads(t *testing.T) {
	t.Parallel()
	s := githubtest.New(t, githubtest.Options{})
	dir := filepath.Join(t.TempDir(), "new")
	rules := file(t, "t.yaml", template("github.push", ""))
	args := []string{"github", "setup", "--url", "https://bridge.example.com", "--github-url", s.URL, "--no-browser", "--output-dir", dir, "--template", rules}
	code, out := made(t, args...)
	if code != 0 || !strings.Contains(out, "privateKeyFile: "+dir+"/github-private-key") || !strings.Contains(out, "the rules of "+rules+" need.") {
		t.Fatalf("%d %s", code, out)
	}
	for _, name := range []string{privateKeyKey, webhookSecretKey} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil || info.Mode().Perm() != 0o600 || info.Size() == 0 {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
	if code, out := made(t, args...); code != 1 || !strings.Contains(out, "--force replaces it") || strings.Contains(out, "PORT/...") {
		t.Errorf("a second time: %d %s", code, out)
	}
	if code, out := made(t, append(args, "--force")...); code != 0 {
		t.Errorf("by force: %d %s", code, out)
	}
}

func TestSecretsThatFindNoPlaceAreNotLost(t *testing.T) {
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	_, _, err := keep(t.Context(), folder{filepath.Join(tmp, "missing"), false}, setup.App{ID: 7, Slug: "x", Key: []byte("k"), WebhookSecret: "s"})
	saved, _ := filepath.Glob(filepath.Join(tmp, "argo-bridge-github-*", "*"))
	if err == nil || len(saved) != 2 || !strings.Contains(err.Error(), filepath.Dir(saved[0])) {
		t.Errorf("%v, %v", err, saved)
	}
}

func TestASecretKeepsWhatElseItHolds(t *testing.T) {
	t.Parallel()
	s := kubernetesSecret{client: fake.NewClientset(), namespace: "argo", name: "x"}
	if err := s.ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.write(t.Context(), map[string][]byte{privateKeyKey: []byte("k")}); err != nil {
		t.Fatal(err)
	}
	if err := s.ready(t.Context()); err == nil || !strings.Contains(err.Error(), "--force") {
		t.Errorf("got %v", err)
	}
	s.force = true
	if err := s.ready(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestTheGitHubCommandsCalls(t *testing.T) {
	t.Setenv("KUBECONFIG", filepath.Join(t.TempDir(), "none"))
	push := file(t, "t.yaml", template("github.push", ""))
	const address = "https://bridge.example.com"
	for name, tt := range map[string]struct {
		args []string
		code int
		says string
	}{
		"a dry run":                    {[]string{"setup", "--url", address, "--template", push, "--dry-run"}, 0, `"default_events": [` + "\n    \"push\"\n  ]"},
		"an event of tomorrow":         {[]string{"setup", "--url", address, "--template", file(t, "new.yaml", template("github.of_tomorrow", "")), "--dry-run"}, 0, "which permission the event of_tomorrow wants"},
		"several templates":            {[]string{"setup", "--url", address, "--dry-run", "--template", file(t, "a.yaml", template("github.release", "")), push}, 0, `"release"`},
		"a dry run without rules":      {[]string{"setup", "--url", address, "--dry-run"}, 0, `"checks": "write"`},
		"a dry run for an owner":       {[]string{"setup", "--url", address + "/", "--organization", "acme", "--dry-run"}, 0, `"url": "https://bridge.example.com/webhooks/github"`},
		"no address":                   {[]string{"setup", "--dry-run"}, 2, "--url"},
		"no place":                     {[]string{"setup", "--url", address, "--template", push}, 2, "--secret or --output-dir"},
		"two places":                   {[]string{"setup", "--url", address, "--template", push, "--secret", "a", "--output-dir", "b"}, 2, "only one of them"},
		"no cluster for the Secret":    {[]string{"setup", "--url", address, "--template", push, "--secret", "a"}, 2, "no kubeconfig"},
		"a template that is not there": {[]string{"setup", "--url", address, "--template", "none.yaml", "--dry-run"}, 2, "none.yaml"},
		"an argument":                  {[]string{"setup", "--url", address, "more"}, 2, "is no flag"},
		"no such command":              {[]string{"chek"}, 2, "there is no command"},
		"help":                         {nil, 0, "setup"},
		"check without an App":         {[]string{"check", "--template", push}, 2, "--app-id"},
		"check without rules":          {[]string{"check", "--app-id", "1", "--private-key-file", "x"}, 2, "no --template is named"},
		"check without a key":          {[]string{"check", "--app-id", "1", "--private-key-file", "none.pem", "--template", push}, 2, "none.pem"},
		"check with a config without":  {[]string{"check", "--config", file(t, "c.yaml", "namespace: argo\n")}, 2, "no section github"},
		"an unknown output":            {[]string{"check", "--app-id", "1", "--private-key-file", "x", "-o", "xml"}, 2, "the formats are"},
	} {
		t.Run(name, func(t *testing.T) {
			code, out := invoke(t, append([]string{"github"}, tt.args...)...)
			if code != tt.code || !strings.Contains(out, tt.says) {
				t.Errorf("got %d, %q; want %d, %q", code, out, tt.code, tt.says)
			}
		})
	}
}
