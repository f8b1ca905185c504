package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/urfave/cli/v2"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/transport"

	"github.com/argo-bridge/argo-bridge/bridge/kube"
)

// A cluster is the one that the kubeconfig names.
type cluster struct {
	config    *rest.Config
	namespace string // of the bridge
}

// loadCluster returns nil when there is no kubeconfig.
func loadCluster(c *cli.Context) (*cluster, error) {
	config, namespace, err := kube.Config{Kubeconfig: c.String("kubeconfig"), Context: c.String("context")}.REST()
	for e := err; e != nil; e = errors.Unwrap(e) {
		if clientcmd.IsEmptyConfig(e) && c.String("kubeconfig") == "" && c.String("context") == "" {
			return nil, nil
		}
	}
	if err != nil {
		return nil, err
	}
	if n := c.String("namespace"); n != "" {
		namespace = n
	}
	return &cluster{config, namespace}, nil
}

// token is the bearer token that client-go would send to the API server now: one that stands in the
// kubeconfig or in a file, or one that a plugin makes.
func (c *cluster) token(ctx context.Context) (string, error) {
	config, err := c.config.TransportConfig()
	if err != nil {
		return "", fmt.Errorf("kubeconfig: %w", err)
	}
	var seen caught
	way, err := transport.HTTPWrappersForConfig(config, &seen)
	if err != nil {
		return "", fmt.Errorf("kubeconfig: %w", err)
	}
	// The request goes nowhere: it only passes what would sign it.
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://cluster.invalid", nil)
	if err != nil {
		return "", err
	}
	answer, err := way.RoundTrip(request)
	if err != nil {
		return "", fmt.Errorf("kubeconfig: %w", err)
	}
	_ = answer.Body.Close()
	token, ok := strings.CutPrefix(seen.authorization, "Bearer ")
	if !ok || token == "" {
		return "", fmt.Errorf("no token: the kubeconfig's user has none (a client certificate is nothing that the bridge can check): "+
			"give --token \"$(kubectl -n %s create token SERVICEACCOUNT)\"", c.namespace)
	}
	return token, nil
}

// caught answers every request and keeps its Authorization.
type caught struct{ authorization string }

func (c *caught) RoundTrip(r *http.Request) (*http.Response, error) {
	c.authorization = r.Header.Get("Authorization")
	return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody, Request: r}, nil
}
