package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// localCluster is the program that is a Kubernetes with Argo Workflows.
const localCluster = "../../bin/local-cluster"

// scratch holds what the tests share; TestMain removes it.
var scratch string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	var err error
	if scratch, err = os.MkdirTemp("", "argo-bridge-e2e"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(scratch) }()
	defer func() {
		if sharedStarted {
			_ = exec.Command(localCluster, "down", "--purge", "--dir", filepath.Join(scratch, "cluster")).Run()
		}
	}()
	return m.Run()
}

// A cluster is a running local cluster and the administrator's way into it.
type cluster struct {
	dir, kubeconfig string
	config          *rest.Config
	client          kubernetes.Interface
	dynamic         dynamic.Interface
}

var sharedStarted bool

// sharedCluster is the cluster of the tests that leave it alone; each has a namespace of its own.
var sharedCluster = sync.OnceValues(func() (*cluster, error) {
	sharedStarted = true
	return upCluster(filepath.Join(scratch, "cluster"))
})

func upCluster(dir string) (*cluster, error) {
	out, err := exec.Command(localCluster, "up", "--dir", dir, "--parent-pid", fmt.Sprint(os.Getpid())).CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("local-cluster up: %w\n%s", err, out)
	}
	c := &cluster{dir: dir, kubeconfig: filepath.Join(dir, "kubeconfig")}
	if c.config, err = clientcmd.BuildConfigFromFlags("", c.kubeconfig); err != nil {
		return nil, err
	}
	c.config.QPS = -1
	if c.client, err = kubernetes.NewForConfig(c.config); err != nil {
		return nil, err
	}
	c.dynamic, err = dynamic.NewForConfig(c.config)
	return c, err
}

func needCluster(t testing.TB) {
	t.Helper()
	if testing.Short() {
		t.Skip("needs the local cluster, which -short leaves out")
	}
	if _, err := os.Stat(localCluster); err != nil {
		t.Skip("bin/local-cluster is not built: run make local-cluster")
	}
}

func shared(t testing.TB) *cluster {
	t.Helper()
	needCluster(t)
	c, err := sharedCluster()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// own starts a cluster that belongs to one test, which may break it.
func own(t testing.TB) *cluster {
	t.Helper()
	needCluster(t)
	dir := filepath.Join(t.TempDir(), "cluster")
	t.Cleanup(func() { _ = exec.Command(localCluster, "down", "--purge", "--dir", dir).Run() })
	c, err := upCluster(dir)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// component stops or starts a part of the cluster.
func (c *cluster) component(t testing.TB, do, name string) {
	t.Helper()
	if out, err := exec.Command(localCluster, do, name, "--dir", c.dir).CombinedOutput(); err != nil {
		t.Fatalf("local-cluster %s %s: %v\n%s", do, name, err, out)
	}
}

// program is the bridge, built once.
var program = sync.OnceValues(func() (string, error) {
	binary := filepath.Join(scratch, "argo-bridge")
	cmd := exec.Command("go", "build", "-trimpath", "-o", binary, "./cmd/argo-bridge")
	cmd.Dir = "../.."
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build: %w\n%s", err, out)
	}
	return binary, nil
})

// eventually polls, for as long as a loaded machine may take.
func eventually(t testing.TB, what string, holds func() error) {
	t.Helper()
	within(t, 3*time.Minute, what, holds)
}

func within(t testing.TB, bound time.Duration, what string, holds func() error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), bound)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		err := holds()
		if err == nil {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("not within %s: %s: %v", bound, what, err)
		case <-tick.C:
		}
	}
}

func mustJSON(t testing.TB, v any) []byte {
	t.Helper()
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		t.Fatal(err)
	}
	return bytes.TrimSpace(b.Bytes())
}
