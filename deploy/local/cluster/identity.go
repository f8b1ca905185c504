package cluster

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"strings"

	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// AdminIdentity may do everything.
const AdminIdentity = "admin"

// ContextName is the name of context, cluster and user in kubeconfigs.
const ContextName = "argo-bridge-local"

// identity is a user that the API server knows by a static token.
type identity struct {
	name, user, namespace string
	groups                []string
}

// identities lists the users of a cluster. Controller and argo-server are the
// service accounts of Argo's manifests, bound by Argo's own roles: what those
// roles do not grant is refused here as well.
func identities() []identity {
	return []identity{
		{name: AdminIdentity, user: "local-admin", namespace: "argo", groups: []string{"system:masters"}},
		{name: ControllerManager, user: "local-controller-manager", namespace: "argo", groups: []string{"system:masters"}},
		{name: PodRunner, user: "local-pod-runner", namespace: "argo", groups: []string{"system:masters"}},
		serviceAccount(Controller, "argo"),
		serviceAccount(ArgoServer, "argo-server"),
	}
}

func serviceAccount(component, account string) identity {
	return identity{
		name: component, user: "system:serviceaccount:argo:" + account, namespace: "argo",
		groups: []string{"system:serviceaccounts", "system:serviceaccounts:argo"},
	}
}

// writeTokens writes the API server's token file: token,user,uid,"groups".
func writeTokens(d Dir, s *State) error {
	var lines strings.Builder
	for _, id := range identities() {
		fmt.Fprintf(&lines, "%s,%s,%s,%q\n", s.Tokens[id.name], id.user, id.name, strings.Join(id.groups, ","))
	}
	return writeFile(d.Tokens(), []byte(lines.String()))
}

// writeServiceAccountKey makes the signing key of service account tokens, once:
// tokens stay good when the cluster is restarted.
func writeServiceAccountKey(d Dir) error {
	if _, err := os.Stat(d.ServiceAccountKey()); err == nil {
		return nil
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return fmt.Errorf("make service account key: %w", err)
	}
	block := &pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}
	return writeFile(d.ServiceAccountKey(), pem.EncodeToMemory(block))
}

// writeKubeconfigs writes one kubeconfig per identity, and the administrator's
// into user as well, beside whatever contexts are there already.
func writeKubeconfigs(d Dir, s *State, user string) error {
	ca, err := os.ReadFile(d.CA())
	if err != nil {
		return fmt.Errorf("read the API server's certificate: %w", err)
	}
	for _, id := range identities() {
		config := kubeconfig(s, id, ca)
		if err := clientcmd.WriteToFile(*config, d.IdentityKubeconfig(id.name)); err != nil {
			return fmt.Errorf("write kubeconfig of %s: %w", id.name, err)
		}
		if id.name != AdminIdentity {
			continue
		}
		if err := clientcmd.WriteToFile(*config, d.Kubeconfig()); err != nil {
			return fmt.Errorf("write kubeconfig: %w", err)
		}
		if err := mergeKubeconfig(config, user); err != nil {
			return fmt.Errorf("write kubeconfig %s: %w", user, err)
		}
	}
	return nil
}

func kubeconfig(s *State, id identity, ca []byte) *clientcmdapi.Config {
	config := clientcmdapi.NewConfig()
	config.Clusters[ContextName] = &clientcmdapi.Cluster{Server: s.URL(APIServer), CertificateAuthorityData: ca}
	config.AuthInfos[ContextName] = &clientcmdapi.AuthInfo{Token: s.Tokens[id.name]}
	config.Contexts[ContextName] = &clientcmdapi.Context{Cluster: ContextName, AuthInfo: ContextName, Namespace: id.namespace}
	config.CurrentContext = ContextName
	return config
}

// mergeKubeconfig adds the context of config to the file and makes it current.
// Contexts of other clusters are kept: the file may be the user's own.
func mergeKubeconfig(config *clientcmdapi.Config, file string) error {
	existing, err := clientcmd.LoadFromFile(file)
	if os.IsNotExist(err) {
		return clientcmd.WriteToFile(*config, file)
	}
	if err != nil {
		return err
	}
	existing.Clusters[ContextName] = config.Clusters[ContextName]
	existing.AuthInfos[ContextName] = config.AuthInfos[ContextName]
	existing.Contexts[ContextName] = config.Contexts[ContextName]
	existing.CurrentContext = ContextName
	return clientcmd.WriteToFile(*existing, file)
}
