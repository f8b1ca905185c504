package cluster

import (
	cryptorand "crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net"
	"os"
	"slices"
)

// The ports that a cluster uses beside one per component.
const (
	portEtcdClient = "etcd-client"
	portEtcdPeer   = "etcd-peer"
)

// State is what a cluster remembers from one start to the next.
type State struct {
	// Ports has a loopback port per component, and etcd's two.
	Ports map[string]int `json:"ports"`
	// Tokens has a bearer token per identity.
	Tokens map[string]string `json:"tokens"`
	// Components are the ones that the last up asked for.
	Components []string `json:"components"`
	// CRDs is "minimal" or "full".
	CRDs string `json:"crds"`
	// Kubeconfig is the file that the last up wrote for its user.
	Kubeconfig string `json:"kubeconfig"`
	// ParentPID is the process with which the cluster ends, or 0.
	ParentPID int `json:"parentPid,omitempty"`
}

// LoadState reads the state of the cluster in d. A folder without one is an
// error that satisfies errors.Is(err, fs.ErrNotExist).
func LoadState(d Dir) (*State, error) {
	raw, err := os.ReadFile(d.state())
	if err != nil {
		return nil, fmt.Errorf("read cluster state: %w", err)
	}
	s := &State{}
	if err := json.Unmarshal(raw, s); err != nil {
		return nil, fmt.Errorf("read cluster state %s: %w", d.state(), err)
	}
	return s, nil
}

func loadOrNewState(d Dir) (*State, error) {
	s, err := LoadState(d)
	if errors.Is(err, fs.ErrNotExist) {
		return &State{Ports: map[string]int{}, Tokens: map[string]string{}}, nil
	}
	return s, err
}

func (s *State) save(d Dir) error {
	raw, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	return writeFile(d.state(), raw)
}

// URL is the address of a component.
func (s *State) URL(component string) string {
	scheme := "http"
	if component == APIServer {
		scheme = "https"
	}
	return fmt.Sprintf("%s://127.0.0.1:%d", scheme, s.Ports[component])
}

// EtcdClientURL is where etcd serves the API server.
func (s *State) EtcdClientURL() string { return s.URL(portEtcdClient) }

// EtcdPeerURL is where etcd would serve its peers, of which there are none.
func (s *State) EtcdPeerURL() string { return s.URL(portEtcdPeer) }

// choosePorts keeps the ports that are remembered and still free, and replaces
// the others. It is only right while the API server is down, because everybody
// else has to follow when that one moves.
func (s *State) choosePorts() error {
	taken := map[int]bool{}
	for _, name := range slices.Concat(Components(), []string{portEtcdClient, portEtcdPeer}) {
		port, err := freePort(s.Ports[name], taken)
		if err != nil {
			return fmt.Errorf("find a port for %s: %w", name, err)
		}
		s.Ports[name], taken[port] = port, true
	}
	return nil
}

// Ports are picked from below the range from which systems take the local ends
// of outgoing connections (from 32768 on Linux): while a component is stopped,
// its port stays free, and nobody who dials it can be connected to himself.
const firstPort, portCount = 20000, 10000

// freePort returns wanted if it can be had, and otherwise another port that is
// free and not yet taken.
func freePort(wanted int, taken map[int]bool) (int, error) {
	if wanted != 0 && !taken[wanted] && tryPort(wanted) == nil {
		return wanted, nil
	}
	var last error
	for range 100 {
		port := firstPort + rand.IntN(portCount)
		if taken[port] {
			continue
		}
		if last = tryPort(port); last == nil {
			return port, nil
		}
	}
	return 0, last
}

func tryPort(port int) error {
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return err
	}
	return listener.Close()
}

func (s *State) chooseTokens() {
	for _, id := range identities() {
		if s.Tokens[id.name] == "" {
			s.Tokens[id.name] = cryptorand.Text()
		}
	}
}
