package github

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/argo-bridge/argo-bridge/bridge"
)

const secret = "It's a Secret to Everybody"

func request(event string, body []byte) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/webhooks/github", bytes.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-GitHub-Event", event)
	r.Header.Set("X-GitHub-Delivery", delivery)
	r.Header.Set("X-Hub-Signature-256", Sign(secret, body))
	return r
}

// https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries#testing-the-webhook-payload-validation
func TestSignIsGitHubs(t *testing.T) {
	t.Parallel()
	const want = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
	if got := Sign(secret, []byte("Hello, World!")); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestWebhook(t *testing.T) {
	t.Parallel()
	push := own(t)["push.branch"]
	down := errors.New("no bus")
	set := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	tests := map[string]struct {
		event   string
		body    []byte
		change  func(*http.Request)
		publish error
		status  int
		refused string
	}{
		"a signed delivery is stored and then accepted": {"push", push, nil, nil, 202, ""},
		"one signed with the old secret too":            {"push", push, set("X-Hub-Signature-256", Sign("old", push)), nil, 202, ""},
		"an event that nobody knows too":                {"brand_new", []byte(`{"action":"x"}`), nil, nil, 202, ""},
		"a ping is answered":                            {"ping", []byte(`{"zen":"x","hook_id":1}`), nil, nil, 200, ""},
		"another method":                                {"push", push, func(r *http.Request) { r.Method = http.MethodGet }, nil, 405, "method"},
		"no signature":                                  {"push", push, func(r *http.Request) { r.Header.Del("X-Hub-Signature-256") }, nil, 401, "unsigned"},
		"a signature with another secret":               {"push", push, set("X-Hub-Signature-256", Sign("guess", push)), nil, 401, "unsigned"},
		"a signature of another body":                   {"push", push, set("X-Hub-Signature-256", Sign(secret, push[1:])), nil, 401, "unsigned"},
		"a signature with an empty secret":              {"push", push, set("X-Hub-Signature-256", Sign("", push)), nil, 401, "unsigned"},
		"an SHA-1 signature":                            {"push", push, set("X-Hub-Signature-256", "sha1=0123456789012345678901234567890123456789"), nil, 401, "unsigned"},
		"an unsigned ping":                              {"ping", push, func(r *http.Request) { r.Header.Del("X-Hub-Signature-256") }, nil, 401, "unsigned"},
		"no event's name":                               {"", push, nil, nil, 400, "malformed"},
		"no delivery":                                   {"push", push, func(r *http.Request) { r.Header.Del("X-GitHub-Delivery") }, nil, 400, "malformed"},
		"a body that is no JSON":                        {"push", []byte("{"), nil, nil, 400, "malformed"},
		"a form":                                        {"push", push, set("Content-Type", "application/x-www-form-urlencoded"), nil, 400, "malformed"},
		"a body that is too large":                      {"push", make([]byte, MaxBody+1), nil, nil, 413, "too-large"},
		"one that does not say so":                      {"push", make([]byte, MaxBody+1), func(r *http.Request) { r.ContentLength = -1 }, nil, 413, "too-large"},
		"a body that breaks off":                        {"push", push, func(r *http.Request) { r.Body = io.NopCloser(broken{}) }, nil, 400, "broken-off"},
		"a large body without memory for it":            {"push", push, func(r *http.Request) { r.Body = io.NopCloser(full{}) }, nil, 503, "busy"},
		"no signature on a body that cannot be read":    {"push", push, func(r *http.Request) { r.Body = io.NopCloser(full{}); r.Header.Del("X-Hub-Signature-256") }, nil, 401, "unsigned"},
		"a bus that is down":                            {"push", push, nil, down, 503, "bus-down"},
		"an event that is too large for the bus":        {"push", push, nil, bridge.Permanent(down), 413, "too-large"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := &bus{PublishFn: func(context.Context, bridge.Event) error { return tt.publish }}
			c := &counts{}
			h := NewWebhook([]string{"old", "", secret}, b, WebhookOptions{Observer: c})
			r := request(tt.event, tt.body)
			if tt.change != nil {
				tt.change(r)
			}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code != tt.status {
				t.Errorf("got %d %s, want %d", w.Code, w.Body, tt.status)
			}
			if stored := len(b.events) == 1; stored != (tt.status == 202) || stored != (len(c.received) == 1) {
				t.Errorf("%d events stored, %d counted", len(b.events), len(c.received))
			}
			if got := strings.TrimPrefix(strings.Join(c.refused, ","), "github "); got != tt.refused {
				t.Errorf("refused %q, want %q", got, tt.refused)
			}
			if (w.Header().Get("Retry-After") != "") != (tt.status == 503) {
				t.Errorf("Retry-After is %q", w.Header().Get("Retry-After"))
			}
		})
	}
}

type full struct{}

func (full) Read([]byte) (int, error) {
	return 0, bridge.RetryAfter(errors.New("no memory"), time.Second)
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestPublishEndsBeforeGitHubHangsUp(t *testing.T) {
	t.Parallel()
	var left time.Duration
	b := &bus{PublishFn: func(ctx context.Context, _ bridge.Event) error {
		end, ok := ctx.Deadline()
		if !ok {
			t.Error("no deadline")
		}
		left = time.Until(end)
		return nil
	}}
	NewWebhook([]string{secret}, b, WebhookOptions{}).ServeHTTP(httptest.NewRecorder(), request("push", own(t)["push.branch"]))
	if left > 9*time.Second || left < 5*time.Second {
		t.Errorf("%v are left to publish", left)
	}
}

func TestWithoutASecretNothingIsTaken(t *testing.T) {
	t.Parallel()
	b := &bus{}
	r := request("push", []byte("{}"))
	r.Header.Set("X-Hub-Signature-256", Sign("", []byte("{}")))
	w := httptest.NewRecorder()
	NewWebhook(nil, b, WebhookOptions{}).ServeHTTP(w, r)
	if w.Code != http.StatusUnauthorized || len(b.events) != 0 {
		t.Errorf("got %d", w.Code)
	}
}

func TestTheBodyIsStoredAsItCame(t *testing.T) {
	t.Parallel()
	b := &bus{}
	body := own(t)["push.branch"]
	NewWebhook([]string{secret}, b, WebhookOptions{}).ServeHTTP(httptest.NewRecorder(), request("push", body))
	if !bytes.Equal(b.events[0].Data, body) || b.events[0].ID != delivery {
		t.Error("the stored event is not the delivery")
	}
}

func TestRefusalsDoNotTellTheSecret(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	r := request("push", []byte("{}"))
	r.Header.Set("X-Hub-Signature-256", "sha256=00")
	NewWebhook([]string{secret}, &bus{}, WebhookOptions{}).ServeHTTP(w, r)
	if strings.Contains(w.Body.String(), secret) || strings.Contains(w.Body.String(), Sign(secret, []byte("{}"))) {
		t.Errorf("told %s", w.Body)
	}
}

func FuzzSigned(f *testing.F) {
	f.Add("sha256=00", []byte("{}"))
	f.Add(Sign(secret, []byte("x")), []byte("x"))
	f.Fuzz(func(t *testing.T, header string, body []byte) {
		ok := signed([][]byte{[]byte("old"), []byte(secret)}, header, body)
		if ok && !slices.Contains([]string{Sign("old", body), Sign(secret, body)}, strings.ToLower(header)) {
			t.Errorf("took %q", header)
		}
	})
}

// discard is a Publisher that stores nothing, so that the benchmark is the adapter's own cost.
type discard struct{}

func (discard) Publish(context.Context, bridge.Event) error { return nil }

type nowhere struct{ h http.Header }

func (n nowhere) Header() http.Header         { return n.h }
func (n nowhere) Write(b []byte) (int, error) { return len(b), nil }
func (n nowhere) WriteHeader(int)             {}

// body85 is a push of about 8.5 KB.
func body85(tb testing.TB) []byte {
	push := own(tb)["push.branch"]
	filler := `"filler":[` + strings.TrimSuffix(strings.Repeat(`{"url":"https://api.github.com/repos/acme/app","id":186853002,"node_id":null},`, 88), ",") + `],`
	return append([]byte("{"+filler), push[1:]...)
}

func BenchmarkWebhook(b *testing.B) {
	body := body85(b)
	h := NewWebhook([]string{secret, "old"}, discard{}, WebhookOptions{})
	signature := Sign(secret, body)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			r := &http.Request{Method: http.MethodPost, Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)), Header: http.Header{
				"Content-Type": {"application/json"}, "X-Github-Event": {"push"}, "X-Github-Delivery": {delivery}, "X-Hub-Signature-256": {signature},
			}}
			h.ServeHTTP(nowhere{http.Header{}}, r)
		}
	})
}

func BenchmarkFacts(b *testing.B) {
	e, err := Translate("push", delivery, body85(b))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := (FactFinder{}).Facts(e); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkVariables(b *testing.B) {
	e, err := Translate("push", delivery, body85(b))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		f, _, _ := FactFinder{}.Facts(e)
		if _, err := f.Variables(); err != nil {
			b.Fatal(err)
		}
	}
}
