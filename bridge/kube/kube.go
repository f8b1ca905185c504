// Package kube makes the clients that talk to the Kubernetes API.
package kube

import (
	"fmt"
	"os"
	"strings"

	"github.com/argoproj/argo-workflows/v3/pkg/apis/workflow"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// Config says how to reach the API server.
type Config struct {
	// Kubeconfig is a kubeconfig file; empty: the pod's own service account, or, outside a
	// cluster, what KUBECONFIG and ~/.kube/config say.
	Kubeconfig string `yaml:"kubeconfig"`
	// Context is a context of the kubeconfig; empty: its current one.
	Context string `yaml:"context"`
	// QPS and Burst bound the requests per second; 0: no bound of our own, the API server's
	// priority and fairness holds. (client-go's default of 5 per second would be the bridge's speed.)
	QPS   float32 `yaml:"qps"`
	Burst int     `yaml:"burst"`
}

// REST returns the client configuration, and the namespace that the bridge itself runs in or that
// the kubeconfig names.
func (c Config) REST() (*rest.Config, string, error) {
	if c.Kubeconfig == "" && c.Context == "" {
		if config, err := rest.InClusterConfig(); err == nil {
			return c.tune(config), podNamespace(), nil
		}
	}
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = c.Kubeconfig
	loader := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules,
		&clientcmd.ConfigOverrides{CurrentContext: c.Context})
	config, err := loader.ClientConfig()
	if err != nil {
		return nil, "", fmt.Errorf("kubernetes: %w (set kubernetes.kubeconfig, or run in a cluster)", err)
	}
	namespace, _, err := loader.Namespace()
	if err != nil {
		return nil, "", fmt.Errorf("kubernetes: %w", err)
	}
	return c.tune(config), namespace, nil
}

func (c Config) tune(config *rest.Config) *rest.Config {
	config.UserAgent = "argo-bridge"
	config.QPS, config.Burst = c.QPS, c.Burst
	if c.QPS == 0 {
		config.QPS = -1
	}
	return config
}

// Argo returns a client for Argo's API group that sends and receives plain JSON.
func Argo(config *rest.Config) (rest.Interface, error) {
	c := rest.CopyConfig(config)
	c.APIPath = "/apis"
	c.GroupVersion = &schema.GroupVersion{Group: workflow.Group, Version: workflow.Version}
	c.ContentType = "application/json"
	// The scheme knows the server's Status, so that errors keep their reason and their details.
	scheme := runtime.NewScheme()
	metav1.AddToGroupVersion(scheme, schema.GroupVersion{Version: "v1"})
	c.NegotiatedSerializer = serializer.NewCodecFactory(scheme).WithoutConversion()
	client, err := rest.RESTClientFor(c)
	if err != nil {
		return nil, fmt.Errorf("kubernetes client: %w", err)
	}
	return client, nil
}

func podNamespace() string {
	data, err := os.ReadFile("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
	if err != nil {
		return "default"
	}
	return strings.TrimSpace(string(data))
}
