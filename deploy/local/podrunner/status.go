package podrunner

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

func finished(pod *corev1.Pod) bool {
	return pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed
}

// runningStatus is that of a pod whose containers all run and are ready.
func runningStatus(pod *corev1.Pod, now time.Time) corev1.PodStatus {
	started := metav1.NewTime(now)
	running := corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: started}}
	return corev1.PodStatus{
		Phase: corev1.PodRunning, StartTime: &started, PodIP: "127.0.0.1",
		InitContainerStatuses: statuses(pod.Spec.InitContainers, func(string) corev1.ContainerState {
			return ended(started, started, 0, "")
		}),
		ContainerStatuses: statuses(pod.Spec.Containers, func(string) corev1.ContainerState { return running }),
	}
}

// finishedStatus is that of a pod whose main container ended as decided. Argo's
// wait container and sidecars end well.
func finishedStatus(pod *corev1.Pod, d Decision, started, now time.Time) corev1.PodStatus {
	from, to := metav1.NewTime(started), metav1.NewTime(now)
	status := corev1.PodStatus{Phase: corev1.PodSucceeded, StartTime: &from, PodIP: "127.0.0.1", Message: d.Fault}
	if d.ExitCode != 0 {
		status.Phase = corev1.PodFailed
	}
	main := mainContainer(pod).Name
	status.InitContainerStatuses = statuses(pod.Spec.InitContainers, func(string) corev1.ContainerState {
		return ended(from, from, 0, "")
	})
	status.ContainerStatuses = statuses(pod.Spec.Containers, func(name string) corev1.ContainerState {
		if name == main {
			return ended(from, to, d.ExitCode, d.Message)
		}
		return ended(from, to, 0, "")
	})
	return status
}

func ended(from, to metav1.Time, code int32, message string) corev1.ContainerState {
	reason := "Completed"
	if code != 0 {
		reason = "Error"
	}
	return corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{
		ExitCode: code, Reason: reason, Message: message, StartedAt: from, FinishedAt: to,
	}}
}

func statuses(containers []corev1.Container, state func(name string) corev1.ContainerState) []corev1.ContainerStatus {
	all := make([]corev1.ContainerStatus, 0, len(containers))
	for _, container := range containers {
		s := state(container.Name)
		all = append(all, corev1.ContainerStatus{
			Name: container.Name, Image: container.Image, State: s,
			Ready: s.Running != nil, Started: ptr.To(s.Running != nil),
		})
	}
	return all
}
