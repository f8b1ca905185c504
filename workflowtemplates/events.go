package workflowtemplates

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// Reasons of the Kubernetes Events: those that report faults, and those that report notifications which cannot be delivered.
const (
	EventReason      = "BridgeFault"
	EventUndelivered = "BridgeNotificationFailed"
)

// maxEventMessage is Kubernetes' limit for the note of an Event, in bytes.
const maxEventMessage = 1024

var _ Reporter = (*Events)(nil)

// Events reports faults as Kubernetes Events on the templates. The name of an Event is derived from the template
// and its faults, so that the same faults are one Event, however often the bridge starts.
type Events struct {
	client kubernetes.Interface
	now    func() time.Time
	failed func(t bridge.Template, err error)
	wake   chan struct{}

	mu      sync.Mutex
	pending map[about]*corev1.Event
}

// An about is what an Event is about: the next one of the same replaces it while it waits.
type about struct {
	template bridge.Template
	reason   string
}

// NewEvents returns a reporter that writes while [Events.Run] runs. failed hears of Events that could
// not be written; they are not tried again.
func NewEvents(client kubernetes.Interface, now func() time.Time, failed func(bridge.Template, error)) *Events {
	return &Events{client: client, now: now, failed: failed, wake: make(chan struct{}, 1), pending: map[about]*corev1.Event{}}
}

// Faults implements [Reporter]. It does not block.
func (e *Events) Faults(t bridge.Template, uid string, faults []Fault) {
	e.mu.Lock()
	delete(e.pending, about{t, EventReason})
	if len(faults) > 0 {
		e.pending[about{t, EventReason}] = e.event(t, uid, EventReason, eventMessage(faults))
	}
	e.mu.Unlock()
	e.rouse()
}

// Undelivered reports that a notification about the template's runs cannot be delivered, and what to do. It does not block.
func (e *Events) Undelivered(t bridge.Template, uid, message string) {
	e.mu.Lock()
	e.pending[about{t, EventUndelivered}] = e.event(t, uid, EventUndelivered, cutEvent(message))
	e.mu.Unlock()
	e.rouse()
}

func (e *Events) rouse() {
	select {
	case e.wake <- struct{}{}:
	default:
	}
}

// Run writes Events until ctx ends.
func (e *Events) Run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-e.wake:
			e.write(ctx)
		}
	}
}

func (e *Events) write(ctx context.Context) {
	e.mu.Lock()
	pending := e.pending
	e.pending = map[about]*corev1.Event{}
	e.mu.Unlock()
	for of, event := range pending {
		_, err := e.client.CoreV1().Events(event.Namespace).Create(ctx, event, metav1.CreateOptions{})
		if ctx.Err() != nil {
			return
		}
		if err != nil && !apierrors.IsAlreadyExists(err) {
			e.failed(of.template, err)
		}
	}
}

func (e *Events) event(t bridge.Template, uid, reason, message string) *corev1.Event {
	kind := "WorkflowTemplate"
	if t.Cluster() {
		kind = "ClusterWorkflowTemplate"
	}
	sum := sha256.Sum256([]byte(uid + "\n" + message))
	at := metav1.NewTime(e.now())
	return &corev1.Event{
		ObjectMeta: metav1.ObjectMeta{
			// Events on objects of the cluster stand in the namespace default.
			Namespace: cmp.Or(t.Namespace, metav1.NamespaceDefault),
			Name:      t.Name[:min(len(t.Name), 200)] + "." + hex.EncodeToString(sum[:8]),
		},
		InvolvedObject: corev1.ObjectReference{
			APIVersion: "argoproj.io/v1alpha1", Kind: kind, Namespace: t.Namespace, Name: t.Name, UID: types.UID(uid),
		},
		Type: corev1.EventTypeWarning, Reason: reason, Message: message,
		Source:              corev1.EventSource{Component: "argo-bridge"},
		ReportingController: "argo-bridge",
		FirstTimestamp:      at, LastTimestamp: at, Count: 1,
	}
}

// eventMessage has one line per fault, as many as fit.
func eventMessage(faults []Fault) string {
	lines := make([]string, len(faults))
	for i, f := range faults {
		lines[i] = f.String()
	}
	return cutEvent(strings.Join(lines, "\n"))
}

func cutEvent(message string) string {
	if len(message) > maxEventMessage {
		message = strings.ToValidUTF8(message[:maxEventMessage-len("…")], "") + "…"
	}
	return message
}
