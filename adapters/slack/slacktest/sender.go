package slacktest

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// patience is how long Slack waits for an answer, of real time, see [Server.Patience].
const patience = 3 * time.Second

// Kinds of what is sent, by the words of Socket Mode.
const (
	kindEvent       = "events_api"
	kindCommand     = "slash_commands"
	kindInteraction = "interactive"
)

// paths are where an app takes each kind over HTTP, below its address.
var paths = map[string]string{
	kindEvent: "/webhooks/slack/events", kindCommand: "/webhooks/slack/commands", kindInteraction: "/webhooks/slack/interactions",
}

// A Sent is what became of something that was sent to the app.
type Sent struct {
	// Status is the HTTP status, 200 for an envelope that was acknowledged; 0: there was no answer within three seconds.
	Status int
	// Body is the answer: of an envelope, its payload.
	Body []byte
	// Reason is why it failed, in the words of X-Slack-Retry-Reason; empty: it did not.
	Reason string
	// Attempts is how often it was sent so far.
	Attempts int
	// Fault says what Slack would not show of the answer, such as too long a text; empty: nothing.
	Fault   string
	noRetry bool
}

// OK says whether the app has taken it.
func (s Sent) OK() bool { return s.Reason == "" }

// DeliverTo is the address of the app, such as http://127.0.0.1:8080, below which /webhooks/slack/events, commands and
// interactions are. Without one, all goes over Socket Mode.
func (s *Server) DeliverTo(base string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.base = strings.TrimRight(base, "/")
}

// Patience sets how long an answer is waited for, in place of three seconds.
func (s *Server) Patience(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waits = d
}

// A parcel is what is sent, perhaps several times.
type parcel struct {
	kind    string
	payload object
	attempt int
	reason  string
}

// send makes one attempt, over HTTP or a WebSocket.
func (s *Server) send(p parcel) Sent {
	s.mu.Lock()
	base, waits := s.base, s.waits
	s.mu.Unlock()
	var out Sent
	if base == "" {
		out = s.socket.send(p, waits)
	} else {
		ctx, cancel := context.WithTimeout(context.Background(), waits)
		defer cancel()
		out = s.post(ctx, base+paths[p.kind], p)
	}
	out.Attempts = p.attempt + 1
	if out.OK() && p.kind == kindCommand {
		out.Fault = faultOf(out.Body)
	}
	s.mu.Lock()
	s.change()
	s.mu.Unlock()
	return out
}

// post sends a signed request: https://docs.slack.dev/authentication/verifying-requests-from-slack
func (s *Server) post(ctx context.Context, address string, p parcel) Sent {
	body, kind := p.body()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return Sent{Reason: "unknown_error"}
	}
	at := strconv.FormatInt(s.now().Unix(), 10)
	r.Header.Set("Content-Type", kind)
	r.Header.Set("X-Slack-Request-Timestamp", at)
	r.Header.Set("X-Slack-Signature", signature(s.options.SigningSecret, at, body))
	if p.attempt > 0 {
		r.Header.Set("X-Slack-Retry-Num", strconv.Itoa(p.attempt))
		r.Header.Set("X-Slack-Retry-Reason", p.reason)
	}
	response, err := s.client.Do(r)
	if err != nil {
		return Sent{Reason: reasonOf(err)}
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(response.Body)
	out := Sent{Status: response.StatusCode, Body: answer, noRetry: response.Header.Get("X-Slack-No-Retry") == "1"}
	switch {
	case err != nil:
		out.Reason = reasonOf(err)
	case response.StatusCode/100 != 2:
		out.Reason = "http_error"
	}
	return out
}

func signature(secret, at string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	_, _ = fmt.Fprintf(mac, "v0:%s:%s", at, body)
	return "v0=" + hex.EncodeToString(mac.Sum(nil))
}

func reasonOf(err error) string {
	if errors.Is(err, context.DeadlineExceeded) {
		return "http_timeout"
	}
	return "connection_failed"
}

// body is how HTTP carries the payload.
func (p parcel) body() (body []byte, contentType string) {
	raw, _ := json.Marshal(p.payload) // is made of texts, numbers and JSON
	switch p.kind {
	case kindEvent:
		return raw, "application/json"
	case kindInteraction:
		return []byte(url.Values{"payload": {string(raw)}}.Encode()), "application/x-www-form-urlencoded"
	}
	form := url.Values{}
	for name, value := range p.payload {
		form.Set(name, fmt.Sprint(value))
	}
	return []byte(form.Encode()), "application/x-www-form-urlencoded"
}

// faultOf checks an answer that is shown to the user: text, or a message in JSON.
func faultOf(body []byte) string {
	var m struct {
		Text        string          `json:"text"`
		Blocks      json.RawMessage `json:"blocks"`
		Attachments json.RawMessage `json:"attachments"`
	}
	if len(body) == 0 || json.Unmarshal(body, &m) != nil {
		return ""
	}
	word, detail := CheckMessage(m.Blocks, m.Attachments)
	return strings.TrimSpace(word + " " + detail)
}
