package podrunner

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
)

// errSignalled ends the exec call of a caller who, like Argo's controller, does
// not look at the answer.
var errSignalled = errors.New("signal left to the pod runner")

var (
	execPath     = regexp.MustCompile(`/namespaces/([^/]+)/pods/([^/]+)/exec$`)
	signalNumber = regexp.MustCompile(`\d+`)
)

// execTransport turns the kill command that Argo's controller executes in a
// pod's containers, when a Workflow is stopped or late, into an annotation on
// the pod: there is no kubelet here to execute anything.
type execTransport struct {
	next   http.RoundTripper
	client kubernetes.Interface
}

// NewExecTransport returns next with exec calls replaced by the annotation
// [SignalAnnotation], set through client.
func NewExecTransport(next http.RoundTripper, client kubernetes.Interface) http.RoundTripper {
	return &execTransport{next: next, client: client}
}

// RoundTrip implements http.RoundTripper.
func (t *execTransport) RoundTrip(request *http.Request) (*http.Response, error) {
	target := execPath.FindStringSubmatch(request.URL.Path)
	if target == nil {
		return t.next.RoundTrip(request)
	}
	number := signalNumber.FindString(strings.Join(request.URL.Query()["command"], " "))
	patch, err := json.Marshal(map[string]any{
		"metadata": map[string]any{"annotations": map[string]string{SignalAnnotation: number}},
	})
	if err != nil {
		return nil, err
	}
	pods := t.client.CoreV1().Pods(target[1])
	if _, err := pods.Patch(request.Context(), target[2], types.MergePatchType, patch, metav1.PatchOptions{}); err != nil {
		return nil, fmt.Errorf("signal pod %s: %w", target[2], err)
	}
	return nil, errSignalled
}
