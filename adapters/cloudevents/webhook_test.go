package cloudevents

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	ce "github.com/cloudevents/sdk-go/v2"
	"github.com/cloudevents/sdk-go/v2/binding"
	cehttp "github.com/cloudevents/sdk-go/v2/protocol/http"
	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// A bus keeps what it is given, and says what it is told to.
type bus struct {
	mu      sync.Mutex
	events  []bridge.Event
	kinds   []string
	refused []string
	publish func(e bridge.Event) error
}

func (b *bus) Publish(_ context.Context, e bridge.Event) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.publish != nil {
		if err := b.publish(e); err != nil {
			return err
		}
	}
	b.events = append(b.events, e)
	return nil
}

func (b *bus) Received(_, eventType string, _ time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.kinds = append(b.kinds, eventType)
}

func (b *bus) Refused(_, reason string) { b.refused = append(b.refused, reason) }

func (b *bus) ids() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var ids []string
	for _, e := range b.events {
		ids = append(ids, e.ID)
	}
	return strings.Join(ids, " ")
}

const token, secret = "the token", "the secret"

func (b *bus) webhook(e Endpoint) *Webhook {
	return NewWebhook(e, Secrets{Tokens: []string{"", "old", token}, HMAC: []string{"", "old", secret}}, Options{
		Reserved:  Reserved{Types: []string{"com.github."}, Sources: []string{"https://github.com/"}},
		Publisher: b, Observer: b, Logger: zap.NewNop(), Now: time.Now,
	})
}

// placed is an event of a shop.
func placed(t testing.TB, id string) ce.Event {
	t.Helper()
	e := ce.NewEvent()
	e.SetID(id)
	e.SetSource("https://shop.example.com/täglich")
	e.SetType("com.example.order.placed")
	e.SetSubject("order 7")
	e.SetTime(time.Date(2026, 1, 2, 3, 4, 5, 0, time.FixedZone("", 3600)))
	e.SetDataSchema("https://example.com/order.json")
	e.SetExtension("tenant", "a")
	e.SetExtension("priority", 3)
	if err := e.SetData(ce.ApplicationJSON, map[string]any{"total": 7}); err != nil {
		t.Fatal(err)
	}
	return e
}

// stored is what becomes of it.
func stored(id string) bridge.Event {
	return bridge.Event{
		ID: id, Source: "https://shop.example.com/t%C3%A4glich", Type: "com.example.order.placed", Subject: "order 7",
		Time:       time.Date(2026, 1, 2, 2, 4, 5, 0, time.UTC),
		Extensions: map[string]string{"tenant": "a", "priority": "3", "dataschema": "https://example.com/order.json"},
		Data:       json.RawMessage(`{"total":7}`),
	}
}

func TestTheSDKsClientSendsInAllModes(t *testing.T) {
	t.Parallel()
	b := &bus{}
	server := httptest.NewServer(b.webhook(Endpoint{Types: []string{"com.example.*"}}))
	defer server.Close()
	client, err := ce.NewClientHTTP(ce.WithTarget(server.URL), cehttp.WithHeader("Authorization", "Bearer "+token))
	if err != nil {
		t.Fatal(err)
	}
	for id, ctx := range map[string]context.Context{
		"binary": binding.WithForceBinary(t.Context()), "structured": binding.WithForceStructured(t.Context()),
	} {
		if result := client.Send(ctx, placed(t, id)); !ce.IsACK(result) {
			t.Fatalf("%s: %v", id, result)
		}
	}
	request, err := cehttp.NewHTTPRequestFromEvents(t.Context(), server.URL, []ce.Event{placed(t, "batch-1"), placed(t, "batch-2")})
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusNoContent {
		t.Errorf("batch: %s", response.Status)
	}
	got := map[string]bridge.Event{}
	for _, e := range b.events {
		got[e.ID] = e
	}
	want := map[string]bridge.Event{}
	for _, id := range []string{"binary", "structured", "batch-1", "batch-2"} {
		want[id] = stored(id)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"com.example.*", "com.example.*", "com.example.*", "com.example.*"}, b.kinds); diff != "" {
		t.Errorf("the metrics know more types than the config: %s", diff)
	}
}

// send posts a body with headers: pairs of a name and a value.
func send(h http.Handler, body string, headers ...string) (int, string) {
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

const (
	structured = "application/cloudevents+json"
	batch      = "application/cloudevents-batch+json; charset=utf-8"
)

func object(change ...string) string {
	members := map[string]any{"specversion": "1.0", "id": "1", "source": "https://shop.example.com", "type": "com.example.a"}
	for i := 0; i+1 < len(change); i += 2 {
		members[change[i]] = change[i+1]
		if change[i+1] == "" {
			delete(members, change[i])
		}
	}
	data, _ := json.Marshal(members)
	return string(data)
}

func TestWhoMaySend(t *testing.T) {
	t.Parallel()
	body := object()
	for name, test := range map[string]struct {
		headers []string
		want    int
	}{
		"a token":                         {[]string{"Authorization", "Bearer " + token}, 204},
		"the token of before":             {[]string{"Authorization", "bearer old"}, 204},
		"a signature":                     {[]string{"X-Signature-256", Sign(secret, []byte(body))}, 204},
		"a signature without its name":    {[]string{"X-Signature-256", strings.TrimPrefix(Sign("old", []byte(body)), "sha256=")}, 204},
		"nothing":                         {nil, 401},
		"another token":                   {[]string{"Authorization", "Bearer x"}, 401},
		"an empty token":                  {[]string{"Authorization", "Bearer "}, 401},
		"a token of another scheme":       {[]string{"Authorization", "Basic " + token}, 401},
		"the secret as a token":           {[]string{"Authorization", "Bearer " + secret}, 401},
		"a signature of another body":     {[]string{"X-Signature-256", Sign(secret, []byte(body+" "))}, 401},
		"a signature by the empty secret": {[]string{"X-Signature-256", Sign("", []byte(body))}, 401},
		"a signature that is none":        {[]string{"X-Signature-256", "sha256=x"}, 401},
		"a signature in another header":   {[]string{"X-Hub-Signature-256", Sign(secret, []byte(body))}, 401},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := &bus{}
			status, answer := send(b.webhook(Endpoint{}), body, append(test.headers, "Content-Type", structured)...)
			if status != test.want || (status == 204) != (len(b.events) == 1) {
				t.Errorf("got %d %s, %d stored", status, answer, len(b.events))
			}
			if strings.Contains(answer, token) || strings.Contains(answer, secret) {
				t.Errorf("the answer tells a secret: %s", answer)
			}
		})
	}
	b := &bus{}
	if status, _ := send(NewWebhook(Endpoint{}, Secrets{}, Options{Publisher: b, Observer: b, Logger: zap.NewNop(), Now: time.Now}), body,
		"Content-Type", structured, "X-Signature-256", Sign("", []byte(body))); status != 401 {
		t.Errorf("without secrets: %d", status)
	}
	own := b.webhook(Endpoint{SignatureHeader: "X-Shop"})
	if status, _ := send(own, body, "Content-Type", structured, "X-Shop", Sign(secret, []byte(body))); status != 204 {
		t.Errorf("a header of the endpoint's own: %d", status)
	}
}

func TestWhatMayBeSent(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		endpoint  Endpoint
		eventType string
		source    string
		want      int
	}{
		"any type":                               {Endpoint{}, "com.example.a", "s", 204},
		"a reserved type":                        {Endpoint{}, "com.github.push", "s", 403},
		"a reserved source":                      {Endpoint{}, "com.example.a", "https://github.com/acme/app", 403},
		"a listed type":                          {Endpoint{Types: []string{"org.x", "com.example.*"}}, "com.example.a", "s", 204},
		"another type":                           {Endpoint{Types: []string{"com.example.*"}}, "com.example", "s", 403},
		"a star is no right to what is reserved": {Endpoint{Types: []string{"*", "com.*"}}, "com.github.push", "s", 403},
		"a right by name is":                     {Endpoint{Types: []string{"com.github.p*"}}, "com.github.push", "s", 204},
		"to no other":                            {Endpoint{Types: []string{"com.github.p*"}}, "com.github.issues", "s", 403},
		"a listed source":                        {Endpoint{Sources: []string{"https://*.example.com/*"}}, "a", "https://x.example.com/y/z", 204},
		"another source":                         {Endpoint{Sources: []string{"https://*.example.com/*"}}, "a", "https://example.org/", 403},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := &bus{}
			mixed := "[" + object("id", "good") + "," + object("type", test.eventType, "source", test.source) + "]"
			status, answer := send(b.webhook(test.endpoint), object("type", test.eventType, "source", test.source),
				"Content-Type", structured, "Authorization", "Bearer "+token)
			if status != test.want || len(b.events) != map[int]int{204: 1}[status] {
				t.Errorf("got %d %s, stored %s", status, answer, b.ids())
			}
			b = &bus{}
			if status, _ := send(b.webhook(test.endpoint), mixed, "Content-Type", batch, "Authorization", "Bearer "+token); status == 403 && len(b.events) > 0 {
				t.Errorf("a batch that is refused has stored %s", b.ids())
			}
		})
	}
}

func TestWhatIsNoCloudEventIsRefusedWithTheAttribute(t *testing.T) {
	t.Parallel()
	binary := func(change ...string) []string {
		return append([]string{"Ce-Specversion", "1.0", "Ce-Id", "1", "Ce-Source", "s", "Ce-Type", "t", "Content-Type", "application/json"}, change...)
	}
	for name, test := range map[string]struct {
		body    string
		headers []string
		status  int
		want    string
	}{
		"structured without an id":     {object("id", ""), []string{"Content-Type", structured}, 400, "id"},
		"structured without a source":  {object("source", ""), []string{"Content-Type", structured}, 400, "source"},
		"structured without a type":    {object("type", ""), []string{"Content-Type", structured}, 400, "type"},
		"structured without a version": {object("specversion", ""), []string{"Content-Type", structured}, 400, "specversion"},
		"an old version":               {object("specversion", "0.3"), []string{"Content-Type", structured}, 400, "specversion"},
		"a time that is none":          {object("time", "yesterday"), []string{"Content-Type", structured}, 400, "time"},
		"an extension of a bad name":   {object("bad_name", "x"), []string{"Content-Type", structured}, 400, "bad key"},
		"no JSON":                      {"{", []string{"Content-Type", structured}, 400, "read the event"},
		"binary without an id":         {"{}", binary("Ce-Id", ""), 400, "id"},
		"binary without a version":     {"{}", binary("Ce-Specversion", ""), 400, "specversion"},
		"binary data that is not JSON": {"{", binary(), 400, "data: is not the application/json"},
		"a media type that is none":    {"x", binary("Content-Type", "x y"), 400, "datacontenttype"},
		"attributes that are too long": {"{}", binary("Ce-Subject", strings.Repeat("x", maxAttributes)), 400, "the attributes have"},
		"an attribute in no charset":   {"{}", binary("Ce-Subject", "%FF"), 400, "subject: is not UTF-8"},
		"no event in a batch":          {`{}`, []string{"Content-Type", batch}, 400, "read the batch"},
		"a bad event in a batch":       {"[" + object() + "," + object("id", "") + "]", []string{"Content-Type", batch}, 400, "event 2 of 2: id"},
		"a batch that is too long":     {"[" + strings.Repeat(object()+",", MaxBatch) + object() + "]", []string{"Content-Type", batch}, 400, "at most 1000"},
		"JSON that is no event":        {"{}", []string{"Content-Type", "application/json"}, 415, "ce- headers"},
		"an event in another format":   {"x", []string{"Content-Type", "application/cloudevents+avro"}, 415, "application/cloudevents+json"},
		"no media type at all":         {"x", nil, 415, "ce- headers"},
		"too large":                    {strings.Repeat("x", MaxBody+1), binary(), 413, "25 MB"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := &bus{}
			status, answer := send(b.webhook(Endpoint{}), test.body, append(test.headers, "Authorization", "Bearer "+token)...)
			if status != test.status || !strings.Contains(answer, test.want) || len(b.events) > 0 || len(b.refused) != 1 {
				t.Errorf("got %d %s, stored %q, want %d %s", status, answer, b.ids(), test.status, test.want)
			}
		})
	}
	b := &bus{}
	w := httptest.NewRecorder()
	b.webhook(Endpoint{}).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
	if w.Code != 405 || w.Header().Get("Allow") != "POST" {
		t.Errorf("GET: %d", w.Code)
	}
}

func TestDataBecomesJSON(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ contentType, data, want string }{
		"JSON":                      {"application/json; charset=utf-8", `{"a": 1}`, `{"a": 1}`},
		"a format of JSON":          {"application/vnd.x+json", `[1]`, `[1]`},
		"JSON that is no object":    {"application/json", `"x"`, `"x"`},
		"text":                      {"text/plain", "a \"b\"\n", `"a \"b\"\n"`},
		"XML":                       {"application/soap+xml", "<a/>", `"\u003ca/\u003e"`},
		"bytes":                     {"image/png", "\x89PNG", `{"contentType":"image/png","data_base64":"iVBORw=="}`},
		"text in another charset":   {"text/plain; charset=latin1", "\xe4", `{"contentType":"text/plain; charset=latin1","data_base64":"5A=="}`},
		"no media type, and JSON":   {"", `{"a":1}`, `{"a":1}`},
		"no media type, and others": {"", "x", `{"contentType":"","data_base64":"eA=="}`},
		"nothing":                   {"application/json", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := &bus{}
			headers := []string{"Ce-Specversion", "1.0", "Ce-Id", "1", "Ce-Source", "s", "Ce-Type", "t", "Authorization", "Bearer " + token}
			if test.contentType != "" {
				headers = append(headers, "Content-Type", test.contentType)
			}
			status, answer := send(b.webhook(Endpoint{}), test.data, headers...)
			if status != 204 || len(b.events) != 1 {
				t.Fatalf("got %d %s", status, answer)
			}
			if diff := cmp.Diff(test.want, string(b.events[0].Data)); diff != "" {
				t.Error(diff)
			}
		})
	}
	b := &bus{}
	if status, answer := send(b.webhook(Endpoint{}), object("datacontenttype", "application/octet-stream", "data_base64", "AAE="),
		"Content-Type", structured, "Authorization", "Bearer "+token); status != 204 || !bytes.Contains(b.events[0].Data, []byte(`"data_base64":"AAE="`)) {
		t.Errorf("structured bytes: %d %s", status, answer)
	}
}

func TestTheSenderKeepsWhatIsNotStored(t *testing.T) {
	t.Parallel()
	all := "[" + object("id", "a") + "," + object("id", "b") + "," + object("id", "c") + "]"
	headers := []string{"Content-Type", batch, "Authorization", "Bearer " + token}
	for name, test := range map[string]struct {
		err    error
		status int
		retry  string
	}{
		"the bus is down":               {errors.New("no answer"), 503, "10"},
		"the event is too large for it": {bridge.Permanent(errors.New("too large")), 413, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := &bus{publish: func(e bridge.Event) error {
				if e.ID == "b" {
					return test.err
				}
				return nil
			}}
			h := b.webhook(Endpoint{})
			if status, answer := send(h, all, headers...); status != test.status || b.ids() != "a" {
				t.Errorf("got %d %s, stored %s", status, answer, b.ids())
			}
			b.publish = nil
			if status, _ := send(h, all, headers...); status != 204 || b.ids() != "a a b c" {
				t.Errorf("the repeat: %d, stored %s", status, b.ids()) // the bus knows a by its source and id
			}
		})
	}
	b := &bus{}
	if status, _ := send(b.webhook(Endpoint{}), "[]", headers...); status != 204 {
		t.Errorf("an empty batch: %d", status)
	}
}

func FuzzTranslate(f *testing.F) {
	f.Add(object(), structured, "")
	f.Add("["+object()+"]", batch, "")
	f.Add(object("data_base64", "AAE=", "datacontenttype", "image/png"), structured, "")
	f.Add("{}", "application/json", "1.0")
	f.Add("x", "text/plain", "0.3")
	f.Fuzz(func(t *testing.T, body, contentType, version string) {
		h := http.Header{"Content-Type": {contentType}}
		if version != "" {
			h["Ce-Specversion"], h["Ce-Id"], h["Ce-Source"], h["Ce-Type"] = []string{version}, []string{body}, []string{"s"}, []string{"t"}
		}
		events, err := Translate(t.Context(), h, []byte(body))
		if err != nil && len(events) > 0 {
			t.Error("events beside an error")
		}
		for _, e := range events {
			if e.ID == "" || e.Source == "" || e.Type == "" || len(e.Data) > 0 && !json.Valid(e.Data) {
				t.Errorf("got %+v", e)
			}
			if err := bounded(e); err != nil {
				t.Error(fmt.Errorf("unbounded: %w", err))
			}
		}
	})
}
