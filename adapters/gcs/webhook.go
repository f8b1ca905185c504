package gcs

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/intake"
	"go.uber.org/zap"
)

// MaxBody is the largest push request in bytes. An object resource, whose own metadata are 8 KiB at most, is far
// smaller: https://cloud.google.com/storage/quotas#objects
const MaxBody = 1 << 20

// Reasons for which a request is refused, as [bridge.Observer] counts them.
const (
	refusedMethod    = "method"
	refusedTooLarge  = "too-large"
	refusedUnsigned  = "unsigned"
	refusedMalformed = "malformed"
	refusedBusDown   = "bus-down"
	refusedKeys      = "no-keys"    // Google's keys cannot be fetched
	refusedBroken    = "broken-off" // the sender went away in the middle of the body
	refusedBusy      = "busy"       // too many requests at once
)

// Webhook is the http.Handler of POST /webhooks/gcs: push subscriptions of Pub/Sub, with and without their envelope,
// and Eventarc's CloudEvents. Whatever the way, an event has the id that it has by pulling, so that a bucket that
// tells of it twice starts nothing twice. It answers
//
//   - 204 when the event is stored on the bus,
//   - 401 to a request without a token of one of the configured service accounts for the configured audience; nothing
//     of its body is read,
//   - 400 to a message that is no notification of Cloud Storage, and 413 to one that is larger than [MaxBody] or than
//     the bus takes. Pub/Sub delivers it again until the subscription's dead-letter topic takes it,
//   - 503 with Retry-After when the bus did not store it, when Google's keys cannot be fetched, or when there was no
//     memory (reading the body failed with an error that [bridge.Wait] knows). Pub/Sub delivers again.
type Webhook struct {
	verifier  *verifier
	publisher bridge.Publisher
	observer  bridge.Observer
	log       *zap.Logger
	now       func() time.Time

	mu     sync.Mutex
	warned time.Time
}

// WebhookOptions are what a Webhook can do without.
type WebhookOptions struct {
	Observer bridge.Observer  // default: counts nothing
	Logger   *zap.Logger      // default: silent
	Now      func() time.Time // default: time.Now; the expiry of tokens is judged by the system's clock
}

var _ http.Handler = (*Webhook)(nil)

// NewWebhook takes requests that are signed as the config says, which is valid.
func NewWebhook(c PushConfig, p bridge.Publisher, o WebhookOptions) (*Webhook, error) {
	w := &Webhook{publisher: p, observer: o.Observer, log: o.Logger, now: o.Now}
	if w.observer == nil {
		w.observer = uncounted{}
	}
	if w.log == nil {
		w.log = zap.NewNop()
	}
	if w.now == nil {
		w.now = time.Now
	}
	var err error
	w.verifier, err = newVerifier(c, w.now)
	return w, err
}

// ServeHTTP takes one message.
func (h *Webhook) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	arrived := h.now()
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		h.refuse(w, http.StatusMethodNotAllowed, refusedMethod, errors.New("a push request is a POST"))
		return
	}
	switch err := h.verifier.verify(r.Context(), r.Header); {
	case errors.Is(err, errKeys):
		h.refuse(w, http.StatusServiceUnavailable, refusedKeys, err)
		return
	case err != nil:
		w.Header().Set("WWW-Authenticate", "Bearer")
		h.refuse(w, http.StatusUnauthorized, refusedUnsigned, err)
		return
	}
	body, status, reason, err := readBody(w, r)
	if err != nil {
		h.refuse(w, status, reason, err)
		return
	}
	e, err := open(r.Header, body, arrived)
	if err != nil {
		h.refuse(w, http.StatusBadRequest, refusedMalformed, err)
		return
	}
	h.publish(w, r, e, arrived)
}

func (h *Webhook) publish(w http.ResponseWriter, r *http.Request, e bridge.Event, arrived time.Time) {
	ctx, cancel := context.WithTimeout(r.Context(), publishTimeout)
	defer cancel()
	err := h.publisher.Publish(ctx, e)
	switch {
	case err == nil:
		h.observer.Received(source, e.Type, h.now().Sub(arrived))
		w.WriteHeader(http.StatusNoContent)
	case bridge.IsPermanent(err):
		h.log.Warn("event refused by the bus", zap.String(bridge.LogEventID, e.ID), zap.Error(err))
		h.refuse(w, http.StatusRequestEntityTooLarge, refusedTooLarge, errors.New("the bus does not take the event"))
	default:
		h.log.Error("event not stored", zap.String(bridge.LogEventID, e.ID), zap.Error(err))
		h.refuse(w, http.StatusServiceUnavailable, refusedBusDown, errors.New("the event is not stored"))
	}
}

// refuse answers and counts. A wrong token or message most often is a wrong setting, which the log tells once a minute.
func (h *Webhook) refuse(w http.ResponseWriter, status int, reason string, err error) {
	h.observer.Refused(source, reason)
	h.mu.Lock()
	due := h.now().Sub(h.warned) >= warnEvery
	if due {
		h.warned = h.now()
	}
	h.mu.Unlock()
	if due {
		h.log.Warn("push request refused", zap.String(bridge.LogReason, reason), zap.Error(err))
	}
	if status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "10")
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, err.Error()+"\n")
}

// readBody reads a body; when it cannot, it says what to answer.
func readBody(w http.ResponseWriter, r *http.Request) (body []byte, status int, reason string, err error) {
	body, err = intake.ReadBody(w, r, MaxBody)
	switch {
	case errors.Is(err, intake.ErrBusy):
		return nil, http.StatusServiceUnavailable, refusedBusy, errors.New("too many requests at once")
	case errors.Is(err, intake.ErrTooLarge):
		return nil, http.StatusRequestEntityTooLarge, refusedTooLarge, errors.New("a notification of Cloud Storage has at most 1 MiB")
	case err != nil:
		return nil, http.StatusBadRequest, refusedBroken, err
	}
	return body, 0, "", nil
}
