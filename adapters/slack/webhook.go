package slack

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

const (
	source = "slack"

	// MaxBody is more than Slack sends: its messages end at some hundred kilobytes.
	MaxBody = 4 << 20
	// answerWithin leaves Slack, which gives up after 3 s, time to read the answer.
	answerWithin = 2500 * time.Millisecond
	// answerLater is how long a command's outcome is waited for after the first answer. Slack takes
	// answers at the response_url for 30 min, but who asked has left by then.
	answerLater = time.Minute
)

// Reasons for which a request is refused or not published, as [bridge.Observer] counts them.
const (
	refusedMethod      = "method"
	refusedTooLarge    = "too-large"
	refusedUnsigned    = "unsigned"
	refusedStale       = "stale"
	refusedMalformed   = "malformed"
	refusedBusDown     = "bus-down"
	refusedBroken      = "broken-off"
	refusedBusy        = "busy"         // other large bodies take the memory
	refusedOwn         = "own"          // the bridge's own message: no loops
	refusedRateLimited = "rate-limited" // Slack held events back
	refusedUnsupported = "unsupported"
)

// Answers tells what became of an event that was published a moment ago. The app implements it
// on the ledger.
type Answers interface {
	// Await blocks until the event's record is done or ctx ends, then with ctx's error.
	Await(ctx context.Context, e bridge.Event) (bridge.Record, error)
}

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
	secrets   []string
	publisher bridge.Publisher
	observer  bridge.Observer
	log       *zap.Logger
	now       func() time.Time
	answers   Answers
	link      func(string) string
	client    *http.Client
	within    time.Duration

	mu      sync.Mutex
	closed  bool
	waiting sync.WaitGroup
	closing context.Context // ends the waiting for outcomes
	stop    context.CancelFunc
}

// WebhookOptions are what Webhooks can do without.
type WebhookOptions struct {
	Observer bridge.Observer  // default: counts nothing
	Logger   *zap.Logger      // default: silent
	Now      func() time.Time // default: time.Now
	// Answers lets a slash command be answered with what it started; without it, the answer is
	// that the command was accepted.
	Answers Answers
	// Link leads to a Workflow, named namespace/name, in the Argo UI; "" for no link.
	Link func(workflow string) string
	// Client posts to a command's response_url. Default: one with a timeout of 10 s.
	Client *http.Client
	// AnswerWithin is the time for the first answer. Default: 2.5 s of Slack's 3 s.
	AnswerWithin time.Duration
}

// NewWebhooks takes requests that one of the secrets has signed; without a secret it refuses all.
func NewWebhooks(signingSecrets []string, p bridge.Publisher, o WebhookOptions) *Webhooks {
	h := &Webhooks{
		publisher: p, observer: o.Observer, log: o.Logger, now: o.Now,
		answers: o.Answers, link: o.Link, client: o.Client, within: o.AnswerWithin,
	}
	for _, s := range signingSecrets {
		// An empty key would make a signature that anybody can compute.
		if s != "" {
			h.secrets = append(h.secrets, s)
		}
	}
	if h.observer == nil {
		h.observer = uncounted{}
	}
	if h.log == nil {
		h.log = zap.NewNop()
	}
	if h.now == nil {
		h.now = time.Now
	}
	if h.link == nil {
		h.link = func(string) string { return "" }
	}
	if h.client == nil {
		h.client = &http.Client{Timeout: 10 * time.Second}
	}
	if h.within == 0 {
		h.within = answerWithin
	}
	h.closing, h.stop = context.WithCancel(context.Background())
	return h
}

// Close ends the waiting for outcomes and returns when no goroutine of the handlers is left. The
// server has stopped by then; a command that still comes in is accepted without an outcome.
func (h *Webhooks) Close() {
	h.mu.Lock()
	h.closed = true
	h.mu.Unlock()
	h.stop()
	h.waiting.Wait()
}

// background runs f in a goroutine that Close waits for; false when it is too late for that.
func (h *Webhooks) background(f func()) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return false
	}
	h.waiting.Go(f)
	return true
}

// A request is one that Slack has signed.
type request struct {
	body    []byte
	at      time.Time // by Slack's clock
	arrived time.Time
}

// taking wraps a handler with what all three share: method, size and signature.
func (h *Webhooks) taking(take func(http.ResponseWriter, *http.Request, request)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		req := request{arrived: h.now()}
		if r.Method != http.MethodPost {
			w.Header().Set("Allow", http.MethodPost)
			h.refuse(w, http.StatusMethodNotAllowed, refusedMethod, "a webhook is a POST")
			return
		}
		var err error
		req.body, err = intake.ReadBody(w, r, MaxBody)
		switch {
		case errors.Is(err, intake.ErrBusy):
			w.Header().Set("Retry-After", "10")
			h.refuse(w, http.StatusServiceUnavailable, refusedBusy, "too many large requests at once")
			return
		case errors.Is(err, intake.ErrTooLarge):
			h.refuse(w, http.StatusRequestEntityTooLarge, refusedTooLarge, "the body is too large")
			return
		case err != nil:
			h.refuse(w, http.StatusBadRequest, refusedBroken, "the body ended early")
			return
		}
		at, reason := verify(h.secrets, r.Header, req.body, h.now())
		if reason != "" {
			h.refuse(w, http.StatusUnauthorized, reason, "the request is not signed with this bridge's signing secret, or too old")
			return
		}
		req.at = at
		take(w, r, req)
	})
}

// publish stores the event within Slack's patience and answers for itself when that fails.
func (h *Webhooks) publish(w http.ResponseWriter, r *http.Request, req request, e bridge.Event) bool {
	ctx, cancel := context.WithTimeout(r.Context(), h.within-h.now().Sub(req.arrived))
	defer cancel()
	err := h.publisher.Publish(ctx, e)
	switch {
	case err == nil:
		h.observer.Received(source, e.Type, h.now().Sub(req.arrived))
		return true
	case bridge.IsPermanent(err):
		h.log.Warn("event refused by the bus", zap.String(bridge.LogEventID, e.ID), zap.String(bridge.LogEventType, e.Type), zap.Error(err))
		h.refuse(w, http.StatusRequestEntityTooLarge, refusedTooLarge, "the bus does not take the event")
	default:
		h.log.Error("event not stored", zap.String(bridge.LogEventID, e.ID), zap.String(bridge.LogEventType, e.Type), zap.Error(err))
		w.Header().Set("Retry-After", "10")
		h.refuse(w, http.StatusServiceUnavailable, refusedBusDown, "the event is not stored")
	}
	return false
}

func (h *Webhooks) malformed(w http.ResponseWriter, err error) {
	h.refuse(w, http.StatusBadRequest, refusedMalformed, err.Error())
}

func (h *Webhooks) refuse(w http.ResponseWriter, status int, reason, text string) {
	h.observer.Refused(source, reason)
	h.log.Debug("request refused", zap.String(bridge.LogReason, reason))
	if status == http.StatusBadRequest || status == http.StatusRequestEntityTooLarge {
		w.Header().Set("X-Slack-No-Retry", "1")
	}
	answer(w, status, text)
}

func answer(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	if text != "" {
		_, _ = io.WriteString(w, text)
	}
}

type uncounted struct{}

func (uncounted) Received(string, string, time.Duration) {}
func (uncounted) Refused(string, string)                 {}
