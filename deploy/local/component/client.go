package component

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/argo-bridge/argo-bridge/deploy/local/cluster"
)

// clientConfig is the access of one identity, without the usual thrift of a
// client in a shared cluster.
func clientConfig(d cluster.Dir, identity string) (*rest.Config, error) {
	config, err := clientcmd.BuildConfigFromFlags("", d.IdentityKubeconfig(identity))
	if err != nil {
		return nil, fmt.Errorf("load kubeconfig of %s: %w", identity, err)
	}
	config.QPS, config.Burst = 1000, 2000
	return rest.AddUserAgent(config, "local-cluster/"+identity), nil
}

// protobuf is config for clients of built-in kinds, which cost less that way.
func protobuf(config *rest.Config) *rest.Config {
	config = rest.CopyConfig(config)
	config.ContentType = runtime.ContentTypeProtobuf
	config.AcceptContentTypes = runtime.ContentTypeProtobuf + "," + runtime.ContentTypeJSON
	return config
}

// serveReady answers /readyz on the component's port until ctx is done.
func serveReady(ctx context.Context, s *cluster.State, component string, ready http.HandlerFunc) error {
	mux := http.NewServeMux()
	mux.HandleFunc("/readyz", ready)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", s.Ports[component]))
	if err != nil {
		return fmt.Errorf("serve readiness: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// answer is a readiness handler that asks ready.
func answer(ready func() bool) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		if !ready() {
			http.Error(w, "not ready", http.StatusServiceUnavailable)
		}
	}
}
