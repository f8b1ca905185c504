package component

import (
	"context"

	wfclientset "github.com/argoproj/argo-workflows/v3/pkg/client/clientset/versioned"
	"golang.org/x/sync/errgroup"
	"k8s.io/client-go/kubernetes"

	"github.com/argo-bridge/argo-bridge/deploy/local/cluster"
	"github.com/argo-bridge/argo-bridge/deploy/local/podrunner"
)

// runPodRunner plays the kubelet for the pods of workflows.
func runPodRunner(ctx context.Context, d cluster.Dir, s *cluster.State) error {
	config, err := clientConfig(d, cluster.PodRunner)
	if err != nil {
		return err
	}
	pods, err := kubernetes.NewForConfig(protobuf(config))
	if err != nil {
		return err
	}
	workflows, err := wfclientset.NewForConfig(config)
	if err != nil {
		return err
	}
	runner, err := podrunner.New(pods, workflows)
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return runner.Run(ctx) })
	group.Go(func() error { return serveReady(ctx, s, cluster.PodRunner, answer(runner.Synced)) })
	return group.Wait()
}
