package flow

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

// localCluster is the program that is a Kubernetes.
const localCluster = "../../bin/local-cluster"

var (
	templatesGVR = schema.GroupVersionResource{Group: "argoproj.io", Version: "v1alpha1", Resource: "workflowtemplates"}
	workflowsGVR = schema.GroupVersionResource{Group: "argoproj.io", Version: "v1alpha1", Resource: "workflows"}
)

// A cluster is an API server without controllers, and the way into it.
type cluster struct {
	kubeconfig string
	client     kubernetes.Interface
	dynamic    dynamic.Interface
}

var clusterStarted bool

var theCluster = sync.OnceValues(func() (*cluster, error) {
	clusterStarted = true
	dir := filepath.Join(scratch, "cluster")
	up := exec.Command(localCluster, "up", "--components", "apiserver", "--dir", dir, "--parent-pid", fmt.Sprint(os.Getpid()))
	if out, err := up.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("local-cluster up: %w\n%s", err, out)
	}
	c := &cluster{kubeconfig: filepath.Join(dir, "kubeconfig")}
	config, err := clientcmd.BuildConfigFromFlags("", c.kubeconfig)
	if err != nil {
		return nil, err
	}
	config.QPS = -1
	if c.client, err = kubernetes.NewForConfig(config); err != nil {
		return nil, err
	}
	c.dynamic, err = dynamic.NewForConfig(config)
	return c, err
})

func downCluster() {
	if clusterStarted {
		_ = exec.Command(localCluster, "down", "--purge", "--dir", filepath.Join(scratch, "cluster")).Run()
	}
}

func needCluster(t testing.TB) *cluster {
	t.Helper()
	if testing.Short() {
		t.Skip("needs the local cluster, which -short leaves out")
	}
	if _, err := os.Stat(localCluster); err != nil {
		t.Skip("bin/local-cluster is not built: run make local-cluster")
	}
	c, err := theCluster()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (c *cluster) newNamespace(ctx context.Context) (string, error) {
	ns, err := c.client.CoreV1().Namespaces().Create(ctx,
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "flow-"}}, metav1.CreateOptions{})
	if err != nil {
		return "", err
	}
	return ns.Name, nil
}
