package admin

import (
	"context"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// A History tells what became of events. It is safe for concurrent use.
type History interface {
	// Records calls each with the records that fit q, the one that changed last first, until each
	// returns false, or all or q.Limit were seen.
	Records(ctx context.Context, q bridge.Query, each func(bridge.Record) bool) error
	// Story returns all that is known of an event, by its id or by its hash, and
	// bridge.ErrUnknownEvent when nothing is.
	Story(ctx context.Context, id string) (bridge.Story, error)
	// Follow calls each with every record that fits q when it is written, from now on, until ctx
	// ends.
	Follow(ctx context.Context, q bridge.Query, each func(bridge.Record)) error
}

// A Replayer handles events again. It is safe for concurrent use.
type Replayer interface {
	// Replay calls each with every decision, as it is made. A Permanent error is the request's
	// fault.
	Replay(ctx context.Context, r bridge.Replay, each func(bridge.Replayed)) error
}

// An Access is what a request wants to do.
type Access string

// The kinds of access. Who may replay may not read thereby, and the other way round.
const (
	Read    Access = "read"
	Replay  Access = "replay"
	Silence Access = "silence"
)

// An Authenticator knows who bears a token, and what they may do. It is safe for concurrent use.
type Authenticator interface {
	// Authorize returns the name of the user, for the log. Its error is a *Fault when it knows
	// what is wrong: ReasonUnauthenticated for a token that it does not know, ReasonForbidden for a
	// user (whom it then returns as well) who may not do that. Any other error means that it
	// cannot tell now.
	Authorize(ctx context.Context, token string, access Access) (user string, err error)
}
