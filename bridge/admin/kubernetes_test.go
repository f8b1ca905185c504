package admin_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/fake"
	ktesting "k8s.io/client-go/testing"

	"github.com/argo-bridge/argo-bridge/bridge/admin"
)

// A cluster is an API server that knows some tokens and rights.
type cluster struct {
	users     map[string]authenticationv1.UserInfo // by token
	audiences []string                             // that its tokens are for
	rights    map[string]bool                      // "user verb"
	fails     error                                // of a TokenReview
	denies    bool

	reviews int
	asked   []authorizationv1.SubjectAccessReviewSpec
}

func (c *cluster) client() *fake.Clientset {
	client := fake.NewClientset()
	client.PrependReactor("create", "tokenreviews", func(action ktesting.Action) (bool, runtime.Object, error) {
		c.reviews++
		review := action.(ktesting.CreateAction).GetObject().(*authenticationv1.TokenReview)
		if c.fails != nil {
			return true, nil, c.fails
		}
		user, known := c.users[review.Spec.Token]
		if !known {
			review.Status.Error = "invalid bearer token: " + review.Spec.Token
			return true, review, nil
		}
		review.Status = authenticationv1.TokenReviewStatus{Authenticated: true, User: user, Audiences: c.audiences}
		return true, review, nil
	})
	client.PrependReactor("create", "subjectaccessreviews", func(action ktesting.Action) (bool, runtime.Object, error) {
		review := action.(ktesting.CreateAction).GetObject().(*authorizationv1.SubjectAccessReview)
		c.asked = append(c.asked, review.Spec)
		review.Status.Allowed = c.rights[review.Spec.User+" "+review.Spec.ResourceAttributes.Verb]
		review.Status.Denied = c.denies
		return true, review, nil
	})
	return client
}

func newCluster() *cluster {
	return &cluster{
		users: map[string]authenticationv1.UserInfo{
			"token-of-alice": {Username: "alice", UID: "1", Groups: []string{"ops"}, Extra: map[string]authenticationv1.ExtraValue{"scopes": {"all"}}},
			"token-of-bob":   {Username: "bob"},
			"token-of-eve":   {Username: "eve"},
		},
		rights: map[string]bool{"alice get": true, "alice create": true, "bob get": true},
	}
}

func reasonOf(err error) string {
	var f *admin.Fault
	switch {
	case err == nil:
		return ""
	case errors.As(err, &f):
		return f.Reason
	}
	return "no fault: " + err.Error()
}

func TestKubernetesLetsInWhomRBACNames(t *testing.T) {
	t.Parallel()
	forbidden := apierrors.NewForbidden(schema.GroupResource{Resource: "tokenreviews"}, "", errors.New("no"))
	for name, c := range map[string]struct {
		token  string
		access admin.Access
		change func(c *cluster, k *admin.Kubernetes)
		user   string
		reason string
		hint   string
	}{
		"may read":                        {token: "token-of-bob", access: admin.Read, user: "bob"},
		"may replay":                      {token: "token-of-alice", access: admin.Replay, user: "alice"},
		"may read, not replay":            {token: "token-of-bob", access: admin.Replay, user: "bob", reason: admin.ReasonForbidden, hint: "argo-bridge-events-replay"},
		"known, without a right":          {token: "token-of-eve", access: admin.Read, user: "eve", reason: admin.ReasonForbidden, hint: "argo-bridge-events-view"},
		"forged or expired":               {token: "token-of-nobody", access: admin.Read, reason: admin.ReasonUnauthenticated, hint: "kubectl create token"},
		"the API server is away":          {token: "token-of-bob", access: admin.Read, reason: admin.ReasonUnavailable, change: func(c *cluster, _ *admin.Kubernetes) { c.fails = errors.New("timeout token-of-bob") }},
		"the bridge may not ask":          {token: "token-of-bob", access: admin.Read, reason: admin.ReasonUnavailable, hint: "admin-api", change: func(c *cluster, _ *admin.Kubernetes) { c.fails = forbidden }},
		"allowed by one, denied by other": {token: "token-of-bob", access: admin.Read, user: "bob", reason: admin.ReasonForbidden, change: func(c *cluster, _ *admin.Kubernetes) { c.denies = true }},
		"the audience that is wanted":     {token: "token-of-bob", access: admin.Read, user: "bob", change: audiences("bridge")},
		"another audience":                {token: "token-of-bob", access: admin.Read, reason: admin.ReasonUnauthenticated, change: audiences("vault")},
		"an API server without audiences": {token: "token-of-bob", access: admin.Read, reason: admin.ReasonUnauthenticated, change: audiences()},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cluster := newCluster()
			k := &admin.Kubernetes{Client: cluster.client(), Namespace: "argo"}
			if c.change != nil {
				c.change(cluster, k)
			}
			user, err := k.Authorize(t.Context(), c.token, c.access)
			if (c.user != "" && user != c.user) || reasonOf(err) != c.reason {
				t.Fatalf("user %q, %v", user, err)
			}
			var f *admin.Fault
			if errors.As(err, &f) && (!strings.Contains(f.Hint, c.hint) || strings.Contains(fmt.Sprint(f, f.Why), c.token)) {
				t.Errorf("%v, %v: want the hint %q, and no token", f, f.Why, c.hint)
			}
		})
	}
}

// audiences lets the bridge want the audience bridge from a cluster whose tokens are for those.
func audiences(all ...string) func(*cluster, *admin.Kubernetes) {
	return func(c *cluster, k *admin.Kubernetes) { c.audiences, k.Audiences = all, []string{"bridge"} }
}

func TestTheAPIServerIsAskedForTheWholeUser(t *testing.T) {
	t.Parallel()
	c := newCluster()
	k := &admin.Kubernetes{Client: c.client(), Namespace: "argo"}
	if _, err := k.Authorize(t.Context(), "token-of-alice", admin.Replay); err != nil {
		t.Fatal(err)
	}
	want := []authorizationv1.SubjectAccessReviewSpec{{
		User: "alice", UID: "1", Groups: []string{"ops"}, Extra: map[string]authorizationv1.ExtraValue{"scopes": {"all"}},
		ResourceAttributes: &authorizationv1.ResourceAttributes{Namespace: "argo", Verb: "create", Group: "bridge.argoproj.io", Resource: "events"},
	}}
	if diff := cmp.Diff(want, c.asked); diff != "" {
		t.Error(diff)
	}
}

func TestDecisionsAreKeptForTenSecondsOnly(t *testing.T) {
	t.Parallel()
	c := newCluster()
	now := time.Unix(0, 0)
	cache := admin.NewCache(&admin.Kubernetes{Client: c.client(), Namespace: "argo"}, func() time.Time { return now })
	ask := func(token string, access admin.Access, reviews int, reason string) {
		t.Helper()
		if _, err := cache.Authorize(t.Context(), token, access); reasonOf(err) != reason || c.reviews != reviews {
			t.Errorf("%s %s: got %v and %d reviews, want %q and %d", token, access, err, c.reviews, reason, reviews)
		}
	}
	ask("token-of-bob", admin.Read, 1, "")
	ask("token-of-bob", admin.Read, 1, "")
	ask("token-of-bob", admin.Replay, 2, admin.ReasonForbidden) // another right is another question
	ask("token-of-bob", admin.Replay, 2, admin.ReasonForbidden)
	ask("forged", admin.Read, 3, admin.ReasonUnauthenticated)
	ask("forged", admin.Read, 3, admin.ReasonUnauthenticated)
	c.rights["bob get"] = false
	now = now.Add(9 * time.Second)
	ask("token-of-bob", admin.Read, 3, "")
	now = now.Add(time.Second)
	ask("token-of-bob", admin.Read, 4, admin.ReasonForbidden)
	c.fails = errors.New("away")
	ask("token-of-eve", admin.Read, 5, admin.ReasonUnavailable)
	ask("token-of-eve", admin.Read, 6, admin.ReasonUnavailable) // that nobody can tell is no decision
}

func TestStrangersDoNotFillTheMemory(t *testing.T) {
	t.Parallel()
	c := newCluster()
	cache := admin.NewCache(&admin.Kubernetes{Client: c.client(), Namespace: "argo"}, func() time.Time { return time.Unix(0, 0) })
	for i := range 3000 {
		_, _ = cache.Authorize(t.Context(), fmt.Sprint("forged ", i), admin.Read)
	}
	if n := cache.Len(); n > 1024 {
		t.Errorf("%d entries", n)
	}
}

func TestAnyOfTwoAuthenticatorsLetsIn(t *testing.T) {
	t.Parallel()
	const known = "0123456789abcdef0123456789abcdef"
	off := false
	for name, c := range map[string]struct {
		config admin.Config
		token  string
		fails  error
		user   string
		reason string
	}{
		"of the file":                            {admin.Config{TokenFile: tokens(t, known)}, known, nil, "token file, line 1", ""},
		"of the cluster":                         {admin.Config{TokenFile: tokens(t, known)}, "token-of-bob", nil, "bob", ""},
		"of neither":                             {admin.Config{TokenFile: tokens(t, known)}, "nobody's", nil, "", admin.ReasonUnauthenticated},
		"of the cluster, without a right":        {admin.Config{TokenFile: tokens(t, known)}, "token-of-eve", nil, "eve", admin.ReasonForbidden},
		"of the file, while the cluster is away": {admin.Config{TokenFile: tokens(t, known)}, known, errors.New("away"), "token file, line 1", ""},
		"perhaps of the cluster, which is away":  {admin.Config{TokenFile: tokens(t, known)}, "token-of-bob", errors.New("away"), "", admin.ReasonUnavailable},
		"of the cluster, which is not asked":     {admin.Config{Kubernetes: &off, TokenFile: tokens(t, known)}, "token-of-bob", nil, "", admin.ReasonUnauthenticated},
		"the cluster alone":                      {admin.Config{}, "token-of-bob", nil, "bob", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cluster := newCluster()
			cluster.fails = c.fails
			auth, err := admin.NewAuthenticator(c.config, cluster.client(), "argo")
			if err != nil {
				t.Fatal(err)
			}
			if user, err := auth.Authorize(context.Background(), c.token, admin.Read); user != c.user || reasonOf(err) != c.reason {
				t.Errorf("user %q, %v", user, err)
			}
		})
	}
	if auth, err := admin.NewAuthenticator(admin.Config{Kubernetes: &off}, nil, "argo"); auth != nil || err != nil {
		t.Errorf("nobody is named: got %v, %v", auth, err)
	}
	if _, err := admin.NewAuthenticator(admin.Config{TokenFile: "/nowhere"}, nil, "argo"); err == nil {
		t.Error("a token file that is not there is taken")
	}
}
