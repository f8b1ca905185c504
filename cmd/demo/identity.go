package main

import (
	"context"
	"fmt"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// bridgeAccount is the bridge's ServiceAccount.
const bridgeAccount = "argo-bridge"

// writeIdentity writes a kubeconfig by which the bridge acts as its own ServiceAccount, as in a pod: what its
// Role does not allow fails here too.
func (c *cluster) writeIdentity(ctx context.Context, file string) error {
	seconds := int64(24 * time.Hour / time.Second)
	token, err := c.client.CoreV1().ServiceAccounts(namespace).CreateToken(ctx, bridgeAccount,
		&authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{ExpirationSeconds: &seconds}}, metav1.CreateOptions{})
	if err != nil {
		return fmt.Errorf("ask for a token of the bridge's service account: %w", err)
	}
	config := clientcmdapi.NewConfig()
	config.Clusters["local"] = &clientcmdapi.Cluster{
		Server: c.config.Host, CertificateAuthority: c.config.CAFile, CertificateAuthorityData: c.config.CAData,
	}
	config.AuthInfos[bridgeAccount] = &clientcmdapi.AuthInfo{Token: token.Status.Token}
	config.Contexts["bridge"] = &clientcmdapi.Context{Cluster: "local", AuthInfo: bridgeAccount, Namespace: namespace}
	config.CurrentContext = "bridge"
	return clientcmd.WriteToFile(*config, file)
}
