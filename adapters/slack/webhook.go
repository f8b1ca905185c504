package slack

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/intake"
	"go.uber.org/zap"
)

// MaxBody is more than Slack sends: its messages end at some hundred kilobytes.
const MaxBody = 4 << 20

// Webhooks are the http.Handlers of /webhooks/slack/events, commands and interactions. Each answers
//
//   - 200 when the event is stored on the bus, or is nothing to store,
//   - 401 when the signature is missing, wrong or older than five minutes,
//   - 400 and 413 to what will never be taken, with X-Slack-No-Retry,
//   - 503 when the bus did not store it, or when there was no memory for a large body. Slack tries an event three more times within five minutes;
//     it does not repeat a command or a button, but tells its user that it failed.
//
// A repeated event (X-Slack-Retry-Num) has the same event_id, which the bus recognises.
type Webhooks struct {
	secrets []string
	inbox   *Inbox
}

// NewWebhooks brings the inbox the requests that one of the secrets has signed; without a secret it refuses all.
func NewWebhooks(signingSecrets []string, inbox *Inbox) *Webhooks {
	h := &Webhooks{inbox: inbox}
	for _, s := range signingSecrets {
		// An empty key would make a signature that anybody can compute.
		if s != "" {
			h.secrets = append(h.secrets, s)
		}
	}
	return h
}

// Events is the handler of the Events API.
func (h *Webhooks) Events() http.Handler {
	return h.taking(func(body []byte) (Delivery, error) { return Delivery{Event: body}, nil })
}

// Commands is the handler of slash commands. The user who typed one is answered, for their eyes
// only, with what was started or why nothing was: in the response when it is known in time, and
// else at the command's response_url.
func (h *Webhooks) Commands() http.Handler {
	return h.taking(func(body []byte) (Delivery, error) {
		form, err := url.ParseQuery(string(body))
		return Delivery{Command: form}, err
	})
}

// Interactions is the handler of buttons, shortcuts and submitted views.
func (h *Webhooks) Interactions() http.Handler {
	return h.taking(func(body []byte) (Delivery, error) {
		form, err := url.ParseQuery(string(body))
		return Delivery{Interaction: []byte(form.Get("payload"))}, err
	})
}

// taking makes a handler: method, size, signature, and then the inbox.
func (h *Webhooks) taking(open func(body []byte) (Delivery, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		arrived := h.inbox.now()
		body, at, ok := h.read(w, r)
		if !ok {
			return
		}
		d, err := open(body)
		if err != nil {
			h.refuse(w, http.StatusBadRequest, refusedMalformed, "the body is not a form")
			return
		}
		d.At, d.Arrived = at, arrived
		response, err := h.inbox.Take(r.Context(), d)
		var refusal *Refusal
		if errors.As(err, &refusal) {
			deny(w, refusal)
			return
		}
		if response.JSON != nil {
			w.Header().Set("Content-Type", "application/json; charset=utf-8")
			_, _ = w.Write(response.JSON)
			return
		}
		answer(w, http.StatusOK, response.Text)
	})
}

// read returns the body of a request that Slack has signed, and when. Otherwise it has answered.
func (h *Webhooks) read(w http.ResponseWriter, r *http.Request) (body []byte, at time.Time, ok bool) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		h.refuse(w, http.StatusMethodNotAllowed, refusedMethod, "a webhook is a POST")
		return nil, at, false
	}
	body, err := intake.ReadBody(w, r, MaxBody)
	switch {
	case errors.Is(err, intake.ErrBusy):
		w.Header().Set("Retry-After", "10")
		h.refuse(w, http.StatusServiceUnavailable, refusedBusy, "too many large requests at once")
		return nil, at, false
	case errors.Is(err, intake.ErrTooLarge):
		h.refuse(w, http.StatusRequestEntityTooLarge, refusedTooLarge, "the body is too large")
		return nil, at, false
	case err != nil:
		h.refuse(w, http.StatusBadRequest, refusedBroken, "the body ended early")
		return nil, at, false
	}
	at, reason := verify(h.secrets, r.Header, body, h.inbox.now())
	if reason != "" {
		h.refuse(w, http.StatusUnauthorized, reason, "the request is not signed with this bridge's signing secret, or too old")
		return nil, at, false
	}
	return body, at, true
}

// refuse counts and answers a request that does not come to the inbox.
func (h *Webhooks) refuse(w http.ResponseWriter, status int, reason, text string) {
	h.inbox.observer.Refused(source, reason)
	h.inbox.log.Debug("request refused", zap.String(bridge.LogReason, reason))
	stopRetries(w, status)
	answer(w, status, text)
}

// deny answers what the inbox has not taken.
func deny(w http.ResponseWriter, r *Refusal) {
	status := http.StatusBadRequest
	switch {
	case r.Again:
		status = http.StatusServiceUnavailable
		w.Header().Set("Retry-After", "10")
	case r.Reason == refusedTooLarge:
		status = http.StatusRequestEntityTooLarge
	}
	stopRetries(w, status)
	answer(w, status, r.Text)
}

func stopRetries(w http.ResponseWriter, status int) {
	if status == http.StatusBadRequest || status == http.StatusRequestEntityTooLarge {
		w.Header().Set("X-Slack-No-Retry", "1")
	}
}

func answer(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	if text != "" {
		_, _ = io.WriteString(w, text)
	}
}
