package bus

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// staleFor is how long something must be missing in a cluster before it counts as gone. Reads are not agreed upon by
// the servers: one that was the leader and has lost the others answers from its own copy until it steps down, ten to
// twenty seconds later, and knows nothing of what the others have stored meanwhile.
const staleFor = 30 * time.Second

// patience is until when something that is missing may still turn up. A server alone is never behind.
func (b *Bus) patience() time.Time {
	if b.config.Replicas > 1 {
		return time.Now().Add(staleFor)
	}
	return time.Now()
}

// later waits a little for a server that may be behind; when there is no time left, the error is permanent.
func later(ctx context.Context, patience time.Time) error {
	if !time.Now().Before(patience) {
		return bridge.Permanent(ErrGone)
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(250 * time.Millisecond):
		return nil
	}
}

// A sequenced store is read by sequence, and says which sequences it no longer has; a jetstream.Stream.
type sequenced interface {
	GetMsg(ctx context.Context, seq uint64, opts ...jetstream.GetMsgOpt) (*jetstream.RawStreamMsg, error)
	Info(ctx context.Context, opts ...jetstream.StreamInfoOpt) (*jetstream.StreamInfo, error)
}

// readOnce reads a message; nil without an error when it is gone. That a server does not have it is believed
// when that server says that it had it, or when no other has it until patience is over.
func readOnce(ctx context.Context, s sequenced, sequence uint64, patience time.Time) (*jetstream.RawStreamMsg, error) {
	for {
		m, err := s.GetMsg(ctx, sequence)
		if err == nil {
			return m, nil
		}
		if !isNotFound(err) {
			return nil, fmt.Errorf("read event %d: %w", sequence, err)
		}
		info, err := s.Info(ctx, jetstream.WithDeletedDetails(true))
		if err != nil {
			return nil, fmt.Errorf("read event %d: %w", sequence, err)
		}
		if removed(info.State, sequence) {
			return nil, nil
		}
		if err := later(ctx, patience); bridge.IsPermanent(err) {
			return nil, nil
		} else if err != nil {
			return nil, fmt.Errorf("read event %d: %w", sequence, err)
		}
	}
}

// removed says that a store once had a message and has it no more.
func removed(s jetstream.StreamState, sequence uint64) bool {
	return sequence < s.FirstSeq && sequence <= s.LastSeq || slices.Contains(s.Deleted, sequence)
}
