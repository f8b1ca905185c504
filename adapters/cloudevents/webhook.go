package cloudevents

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"go.uber.org/zap"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/intake"
)

const (
	// MaxBody is the largest request, in bytes.
	MaxBody = 25 << 20
	// publishTimeout is for all events of a request.
	publishTimeout = 20 * time.Second

	source = "cloudevents"
	// Path is followed by an endpoint's name.
	Path = "/webhooks/cloudevents/"
)

// Reasons for which a request is refused, as [bridge.Observer] counts them.
const (
	refusedMethod    = "method"
	refusedUnsigned  = "unsigned"
	refusedForbidden = "forbidden" // a type or source that is not the sender's
	refusedMalformed = "malformed"
	refusedMedia     = "media-type"
	refusedTooLarge  = "too-large"
	refusedBroken    = "broken-off" // the sender went away in the middle of the body
	refusedBusy      = "busy"       // other large bodies take the memory
	refusedBusDown   = "bus-down"
)

// A Webhook is the http.Handler of one endpoint. It answers
//
//   - 204 when all events of the request are stored on the bus,
//   - 400 to what is no CloudEvent, with the attribute that is missing or bad, 415 to another format,
//   - 401 to a request without a token or signature, 403 to a type or source that the endpoint does not take,
//   - 413 to what is too large for the bridge or for the bus,
//   - 503 with Retry-After when the bus did not store it.
//
// A batch is looked at as a whole before any of its events is stored. When storing fails in the middle, the
// sender is told so and repeats all: what was stored is known by source and id.
type Webhook struct {
	endpoint  Endpoint
	gate      gate
	reserved  Reserved
	publisher bridge.Publisher
	observer  bridge.Observer
	log       *zap.Logger
	now       func() time.Time
}

// Options are what webhooks share. All fields are needed.
type Options struct {
	Reserved  Reserved
	Publisher bridge.Publisher
	Observer  bridge.Observer
	Logger    *zap.Logger
	Now       func() time.Time
}

var _ http.Handler = (*Webhook)(nil)

// NewWebhook makes the handler of an endpoint; without a secret it refuses all.
func NewWebhook(e Endpoint, s Secrets, o Options) *Webhook {
	return &Webhook{
		endpoint: e, gate: newGate(s, e.SignatureHeader), reserved: o.Reserved,
		publisher: o.Publisher, observer: o.Observer, log: o.Logger, now: o.Now,
	}
}

// Handlers are the handlers of all endpoints by path.
func Handlers(c Config, secrets map[string]Secrets, o Options) map[string]http.Handler {
	all := map[string]http.Handler{}
	for name, endpoint := range c {
		all[Path+name] = NewWebhook(endpoint, secrets[name], o)
	}
	return all
}

// ServeHTTP takes one request.
func (h *Webhook) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	arrived := h.now()
	events, no := h.read(w, r)
	if no == nil {
		no = h.store(r.Context(), events, arrived)
	}
	if no != nil {
		h.refuse(w, *no)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

type refusal struct {
	status int
	reason string
	text   string
}

// read returns the events of a request that may be stored.
func (h *Webhook) read(w http.ResponseWriter, r *http.Request) ([]bridge.Event, *refusal) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		return nil, &refusal{http.StatusMethodNotAllowed, refusedMethod, "a CloudEvent is sent by POST"}
	}
	unsigned := &refusal{http.StatusUnauthorized, refusedUnsigned, "the request bears no token of this endpoint, nor a signature by its secret"}
	if !h.gate.bears(r.Header) { // before a large body costs anything
		w.Header().Set("WWW-Authenticate", "Bearer")
		return nil, unsigned
	}
	body, no := readBody(w, r)
	if no != nil {
		return nil, no
	}
	if !h.gate.opens(r.Header, body) {
		return nil, unsigned
	}
	events, err := Translate(r.Context(), r.Header, body)
	if errors.Is(err, errMedia) {
		return nil, &refusal{http.StatusUnsupportedMediaType, refusedMedia, err.Error()}
	}
	if err != nil {
		return nil, &refusal{http.StatusBadRequest, refusedMalformed, err.Error()}
	}
	return events, h.permit(events)
}

// permit refuses a request as a whole when one of its events is not the sender's to send.
func (h *Webhook) permit(events []bridge.Event) *refusal {
	for _, e := range events {
		switch {
		case !allowed(h.endpoint.Types, h.reserved.Types, e.Type):
			return &refusal{http.StatusForbidden, refusedForbidden, fmt.Sprintf("this endpoint takes no events of type %q", e.Type)}
		case !allowed(h.endpoint.Sources, h.reserved.Sources, e.Source):
			return &refusal{http.StatusForbidden, refusedForbidden, fmt.Sprintf("this endpoint takes no events of source %q", e.Source)}
		}
	}
	return nil
}

func readBody(w http.ResponseWriter, r *http.Request) ([]byte, *refusal) {
	body, err := intake.ReadBody(w, r, MaxBody)
	switch {
	case errors.Is(err, intake.ErrBusy):
		return nil, &refusal{http.StatusServiceUnavailable, refusedBusy, "too many large requests at once; send it again later"}
	case errors.Is(err, intake.ErrTooLarge):
		return nil, &refusal{http.StatusRequestEntityTooLarge, refusedTooLarge, "a request has at most 25 MB"}
	case err != nil:
		return nil, &refusal{http.StatusBadRequest, refusedBroken, err.Error()}
	}
	return body, nil
}

// store puts the events on the bus in their order.
func (h *Webhook) store(ctx context.Context, events []bridge.Event, arrived time.Time) *refusal {
	ctx, cancel := context.WithTimeout(ctx, publishTimeout)
	defer cancel()
	for _, e := range events {
		err := h.publisher.Publish(ctx, e)
		fields := []zap.Field{zap.String(bridge.LogEventID, e.ID), zap.String(bridge.LogSource, e.Source), zap.String(bridge.LogEventType, e.Type), zap.Error(err)}
		switch {
		case bridge.IsPermanent(err):
			// The event itself is well formed, so that its size is what the bus cannot take.
			h.log.Warn("event refused by the bus", fields...)
			return &refusal{http.StatusRequestEntityTooLarge, refusedTooLarge, fmt.Sprintf("the bus does not take the event %q", e.ID)}
		case err != nil:
			h.log.Error("event not stored", fields...)
			return &refusal{http.StatusServiceUnavailable, refusedBusDown, "not all is stored; send it again later"}
		}
		h.observer.Received(source, h.kind(e), h.now().Sub(arrived))
	}
	return nil
}

// kind is what the metrics call an event: what the config says, since senders may make up any number of types.
func (h *Webhook) kind(e bridge.Event) string {
	for _, pattern := range h.endpoint.Types {
		if matches(pattern, e.Type) {
			return pattern
		}
	}
	return "other"
}

func (h *Webhook) refuse(w http.ResponseWriter, no refusal) {
	if no.status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "10")
	}
	h.observer.Refused(source, no.reason)
	h.log.Debug("request refused", zap.String(bridge.LogReason, no.reason), zap.String(bridge.LogDetail, no.text))
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(no.status)
	_, _ = io.WriteString(w, no.text+"\n")
}
