package githubtest

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Facts of GitHub's webhooks: https://docs.github.com/en/webhooks/using-webhooks/best-practices-for-using-webhooks and
// https://docs.github.com/en/webhooks/testing-and-troubleshooting-webhooks/redelivering-webhooks
const (
	deliveryDeadline = 10 * time.Second
	deliveryWindow   = 3 * 24 * time.Hour
)

// A delivery is one attempt to hand an event to the App's webhook.
type delivery struct {
	id, installation, repository int64
	guid, event, action, status  string
	at                           time.Time
	redelivery                   bool
	took                         time.Duration
	code                         int
	payload                      []byte
	header                       http.Header
}

// Deliver hands an event to the App's webhook as GitHub does: once, with 10 s for the answer, and records how it went. It
// returns the delivery's GUID and the recorded status, 502 where nobody listens and 504 after the deadline.
func (s *Server) Deliver(event string, body []byte) (guid string, status int) {
	guid = newGUID()
	return guid, s.deliver(&delivery{guid: guid, event: event, payload: body})
}

// AgeDeliveries makes all deliveries so far older.
func (s *Server) AgeDeliveries(by time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range s.app.deliveries {
		d.at = d.at.Add(-by)
	}
}

// WaitForDeliveries returns when no attempt is under way.
func (s *Server) WaitForDeliveries() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.app.sending > 0 {
		s.app.sent.Wait()
	}
}

// begin counts an attempt under way, and end one that has ended.
func (s *Server) begin() { s.count(1) }
func (s *Server) end()   { s.count(-1) }

func (s *Server) count(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.app.sending += n
	s.app.sent.Broadcast()
}

func newGUID() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b)
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// deliver sends an attempt and records it; it returns the status.
func (s *Server) deliver(d *delivery) int {
	var head struct {
		Action       string             `json:"action"`
		Installation struct{ ID int64 } `json:"installation"`
		Repository   struct{ ID int64 } `json:"repository"`
	}
	_ = json.Unmarshal(d.payload, &head)
	d.action, d.installation, d.repository = head.Action, head.Installation.ID, head.Repository.ID
	s.mu.Lock()
	app := s.app.App
	d.at = s.now()
	s.mu.Unlock()
	d.header = s.headersOf(d, app.HookSecret)
	began := time.Now()
	d.code, d.status = send(app, d)
	d.took = time.Since(began)
	s.mu.Lock()
	defer s.mu.Unlock()
	d.id = s.nextID()
	s.app.deliveries = append(s.app.deliveries, d)
	return d.code
}

func (s *Server) headersOf(d *delivery, secret string) http.Header {
	h := http.Header{}
	for name, value := range map[string]string{
		"Content-Type": "application/json", "User-Agent": "GitHub-Hookshot/0000000", "X-GitHub-Event": d.event, "X-GitHub-Delivery": d.guid,
		"X-GitHub-Hook-ID": "1", "X-GitHub-Hook-Installation-Target-Type": "integration",
		"X-GitHub-Hook-Installation-Target-ID": strconv.FormatInt(s.options.AppID, 10),
	} {
		h.Set(name, value)
	}
	if secret != "" {
		mac := hmac.New(sha256.New, []byte(secret))
		_, _ = mac.Write(d.payload)
		h.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(mac.Sum(nil)))
	}
	return h
}

// send posts one attempt; the status text is GitHub's.
func send(app App, d *delivery) (code int, status string) {
	ctx, cancel := context.WithTimeout(context.Background(), deliveryDeadline)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, app.HookURL, bytes.NewReader(d.payload))
	if err != nil || app.Inactive {
		return http.StatusBadGateway, "failed to connect to host"
	}
	r.Header = d.header.Clone()
	answer, err := http.DefaultTransport.RoundTrip(r)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return http.StatusGatewayTimeout, "timed out"
	case err != nil:
		return http.StatusBadGateway, "failed to connect to host"
	}
	_ = answer.Body.Close()
	if answer.StatusCode >= 200 && answer.StatusCode < 300 {
		return answer.StatusCode, "OK"
	}
	return answer.StatusCode, "Invalid HTTP Response: " + strconv.Itoa(answer.StatusCode)
}

func (s *Server) routeDeliveries() {
	s.handle("GET /app/hook/deliveries", asApp, s.listDeliveries)
	s.handle("GET /app/hook/deliveries/{id}", asApp, s.showDelivery)
	s.handle("POST /app/hook/deliveries/{id}/attempts", asApp, s.redeliver)
}

// listDeliveries: https://docs.github.com/en/rest/apps/webhooks#list-deliveries-for-an-app-webhook
func (s *Server) listDeliveries(w http.ResponseWriter, r *http.Request, _ identity) {
	size := min(100, positive(r.URL.Query().Get("per_page"), 30))
	before, err := int64(0), error(nil)
	if cursor := r.URL.Query().Get("cursor"); cursor != "" {
		if before, err = strconv.ParseInt(strings.TrimPrefix(cursor, "v1_"), 10, 64); err != nil {
			fail(w, http.StatusBadRequest, "Invalid cursor")
			return
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	list := []map[string]any{}
	for _, d := range slices.Backward(s.app.deliveries) {
		if before != 0 && d.id >= before || s.now().Sub(d.at) > deliveryWindow {
			continue
		}
		if len(list) == size {
			last := list[size-1]["id"]
			w.Header().Set("Link", fmt.Sprintf(`<%s>; rel="next"`, address(r, "cursor", fmt.Sprintf("v1_%d", last))))
			break
		}
		list = append(list, d.document())
	}
	reply(w, http.StatusOK, list)
}

func (d *delivery) document() map[string]any {
	v := map[string]any{
		"id": d.id, "guid": d.guid, "delivered_at": d.at.UTC().Format(time.RFC3339), "redelivery": d.redelivery, "duration": d.took.Seconds(),
		"status": d.status, "status_code": d.code, "event": d.event, "action": nil, "installation_id": nil, "repository_id": nil, "throttled_at": nil,
	}
	if d.action != "" {
		v["action"] = d.action
	}
	if d.installation != 0 {
		v["installation_id"] = d.installation
	}
	if d.repository != 0 {
		v["repository_id"] = d.repository
	}
	return v
}

// find answers 404 where there is no such delivery, or no more.
func (s *Server) find(w http.ResponseWriter, r *http.Request) *delivery {
	id, _ := strconv.ParseInt(r.PathValue("id"), 10, 64)
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range s.app.deliveries {
		if d.id == id && s.now().Sub(d.at) <= deliveryWindow {
			return d
		}
	}
	fail(w, http.StatusNotFound, "Not Found")
	return nil
}

func (s *Server) showDelivery(w http.ResponseWriter, r *http.Request, _ identity) {
	d := s.find(w, r)
	if d == nil {
		return
	}
	s.mu.Lock()
	v := d.document()
	s.mu.Unlock()
	headers := map[string]string{}
	for name := range d.header {
		headers[name] = d.header.Get(name)
	}
	v["request"] = map[string]any{"headers": headers, "payload": json.RawMessage(d.payload)}
	v["response"] = map[string]any{"headers": map[string]string{}, "payload": ""}
	reply(w, http.StatusOK, v)
}

// redeliver: https://docs.github.com/en/rest/apps/webhooks#redeliver-a-delivery-for-an-app-webhook. The attempt is made
// after the answer.
func (s *Server) redeliver(w http.ResponseWriter, r *http.Request, _ identity) {
	d := s.find(w, r)
	if d == nil {
		return
	}
	s.begin()
	go func() {
		defer s.end()
		s.deliver(&delivery{guid: d.guid, event: d.event, payload: d.payload, redelivery: true})
	}()
	reply(w, http.StatusAccepted, map[string]any{})
}
