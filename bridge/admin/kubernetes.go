package admin

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// Group is that of the resources which RBAC grants people to let them in. No such objects exist: RBAC may name
// what no API serves.
const Group = "bridge.argoproj.io"

// rights are the verb and the resource of RBAC for each access.
var rights = map[Access]struct{ verb, resource string }{
	Read: {"get", "events"}, Replay: {"create", "events"}, Silence: {"create", "silences"},
}

// Kubernetes lets in whom the Kubernetes API knows and RBAC names. It needs the right to create
// tokenreviews and subjectaccessreviews, which the ClusterRole system:auth-delegator has.
type Kubernetes struct {
	Client kubernetes.Interface
	// Namespace is where RBAC must grant the right: the bridge's.
	Namespace string
	// Audiences are those that a token must be for; empty: the API server's own.
	Audiences []string
}

// Authorize asks who bears the token, then whether they may.
func (k *Kubernetes) Authorize(ctx context.Context, token string, access Access) (string, error) {
	user, err := k.review(ctx, token)
	if err != nil {
		return "", err
	}
	return user.Username, k.mayAccess(ctx, user, access)
}

// review asks for the user:
// https://kubernetes.io/docs/reference/kubernetes-api/authentication-resources/token-review-v1/
func (k *Kubernetes) review(ctx context.Context, token string) (authenticationv1.UserInfo, error) {
	review, err := k.Client.AuthenticationV1().TokenReviews().Create(ctx, &authenticationv1.TokenReview{
		Spec: authenticationv1.TokenReviewSpec{Token: token, Audiences: k.Audiences},
	}, metav1.CreateOptions{})
	if err != nil {
		return authenticationv1.UserInfo{}, cannotAsk("tokenreviews", redact(err, token))
	}
	status := review.Status
	if !status.Authenticated {
		return status.User, unknownToken(redact(errors.New(status.Error), token))
	}
	// An API server that knows nothing of audiences returns none, and has not looked at them.
	fits := func(a string) bool { return slices.Contains(status.Audiences, a) }
	if len(k.Audiences) > 0 && !slices.ContainsFunc(k.Audiences, fits) {
		return status.User, unknownToken(fmt.Errorf("the token is for the audiences %v", status.Audiences))
	}
	return status.User, nil
}

// mayAccess asks for the right:
// https://kubernetes.io/docs/reference/kubernetes-api/authorization-resources/subject-access-review-v1/
func (k *Kubernetes) mayAccess(ctx context.Context, user authenticationv1.UserInfo, access Access) error {
	extra := map[string]authorizationv1.ExtraValue{}
	for key, values := range user.Extra {
		extra[key] = authorizationv1.ExtraValue(values)
	}
	review, err := k.Client.AuthorizationV1().SubjectAccessReviews().Create(ctx, &authorizationv1.SubjectAccessReview{
		Spec: authorizationv1.SubjectAccessReviewSpec{
			User: user.Username, Groups: user.Groups, UID: user.UID, Extra: extra,
			ResourceAttributes: &authorizationv1.ResourceAttributes{
				Namespace: k.Namespace, Verb: rights[access].verb, Group: Group, Resource: rights[access].resource,
			},
		},
	}, metav1.CreateOptions{})
	if err != nil {
		return cannotAsk("subjectaccessreviews", err)
	}
	if review.Status.Allowed && !review.Status.Denied {
		return nil
	}
	return &Fault{
		Reason: ReasonForbidden,
		Text:   fmt.Sprintf("%s may not %s %s.%s in namespace %s", user.Username, rights[access].verb, rights[access].resource, Group, k.Namespace),
		Hint:   fmt.Sprintf("bind them to the Role %s there", roles[access]),
		Why:    errors.New(review.Status.Reason),
	}
}

// roles are the Roles of deploy/components/admin-api.
var roles = map[Access]string{Read: "argo-bridge-events-view", Replay: "argo-bridge-events-replay", Silence: "argo-bridge-silence"}

func unknownToken(why error) error {
	return &Fault{
		Reason: ReasonUnauthenticated, Text: "the Kubernetes API does not know the token: it is forged, expired or of another cluster",
		Hint: "a new one: kubectl create token SERVICEACCOUNT", Why: why,
	}
}

// cannotAsk is the bridge's own trouble, not the user's.
func cannotAsk(resource string, err error) error {
	f := &Fault{
		Reason: ReasonUnavailable, Text: "the bridge cannot ask the Kubernetes API who you are", Hint: "ask again; the bridge's log says more",
		Why: fmt.Errorf("create %s: %w", resource, err),
	}
	if apierrors.IsForbidden(err) {
		f.Text = "the bridge may not create " + resource
		f.Hint = "add deploy/components/admin-api to the install, or set admin.kubernetes: false and an admin.tokenFile"
	}
	return f
}

// redact takes the token out of an error's text.
func redact(err error, token string) error {
	if token == "" || !strings.Contains(err.Error(), token) {
		return err
	}
	return errors.New(strings.ReplaceAll(err.Error(), token, "[token]"))
}
