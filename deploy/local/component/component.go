// Package component runs one component of a local cluster in this process:
// the API server with etcd, Argo's controller and server, the pod runner, and a
// few of Kubernetes' own controllers. All listen on 127.0.0.1 alone.
package component

import (
	"context"
	"fmt"

	"github.com/argo-bridge/argo-bridge/deploy/local/cluster"
	"github.com/argo-bridge/argo-bridge/deploy/local/quiet"
)

// Run runs the named component of the cluster in d until ctx is done or the
// component fails. API server and argo-server end on a signal instead, as their
// own commands do.
func Run(ctx context.Context, d cluster.Dir, name string) error {
	state, err := cluster.LoadState(d)
	if err != nil {
		return fmt.Errorf("no cluster in %s, run 'up' first: %w", d, err)
	}
	run, known := map[string]func(context.Context, cluster.Dir, *cluster.State) error{
		cluster.APIServer:         runAPIServer,
		cluster.Controller:        runController,
		cluster.ArgoServer:        runArgoServer,
		cluster.PodRunner:         runPodRunner,
		cluster.ControllerManager: runControllerManager,
	}[name]
	if !known {
		return cluster.CheckComponent(name)
	}
	quiet.Over()
	if restartable[name] {
		if err := cluster.ReplaceAfterOutage(ctx, state); err != nil {
			return err
		}
	}
	return run(ctx, d, state)
}

// restartable are the components that nobody talks to: they may start anew.
var restartable = map[string]bool{cluster.Controller: true, cluster.PodRunner: true, cluster.ControllerManager: true}
