package component

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/metadata/metadatainformer"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
	"k8s.io/controller-manager/pkg/informerfactory"
	"k8s.io/kubernetes/pkg/controller/clusterroleaggregation"
	"k8s.io/kubernetes/pkg/controller/garbagecollector"
	"k8s.io/kubernetes/pkg/controller/namespace"
	"k8s.io/kubernetes/pkg/controller/serviceaccount"

	"github.com/argo-bridge/argo-bridge/deploy/local/cluster"
)

// gcSyncPeriod is how soon the garbage collector notices a new kind of object.
const gcSyncPeriod = 10 * time.Second

// manager holds what the controllers share.
type manager struct {
	config    *rest.Config
	client    kubernetes.Interface
	metadata  metadata.Interface
	informers informers.SharedInformerFactory
}

// runControllerManager runs those of Kubernetes' controllers without which a
// cluster would keep what was deleted: garbage collector and namespaces; and
// those that give a namespace its service account and a role its rules.
func runControllerManager(ctx context.Context, d cluster.Dir, s *cluster.State) error {
	config, err := clientConfig(d, cluster.ControllerManager)
	if err != nil {
		return err
	}
	m := &manager{config: config}
	if m.client, err = kubernetes.NewForConfig(protobuf(config)); err != nil {
		return err
	}
	if m.metadata, err = metadata.NewForConfig(config); err != nil {
		return err
	}
	m.informers = informers.NewSharedInformerFactory(m.client, 0)
	started := make(chan struct{})
	for _, start := range []func(context.Context, <-chan struct{}) error{
		m.startGarbageCollector, m.startNamespaces, m.startServiceAccounts, m.startRoleAggregation,
	} {
		if err := start(ctx, started); err != nil {
			return fmt.Errorf("start controllers: %w", err)
		}
	}
	m.informers.Start(ctx.Done())
	close(started)
	return serveReady(ctx, s, cluster.ControllerManager, answer(func() bool { return true }))
}

func (m *manager) startGarbageCollector(ctx context.Context, started <-chan struct{}) error {
	mapper := restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(m.client.Discovery()))
	metadataInformers := metadatainformer.NewSharedInformerFactory(m.metadata, 0)
	collector, err := garbagecollector.NewGarbageCollector(ctx, m.client, m.metadata, mapper,
		garbagecollector.DefaultIgnoredResources(),
		informerfactory.NewInformerFactory(m.informers, metadataInformers), started)
	if err != nil {
		return err
	}
	go collector.Run(ctx, 10, gcSyncPeriod)
	go collector.Sync(ctx, m.client.Discovery(), gcSyncPeriod)
	return nil
}

func (m *manager) startNamespaces(ctx context.Context, _ <-chan struct{}) error {
	controller := namespace.NewNamespaceController(ctx, m.client, m.metadata,
		m.client.Discovery().ServerPreferredNamespacedResources,
		m.informers.Core().V1().Namespaces(), 5*time.Minute, corev1.FinalizerKubernetes)
	go controller.Run(ctx, 4)
	return nil
}

func (m *manager) startServiceAccounts(ctx context.Context, _ <-chan struct{}) error {
	core := m.informers.Core().V1()
	controller, err := serviceaccount.NewServiceAccountsController(core.ServiceAccounts(), core.Namespaces(),
		m.client, serviceaccount.DefaultServiceAccountsControllerOptions())
	if err != nil {
		return err
	}
	go controller.Run(ctx, 1)
	return nil
}

func (m *manager) startRoleAggregation(ctx context.Context, _ <-chan struct{}) error {
	controller := clusterroleaggregation.NewClusterRoleAggregation(
		m.informers.Rbac().V1().ClusterRoles(), m.client.RbacV1())
	go controller.Run(ctx, 1)
	return nil
}
