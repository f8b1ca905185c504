package deploy_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// localCluster is the program that is a Kubernetes cluster, and kubectl.
const localCluster = "../bin/local-cluster"

// scratch is a folder for what the package's tests share.
var scratch string

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	var err error
	if scratch, err = os.MkdirTemp("", "argo-bridge-deploy"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(scratch) }()
	return m.Run()
}

// A cluster is a running local cluster and the administrator's way into it.
type cluster struct {
	kubeconfig string
	config     *rest.Config
	client     kubernetes.Interface
	dynamic    dynamic.Interface
}

// startCluster starts a cluster that ends with the test.
func startCluster(t *testing.T) *cluster {
	t.Helper()
	needLocalCluster(t)
	dir := t.TempDir()
	t.Cleanup(func() {
		if out, err := exec.Command(localCluster, "down", "--dir", dir).CombinedOutput(); err != nil {
			t.Errorf("local-cluster down: %v\n%s", err, out)
		}
	})
	out, err := exec.Command(localCluster, "up", "--dir", dir, "--parent-pid", fmt.Sprint(os.Getpid())).CombinedOutput()
	if err != nil {
		t.Fatalf("local-cluster up: %v\n%s", err, out)
	}
	c := &cluster{kubeconfig: filepath.Join(dir, "kubeconfig")}
	if c.config, err = clientcmd.BuildConfigFromFlags("", c.kubeconfig); err != nil {
		t.Fatal(err)
	}
	c.config.QPS = -1
	c.client, c.dynamic = kubernetes.NewForConfigOrDie(c.config), dynamic.NewForConfigOrDie(c.config)
	return c
}

func needLocalCluster(t *testing.T) {
	t.Helper()
	if _, err := os.Stat(localCluster); err != nil {
		t.Skip("bin/local-cluster is not built: run make -C deploy/local build")
	}
}

// kubectl runs kubectl as the cluster's administrator.
func (c *cluster) kubectl(t *testing.T, args ...string) string {
	t.Helper()
	return kubectl(t, append([]string{"--kubeconfig", c.kubeconfig}, args...)...)
}

func kubectl(t *testing.T, args ...string) string {
	t.Helper()
	var stderr bytes.Buffer
	cmd := exec.Command(localCluster, append([]string{"kubectl"}, args...)...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("kubectl %s: %v\n%s", strings.Join(args, " "), err, stderr.Bytes())
	}
	return string(out)
}

// relative is this folder as seen from dir: kustomize takes no absolute paths.
func relative(t *testing.T, dir string) string {
	t.Helper()
	here, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	if here, err = filepath.Rel(dir, here); err != nil {
		t.Fatal(err)
	}
	return here
}

// eventually polls for as long as a loaded machine may take.
func eventually(t *testing.T, what string, holds func() error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
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
			t.Fatalf("not in time: %s: %v", what, err)
		case <-tick.C:
		}
	}
}

// imageBinary is the program as the Dockerfile builds it, built once.
var imageBinary = sync.OnceValues(func() (string, error) {
	command, err := dockerfileBuild()
	if err != nil {
		return "", err
	}
	binary := filepath.Join(scratch, "argo-bridge")
	cmd := exec.Command("sh", "-c", strings.ReplaceAll(command, "/out/argo-bridge", binary))
	cmd.Dir = ".."
	cmd.Env = append(os.Environ(), "VERSION="+testVersion, "TARGETOS=", "TARGETARCH=")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%s: %w\n%s", command, err, out)
	}
	return binary, nil
})

func bridgeBinary(t *testing.T) string {
	t.Helper()
	binary, err := imageBinary()
	if err != nil {
		t.Fatal(err)
	}
	return binary
}
