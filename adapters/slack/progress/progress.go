package progress

import (
	"cmp"
	"context"
	"net/http"
	"time"

	"github.com/slack-go/slack"

	own "github.com/argo-bridge/argo-bridge/adapters/slack"
	"github.com/argo-bridge/argo-bridge/bridge"
)

// How often, and how long, a response_url can be used, with a margin for clocks and the way:
// https://docs.slack.dev/interactivity/handling-user-interaction#message_responses
const (
	maxUses = 5
	maxAge  = 29 * time.Minute
)

// Clients are the ways to Slack's API; *slack.Workspaces are.
type Clients interface {
	// Client acts as the app in a workspace; "" is the default one. A team that is not configured is a Permanent error.
	Client(team string) (*slack.Client, error)
	// Redact takes tokens out of a text.
	Redact(text string) string
}

// Options are the parts of a Progress. All are needed, but HTTP and Now.
type Options struct {
	Clients  Clients
	Register bridge.Register
	// HTTP posts to a response_url. Default: a client with a timeout of 10 s.
	HTTP *http.Client
	Now  func() time.Time // default: time.Now
}

// A Progress serves the destination slack:progress, and keeps where who gave a command is answered. It needs the scope
// chat:write.
type Progress struct{ o Options }

var (
	_ bridge.Notifier = (*Progress)(nil)
	_ own.Book        = (*Progress)(nil)
)

// New makes a Progress of its parts.
func New(o Options) *Progress {
	if o.HTTP == nil {
		o.HTTP = &http.Client{Timeout: 10 * time.Second}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Progress{o}
}

// Open implements slack.Book.
func (p *Progress) Open(ctx context.Context, e bridge.Event) error {
	a, ok := own.AskerOf(e)
	if !ok {
		return nil
	}
	_, err := p.change(ctx, e.Hash(), func(have *entry) bool {
		if have.User != "" { // Slack has delivered it before
			return false
		}
		have.Team, have.Channel, have.User, have.URL, have.At = a.Team, a.Channel, a.User, a.ResponseURL, a.At
		return true
	})
	return err
}

// Answer implements slack.Book.
func (p *Progress) Answer(ctx context.Context, e bridge.Event, text string) error {
	have, err := p.load(ctx, e.Hash())
	if err != nil {
		return err
	}
	if used, err := p.respond(ctx, e.Hash(), have, text, 0); used || err != nil {
		return err
	}
	_, _, err = p.whisper(ctx, have, text)
	return err
}

// Notify implements bridge.Notifier. What was told already, and what is older than that, it does not tell again.
func (p *Progress) Notify(ctx context.Context, n bridge.Notification) error {
	hash := n.Run.Labels[bridge.LabelEvent]
	if !bridge.IsHash(hash) {
		return nil
	}
	e, err := p.change(ctx, hash, func(e *entry) bool {
		before := e.Channel
		e.place(n.Address)
		return e.Channel != "" && (e.hear(n) || before == "")
	})
	if err != nil || e.Channel == "" || e.Shown == bridge.Digest(e.says()) {
		return err // without a channel the command was none of Slack's that anybody waits for
	}
	return p.tell(ctx, hash, e)
}

// Lane keeps a pause of one channel from holding up the others.
func (p *Progress) Lane(n bridge.Notification) string {
	return n.To.Target + " " + cmp.Or(n.Address, n.Run.Labels[bridge.LabelEvent])
}

// tell brings up to date what the person sees.
func (p *Progress) tell(ctx context.Context, hash string, e *entry) error {
	spare := 1 // the last use is for the end
	if e.ended() {
		spare = 0
	}
	if e.usable(p.o.Now()) && e.Uses >= maxUses-spare {
		return nil
	}
	shown := bridge.Digest(e.says())
	used, err := p.respond(ctx, hash, e, e.says(), spare)
	in, ts := e.In, e.TS
	if err == nil && !used {
		in, ts, err = p.post(ctx, e)
	}
	if err != nil {
		return err
	}
	_, err = p.change(ctx, hash, func(now *entry) bool {
		now.Shown, now.In, now.TS = shown, in, ts
		return true
	})
	return err
}
