package history

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"
	"time"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/bus"
	"github.com/argo-bridge/argo-bridge/bridge/dispatch"
	"github.com/argo-bridge/argo-bridge/bridge/waiting"
)

// A Replayer handles past events again.
type Replayer struct {
	History    *History
	Dispatcher *dispatch.Dispatcher
}

// Replay calls each with every decision, as it is made. Permanent errors are the request's fault.
func (p *Replayer) Replay(ctx context.Context, r bridge.Replay, each func(bridge.Replayed)) error {
	r, err := complete(r)
	if err != nil {
		return err
	}
	handle := func(e bridge.Event, at bus.Delivery) error {
		decided, err := p.Dispatcher.Replay(ctx, e, at, r)
		for _, d := range decided {
			// Of many events what does not fit is no answer to what was asked for.
			if r.Event != "" || d.Verdict == bridge.Waiting || d.Verdict == bridge.Matched || d.Verdict == bridge.Rejected {
				each(d)
			}
		}
		if bridge.IsPermanent(err) && r.Event == "" {
			return nil // one event of many that cannot be read
		}
		return err
	}
	if r.Event == "" {
		return p.History.past(ctx, r.Query, handle)
	}
	story, err := p.History.Story(ctx, r.Event)
	if err != nil {
		return notFound(err)
	}
	if story.Event == nil {
		return bridge.Permanent(errors.New("the event is no longer on the bus (bus.maxAge, bus.maxBytes): it cannot be replayed"))
	}
	return handle(*story.Event, bus.Delivery{Sequence: story.Record.Sequence, Attempt: 1, Stored: story.Record.Stored})
}

func notFound(err error) error {
	if errors.Is(err, bridge.ErrUnknownEvent) {
		return bridge.Permanent(err)
	}
	return err
}

// complete checks a request and gives it an id.
func complete(r bridge.Replay) (bridge.Replay, error) {
	if r.Event == "" && r.Query.Template == "" && r.Query.Outcome != bridge.Rejected && r.Query.Outcome != bridge.Parked {
		return r, bridge.Permanent(errors.New("name an event, or a template, or the outcome rejected or parked: a replay of everything would start everything again"))
	}
	if r.Event == "" {
		if r.Template == "" {
			r.Template = r.Query.Template
		}
		if r.Rule == "" {
			r.Rule = r.Query.Rule
		}
	}
	if r.ID == "" {
		r.ID = strings.ToLower(rand.Text()[:10])
	}
	return r, nil
}

// Work hands requests that were put on the bus to the replayer, and all other tasks to next.
func (p *Replayer) Work(next waiting.Handler) waiting.Handler {
	return func(ctx context.Context, t waiting.Turn) (int, error) {
		request := t.Tasks[0].Request
		if request == nil {
			return next(ctx, t)
		}
		err := p.Replay(ctx, *request, func(bridge.Replayed) {})
		if err != nil && !bridge.IsPermanent(err) {
			return 0, err
		}
		return 1, err
	}
}

// A Requester asks a running bridge for replays through the bus alone. It cannot tell what they decide.
type Requester struct {
	Room interface {
		Add(ctx context.Context, t waiting.Task) error
	}
	Now func() time.Time
}

// Replay stores the request; the leader of the bridges on that bus carries it out. A dry run is not possible.
func (q *Requester) Replay(ctx context.Context, r bridge.Replay, _ func(bridge.Replayed)) error {
	if r.DryRun {
		return bridge.Permanent(errors.New("a dry run needs the templates and the API server, which only the bridge has: leave --bus out"))
	}
	r, err := complete(r)
	if err != nil {
		return err
	}
	return q.Room.Add(ctx, waiting.Task{Request: &r, Since: q.Now().UTC()})
}
