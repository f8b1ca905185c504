package bus

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// cluster runs three servers with JetStream on loopback, and returns them with their addresses.
func cluster(t *testing.T) (servers []*server.Server, urls string) {
	t.Helper()
	const size = 3
	var routes []*url.URL
	var ports []int
	for range size {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
		routes = append(routes, &url.URL{Scheme: "nats", Host: l.Addr().String()})
		_ = l.Close()
	}
	var addresses []string
	for i, port := range ports {
		s, err := server.NewServer(&server.Options{
			ServerName: fmt.Sprint("nats-", i), Host: "127.0.0.1", Port: server.RANDOM_PORT, NoLog: true, NoSigs: true,
			JetStream: true, StoreDir: t.TempDir(), JetStreamMaxStore: 8 << 30,
			Cluster: server.ClusterOpts{Name: "nats", Host: "127.0.0.1", Port: port}, Routes: routes,
		})
		if err != nil {
			t.Fatal(err)
		}
		s.Start()
		t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
		servers = append(servers, s)
	}
	for _, s := range servers {
		if !s.ReadyForConnections(20 * time.Second) {
			t.Fatal("a server is not ready")
		}
		addresses = append(addresses, s.ClientURL())
	}
	return servers, strings.Join(addresses, ",")
}

func join(t *testing.T, c Config) *Bus {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	b, err := Open(ctx, c.Defaults(), zaptest.NewLogger(t, zaptest.Level(zap.ErrorLevel)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return b
}

// persist publishes an event until it is stored, as a source does.
func persist(t *testing.T, b *Bus, id string) {
	t.Helper()
	eventually(t, id+" is stored", func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		return b.Publish(ctx, event(id)) == nil
	})
}

func TestMoreCopiesAreMadeOfWhatIsThereAndTheLossOfAServerLosesNothing(t *testing.T) {
	t.Parallel()
	servers, urls := cluster(t)
	one := join(t, Config{URL: urls, Replicas: 1, MaxBytes: 64 << 20})
	table, err := one.Bucket(t.Context(), "TEST", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	persist(t, one, "first")
	if err := table.Put(t.Context(), "k", []byte("v")); err != nil {
		t.Fatal(err)
	}
	one.Close()

	// The setting is raised: what stands there is copied.
	three := join(t, Config{URL: urls, Replicas: 3, MaxBytes: 64 << 20})
	if table, err = three.Bucket(t.Context(), "TEST", time.Hour); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{eventStream, bucketStream + "TEST"} {
		eventually(t, name+" has three copies that are up to date", func() bool {
			s, err := three.js.Stream(t.Context(), name)
			if err != nil || s.CachedInfo().Cluster == nil || len(s.CachedInfo().Cluster.Replicas) != 2 {
				return false
			}
			for _, peer := range s.CachedInfo().Cluster.Replicas {
				if !peer.Current {
					return false
				}
			}
			return s.CachedInfo().Config.Replicas == 3
		})
	}
	servers[0].Shutdown()
	servers[0].WaitForShutdown()
	persist(t, three, "second")
	eventually(t, "the table answers", func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		e, ok, err := table.Get(ctx, "k")
		return err == nil && ok && string(e.Value) == "v"
	})
	ids := map[string]bool{}
	for _, e := range collect(t, three, 2, nil) {
		ids[e.ID] = true
	}
	if !ids["first"] || !ids["second"] {
		t.Errorf("got %v", ids)
	}
}

func TestTwoBridgesShareOneClusterAndEachEventIsHandledOnce(t *testing.T) {
	t.Parallel()
	_, urls := cluster(t)
	config := Config{URL: urls, Replicas: 3, MaxBytes: 64 << 20}
	a, b := join(t, config), join(t, config)
	const n = 40
	for i := range n {
		persist(t, []*Bus{a, b}[i%2], fmt.Sprint(i))
		persist(t, []*Bus{b, a}[i%2], fmt.Sprint(i)) // the same again, at the other
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var mu sync.Mutex
	handled := map[string]int{}
	handle := func(_ context.Context, e bridge.Event, _ Delivery) error {
		mu.Lock()
		defer mu.Unlock()
		if handled[e.ID]++; len(handled) == n {
			cancel()
		}
		return nil
	}
	var both sync.WaitGroup
	for _, bus := range []*Bus{a, b} {
		both.Go(func() {
			if err := bus.ConsumeEvents(ctx, 4, handle); err != nil {
				t.Error(err)
			}
		})
	}
	both.Wait()
	for id, times := range handled {
		if times != 1 {
			t.Errorf("%s was handled %d times", id, times)
		}
	}
	if len(handled) != n {
		t.Errorf("%d of %d handled", len(handled), n)
	}
}
