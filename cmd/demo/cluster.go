package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// namespace is where the templates are and their Workflows run.
const namespace = "argo"

// clusterBound is how long the cluster may take to come up or to go.
const clusterBound = 3 * time.Minute

// A cluster is the local Kubernetes with Argo Workflows.
type cluster struct {
	settings   settings
	reused     bool
	kubeconfig string
	argoServer string
	config     *rest.Config
	dynamic    dynamic.Interface
	client     kubernetes.Interface
}

// startCluster starts the cluster, or takes the one that runs already. It ends with this process.
func startCluster(ctx context.Context, s settings) (*cluster, error) {
	c := &cluster{settings: s}
	running, err := c.status(ctx)
	if err != nil {
		return nil, err
	}
	c.reused = running
	if !running {
		// What an earlier demo left behind would be found again; this story begins at its beginning.
		if _, err := c.run(ctx, "down", "--purge"); err != nil {
			return nil, err
		}
		if _, err := c.run(ctx, "up", "--parent-pid", strconv.Itoa(os.Getpid())); err != nil {
			c.stop()
			return nil, err
		}
		if _, err := c.status(ctx); err != nil {
			c.stop()
			return nil, err
		}
	}
	if err := c.connect(); err != nil {
		c.stop()
		return nil, err
	}
	return c, nil
}

// stop ends the cluster, unless somebody else started it.
func (c *cluster) stop() {
	if !c.reused {
		_, _ = c.run(context.Background(), "down")
	}
}

func (c *cluster) dir() string { return c.settings.path("cluster") }

// status reads whether the cluster runs, and where.
func (c *cluster) status(ctx context.Context) (running bool, err error) {
	out, err := c.run(ctx, "status", "--output", "json")
	if err != nil {
		return false, err
	}
	var status struct {
		Running    bool   `json:"running"`
		ArgoServer string `json:"argoServer"`
		Kubeconfig string `json:"kubeconfig"`
	}
	if err := json.Unmarshal(out, &status); err != nil {
		return false, fmt.Errorf("local-cluster status: %w", err)
	}
	c.kubeconfig, c.argoServer = status.Kubeconfig, status.ArgoServer
	return status.Running, nil
}

// run calls local-cluster for the demo's own folder, in a process group of its own: an interrupt is told to it once,
// by its number.
func (c *cluster) run(ctx context.Context, args ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, clusterBound)
	defer cancel()
	command := exec.CommandContext(ctx, c.settings.cluster, append(args, "--dir", c.dir())...)
	var out, said bytes.Buffer
	command.Stdout, command.Stderr = &out, &said
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) }
	command.WaitDelay = 10 * time.Second
	if err := command.Run(); err != nil {
		return nil, fmt.Errorf("local-cluster %s: %w\n%s", args[0], err, strings.TrimSpace(said.String()))
	}
	return out.Bytes(), nil
}

func (c *cluster) connect() (err error) {
	if c.config, err = clientcmd.BuildConfigFromFlags("", c.kubeconfig); err != nil {
		return fmt.Errorf("read kubeconfig: %w", err)
	}
	c.config.QPS = -1
	if c.dynamic, err = dynamic.NewForConfig(c.config); err != nil {
		return err
	}
	c.client, err = kubernetes.NewForConfig(c.config)
	return err
}
