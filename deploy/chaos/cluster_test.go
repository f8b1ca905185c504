package chaos

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
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// localCluster is the program that is a Kubernetes with Argo Workflows.
const localCluster = "../../bin/local-cluster"

var (
	templatesGVR = schema.GroupVersionResource{Group: "argoproj.io", Version: "v1alpha1", Resource: "workflowtemplates"}
	workflowsGVR = schema.GroupVersionResource{Group: "argoproj.io", Version: "v1alpha1", Resource: "workflows"}
)

// A cluster is a running local cluster and the administrator's way into it, which no fault touches.
type cluster struct {
	dir      string
	config   *rest.Config
	client   kubernetes.Interface
	dynamic  dynamic.Interface
	metadata metadata.Interface
}

var clusterStarted bool

// theCluster serves all tests of this package; each has a namespace of its own.
var theCluster = sync.OnceValues(func() (*cluster, error) {
	clusterStarted = true
	c := &cluster{dir: filepath.Join(scratch, "cluster")}
	if out, err := c.run("up", "--parent-pid", fmt.Sprint(os.Getpid())); err != nil {
		return nil, fmt.Errorf("local-cluster up: %w\n%s", err, out)
	}
	var err error
	if c.config, err = clientcmd.BuildConfigFromFlags("", filepath.Join(c.dir, "kubeconfig")); err != nil {
		return nil, err
	}
	c.config.QPS = -1
	if c.client, err = kubernetes.NewForConfig(c.config); err != nil {
		return nil, err
	}
	if c.dynamic, err = dynamic.NewForConfig(c.config); err != nil {
		return nil, err
	}
	c.metadata, err = metadata.NewForConfig(c.config)
	return c, err
})

func (c *cluster) run(args ...string) ([]byte, error) {
	return exec.Command(localCluster, append(args, "--dir", c.dir)...).CombinedOutput()
}

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

func (c *cluster) newNamespace(t testing.TB) string {
	t.Helper()
	ns, err := c.client.CoreV1().Namespaces().Create(t.Context(),
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "chaos-"}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = c.client.CoreV1().Namespaces().Delete(context.Background(), ns.Name, metav1.DeleteOptions{})
	})
	return ns.Name
}

// workflows are the Workflows of a namespace without what they do: their labels hold all that is asked for.
func (c *cluster) workflows(namespace string) metadata.ResourceInterface {
	return c.metadata.Resource(workflowsGVR).Namespace(namespace)
}
