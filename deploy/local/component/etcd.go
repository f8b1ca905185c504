package component

import (
	"fmt"
	"net/url"
	"time"

	"go.etcd.io/etcd/server/v3/embed"

	"github.com/argo-bridge/argo-bridge/deploy/local/cluster"
)

const gibibyte = 1 << 30

// startEtcd runs etcd inside this process and returns when it serves.
func startEtcd(d cluster.Dir, s *cluster.State) (*embed.Etcd, error) {
	config, err := etcdConfig(d, s)
	if err != nil {
		return nil, err
	}
	etcd, err := embed.StartEtcd(config)
	if err != nil {
		return nil, fmt.Errorf("start etcd: %w", err)
	}
	select {
	case <-etcd.Server.ReadyNotify():
		return etcd, nil
	case err := <-etcd.Err():
		etcd.Close()
		return nil, fmt.Errorf("start etcd: %w", err)
	case <-time.After(time.Minute):
		etcd.Close()
		return nil, fmt.Errorf("start etcd: not ready after a minute")
	}
}

func etcdConfig(d cluster.Dir, s *cluster.State) (*embed.Config, error) {
	client, err := url.Parse(s.EtcdClientURL())
	if err != nil {
		return nil, err
	}
	peer, err := url.Parse(s.EtcdPeerURL())
	if err != nil {
		return nil, err
	}
	config := embed.NewConfig()
	config.Name, config.Dir = "local", d.Etcd()
	config.ListenClientUrls, config.AdvertiseClientUrls = []url.URL{*client}, []url.URL{*client}
	config.ListenPeerUrls, config.AdvertisePeerUrls = []url.URL{*peer}, []url.URL{*peer}
	config.InitialCluster = config.InitialClusterFromName(config.Name)
	config.LogLevel = "warn"
	// Losing the last writes when the machine loses power is fine here; waiting
	// for the disk on every write is not.
	config.UnsafeNoFsync = true
	// The API server compacts every five minutes; a bench writes gigabytes in between.
	config.QuotaBackendBytes = 8 * gibibyte
	return config, nil
}
