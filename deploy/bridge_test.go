package deploy_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/argo-bridge/argo-bridge/adapters/github"
)

// Where the Deployment mounts what the config names, and the keys of the Secret that the README lists.
const (
	secretsPath   = "/etc/argo-bridge/secrets"
	dataPath      = "/var/lib/argo-bridge"
	webhookSecret = "It's a Secret to Everybody"
)

var secretKeys = []string{"github-webhook-secret", "slack-signing-secret", "slack-token", "nats-credentials"}

// A replica is a running bridge: a process in place of a pod.
type replica struct {
	url    string
	cmd    *exec.Cmd
	exited chan error
	output *buffer
}

// startReplica runs the program with the arguments, variables and files that the pod would have. It ends
// with the test.
func startReplica(t *testing.T, p *pod, flags ...string) *replica {
	t.Helper()
	r := &replica{exited: make(chan error, 1), output: &buffer{}}
	r.cmd = exec.Command(bridgeBinary(t), append(p.args, append([]string{"--listen", "127.0.0.1:0"}, flags...)...)...)
	r.cmd.Dir = t.TempDir()
	// The root file system is read-only: there is no folder for temporary files.
	r.cmd.Env = append(p.env, "TMPDIR=/nonexistent", "HOME=/nonexistent")
	reader, writer := io.Pipe()
	r.cmd.Stdout, r.cmd.Stderr = writer, writer
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	address := make(chan string, 1)
	read := make(chan struct{})
	go func() {
		defer close(read)
		r.read(reader, address)
	}()
	go func() {
		err := r.cmd.Wait()
		_ = writer.Close()
		<-read
		r.exited <- err
	}()
	t.Cleanup(func() {
		_ = r.cmd.Process.Kill()
		if t.Failed() {
			t.Logf("log of the bridge:\n%s", r.output)
		}
	})
	select {
	case a := <-address:
		r.url = "http://" + a
	case err := <-r.exited:
		t.Fatalf("the bridge ended: %v\n%s", err, r.output)
	case <-time.After(time.Minute):
		t.Fatalf("the bridge does not listen")
	}
	return r
}

// read copies the log, and finds the address in it.
func (r *replica) read(log io.Reader, address chan<- string) {
	lines := bufio.NewReader(log)
	for {
		line, err := lines.ReadBytes('\n')
		_, _ = r.output.Write(line)
		var entry struct{ Msg, Address string }
		if json.Unmarshal(line, &entry) == nil && entry.Msg == "listening" {
			address <- entry.Address
		}
		if err != nil {
			return
		}
	}
}

// stop ends the process as Kubernetes does, and wants it to end well within its time.
func (r *replica) stop(t *testing.T, grace time.Duration) {
	t.Helper()
	if err := r.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-r.exited:
		if err != nil {
			t.Errorf("after SIGTERM: %v", err)
		}
	case <-time.After(grace):
		t.Fatalf("has not stopped %s after SIGTERM", grace)
	}
	if left, err := os.ReadDir(r.cmd.Dir); err != nil || len(left) > 0 {
		t.Errorf("the bridge wrote into its working folder: %v, %v", left, err)
	}
	if strings.Contains(strings.ToLower(r.output.String()), "forbidden") {
		t.Error("the bridge was forbidden something: see its log")
	}
}

func (r *replica) waitReady(t *testing.T) {
	t.Helper()
	eventually(t, "/readyz", func() error {
		response, err := http.Get(r.url + "/readyz")
		if err != nil {
			return err
		}
		defer func() { _ = response.Body.Close() }()
		if response.StatusCode != http.StatusOK {
			body, _ := io.ReadAll(response.Body)
			return fmt.Errorf("%d: %s", response.StatusCode, body)
		}
		return nil
	})
}

// push delivers a push to the repository example-org/app as GitHub does.
func (r *replica) push(t *testing.T, delivery string) {
	t.Helper()
	body := []byte(`{"ref":"refs/heads/main","after":"6113728f27ae82c7b1a177c8d03f9e96e0adf246",
		"repository":{"full_name":"example-org/app","name":"app","owner":{"login":"example-org"}},
		"sender":{"login":"octocat"},"commits":[]}`)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.url+"/webhooks/github", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("X-GitHub-Event", "push")
	request.Header.Set("X-GitHub-Delivery", delivery)
	request.Header.Set("X-Hub-Signature-256", github.Sign(webhookSecret, body))
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode/100 != 2 {
		answer, _ := io.ReadAll(response.Body)
		t.Fatalf("push: %s: %s", response.Status, answer)
	}
}

// peakMemory is the largest resident size so far, in MiB; 0 where the system does not say.
func (r *replica) peakMemory() int {
	data, err := os.ReadFile(filepath.Join("/proc", fmt.Sprint(r.cmd.Process.Pid), "status"))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(data), "VmHWM:")
	var kib int
	_, _ = fmt.Sscan(rest, &kib)
	return kib / 1024
}

// A buffer is a bytes.Buffer that goroutines may share.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
