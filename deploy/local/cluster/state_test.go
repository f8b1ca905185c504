package cluster

import (
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

func TestPortsAreKeptWhileTheyAreFree(t *testing.T) {
	state := &State{Ports: map[string]int{}}
	if err := state.choosePorts(); err != nil {
		t.Fatal(err)
	}
	first := map[string]int{}
	for name, port := range state.Ports {
		first[name] = port
	}
	if err := state.choosePorts(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(first, state.Ports); diff != "" {
		t.Errorf("ports (-first +second):\n%s", diff)
	}
}

func TestTakenPortIsReplaced(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	taken := listener.Addr().(*net.TCPAddr).Port
	state := &State{Ports: map[string]int{APIServer: taken}}
	if err := state.choosePorts(); err != nil {
		t.Fatal(err)
	}
	if state.Ports[APIServer] == taken {
		t.Error("the taken port was kept")
	}
}

func TestKubeconfigOfTheUserKeepsItsContexts(t *testing.T) {
	file := filepath.Join(t.TempDir(), "config")
	mine := clientcmdapi.NewConfig()
	mine.Contexts["work"] = &clientcmdapi.Context{Cluster: "work"}
	mine.Clusters["work"] = &clientcmdapi.Cluster{Server: "https://work.example"}
	if err := clientcmd.WriteToFile(*mine, file); err != nil {
		t.Fatal(err)
	}
	state := &State{Ports: map[string]int{APIServer: 1234}, Tokens: map[string]string{AdminIdentity: "secret"}}
	if err := mergeKubeconfig(kubeconfig(state, identities()[0], nil), file); err != nil {
		t.Fatal(err)
	}
	got, err := clientcmd.LoadFromFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got.Contexts["work"] == nil || got.CurrentContext != ContextName {
		t.Errorf("contexts %v, current %s", got.Contexts, got.CurrentContext)
	}
	if got.Clusters[ContextName].Server != "https://127.0.0.1:1234" {
		t.Errorf("server %s", got.Clusters[ContextName].Server)
	}
}

func TestParseComponents(t *testing.T) {
	tests := map[string]struct {
		list  string
		want  []string
		fault bool
	}{
		"the API server is always there":  {list: "pod-runner", want: []string{APIServer, PodRunner}},
		"the order is that of the start":  {list: "argo-server, controller", want: []string{APIServer, Controller, ArgoServer}},
		"an unknown component is a fault": {list: "kubelet", fault: true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := ParseComponents(test.list)
			if (err != nil) != test.fault {
				t.Fatalf("error %v", err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("components (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDownAndPurgeLeaveForeignFilesAlone(t *testing.T) {
	dir := Dir(t.TempDir())
	foreign := dir.join("notes.txt")
	if err := os.WriteFile(foreign, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := (&State{}).save(dir); err != nil {
		t.Fatal(err)
	}
	if err := Down(dir, true); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(foreign); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(dir.state()); !os.IsNotExist(err) {
		t.Errorf("state is still there: %v", err)
	}
}
