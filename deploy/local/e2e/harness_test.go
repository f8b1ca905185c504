package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/argo-bridge/argo-bridge/deploy/local/cluster"
)

var (
	workflows = schema.GroupVersionResource{Group: "argoproj.io", Version: "v1alpha1", Resource: "workflows"}
	templates = schema.GroupVersionResource{Group: "argoproj.io", Version: "v1alpha1", Resource: "workflowtemplates"}
	pods      = schema.GroupVersionResource{Version: "v1", Resource: "pods"}
)

// local is a cluster of one test.
type local struct {
	t      testing.TB
	binary string
	dir    string
	config *rest.Config
	client dynamic.Interface
}

// up starts a cluster that ends with the test, or at the latest with the
// process of the test. Without the built program the test is skipped.
func up(t testing.TB) *local {
	t.Helper()
	binary, err := filepath.Abs("../../../bin/local-cluster")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(binary); err != nil {
		t.Skip("bin/local-cluster is not built: run make -C deploy/local build")
	}
	l := &local{t: t, binary: binary, dir: t.TempDir()}
	t.Cleanup(func() { l.run("down") })
	t.Log("\n" + l.run("up", "--parent-pid", fmt.Sprint(os.Getpid())))
	if l.config, err = clientcmd.BuildConfigFromFlags("", cluster.Dir(l.dir).Kubeconfig()); err != nil {
		t.Fatal(err)
	}
	l.config.QPS, l.config.Burst = 5000, 5000
	if l.client, err = dynamic.NewForConfig(l.config); err != nil {
		t.Fatal(err)
	}
	return l
}

// run executes local-cluster for this cluster and returns what it prints.
func (l *local) run(args ...string) string {
	l.t.Helper()
	out, err := exec.Command(l.binary, append(args, "--dir", l.dir)...).CombinedOutput()
	if err != nil {
		l.t.Errorf("local-cluster %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

func (l *local) status() cluster.Status {
	l.t.Helper()
	var status cluster.Status
	if err := json.Unmarshal([]byte(l.run("status", "--output", "json")), &status); err != nil {
		l.t.Fatal(err)
	}
	return status
}

// create makes an object in namespace argo.
func (l *local) create(resource schema.GroupVersionResource, object map[string]any) string {
	l.t.Helper()
	made, err := l.client.Resource(resource).Namespace("argo").
		Create(context.Background(), &unstructured.Unstructured{Object: object}, metav1.CreateOptions{})
	if err != nil {
		l.t.Fatal(err)
	}
	return made.GetName()
}

func (l *local) get(resource schema.GroupVersionResource, name string) *unstructured.Unstructured {
	l.t.Helper()
	object, err := l.client.Resource(resource).Namespace("argo").Get(context.Background(), name, metav1.GetOptions{})
	if err != nil {
		l.t.Fatal(err)
	}
	return object
}

// eventually polls for as long as a loaded machine may take.
func (l *local) eventually(what string, holds func() bool) {
	l.t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if holds() {
			return
		}
	}
	l.t.Fatalf("not within a minute: %s", what)
}

// waitPhase waits until a Workflow has ended and says how.
func (l *local) waitPhase(name, want string) *unstructured.Unstructured {
	l.t.Helper()
	var workflow *unstructured.Unstructured
	l.eventually("the end of workflow "+name, func() bool {
		workflow = l.get(workflows, name)
		finished, _, _ := unstructured.NestedString(workflow.Object, "status", "finishedAt")
		return finished != ""
	})
	if got := phase(workflow); got != want {
		l.t.Errorf("workflow %s is %s, want %s: %v", name, got, want, workflow.Object["status"])
	}
	return workflow
}

func phase(object *unstructured.Unstructured) string {
	phase, _, _ := unstructured.NestedString(object.Object, "status", "phase")
	return phase
}
