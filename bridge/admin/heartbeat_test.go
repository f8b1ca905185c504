package admin

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// quiet is a bridge where nothing happens.
type quiet struct {
	History
	Replayer
	ended chan error
}

func (q quiet) Follow(ctx context.Context, _ bridge.Query, _ func(bridge.Record)) error {
	<-ctx.Done()
	q.ended <- ctx.Err()
	return ctx.Err()
}

type anybody struct{}

func (anybody) Authorize(context.Context, string, Access) (string, error) { return "anybody", nil }

// A brokenWriter is a client whose machine has lost its network: writing fails from the third time on, and
// nothing else tells.
type brokenWriter struct {
	*httptest.ResponseRecorder
	writes int
}

func (w *brokenWriter) Write(p []byte) (int, error) {
	if w.writes++; w.writes > 2 {
		return 0, errors.New("no route to host")
	}
	return w.ResponseRecorder.Write(p)
}

func TestAHeartbeatFindsOutThatTheClientIsGone(t *testing.T) {
	t.Parallel()
	q := quiet{ended: make(chan error, 1)}
	s := New(q, q, nil, anybody{}, zap.NewNop())
	s.heartbeat = time.Millisecond
	w := &brokenWriter{ResponseRecorder: httptest.NewRecorder()}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/api/v1/events:tail", nil)
	r.Header.Set("Authorization", "Bearer x")
	s.ServeHTTP(w, r)
	select {
	case <-q.ended:
	default:
		t.Error("it is still followed")
	}
	if got := w.Body.String(); got != "\n\n" || w.writes != 3 {
		t.Errorf("%d writes: %q", w.writes, got)
	}
}
