package e2e

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/argo-bridge/argo-bridge/adapters/slack/slacktest"
)

const (
	githubSecret = "github's secret"
	slackSecret  = "slack's secret"
	slackToken   = "xoxb-test"
)

// A proc is the bridge as a child process, which may be killed and started again on the same data.
type proc struct {
	t       testing.TB
	dir     string
	address string
	args    []string
	env     []string
	slack   *slacktest.Server

	mu  sync.Mutex
	cmd *exec.Cmd
}

// A setup says what a test's bridge is like.
type setup struct {
	cluster      *cluster
	namespace    string
	config       string            // more YAML for the config file
	env          []string          // more environment
	subscription string            // Pub/Sub, if any
	app          string            // more of the config's section github
	slack        string            // more of the config's section slack
	workspace    *slacktest.Server // default: one without limits of rates
}

// newSlack is the workspace of which the events in these tests are, without limits of rates.
func newSlack(t testing.TB) *slacktest.Server {
	t.Helper()
	s, err := slacktest.New(slacktest.Options{Token: slackToken, Team: "T1"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	s.Unlimited()
	return s
}

// newBridge writes the config of a bridge for one namespace; start starts it.
func newBridge(t testing.TB, s setup) *proc {
	t.Helper()
	dir := t.TempDir()
	p := &proc{t: t, dir: dir, address: freeAddress(t), slack: s.workspace}
	if p.slack == nil {
		p.slack = newSlack(t)
	}
	write(t, dir, "github-secret", githubSecret)
	write(t, dir, "slack-secret", slackSecret)
	write(t, dir, "slack-token", slackToken)
	app := ""
	if s.app != "" {
		app = ", " + s.app
	}
	config := fmt.Sprintf(`
namespace: %s
http: {listen: %q}
kubernetes: {kubeconfig: %s}
log: {level: debug}
argo: {ui: "https://argo.example.com"}
github: {webhookSecretFiles: [%[4]s/github-secret]%[6]s}
slack: {signingSecretFiles: [%[4]s/slack-secret], tokenFile: %[4]s/slack-token, apiURL: %[5]q%[7]s}
`, s.namespace, p.address, s.cluster.kubeconfig, dir, p.slack.APIURL(), app, s.slack)
	if s.subscription != "" {
		config += fmt.Sprintf("gcs: {subscriptions: [%s]}\n", s.subscription)
	}
	write(t, dir, "config.yaml", config+s.config)
	p.args = []string{"serve", "--config", filepath.Join(dir, "config.yaml"), "--data-dir", filepath.Join(dir, "data")}
	p.env = s.env
	t.Cleanup(p.finish)
	return p
}

func write(t testing.TB, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func freeAddress(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// start starts the process and returns without waiting for it.
func (p *proc) start() {
	p.t.Helper()
	binary, err := program()
	if err != nil {
		p.t.Fatal(err)
	}
	log, err := os.OpenFile(filepath.Join(p.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		p.t.Fatal(err)
	}
	defer log.Close()
	cmd := exec.Command(binary, p.args...)
	cmd.Env = append(os.Environ(), p.env...)
	cmd.Stdout, cmd.Stderr = log, log
	// The kernel ends the bridge when the test dies.
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cmd = cmd
}

// kill is kill -9; it returns when the process is gone.
func (p *proc) kill() { _ = p.end(syscall.SIGKILL) }

// stop asks the process to end and returns its exit error.
func (p *proc) stop() error { return p.end(syscall.SIGTERM) }

func (p *proc) end(signal syscall.Signal) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd == nil {
		return nil
	}
	_ = p.cmd.Process.Signal(signal)
	err := p.cmd.Wait()
	p.cmd = nil
	return err
}

// finish ends the process and shows the end of its log if the test has failed.
func (p *proc) finish() {
	p.kill()
	if !p.t.Failed() {
		return
	}
	log := p.log()
	if len(log) > 16000 {
		log = log[len(log)-16000:]
	}
	p.t.Logf("the end of the bridge's log:\n%s", log)
}

func (p *proc) log() string {
	data, err := os.ReadFile(filepath.Join(p.dir, "log"))
	if err != nil {
		return err.Error()
	}
	return string(data)
}

// startReady starts the process and waits until it is ready.
func (p *proc) startReady() {
	p.t.Helper()
	p.start()
	p.waitReady()
}

func (p *proc) waitReady() {
	p.t.Helper()
	eventually(p.t, "the bridge is ready", func() error {
		status, body, err := p.get("/readyz")
		if err == nil && status != http.StatusOK {
			err = fmt.Errorf("%d: %s", status, body)
		}
		return err
	})
}

func (p *proc) get(path string) (int, string, error) {
	response, err := http.Get("http://" + p.address + path)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return response.StatusCode, string(body), err
}

// metric reads one line of /metrics; 0 where it is absent.
func (p *proc) metric(name string) string {
	p.t.Helper()
	_, body, err := p.get("/metrics")
	if err != nil {
		p.t.Fatal(err)
	}
	for line := range strings.Lines(body) {
		if value, ok := strings.CutPrefix(strings.TrimSpace(line), name+" "); ok {
			return value
		}
	}
	return "0"
}

// post sends a request and returns status and answer; a broken connection is status 0.
func (p *proc) post(path string, headers map[string]string, body []byte) (int, string) {
	request, err := http.NewRequest(http.MethodPost, "http://"+p.address+path, bytes.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	for name, value := range headers {
		request.Header.Set(name, value)
	}
	client := http.Client{Timeout: 12 * time.Second}
	response, err := client.Do(request)
	if err != nil {
		return 0, err.Error()
	}
	defer response.Body.Close()
	answer, _ := io.ReadAll(response.Body)
	return response.StatusCode, string(answer)
}
