package bus

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// A partition is a stream whose answers come from a server that has lost the others, until it heals: such a
// server cannot be had at will. It knows the messages up to a sequence.
type partition struct {
	jetstream.Stream
	knows uint64
	heals time.Time
	truth jetstream.StreamState
}

func (p *partition) state() jetstream.StreamState {
	if time.Now().Before(p.heals) {
		return jetstream.StreamState{FirstSeq: 1, LastSeq: p.knows}
	}
	return p.truth
}

func (p *partition) GetMsg(_ context.Context, sequence uint64, _ ...jetstream.GetMsgOpt) (*jetstream.RawStreamMsg, error) {
	s := p.state()
	if sequence > s.LastSeq || sequence < s.FirstSeq || removed(s, sequence) {
		return nil, jetstream.ErrMsgNotFound
	}
	return &jetstream.RawStreamMsg{Sequence: sequence}, nil
}

func (p *partition) Info(context.Context, ...jetstream.StreamInfoOpt) (*jetstream.StreamInfo, error) {
	return &jetstream.StreamInfo{State: p.state()}, nil
}

func TestAMessageThatALeaderHasNotSeenIsNotTakenForGone(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		heals    time.Duration
		truth    jetstream.StreamState
		patience time.Duration
		found    bool
		after    time.Duration
	}{
		"a leader without its followers, for a while": {
			heals: 4 * time.Second, truth: jetstream.StreamState{FirstSeq: 1, LastSeq: 9}, patience: staleFor, found: true, after: 4 * time.Second,
		},
		"trimmed away": {
			truth: jetstream.StreamState{FirstSeq: 8, LastSeq: 9}, patience: staleFor,
		},
		"all is trimmed away": {
			truth: jetstream.StreamState{FirstSeq: 10, LastSeq: 9}, patience: staleFor,
		},
		"removed from between others": {
			truth: jetstream.StreamState{FirstSeq: 1, LastSeq: 9, NumDeleted: 1, Deleted: []uint64{7}}, patience: staleFor,
		},
		"a stream that was made anew": {
			truth: jetstream.StreamState{FirstSeq: 1, LastSeq: 3}, patience: staleFor, after: staleFor,
		},
		"a server alone that was made anew": {
			truth: jetstream.StreamState{FirstSeq: 1, LastSeq: 3},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				p := &partition{knows: 5, heals: start.Add(c.heals), truth: c.truth}
				m, err := readOnce(t.Context(), p, 7, start.Add(c.patience))
				if err != nil || (m != nil) != c.found {
					t.Errorf("got %v, %v; want it found: %v", m, err, c.found)
				}
				if took := time.Since(start); took != c.after {
					t.Errorf("took %s, want %s", took, c.after)
				}
			})
		})
	}
}
