package deploy_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/argo-bridge/argo-bridge/bridge/admin"
)

// adminRights are what the component admin-api adds for the bridge.
var adminRights = []right{"create subjectaccessreviews.authorization.k8s.io", "create tokenreviews.authentication.k8s.io"}

// The component's grants meet a real API server: the bridge's service account asks it about people who are
// bound to the component's Roles, as docs/events.md shows.
func TestTheAdminAPIKnowsWhoMayReadAndReplay(t *testing.T) {
	t.Parallel()
	c := startCluster(t)
	i := &install{cluster: c, overlay: "namespaced", namespace: "ops", serves: "ops", rights: namespacedRights,
		own: "components: [%s/components/admin-api]\n"}
	i.apply(t)
	c.bindPeople(t, i.namespace)
	identity := i.identity(t)
	i.checkAdminRights(t, kubernetes.NewForConfigOrDie(identity))

	recorder := newRecorder(t, c.config)
	auth := &admin.Kubernetes{Namespace: i.namespace, Client: kubernetes.NewForConfigOrDie(&rest.Config{
		Host: recorder.url, BearerToken: identity.BearerToken, TLSClientConfig: rest.TLSClientConfig{CAData: recorder.ca}, QPS: -1,
	})}
	for _, p := range []struct {
		name         string
		read, replay string // the reason of the refusal
	}{
		{"reader", "", admin.ReasonForbidden},
		{"operator", "", ""},
		{"stranger", admin.ReasonForbidden, admin.ReasonForbidden},
	} {
		token := c.tokenOf(t, i.namespace, p.name)
		for access, want := range map[admin.Access]string{admin.Read: p.read, admin.Replay: p.replay} {
			user, err := auth.Authorize(t.Context(), token, access)
			if user != "system:serviceaccount:ops:"+p.name || reasonOf(err) != want {
				t.Errorf("%s to %s: user %q, %v; want %q", p.name, access, user, err, want)
			}
		}
	}
	if _, err := auth.Authorize(t.Context(), c.tokenOf(t, i.namespace, "reader")+"x", admin.Read); reasonOf(err) != admin.ReasonUnauthenticated {
		t.Errorf("a forged token: %v", err)
	}
	if diff := cmp.Diff(adminRights, recorder.rights()); diff != "" {
		t.Errorf("granted and used differ (-granted +used):\n%s", diff)
	}
}

// reasonOf is why somebody is not let in; empty when they are.
func reasonOf(err error) string {
	var f *admin.Fault
	switch {
	case err == nil:
		return ""
	case errors.As(err, &f):
		return f.Reason
	}
	return err.Error()
}

// bindPeople makes service accounts that stand for people, and binds them as the manual says.
func (c *cluster) bindPeople(t *testing.T, namespace string) {
	t.Helper()
	for _, name := range []string{"reader", "operator", "stranger"} {
		account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: name}}
		if _, err := c.client.CoreV1().ServiceAccounts(namespace).Create(t.Context(), account, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	c.kubectl(t, "-n", namespace, "create", "rolebinding", "events-view", "--role", "argo-bridge-events-view",
		"--serviceaccount", namespace+":reader", "--serviceaccount", namespace+":operator")
	c.kubectl(t, "-n", namespace, "create", "rolebinding", "events-replay", "--role", "argo-bridge-events-replay",
		"--serviceaccount", namespace+":operator")
}

func (c *cluster) tokenOf(t *testing.T, namespace, account string) string {
	t.Helper()
	token, err := c.client.CoreV1().ServiceAccounts(namespace).CreateToken(t.Context(), account, &authenticationv1.TokenRequest{}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return token.Status.Token
}

// checkAdminRights holds that the component adds its two rights to the bridge, in the whole cluster, and
// that those of people are theirs alone.
func (i *install) checkAdminRights(t *testing.T, bridge kubernetes.Interface) {
	t.Helper()
	eventually(t, "the rights to ask who somebody is", func() error {
		for _, a := range []authorizationv1.ResourceAttributes{
			{Verb: "create", Group: "authentication.k8s.io", Resource: "tokenreviews"},
			{Verb: "create", Group: "authorization.k8s.io", Resource: "subjectaccessreviews"},
		} {
			if !may(t, bridge, a) {
				return errors.New("it may not create " + a.Resource)
			}
		}
		return nil
	})
	if diff := cmp.Diff(i.rights, granted(t, bridge, i.namespace)); diff != "" {
		t.Errorf("the other rights of the bridge (-needed +granted):\n%s", diff)
	}
	for account, want := range map[string][]right{
		"stranger": nil,
		"reader":   {"create pods/portforward", "get events.bridge.argoproj.io", "get pods/portforward", "get services", "list pods"},
		"operator": {"create events.bridge.argoproj.io", "create pods/portforward", "get events.bridge.argoproj.io",
			"get pods/portforward", "get services", "list pods"},
	} {
		config := rest.AnonymousClientConfig(i.cluster.config)
		config.BearerToken = i.cluster.tokenOf(t, i.namespace, account)
		if diff := cmp.Diff(want, granted(t, kubernetes.NewForConfigOrDie(config), i.namespace)); diff != "" {
			t.Errorf("%s (-wanted +granted):\n%s", account, diff)
		}
	}
}
