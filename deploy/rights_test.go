package deploy_test

import (
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// A right is "verb resource" or "verb resource.group", as kubectl auth writes it.
type right = string

func rightOf(verb, resource, group string) right {
	if group != "" {
		resource += "." + group
	}
	return verb + " " + resource
}

// granted lists what the client's identity may do in the namespace, but for what everybody may (ask
// who they are and what they may do), sorted.
func granted(t *testing.T, client kubernetes.Interface, namespace string) []right {
	t.Helper()
	review, err := client.AuthorizationV1().SelfSubjectRulesReviews().Create(t.Context(),
		&authorizationv1.SelfSubjectRulesReview{Spec: authorizationv1.SelfSubjectRulesReviewSpec{Namespace: namespace}},
		metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var rights []right
	for _, rule := range review.Status.ResourceRules {
		for _, group := range rule.APIGroups {
			if group == "authorization.k8s.io" || group == "authentication.k8s.io" {
				continue
			}
			for _, resource := range rule.Resources {
				for _, verb := range rule.Verbs {
					rights = append(rights, rightOf(verb, resource, group))
				}
			}
		}
	}
	slices.Sort(rights)
	return rights
}

// may asks the API server about one right.
func may(t *testing.T, client kubernetes.Interface, a authorizationv1.ResourceAttributes) bool {
	t.Helper()
	review, err := client.AuthorizationV1().SelfSubjectAccessReviews().Create(t.Context(),
		&authorizationv1.SelfSubjectAccessReview{Spec: authorizationv1.SelfSubjectAccessReviewSpec{ResourceAttributes: &a}},
		metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return review.Status.Allowed
}

// A recorder stands before the API server and notes which rights are used.
type recorder struct {
	url string
	ca  []byte // PEM; clients send tokens over TLS only

	mu   sync.Mutex
	used map[right]bool
}

func newRecorder(t *testing.T, config *rest.Config) *recorder {
	t.Helper()
	target, err := url.Parse(config.Host)
	if err != nil {
		t.Fatal(err)
	}
	transport, err := rest.TransportFor(&rest.Config{TLSClientConfig: rest.TLSClientConfig{
		CAData: config.CAData, CAFile: config.CAFile,
	}})
	if err != nil {
		t.Fatal(err)
	}
	r := &recorder{used: map[right]bool{}}
	proxy := &httputil.ReverseProxy{
		Rewrite:       func(p *httputil.ProxyRequest) { p.SetURL(target) },
		Transport:     transport,
		FlushInterval: -1,
	}
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		r.note(request)
		proxy.ServeHTTP(w, request)
	}))
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	r.url = server.URL
	r.ca = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	return r
}

func (r *recorder) note(request *http.Request) {
	right, ok := rightFor(request)
	if !ok {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.used[right] = true
}

func (r *recorder) rights() []right {
	r.mu.Lock()
	defer r.mu.Unlock()
	var rights []right
	for right := range r.used {
		rights = append(rights, right)
	}
	slices.Sort(rights)
	return rights
}

// rightFor says which right a request needs:
// https://kubernetes.io/docs/reference/access-authn-authz/authorization/#determine-the-request-verb
func rightFor(r *http.Request) (right, bool) {
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	group := ""
	switch {
	case parts[0] == "api" && len(parts) > 2:
		parts = parts[2:]
	case parts[0] == "apis" && len(parts) > 3:
		group, parts = parts[1], parts[3:]
	default:
		return "", false
	}
	if parts[0] == "namespaces" && len(parts) > 2 {
		parts = parts[2:]
	}
	resource, named := parts[0], len(parts) > 1
	if len(parts) > 2 {
		resource += "/" + parts[2]
	}
	verb := map[string]string{"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}[r.Method]
	if r.Method == http.MethodGet {
		switch watch := r.URL.Query().Get("watch"); {
		case watch == "true" || watch == "1":
			verb = "watch"
		case named:
			verb = "get"
		default:
			verb = "list"
		}
	}
	return rightOf(verb, resource, group), true
}
