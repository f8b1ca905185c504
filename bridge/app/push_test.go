package app

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"go.uber.org/zap"

	"github.com/argo-bridge/argo-bridge/adapters/gcs"
)

func TestPushRequestsAreTakenOnlyWhenTheConfigAsksForThem(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		config *gcs.Config
		status int
	}{
		"no section":    {nil, http.StatusNotFound},
		"pulling alone": {&gcs.Config{Subscriptions: []string{"projects/acme/subscriptions/s"}}, http.StatusNotFound},
		"push":          {&gcs.Config{Push: &gcs.PushConfig{Audience: "a", ServiceAccounts: []string{"a@b.c"}}}, http.StatusUnauthorized},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := &App{options: Options{GCS: tt.config}, log: zap.NewNop(), metrics: newMetrics()}
			if err := a.buildPush(); err != nil {
				t.Fatal(err)
			}
			w := httptest.NewRecorder()
			routes(a.webhooks(), nil, a.metrics.registry).ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/webhooks/gcs", nil))
			if w.Code != tt.status {
				t.Errorf("got %d, want %d", w.Code, tt.status)
			}
		})
	}
}
