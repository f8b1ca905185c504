package app

import (
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/argo-bridge/argo-bridge/adapters/nats"
	"github.com/argo-bridge/argo-bridge/adapters/webhook"
	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/bus"
)

func TestOtherServicesAreToldAsTheConfigSays(t *testing.T) {
	t.Parallel()
	told := 0
	pager := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if told++; !strings.HasPrefix(r.Header.Get("webhook-signature"), "v1,") {
			t.Error("it is not signed")
		}
	}))
	defer pager.Close()
	o := Options{Webhooks: webhook.Config{"pager": {URL: pager.URL, SecretEnv: "PAGER"}}, NATS: nats.Config{Subjects: []string{"alerts.>"}}}
	if err := o.Defaults().Validate(); err != nil {
		t.Fatal(err)
	}
	s, err := loadSecrets(o, func(string) string { return "whsec_" + base64.StdEncoding.EncodeToString(make([]byte, 32)) })
	if err != nil {
		t.Fatal(err)
	}
	b, err := bus.Open(t.Context(), bus.Config{DataDir: t.TempDir()}.Defaults(), zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	a := &App{options: o, secrets: s, bus: b, seams: Seams{Now: time.Now}}
	all := a.notifiers(tables{})
	for to, delivered := range map[bridge.Destination]bool{
		{Scheme: "webhook", Target: "pager"}: true, {Scheme: "webhook", Target: "other"}: false,
		{Scheme: "nats", Target: "alerts.data"}: true, {Scheme: "nats", Target: "bridge.events.x"}: false,
	} {
		notifier, ok := all[to.Scheme]
		if !ok {
			t.Fatalf("there is no notifier for %s", to)
		}
		if err := notifier.Notify(t.Context(), bridge.Notification{Key: "k", Outcome: bridge.Failed, To: to}); (err == nil) != delivered {
			t.Errorf("%s: %v", to, err)
		}
	}
	if told != 1 {
		t.Errorf("the pager was told %d times", told)
	}
}
