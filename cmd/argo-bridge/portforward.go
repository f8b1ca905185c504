package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/httpstream"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/portforward"
	"k8s.io/client-go/transport/spdy"
)

// forward makes a way to the bridge through the API server, as kubectl port-forward does, and returns
// its end on this machine. It lasts until it is closed.
func (c *cluster) forward(ctx context.Context, service string) (server string, closeWay func() error, err error) {
	client, err := kubernetes.NewForConfig(c.config)
	if err != nil {
		return "", nil, fmt.Errorf("kubeconfig: %w", err)
	}
	pod, port, err := c.find(ctx, client, service)
	if err != nil {
		return "", nil, err
	}
	dialer, err := c.dialer(client, pod)
	if err != nil {
		return "", nil, fmt.Errorf("port-forward: %w", err)
	}
	stop, ready := make(chan struct{}), make(chan struct{})
	way, err := portforward.NewOnAddresses(dialer, []string{"127.0.0.1"}, []string{fmt.Sprintf("0:%d", port)}, stop, ready, io.Discard, io.Discard)
	if err != nil {
		return "", nil, fmt.Errorf("port-forward: %w", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- way.ForwardPorts() }()
	closeWay = func() error { close(stop); <-ended; return nil }
	select {
	case err := <-ended:
		return "", nil, fmt.Errorf("port-forward to pod %s in namespace %s: %w", pod, c.namespace, err)
	case <-ctx.Done():
		return "", nil, errors.Join(ctx.Err(), closeWay())
	case <-ready:
	}
	ports, err := way.GetPorts()
	if err != nil {
		return "", nil, errors.Join(err, closeWay())
	}
	return fmt.Sprintf("http://127.0.0.1:%d", ports[0].Local), closeWay, nil
}

// dialer speaks websocket, or SPDY with API servers (or what is before them) that know only that.
func (c *cluster) dialer(client kubernetes.Interface, pod string) (httpstream.Dialer, error) {
	u := client.CoreV1().RESTClient().Post().Resource("pods").Namespace(c.namespace).Name(pod).SubResource("portforward").URL()
	roundTripper, upgrader, err := spdy.RoundTripperFor(c.config)
	if err != nil {
		return nil, err
	}
	old := spdy.NewDialer(upgrader, &http.Client{Transport: roundTripper}, http.MethodPost, u)
	tunnel, err := portforward.NewSPDYOverWebsocketDialer(u, c.config)
	if err != nil {
		return nil, err
	}
	return portforward.NewFallbackDialer(tunnel, old, func(err error) bool {
		return httpstream.IsUpgradeFailure(err) || httpstream.IsHTTPSProxyError(err)
	}), nil
}

// find returns a ready pod behind the Service, and the port that it listens on.
func (c *cluster) find(ctx context.Context, client kubernetes.Interface, service string) (string, int32, error) {
	s, err := client.CoreV1().Services(c.namespace).Get(ctx, service, metav1.GetOptions{})
	if err != nil {
		return "", 0, fmt.Errorf("find the bridge: %w (in namespace %s: name another by --namespace, or the bridge's address by --server)", err, c.namespace)
	}
	if len(s.Spec.Selector) == 0 || len(s.Spec.Ports) == 0 {
		return "", 0, fmt.Errorf("find the bridge: Service %s in namespace %s selects no pods", service, c.namespace)
	}
	pods, err := client.CoreV1().Pods(c.namespace).List(ctx, metav1.ListOptions{LabelSelector: labels.SelectorFromSet(s.Spec.Selector).String()})
	if err != nil {
		return "", 0, fmt.Errorf("find the bridge: %w", err)
	}
	for _, p := range pods.Items {
		if port, ok := target(p, s.Spec.Ports[0]); ok && isReady(p) {
			return p.Name, port, nil
		}
	}
	return "", 0, fmt.Errorf("find the bridge: none of the %d pods behind Service %s in namespace %s is ready: kubectl -n %s describe pods -l %s",
		len(pods.Items), service, c.namespace, c.namespace, labels.SelectorFromSet(s.Spec.Selector))
}

func isReady(p corev1.Pod) bool {
	for _, c := range p.Status.Conditions {
		if c.Type == corev1.PodReady {
			return c.Status == corev1.ConditionTrue && p.DeletionTimestamp == nil
		}
	}
	return false
}

// target is the pod's port behind the Service's.
func target(p corev1.Pod, s corev1.ServicePort) (int32, bool) {
	if s.TargetPort.Type == intstr.Int {
		if s.TargetPort.IntVal != 0 {
			return s.TargetPort.IntVal, true
		}
		return s.Port, true
	}
	for _, c := range p.Spec.Containers {
		for _, port := range c.Ports {
			if port.Name == s.TargetPort.StrVal {
				return port.ContainerPort, true
			}
		}
	}
	return 0, false
}
