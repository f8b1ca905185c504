package admin

import (
	"context"
	"errors"
	"time"

	"k8s.io/client-go/kubernetes"
)

// NewAuthenticator makes what c asks for: nil when that is nothing. client and namespace are the bridge's.
func NewAuthenticator(c Config, client kubernetes.Interface, namespace string) (Authenticator, error) {
	var all anyOf
	if c.TokenFile != "" {
		tokens := &TokenFile{Path: c.TokenFile}
		if _, err := tokens.read(); err != nil {
			return nil, err
		}
		all = append(all, tokens)
	}
	if c.AsksKubernetes() {
		all = append(all, NewCache(&Kubernetes{Client: client, Namespace: namespace, Audiences: c.Audiences}, time.Now))
	}
	if len(all) == 0 {
		return nil, nil
	}
	return all, nil
}

// anyOf lets in whom one of its authenticators lets in.
type anyOf []Authenticator

// Authorize asks one after the other. Of several refusals the most telling one holds: a user who may
// not, one of whom nothing is known now, a token that nobody knows.
func (all anyOf) Authorize(ctx context.Context, token string, access Access) (string, error) {
	var user string
	var refusal error
	rank := -1
	for _, a := range all {
		u, err := a.Authorize(ctx, token, access)
		if err == nil {
			return u, nil
		}
		if r := telling(err); r > rank {
			user, refusal, rank = u, err, r
		}
	}
	return user, refusal
}

func telling(err error) int {
	var f *Fault
	if !errors.As(err, &f) {
		return 1
	}
	switch f.Reason {
	case ReasonForbidden:
		return 2
	case ReasonUnauthenticated:
		return 0
	}
	return 1
}
