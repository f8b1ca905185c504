package main

import (
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/httpstream"
	"k8s.io/apimachinery/pkg/util/httpstream/spdy"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/tools/portforward"
)

// An apiServer is one with a Service argo-bridge in the namespace ops, whose pods all are the listener at
// bridge. It forwards ports over SPDY only, as those before Kubernetes 1.31.
type apiServer struct {
	bridge string // host:port
	pods   []corev1.Pod
	port   intstr.IntOrString
}

func (a *apiServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.Method + " " + r.URL.Path {
	case "GET /api/v1/namespaces/ops/services/argo-bridge":
		answerJSON(w, corev1.Service{
			TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Service"},
			Spec: corev1.ServiceSpec{
				Selector: map[string]string{"app": "bridge"}, Ports: []corev1.ServicePort{{Port: 80, TargetPort: a.port}},
			},
		})
	case "GET /api/v1/namespaces/ops/pods":
		if r.URL.Query().Get("labelSelector") != "app=bridge" {
			http.Error(w, "other pods", http.StatusBadRequest)
			return
		}
		answerJSON(w, corev1.PodList{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "PodList"}, Items: a.pods})
	case "POST /api/v1/namespaces/ops/pods/ready/portforward":
		a.forward(w, r)
	default:
		w.WriteHeader(http.StatusNotFound)
		answerJSON(w, metav1.Status{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Status"}, Status: "Failure",
			Code: http.StatusNotFound, Reason: metav1.StatusReasonNotFound, Message: "not found"})
	}
}

func answerJSON(w http.ResponseWriter, v any) {
	if w.Header().Get("Content-Type") == "" {
		w.Header().Set("Content-Type", "application/json")
	}
	_ = json.NewEncoder(w).Encode(v)
}

// forward does the kubelet's part: https://github.com/kubernetes/kubernetes/tree/master/pkg/kubelet/server/portforward
func (a *apiServer) forward(w http.ResponseWriter, r *http.Request) {
	if _, err := httpstream.Handshake(r, w, []string{portforward.PortForwardProtocolV1Name}); err != nil {
		return
	}
	var copies sync.WaitGroup
	conn := spdy.NewResponseUpgrader().UpgradeResponse(w, r, func(s httpstream.Stream, sent <-chan struct{}) error {
		copies.Go(func() {
			<-sent
			a.copyStream(s)
		})
		return nil
	})
	if conn == nil {
		return
	}
	<-conn.CloseChan()
	copies.Wait()
}

func (a *apiServer) copyStream(s httpstream.Stream) {
	defer s.Close()
	if s.Headers().Get(corev1.StreamType) != corev1.StreamTypeData {
		return
	}
	if s.Headers().Get(corev1.PortHeader) != bridgePort(a.bridge) {
		return
	}
	conn, err := net.Dial("tcp", a.bridge)
	if err != nil {
		return
	}
	defer func() { _ = conn.Close() }()
	go func() { _, _ = io.Copy(conn, s) }()
	_, _ = io.Copy(s, conn)
}

func bridgePort(address string) string {
	_, port, _ := net.SplitHostPort(address)
	return port
}

// start returns a kubeconfig of the API server, whose user has the token.
func (a *apiServer) start(t *testing.T, token string) string {
	t.Helper()
	server := httptest.NewTLSServer(a)
	t.Cleanup(server.Close)
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	path := filepath.Join(t.TempDir(), "kubeconfig")
	text := fmt.Sprintf("apiVersion: v1\nkind: Config\ncurrent-context: c\ncontexts: [{name: c, context: {cluster: c, user: u, namespace: ops}}]\n"+
		"clusters: [{name: c, cluster: {server: %q, certificate-authority-data: %s}}]\nusers: [{name: u, user: {token: %s}}]\n",
		server.URL, base64.StdEncoding.EncodeToString(ca), token)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func pod(name string, ready corev1.ConditionStatus, port int32) corev1.Pod {
	return corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: corev1.PodSpec{Containers: []corev1.Container{{
			Name: "argo-bridge", Ports: []corev1.ContainerPort{{Name: "metrics", ContainerPort: 1}, {Name: "http", ContainerPort: port}},
		}}},
		Status: corev1.PodStatus{Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: ready}}},
	}
}

func TestAKubeconfigAloneLeadsToTheBridge(t *testing.T) {
	t.Parallel()
	f := world()
	u, err := url.Parse(f.serve(t)[1])
	if err != nil {
		t.Fatal(err)
	}
	number, err := strconv.Atoi(u.Port())
	if err != nil {
		t.Fatal(err)
	}
	port := int32(number) //nolint:gosec // a port
	for name, c := range map[string]struct {
		api  apiServer
		args []string
		want string // in place of the list
	}{
		"by the port's name":      {apiServer{port: intstr.FromString("http")}, nil, ""},
		"by the port's number":    {apiServer{port: intstr.FromInt32(port)}, nil, ""},
		"in another namespace":    {apiServer{port: intstr.FromString("http")}, []string{"-n", "else"}, "in namespace else: name another by --namespace"},
		"by another service":      {apiServer{port: intstr.FromString("http")}, []string{"--service", "else"}, "find the bridge"},
		"without a ready pod":     {apiServer{port: intstr.FromString("http"), pods: []corev1.Pod{pod("starting", corev1.ConditionFalse, port)}}, nil, "none of the 1 pods"},
		"without a pod":           {apiServer{port: intstr.FromString("http"), pods: []corev1.Pod{}}, nil, "none of the 0 pods"},
		"to a pod that goes away": {apiServer{port: intstr.FromString("http"), pods: []corev1.Pod{pod("gone", corev1.ConditionTrue, port)}}, nil, "port-forward to pod gone in namespace ops"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if c.api.bridge = u.Host; c.api.pods == nil {
				c.api.pods = []corev1.Pod{pod("starting", corev1.ConditionFalse, port), pod("ready", corev1.ConditionTrue, port)}
			}
			kubeconfig := c.api.start(t, adminToken)
			code, out := invoke(t, append([]string{"events", "list", "--kubeconfig", kubeconfig}, c.args...)...)
			if c.want != "" {
				if code != 1 || !strings.Contains(out, c.want) {
					t.Errorf("exit code %d, want 1 and %q:\n%s", code, c.want, out)
				}
				return
			}
			if code != 0 || !strings.Contains(out, pushID) {
				t.Errorf("exit code %d:\n%s", code, out)
			}
		})
	}
}
