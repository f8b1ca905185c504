package e2e

import (
	"context"

	authenticationv1 "k8s.io/api/authentication/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// accounts: a service account's token is good, and good for its rights alone.
func (l *local) accounts() {
	l.t.Helper()
	ctx := context.Background()
	admin := kubernetes.NewForConfigOrDie(l.config)
	token, err := admin.CoreV1().ServiceAccounts("argo").CreateToken(ctx, "default", &authenticationv1.TokenRequest{}, metav1.CreateOptions{})
	if err != nil {
		l.t.Fatal(err)
	}
	review, err := admin.AuthenticationV1().TokenReviews().Create(ctx, &authenticationv1.TokenReview{
		Spec: authenticationv1.TokenReviewSpec{Token: token.Status.Token},
	}, metav1.CreateOptions{})
	if err != nil {
		l.t.Fatal(err)
	}
	if user := review.Status.User.Username; user != "system:serviceaccount:argo:default" {
		l.t.Errorf("the token is of %q: %+v", user, review.Status)
	}
	config := rest.AnonymousClientConfig(l.config)
	config.BearerToken = token.Status.Token
	account := kubernetes.NewForConfigOrDie(config)
	if _, err := account.CoreV1().Secrets("argo").List(ctx, metav1.ListOptions{}); !apierrors.IsForbidden(err) {
		l.t.Errorf("listing secrets: %v, want forbidden", err)
	}
}
