package slack

import (
	"context"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/argo-bridge/argo-bridge/bridge"
	"go.uber.org/zap"
)

const (
	source = "slack"

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
	refusedBusy        = "busy"              // other large bodies take the memory
	refusedOwn         = "own"               // the bridge's own message: no loops
	refusedWorkspace   = "workspace"         // of a workspace that is not configured
	refusedUnsure      = "workspace-unknown" // Slack does not say of which workspace the default token is
	refusedRateLimited = "rate-limited"      // Slack held events back
	refusedUnsupported = "unsupported"
)

// Answers tells what became of an event that was published a moment ago. The app implements it
// on the ledger.
type Answers interface {
	// Await blocks until the event's record is done or ctx ends, then with ctx's error.
	Await(ctx context.Context, e bridge.Event) (bridge.Record, error)
}

// A Desk answers the commands that only read: nothing is stored of them. Safe for concurrent use.
type Desk interface {
	// Command answers a slash command, whose form is Slack's, with the JSON of a message for the user, before ctx ends.
	// handled is false for a command that is an event like any other.
	Command(ctx context.Context, form url.Values) (answer []byte, handled bool)
}

// An Inbox takes what Slack delivers, however it came: it stores the event on the bus, and only then says what to answer.
// [Webhooks] and [Socket] bring it what comes.
type Inbox struct {
	publisher  bridge.Publisher
	observer   bridge.Observer
	log        *zap.Logger
	now        func() time.Time
	workspaces *Workspaces
	desk       Desk
	book       Book
	answers    Answers
	link       func(string) string
	client     *http.Client
	within     time.Duration

	mu      sync.Mutex
	closed  bool
	waiting sync.WaitGroup
	closing context.Context // ends the waiting for outcomes
	stop    context.CancelFunc
}

// InboxOptions are what an Inbox can do without.
type InboxOptions struct {
	Observer bridge.Observer  // default: counts nothing
	Logger   *zap.Logger      // default: silent
	Now      func() time.Time // default: time.Now
	// Workspaces are those whose events are taken. Default: all.
	Workspaces *Workspaces
	// Desk answers the commands that only read. Default: every command is an event.
	Desk Desk
	// Book keeps where who gave a command is answered. Default: nobody hears how what it started goes on.
	Book Book
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

// NewInbox puts what it takes on the publisher's bus.
func NewInbox(p bridge.Publisher, o InboxOptions) *Inbox {
	h := &Inbox{
		publisher: p, observer: o.Observer, log: o.Logger, now: o.Now, workspaces: o.Workspaces, desk: o.Desk, book: o.Book,
		answers: o.Answers, link: o.Link, client: o.Client, within: o.AnswerWithin,
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

// Close ends the waiting for outcomes and returns when no goroutine of the inbox is left. What brings
// deliveries has stopped by then; a command that still comes in is accepted without an outcome.
func (h *Inbox) Close() {
	h.mu.Lock()
	h.closed = true
	h.mu.Unlock()
	h.stop()
	h.waiting.Wait()
}

// background runs f in a goroutine that Close waits for; false when it is too late for that.
func (h *Inbox) background(f func()) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return false
	}
	h.waiting.Go(f)
	return true
}

type uncounted struct{}

func (uncounted) Received(string, string, time.Duration) {}
func (uncounted) Refused(string, string)                 {}
