package deploy_test

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/argo-bridge/argo-bridge/bridge/layout"
)

// readLayout reads, as the bridge's identity, the look of a message that a template's author keeps in a ConfigMap.
func (i *install) readLayout(t *testing.T, identity *rest.Config, r *recorder) {
	t.Helper()
	_, err := i.cluster.client.CoreV1().ConfigMaps(i.serves).Create(t.Context(), &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: "looks"},
		Data:       map[string]string{"failed.json": `[{"type": "section", "text": {"type": "mrkdwn", "text": "{{workflow.name}} & more"}}]`},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	config, err := clientcmd.BuildConfigFromFlags("", i.kubeconfig(t, identity, r))
	if err != nil {
		t.Fatal(err)
	}
	layouts := &layout.ConfigMaps{Client: kubernetes.NewForConfigOrDie(config).CoreV1(), Now: time.Now}
	blocks, err := layouts.Blocks(t.Context(), i.serves, "looks/failed.json", map[string]any{"workflow": map[string]any{"name": "<!here>"}})
	if want := `[{"text":{"text":"&lt;!here&gt; & more","type":"mrkdwn"},"type":"section"}]`; err != nil || blocks != want {
		t.Errorf("%s, %v", blocks, err)
	}
}
