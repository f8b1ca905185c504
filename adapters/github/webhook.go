package github

import (
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"strconv"
	"time"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/intake"
	"go.uber.org/zap"
)

const (
	// MaxBody is the largest payload that GitHub delivers:
	// https://docs.github.com/en/webhooks/webhook-events-and-payloads#payload-cap
	MaxBody = 25 << 20
	// publishTimeout leaves GitHub, which hangs up after 10 s, time to read the answer.
	publishTimeout = 9 * time.Second

	source = "github"
)

// Reasons for which a delivery is refused, as [bridge.Observer] counts them.
const (
	refusedMethod    = "method"
	refusedTooLarge  = "too-large"
	refusedUnsigned  = "unsigned"
	refusedMalformed = "malformed"
	refusedBusDown   = "bus-down"
	refusedBroken    = "broken-off" // the sender went away in the middle of the body
	refusedBusy      = "busy"       // other large bodies take the memory
	refusedOther     = "other-app"  // another GitHub App's delivery
)

// Webhook is the http.Handler of POST /webhooks/github. It answers
//
//   - 202 when the event is stored on the bus, and 200 to GitHub's ping,
//   - 400 to a malformed delivery, 401 to an unsigned one, 403 to another GitHub App's, 413 to one that is too large for the
//     bridge or for the bus,
//   - 503 with Retry-After when the bus did not store it, or when there was no memory for a large
//     body (reading it failed with an error that [bridge.Wait] knows). GitHub does not deliver again by itself,
//     but lists the delivery as failed for three days, so that it can be redelivered.
type Webhook struct {
	secrets   [][]byte
	publisher bridge.Publisher
	observer  bridge.Observer
	log       *zap.Logger
	now       func() time.Time
	app       string // the App's id; empty: any
}

// WebhookOptions are what a Webhook can do without.
type WebhookOptions struct {
	Observer bridge.Observer  // default: counts nothing
	Logger   *zap.Logger      // default: silent
	Now      func() time.Time // default: time.Now
	// App is the id of the bridge's GitHub App: deliveries of another App's webhook are refused, though they be signed with
	// the same secret. 0: any.
	App int64
}

var _ http.Handler = (*Webhook)(nil)

// NewWebhook takes deliveries that one of the secrets has signed; without a secret it refuses all.
func NewWebhook(secrets []string, p bridge.Publisher, o WebhookOptions) *Webhook {
	w := &Webhook{publisher: p, observer: o.Observer, log: o.Logger, now: o.Now}
	if o.App != 0 {
		w.app = strconv.FormatInt(o.App, 10)
	}
	for _, s := range secrets {
		// An empty key would make a signature that anybody can compute.
		if s != "" {
			w.secrets = append(w.secrets, []byte(s))
		}
	}
	if w.observer == nil {
		w.observer = uncounted{}
	}
	if w.log == nil {
		w.log = zap.NewNop()
	}
	if w.now == nil {
		w.now = time.Now
	}
	return w
}

// ServeHTTP takes one delivery.
func (h *Webhook) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	arrived := h.now()
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		h.refuse(w, refusal{http.StatusMethodNotAllowed, refusedMethod, "a webhook is a POST"})
		return
	}
	signature := r.Header.Get("X-Hub-Signature-256")
	if signature == "" { // before a large body costs anything
		h.refuse(w, unsigned)
		return
	}
	body, no := read(w, r)
	if no != nil {
		h.refuse(w, *no)
		return
	}
	if !signed(h.secrets, signature, body) {
		h.refuse(w, unsigned)
		return
	}
	if h.others(r.Header) {
		h.refuse(w, refusal{http.StatusForbidden, refusedOther, "the delivery is another GitHub App's"})
		return
	}
	if mt, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); mt == "application/x-www-form-urlencoded" {
		h.refuse(w, refusal{http.StatusBadRequest, refusedMalformed, "set the webhook's content type to application/json"})
		return
	}
	e, err := Translate(r.Header.Get("X-GitHub-Event"), r.Header.Get("X-GitHub-Delivery"), body)
	if err != nil {
		h.refuse(w, refusal{http.StatusBadRequest, refusedMalformed, err.Error()})
		return
	}
	if r.Header.Get("X-GitHub-Event") == "ping" {
		answer(w, http.StatusOK, "argo-bridge hears you")
		return
	}
	h.publish(w, r, e, arrived)
}

// others says that the webhook of another GitHub App has sent the delivery:
// https://docs.github.com/en/webhooks/webhook-events-and-payloads#delivery-headers
func (h *Webhook) others(header http.Header) bool {
	return h.app != "" && header.Get("X-GitHub-Hook-Installation-Target-Type") == "integration" &&
		header.Get("X-GitHub-Hook-Installation-Target-ID") != h.app
}

func (h *Webhook) publish(w http.ResponseWriter, r *http.Request, e bridge.Event, arrived time.Time) {
	ctx, cancel := context.WithTimeout(r.Context(), publishTimeout)
	defer cancel()
	err := h.publisher.Publish(ctx, e)
	switch {
	case err == nil:
		h.observer.Received(source, e.Type, h.now().Sub(arrived))
		answer(w, http.StatusAccepted, "stored")
	case bridge.IsPermanent(err):
		// The event itself is well formed, so that its size is what the bus cannot take.
		h.log.Warn("event refused by the bus", zap.String(bridge.LogEventID, e.ID), zap.String(bridge.LogEventType, e.Type), zap.Error(err))
		h.refuse(w, refusal{http.StatusRequestEntityTooLarge, refusedTooLarge, "the bus does not take the event"})
	default:
		h.log.Error("event not stored", zap.String(bridge.LogEventID, e.ID), zap.String(bridge.LogEventType, e.Type), zap.Error(err))
		h.refuse(w, refusal{http.StatusServiceUnavailable, refusedBusDown, "the event is not stored; redeliver it later"})
	}
}

type refusal struct {
	status int
	reason string
	text   string
}

var (
	unsigned  = refusal{http.StatusUnauthorized, refusedUnsigned, "X-Hub-Signature-256 is missing or not made with this bridge's webhook secret"}
	tooLarge  = refusal{http.StatusRequestEntityTooLarge, refusedTooLarge, "a delivery has at most 25 MB"}
	brokenOff = refusal{http.StatusBadRequest, refusedBroken, "the body ended early"}
	busy      = refusal{http.StatusServiceUnavailable, refusedBusy, "too many large deliveries at once; redeliver it later"}
)

func (h *Webhook) refuse(w http.ResponseWriter, no refusal) {
	if no.status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "10")
	}
	h.observer.Refused(source, no.reason)
	h.log.Debug("delivery refused", zap.String(bridge.LogReason, no.reason))
	answer(w, no.status, no.text)
}

// read reads the body of a delivery; when it cannot, it says what to answer.
func read(w http.ResponseWriter, r *http.Request) ([]byte, *refusal) {
	body, err := intake.ReadBody(w, r, MaxBody)
	switch {
	case errors.Is(err, intake.ErrBusy):
		return nil, &busy
	case errors.Is(err, intake.ErrTooLarge):
		return nil, &tooLarge
	case err != nil:
		return nil, &brokenOff
	}
	return body, nil
}

func answer(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text+"\n")
}

type uncounted struct{}

func (uncounted) Received(string, string, time.Duration) {}
func (uncounted) Refused(string, string)                 {}
