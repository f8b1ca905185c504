package component

import (
	"context"
	"fmt"
	"net/http"
	"os"
	// Cron schedules name time zones, and not every machine has them.
	_ "time/tzdata"

	wfclientset "github.com/argoproj/argo-workflows/v3/pkg/client/clientset/versioned"
	"github.com/argoproj/argo-workflows/v3/workflow/common"
	"github.com/argoproj/argo-workflows/v3/workflow/controller"
	"github.com/argoproj/argo-workflows/v3/workflow/metrics"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/argo-bridge/argo-bridge/deploy/local/cluster"
	"github.com/argo-bridge/argo-bridge/deploy/local/podrunner"
)

// Argo's own defaults for its workers.
const (
	workflowWorkers = 32
	ttlWorkers      = 4
	podWorkers      = 4
	cronWorkers     = 8
	archiveWorkers  = 8
)

// controllerEnvironment has those of the controller's settings that it reads
// from the environment.
var controllerEnvironment = map[string]string{
	// The controller waits this long before it looks at a Workflow again: its
	// default of 10 s spares a busy cluster, and would make every step take 10 s.
	common.EnvVarDefaultRequeueTime: "100ms",
	// The watch of config maps begins at resource version 1. Once that is too old,
	// after an API server's restart or a compaction, the controller spins around
	// the closed watch and writes gigabytes of log within minutes. Without the
	// watch, a change of its config needs a restart of the controller.
	"WATCH_CONTROLLER_SEMAPHORE_CONFIGMAPS": "false",
}

// runController runs Argo's workflow-controller for all namespaces.
func runController(ctx context.Context, d cluster.Dir, s *cluster.State) error {
	for name, value := range controllerEnvironment {
		if err := os.Setenv(name, value); err != nil {
			return err
		}
	}
	config, err := clientConfig(d, cluster.Controller)
	if err != nil {
		return err
	}
	signals, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	config.Wrap(func(next http.RoundTripper) http.RoundTripper { return podrunner.NewExecTransport(next, signals) })
	metrics.AddMetricsTransportWrapper(ctx, config)
	argo, err := newController(ctx, config)
	if err != nil {
		return fmt.Errorf("make controller: %w", err)
	}
	go argo.Run(ctx, workflowWorkers, ttlWorkers, podWorkers, cronWorkers, archiveWorkers)
	return serveReady(ctx, s, cluster.Controller, answer(argo.IsLeader))
}

func newController(ctx context.Context, config *rest.Config) (*controller.WorkflowController, error) {
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	workflows, err := wfclientset.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	const namespace, everyNamespace, executorImage, pullPolicy = "argo", "", "local/argoexec", ""
	return controller.NewWorkflowController(ctx, config, client, workflows, namespace, everyNamespace,
		executorImage, pullPolicy, "text", common.ConfigMapName, false)
}
