package component

import (
	"context"
	"fmt"
	"strconv"

	"github.com/argoproj/argo-workflows/v3/cmd/argo/commands"

	"github.com/argo-bridge/argo-bridge/deploy/local/cluster"
)

// runArgoServer runs argo-server over plain HTTP. Callers may bring their own
// token, or act as argo-server's service account without one.
func runArgoServer(_ context.Context, d cluster.Dir, s *cluster.State) error {
	command := commands.NewCommand()
	command.SetArgs([]string{
		"server",
		"--kubeconfig=" + d.IdentityKubeconfig(cluster.ArgoServer),
		"--port=" + strconv.Itoa(s.Ports[cluster.ArgoServer]),
		"--secure=false",
		"--auth-mode=server", "--auth-mode=client",
		// The defaults would hold submissions at 22 per second.
		"--kube-api-qps=500", "--kube-api-burst=1000", "--api-rate-limit=1000000",
	})
	if err := command.Execute(); err != nil {
		return fmt.Errorf("argo-server: %w", err)
	}
	return nil
}
