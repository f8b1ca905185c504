package client

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/argo-bridge/argo-bridge/bridge"
)

func TestABridgeThatFallsSilentIsGivenUp(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("\n"))
		_ = http.NewResponseController(w).Flush()
		<-release
	}))
	t.Cleanup(func() { close(release); server.Close() })
	c, err := New(server.URL, func(context.Context) (string, error) { return "t", nil })
	if err != nil {
		t.Fatal(err)
	}
	c.silence = 50 * time.Millisecond
	err = c.Follow(t.Context(), bridge.Query{}, func(bridge.Record) {})
	if err == nil || !strings.Contains(err.Error(), "silent for 50ms") {
		t.Errorf("got %v", err)
	}
}
