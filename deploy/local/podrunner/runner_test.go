package podrunner

import (
	"context"
	"testing"
	"time"

	wffake "github.com/argoproj/argo-workflows/v3/pkg/client/clientset/versioned/fake"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"
)

// run has one pod run by a runner of its own and returns the pod as it ended.
func run(t *testing.T, pod *corev1.Pod, whenRunning func(*fake.Clientset)) (*corev1.Pod, *wffake.Clientset) {
	t.Helper()
	pods, workflows := fake.NewClientset(pod), wffake.NewSimpleClientset()
	runner, err := New(pods, workflows)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- runner.Run(ctx) }()
	defer func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		got, err := pods.CoreV1().Pods(pod.Namespace).Get(ctx, pod.Name, metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if finished(got) {
			return got, workflows
		}
		if got.Status.Phase == corev1.PodRunning && whenRunning != nil {
			whenRunning(pods)
			whenRunning = nil
		}
	}
	t.Fatal("the pod did not end within 10 s")
	return nil, nil
}

func mainState(t *testing.T, pod *corev1.Pod) *corev1.ContainerStateTerminated {
	t.Helper()
	for _, status := range pod.Status.ContainerStatuses {
		if status.Name == "main" && status.State.Terminated != nil {
			return status.State.Terminated
		}
	}
	t.Fatalf("main has not ended: %+v", pod.Status)
	return nil
}

func TestRunnerEndsPodAsItSaysAndReportsFirst(t *testing.T) {
	pod := newPod(map[string]string{"LOCAL_EXIT_CODE": "3", "LOCAL_MESSAGE": "no such table", "LOCAL_DURATION": "20ms"},
		map[string]string{"workflows.argoproj.io/node-id": "wf-1"})
	got, workflows := run(t, pod, nil)
	if main := mainState(t, got); got.Status.Phase != corev1.PodFailed || main.ExitCode != 3 || main.Message != "no such table" {
		t.Errorf("phase %s, main %+v", got.Status.Phase, main)
	}
	if _, err := workflows.ArgoprojV1alpha1().WorkflowTaskResults("argo").Get(t.Context(), "wf-1", metav1.GetOptions{}); err != nil {
		t.Errorf("task result: %v", err)
	}
}

func TestRunnerEndsRunningPodThatIsSignalled(t *testing.T) {
	got, _ := run(t, newPod(map[string]string{"LOCAL_DURATION": "1h"}, nil), func(pods *fake.Clientset) {
		transport := NewExecTransport(nil, pods)
		if err := execKill(t, transport); err != errSignalled {
			t.Errorf("exec call answered %v", err)
		}
	})
	if main := mainState(t, got); main.ExitCode != 143 {
		t.Errorf("main ended with %d, want 143", main.ExitCode)
	}
}
