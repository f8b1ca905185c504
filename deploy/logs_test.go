package deploy_test

import (
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/logs"
)

// readLog looks, as the bridge's identity, for what a failed step has written. No kubelet runs the step's pod, so that
// the API server has no log of it; but it says no for want of a right before it says so.
func (i *install) readLog(t *testing.T, identity *rest.Config, r *recorder) {
	t.Helper()
	// The garbage collector takes a pod whose owner is not there.
	owner, err := i.cluster.client.CoreV1().ConfigMaps(i.serves).Create(t.Context(),
		&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "failed"}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Name: "failed-step", Labels: map[string]string{"workflows.argoproj.io/workflow": "failed"},
			Annotations:     map[string]string{"workflows.argoproj.io/node-id": "failed"},
			OwnerReferences: []metav1.OwnerReference{{APIVersion: "v1", Kind: "ConfigMap", Name: owner.Name, UID: owner.UID}},
		},
		Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "main", Image: "busybox"}}},
	}
	if _, err := i.cluster.client.CoreV1().Pods(i.serves).Create(t.Context(), pod, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	config, err := clientcmd.BuildConfigFromFlags("", i.kubeconfig(t, identity, r))
	if err != nil {
		t.Fatal(err)
	}
	core, told := observer.New(zapcore.WarnLevel)
	tailer := &logs.Tailer{Pods: kubernetes.NewForConfigOrDie(config).CoreV1(), Log: zap.New(core)}
	tailer.Tail(t.Context(), bridge.Run{
		Namespace: i.serves, Name: "failed", UID: string(owner.UID), Failures: []bridge.Failure{{Path: "main", Node: "failed"}},
	})
	if told.Len() > 0 {
		t.Errorf("it may not read logs: %v", told.All())
	}
}
