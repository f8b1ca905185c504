// Package cluster starts, watches over and ends the processes of a local
// Kubernetes with Argo Workflows.
//
// # Layout
//
// Everything that belongs to one cluster lives in one [Dir]: etcd's data, keys,
// kubeconfigs, a log and a process record per component, and [State], which
// remembers ports and tokens so that a component comes back under the address
// it had before. Removing the folder of a stopped cluster forgets the cluster.
//
// # Processes
//
// Every component is a process of its own, in its own session, so that it
// outlives the command which started it and can be stopped alone. A process is
// ended only if it is still the one that was recorded: numbers are reused.
package cluster

import (
	"os"
	"path/filepath"
)

// DefaultDir is where a cluster lives unless said otherwise, relative to the
// current folder.
const DefaultDir = ".local/cluster"

// Dir is the folder of one cluster.
type Dir string

// Kubeconfig is the administrator's kubeconfig.
func (d Dir) Kubeconfig() string { return d.join("kubeconfig") }

// IdentityKubeconfig is the kubeconfig that a component itself uses.
func (d Dir) IdentityKubeconfig(identity string) string {
	return d.join("identity", identity+".kubeconfig")
}

// Tokens is the API server's token file: who each identity is.
func (d Dir) Tokens() string { return d.join("identity", "tokens.csv") }

// ServiceAccountKey signs the tokens of service accounts (PEM).
func (d Dir) ServiceAccountKey() string { return d.join("identity", "service-account.key") }

// Certs holds the API server's self-signed serving certificate.
func (d Dir) Certs() string { return d.join("certs") }

// CA is the certificate by which clients recognise the API server.
func (d Dir) CA() string { return filepath.Join(d.Certs(), "apiserver.crt") }

// Etcd holds etcd's data.
func (d Dir) Etcd() string { return d.join("etcd") }

// Log is the log of one component.
func (d Dir) Log(component string) string { return d.join("log", component+".log") }

func (d Dir) record(component string) string { return d.join("run", component+".json") }

func (d Dir) state() string { return d.join("state.json") }

func (d Dir) lock() string { return d.join("lock") }

func (d Dir) join(parts ...string) string {
	return filepath.Join(append([]string{string(d)}, parts...)...)
}

// absolute resolves d and creates its folders, readable by the owner alone:
// tokens are in there.
func (d Dir) absolute() (Dir, error) {
	path, err := filepath.Abs(string(d))
	if err != nil {
		return "", err
	}
	dir := Dir(path)
	for _, sub := range []string{"identity", "log", "run", "certs"} {
		if err := os.MkdirAll(dir.join(sub), 0o700); err != nil {
			return "", err
		}
	}
	return dir, nil
}

// purge removes the cluster's own files, and the folder if nothing else is in it.
func (d Dir) purge() error {
	for _, name := range []string{"identity", "log", "run", "certs", "etcd", "kubeconfig", "state.json", "lock"} {
		if err := os.RemoveAll(d.join(name)); err != nil {
			return err
		}
	}
	if rest, err := os.ReadDir(string(d)); err != nil || len(rest) > 0 {
		return err
	}
	return os.Remove(string(d))
}
