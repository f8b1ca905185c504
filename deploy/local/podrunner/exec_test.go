package podrunner

import (
	"net/http"
	"testing"
)

// execKill calls the exec endpoint as Argo's controller does.
func execKill(t *testing.T, transport http.RoundTripper) error {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://127.0.0.1/api/v1/namespaces/argo/pods/pod/exec"+
		"?command=%2Fvar%2Frun%2Fargo%2Fargoexec&command=kill&command=15&command=1&container=main", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := transport.RoundTrip(request)
	if response != nil {
		t.Errorf("exec call answered %s", response.Status)
	}
	return err
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestExecTransportPassesOtherCalls(t *testing.T) {
	passed := false
	next := roundTripper(func(*http.Request) (*http.Response, error) {
		passed = true
		return &http.Response{StatusCode: http.StatusOK}, nil
	})
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://127.0.0.1/api/v1/namespaces/argo/pods/exec", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := NewExecTransport(next, nil).RoundTrip(request); err != nil || !passed {
		t.Errorf("passed %t, error %v", passed, err)
	}
}
