package chaos

import (
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// nodeSettings are what a NATS node is told.
type nodeSettings struct {
	Name, Dir     string
	Client, Route int      // ports
	Routes        []string // addresses of the other nodes
}

// A node is one NATS server.
type node struct {
	*child
	settings nodeSettings
}

// newNodes makes n nodes, and the links from each to each other.
func newNodes(t testing.TB, world string, n int) (nodes []*node, links map[[2]int]*link) {
	t.Helper()
	all := make([]nodeSettings, n)
	for i := range all {
		name := fmt.Sprintf("nats-%d", i)
		all[i] = nodeSettings{Name: name, Dir: filepath.Join(scratch, world, name), Client: freePort(t), Route: freePort(t)}
	}
	links = map[[2]int]*link{}
	for i := range all {
		for j := range all {
			if i != j {
				links[[2]int{i, j}] = newLink(t, fmt.Sprintf("nats-%d to nats-%d", i, j), address(all[j].Route))
				all[i].Routes = append(all[i].Routes, links[[2]int{i, j}].address())
			}
		}
	}
	for _, s := range all {
		nodes = append(nodes, &node{newChild(t, world, s.Name, roleNode, s), s})
	}
	return nodes, links
}

// runNode is the main of a node.
func runNode(data []byte) error {
	failOnFullDisk()
	var s nodeSettings
	if err := json.Unmarshal(data, &s); err != nil {
		return err
	}
	nats, err := server.NewServer(s.options())
	if err != nil {
		return err
	}
	nats.ConfigureLogger()
	nats.Start()
	if !nats.ReadyForConnections(time.Minute) {
		return fmt.Errorf("%s is not ready after a minute", s.Name)
	}
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGTERM)
	<-ended
	nats.Shutdown()
	return nil
}

func (s nodeSettings) options() *server.Options {
	o := &server.Options{
		ServerName: s.Name, Host: "127.0.0.1", Port: s.Client, NoSigs: true, Logtime: true,
		JetStream: true, StoreDir: s.Dir, JetStreamMaxStore: 4 << 30, JetStreamMaxMemory: 64 << 20,
	}
	if len(s.Routes) == 0 {
		return o
	}
	o.Cluster = server.ClusterOpts{
		Name: "chaos", Host: "127.0.0.1", Port: s.Route,
		// Nobody is to learn an address that leads around the links: neither clients, nor nodes.
		NoAdvertise: true, Advertise: "127.0.0.1:1",
	}
	for _, r := range s.Routes {
		o.Routes = append(o.Routes, &url.URL{Scheme: "nats", Host: r})
	}
	return o
}
