package component

import (
	"context"
	"fmt"
	"strconv"

	"k8s.io/component-base/cli"
	// Metrics of client-go and the version that the linker sets.
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
	"k8s.io/kubernetes/cmd/kube-apiserver/app"

	"github.com/argo-bridge/argo-bridge/deploy/local/cluster"
)

// runAPIServer runs kube-apiserver over an etcd in the same process. It ends on
// a signal, which the API server's own command listens for.
func runAPIServer(_ context.Context, d cluster.Dir, s *cluster.State) error {
	etcd, err := startEtcd(d, s)
	if err != nil {
		return err
	}
	defer etcd.Close()
	command := app.NewAPIServerCommand()
	command.SetArgs(apiServerFlags(d, s))
	if code := cli.Run(command); code != 0 {
		return fmt.Errorf("kube-apiserver ended with code %d", code)
	}
	return nil
}

func apiServerFlags(d cluster.Dir, s *cluster.State) []string {
	return []string{
		"--etcd-servers=" + s.EtcdClientURL(),
		"--bind-address=127.0.0.1",
		"--advertise-address=127.0.0.1",
		"--secure-port=" + strconv.Itoa(s.Ports[cluster.APIServer]),
		"--cert-dir=" + d.Certs(),
		"--token-auth-file=" + d.Tokens(),
		"--authorization-mode=RBAC",
		"--service-cluster-ip-range=10.0.0.0/24",
		"--endpoint-reconciler-type=none",
		"--service-account-issuer=https://kubernetes.default.svc.cluster.local",
		"--service-account-key-file=" + d.ServiceAccountKey(),
		"--service-account-signing-key-file=" + d.ServiceAccountKey(),
		"--api-audiences=https://kubernetes.default.svc.cluster.local",
		// Pods run nowhere: there is no token to mount into them.
		"--disable-admission-plugins=ServiceAccount",
		"--enable-priority-and-fairness=false",
		"--max-requests-inflight=0",
		"--max-mutating-requests-inflight=0",
		"--allow-privileged=true",
		"--profiling=false",
	}
}
