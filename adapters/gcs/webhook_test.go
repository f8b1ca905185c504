package gcs

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	cloudevents "github.com/cloudevents/sdk-go/v2/event"
	"github.com/google/go-cmp/cmp"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// A pushed is a Webhook with what it stored and counted.
type pushed struct {
	*Webhook
	*signer
	bus    *bus
	counts *counts
	events []bridge.Event
}

func newPushed(t testing.TB) *pushed {
	t.Helper()
	p := &pushed{signer: newSigner(t), counts: &counts{}}
	p.bus = &bus{PublishFn: func(_ context.Context, e bridge.Event) error { p.events = append(p.events, e); return nil }}
	var err error
	if p.Webhook, err = NewWebhook(p.config(), p.bus, WebhookOptions{Observer: p.counts}); err != nil {
		t.Fatal(err)
	}
	return p
}

// post sends a request with a good token and headers in pairs.
func (p *pushed) post(body string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, "/webhooks/gcs", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+p.token(nil))
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	p.ServeHTTP(w, r)
	return w
}

// wrap is Pub/Sub's envelope around a message.
func wrap(attributes map[string]string, data string) string {
	b, _ := json.Marshal(map[string]any{
		"deliveryAttempt": 1, "subscription": "projects/acme/subscriptions/push",
		"message": map[string]any{
			"attributes": attributes, "data": base64.StdEncoding.EncodeToString([]byte(data)),
			"messageId": "2070443601311540", "message_id": "2070443601311540", "publishTime": "2026-01-02T03:04:06.1Z",
		},
	})
	return string(b)
}

// unwrapped are the headers of a message without an envelope, in pairs.
func unwrapped(attributes map[string]string) []string {
	headers := []string{
		headerSubscription, "projects/acme/subscriptions/push", "x-goog-pubsub-message-id", "1",
		"x-goog-pubsub-publish-time", "2026-01-02T03:04:06.1Z",
	}
	for k, v := range attributes {
		headers = append(headers, k, v)
	}
	return headers
}

// eventarc are the headers of Eventarc's binary mode, in pairs.
func eventarc(word string) []string {
	return []string{
		"ce-specversion", "1.0", "ce-id", "2070443601311540", "ce-type", typePrefix + word, "ce-source", sourcePrefix + "landing-prod",
		"ce-subject", "objects/exports/2026/a%20b%231.json", "ce-bucket", "landing-prod", "ce-time", "2026-01-02T03:04:05.678901Z",
	}
}

func structured(t *testing.T, word string) string {
	t.Helper()
	e := cloudevents.New()
	e.SetID("x")
	e.SetType(typePrefix + word)
	e.SetSource(sourcePrefix + "landing-prod")
	e.SetSubject("objects/exports/2026/a b#1.json")
	e.SetTime(time.Date(2026, 1, 2, 3, 4, 5, 678901000, time.UTC))
	if err := e.SetData("application/json", json.RawMessage(object)); err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestEveryWayGivesTheEventOfPulling(t *testing.T) {
	t.Parallel()
	for _, kind := range kinds {
		pulled, err := Translate(attributes(kind.gcs), []byte(object), time.Now())
		if err != nil {
			t.Fatal(err)
		}
		for name, send := range map[string]func(p *pushed) *httptest.ResponseRecorder{
			"in an envelope": func(p *pushed) *httptest.ResponseRecorder { return p.post(wrap(attributes(kind.gcs), object)) },
			"unwrapped": func(p *pushed) *httptest.ResponseRecorder {
				return p.post(object, unwrapped(attributes(kind.gcs, "objectId", "not=what+the+payload+says"))...)
			},
			"Eventarc, binary": func(p *pushed) *httptest.ResponseRecorder { return p.post(object, eventarc(kind.cloudEvents)...) },
			"Eventarc, a trigger on the topic": func(p *pushed) *httptest.ResponseRecorder {
				return p.post(wrap(attributes(kind.gcs), object), append(eventarc(kind.cloudEvents), "ce-type", typePublished)...)
			},
			"Eventarc, structured": func(p *pushed) *httptest.ResponseRecorder {
				return p.post(structured(t, kind.cloudEvents), "Content-Type", "application/cloudevents+json; charset=utf-8")
			},
		} {
			t.Run(kind.name+" "+name, func(t *testing.T) {
				t.Parallel()
				p := newPushed(t)
				if w := send(p); w.Code != http.StatusNoContent {
					t.Fatalf("%d %s", w.Code, w.Body)
				}
				if len(p.events) != 1 {
					t.Fatal("no event")
				}
				got := p.events[0]
				var a, b any
				if json.Unmarshal(got.Data, &a) != nil || json.Unmarshal(pulled.Data, &b) != nil || !cmp.Equal(a, b) {
					t.Errorf("data: %s", cmp.Diff(b, a))
				}
				if got.Key() != pulled.Key() || got.Type != pulled.Type || got.Subject != pulled.Subject || !got.Time.Equal(pulled.Time) {
					t.Errorf("got %+v, want %+v", got, pulled)
				}
			})
		}
	}
}

func TestTheNoPayloadFormatIsPushedAsWell(t *testing.T) {
	t.Parallel()
	a := attributes("OBJECT_FINALIZE", "payloadFormat", "NONE")
	want, err := Translate(a, nil, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	p := newPushed(t)
	for _, w := range []*httptest.ResponseRecorder{p.post(wrap(a, "")), p.post("", unwrapped(a)...)} {
		if w.Code != http.StatusNoContent {
			t.Errorf("%d %s", w.Code, w.Body)
		}
	}
	for _, e := range p.events {
		if e.Key() != want.Key() {
			t.Errorf("got %s, want %s", e.Key(), want.Key())
		}
	}
}

func TestForgeriesAreRefused(t *testing.T) {
	t.Parallel()
	p := newPushed(t)
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	header := map[string]string{"alg": "RS256", "kid": "k1"}
	bare := part(map[string]string{"alg": "none"}) + "." + part(good(nil)) + "."
	valid := p.token(nil)
	cut := strings.LastIndex(valid, ".")
	for name, tt := range map[string]struct{ header, says string }{
		"no header":                    {"", "no bearer token"},
		"another scheme":               {"Basic " + valid, "no bearer token"},
		"an empty token":               {"Bearer ", "no bearer token"},
		"a token of one part":          {"Bearer abc", "not a JWT"},
		"a header that is null":        {"Bearer " + part(nil) + "." + part(good(nil)) + ".AA", "not a JWT"},
		"claims that are null":         {"Bearer " + part(header) + "." + part(nil) + ".AA", "not a JWT"},
		"a token of a megabyte":        {"Bearer " + strings.Repeat("a", 1<<20), "too long"},
		"the wrong key":                {"Bearer " + rs256(other, header, good(nil)), "does not hold"},
		"no signature":                 {"Bearer " + valid[:cut+1], "does not hold"},
		"another's claims":             {"Bearer " + strings.Split(valid, ".")[0] + "." + part(good(map[string]any{"sub": "1"})) + valid[cut:], "does not hold"},
		"alg none":                     {"Bearer " + bare, "not signed with RS256"},
		"HS256 with the public key":    {"Bearer " + p.hs256(t), "not signed with RS256"},
		"ES256 and a short signature":  {"Bearer " + part(map[string]string{"alg": "ES256", "kid": "k1"}) + "." + part(good(nil)) + ".AA", "not signed with RS256"},
		"no kid":                       {"Bearer " + rs256(p.key, map[string]string{"alg": "RS256"}, good(nil)), "named key"},
		"an unknown kid":               {"Bearer " + rs256(p.key, map[string]string{"alg": "RS256", "kid": "k2"}, good(nil)), "does not hold"},
		"another audience":             {"Bearer " + p.token(map[string]any{"aud": "https://evil.example.com"}), "audience"},
		"no audience":                  {"Bearer " + p.token(map[string]any{"aud": ""}), "audience"},
		"another issuer":               {"Bearer " + p.token(map[string]any{"iss": "https://evil.example.com"}), "issuer"},
		"another account":              {"Bearer " + p.token(map[string]any{"email": "x@evil.iam.gserviceaccount.com"}), "service account is not in"},
		"an account in capitals":       {"Bearer " + p.token(map[string]any{"email": strings.ToUpper(pusher)}), "service account is not in"},
		"an account that is no text":   {"Bearer " + p.token(map[string]any{"email": []string{pusher}}), "not a JWT"},
		"an account not verified":      {"Bearer " + p.token(map[string]any{"email_verified": false}), "not verified"},
		"an account with no such word": {"Bearer " + p.token(map[string]any{"email_verified": nil}), "not verified"},
		"expired":                      {"Bearer " + p.token(map[string]any{"exp": time.Now().Add(-time.Minute).Unix()}), "expired"},
		"no expiry":                    {"Bearer " + p.token(map[string]any{"exp": nil}), "expired"},
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodPost, "/webhooks/gcs", failing{t})
			if tt.header != "" {
				r.Header.Set("Authorization", tt.header)
			}
			w := httptest.NewRecorder()
			p.ServeHTTP(w, r)
			if w.Code != http.StatusUnauthorized || !strings.Contains(w.Body.String(), tt.says) {
				t.Errorf("%d %s, want 401 with %q", w.Code, w.Body, tt.says)
			}
			if strings.Contains(w.Body.String(), "evil") || len(p.events) > 0 {
				t.Errorf("answered %s, stored %v", w.Body, p.events)
			}
		})
	}
	if got := p.counts.refusals(refusedUnsigned); got != 25 {
		t.Errorf("%d refusals are counted", got)
	}
}

// failing is a body that must not be read.
type failing struct{ t *testing.T }

func (f failing) Read([]byte) (int, error) {
	f.t.Error("the body of an unsigned request is read")
	return 0, io.EOF
}

func TestRequestsThatAreNoNotificationAreRefused(t *testing.T) {
	t.Parallel()
	p := newPushed(t)
	batch := append(eventarc("finalized"), "Content-Type", "application/cloudevents-batch+json", "ce-specversion", "")
	for name, tt := range map[string]struct {
		body    string
		headers []string
		status  int
		says    string
	}{
		"no JSON":                   {"hello", nil, 400, "not the envelope"},
		"no message":                {"{}", nil, 400, "message.attributes is missing"},
		"another's message":         {wrap(map[string]string{"a": "b"}, "hello"), nil, 400, "lacks bucketId"},
		"data that is no base64":    {`{"message":{"attributes":{},"data":"%"}}`, nil, 400, "not the envelope"},
		"no resource in it":         {wrap(attributes("OBJECT_FINALIZE"), ""), nil, 400, "not a JSON object"},
		"unwrapped, no resource":    {"[]", unwrapped(attributes("OBJECT_FINALIZE")), 400, "object resource"},
		"unwrapped, without a name": {"{}", unwrapped(attributes("OBJECT_FINALIZE")), 400, "lacks bucket"},
		"another CloudEvent":        {object, append(eventarc("x"), "ce-type", "google.cloud.audit.log.v1.written"), 400, "not one of Cloud Storage"},
		"an unknown type":           {object, eventarc("renamed"), 400, "not known"},
		"a CloudEvent without id":   {object, append(eventarc("finalized"), "ce-id", ""), 400, "read the CloudEvent"},
		"a header with no name":     {"", append(eventarc("finalized"), "ce-", "x"), 400, "no data"},
		"a batch":                   {"[]", batch, 400, "read the CloudEvent"},
		"too large":                 {strings.Repeat(" ", MaxBody+1), nil, 413, "at most 1 MiB"},
	} {
		t.Run(name, func(t *testing.T) {
			w := p.post(tt.body, tt.headers...)
			if w.Code != tt.status || !strings.Contains(w.Body.String(), tt.says) {
				t.Errorf("%d %s, want %d with %q", w.Code, w.Body, tt.status, tt.says)
			}
		})
	}
	if len(p.events) > 0 {
		t.Errorf("stored %v", p.events)
	}
	if n := p.counts.refusals(refusedMalformed); n != 12 {
		t.Errorf("%d are counted as malformed", n)
	}
	if n := p.counts.refusals(refusedTooLarge); n != 1 {
		t.Errorf("%d are counted as too large", n)
	}
	r := httptest.NewRequest(http.MethodGet, "/webhooks/gcs", nil)
	w := httptest.NewRecorder()
	if p.ServeHTTP(w, r); w.Code != http.StatusMethodNotAllowed {
		t.Errorf("GET is answered %d", w.Code)
	}
}

func TestTheAnswerTellsWhatTheBusSaid(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		err    error
		status int
		reason string
	}{
		"the bus is down":     {errors.New("no bus"), http.StatusServiceUnavailable, refusedBusDown},
		"the bus refuses it":  {bridge.Permanent(errors.New("too large")), http.StatusRequestEntityTooLarge, refusedTooLarge},
		"the bus has it then": {nil, http.StatusNoContent, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPushed(t)
			p.bus.PublishFn = func(context.Context, bridge.Event) error { return tt.err }
			w := p.post(wrap(attributes("OBJECT_FINALIZE"), object))
			if w.Code != tt.status || (tt.reason != "" && p.counts.refusals(tt.reason) != 1) {
				t.Errorf("%d %s", w.Code, w.Body)
			}
			if (w.Header().Get("Retry-After") != "") != (tt.status == http.StatusServiceUnavailable) {
				t.Errorf("Retry-After is %q", w.Header().Get("Retry-After"))
			}
		})
	}
}

func TestGooglesKeysAreKeptAsLongAsTheySay(t *testing.T) {
	t.Parallel()
	p := newPushed(t)
	for range 5 {
		p.post(wrap(attributes("OBJECT_FINALIZE"), object))
	}
	unknown := rs256(p.key, map[string]string{"alg": "RS256", "kid": "k2"}, good(nil))
	p.post("", "Authorization", "Bearer "+unknown)
	if n := p.fetches.Load(); n != 1 {
		t.Errorf("%d fetches of keys that hold for an hour", n)
	}
	short := newPushed(t)
	short.control = "no-cache, max-age=-1"
	for range 3 {
		short.post(wrap(attributes("OBJECT_FINALIZE"), object))
	}
	if n := short.fetches.Load(); n != 3 {
		t.Errorf("%d fetches for three requests, of keys that do not hold", n)
	}
}

func TestWithoutGooglesKeysNothingIsForgedNorLost(t *testing.T) {
	t.Parallel()
	p := newPushed(t)
	now := time.Now()
	keys := &keys{next: http.DefaultTransport, now: func() time.Time { return now }}
	v, err := newVerifierWith(p.config(), keys)
	if err != nil {
		t.Fatal(err)
	}
	p.verifier = v
	p.down.Store(true)
	for range 3 {
		if w := p.post(wrap(attributes("OBJECT_FINALIZE"), object)); w.Code != http.StatusServiceUnavailable {
			t.Errorf("%d %s", w.Code, w.Body)
		}
	}
	if n := p.fetches.Load(); n != 1 {
		t.Errorf("%d fetches within the wait after a failure", n)
	}
	p.down.Store(false)
	now = now.Add(keysBackoff)
	if w := p.post(wrap(attributes("OBJECT_FINALIZE"), object)); w.Code != http.StatusNoContent {
		t.Errorf("with the keys: %d %s", w.Code, w.Body)
	}
	if p.counts.refusals(refusedKeys) != 3 {
		t.Error("the refusals are not counted")
	}
}

func FuzzOpen(f *testing.F) {
	f.Add("application/json", "", "", wrap(attributes("OBJECT_FINALIZE"), object))
	f.Add("application/json", "projects/p/subscriptions/s", "", object)
	f.Add("application/json", "", "1.0", object)
	f.Add("application/cloudevents+json", "", "", `{"specversion":"1.0","id":"1","source":"s","type":"`+typePrefix+`finalized","data":`+object+`}`)
	f.Add("application/cloudevents-batch+json", "", "", "[]")
	f.Fuzz(func(t *testing.T, contentType, subscription, version, body string) {
		h := http.Header{"Content-Type": {contentType}, headerSubscription: {subscription}}
		for _, pairs := range [][]string{unwrapped(attributes("OBJECT_METADATA_UPDATE")), eventarc("deleted")} {
			for i := 0; i < len(pairs); i += 2 {
				h.Set(pairs[i], pairs[i+1])
			}
		}
		h.Set(headerSubscription, subscription)
		h.Set("ce-specversion", version)
		e, err := open(h, []byte(body), time.Unix(0, 0))
		if err != nil {
			return
		}
		if e.ID == "" || e.Source == sourcePrefix || !json.Valid(e.Data) {
			t.Errorf("not a valid event: %+v", e)
		}
		if _, ok, _ := (FactFinder{}).Facts(e); !ok {
			t.Error("no facts")
		}
	})
}

func FuzzToken(f *testing.F) {
	f.Add(part(map[string]string{"alg": "RS256", "kid": "k1"}), part(good(nil)), "AA")
	f.Add("bnVsbA", "bnVsbA", "")
	p := newPushed(f)
	f.Fuzz(func(t *testing.T, header, claims, signature string) {
		h := http.Header{"Authorization": {"Bearer " + header + "." + claims + "." + signature}}
		if p.verifier.verify(t.Context(), h) == nil {
			t.Error("a token that nobody signed is taken")
		}
	})
}
