package bus

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"
)

// A Bus is a connection to JetStream with all streams in place. Safe for concurrent use.
type Bus struct {
	config Config
	log    *zap.Logger
	server *embedded // nil with an external cluster
	conn   *nats.Conn
	js     jetstream.JetStream

	payloads *payloads
	repairs  atomic.Int64
	pulse    pulse
	attached bool // to somebody else's streams

	mu      sync.Mutex
	plan    []jetstream.StreamConfig // what must be there, see care.go
	buckets map[string]*Bucket
}

// apiTimeout is how long one answer of JetStream is waited for: a cluster without a leader gives none.
const apiTimeout = 5 * time.Second

// Open starts or connects to the server and creates what is missing on it; settings that have changed
// since the last start are applied to the streams that exist. With an external cluster that does not
// answer it keeps trying until ctx ends.
func Open(ctx context.Context, c Config, log *zap.Logger) (*Bus, error) {
	b := &Bus{config: c, log: log, buckets: map[string]*Bucket{}, plan: streamPlan(c), payloads: newPayloads()}
	if err := b.connect(); err != nil {
		b.Close()
		return nil, err
	}
	if err := b.patiently(ctx, func() error { return b.ensureStreams(ctx) }); err != nil {
		b.Close()
		return nil, fmt.Errorf("set up JetStream: %w", err)
	}
	return b, nil
}

// Attach connects to the external cluster of a running bridge to read what is there. It makes and changes
// nothing: a stream or bucket that is missing is an error.
func Attach(ctx context.Context, c Config, log *zap.Logger) (*Bus, error) {
	if c.URL == "" {
		return nil, errors.New("the embedded bus has no address: ask the bridge itself")
	}
	b := &Bus{config: c, log: log, buckets: map[string]*Bucket{}, payloads: newPayloads(), attached: true}
	if err := b.connect(); err != nil {
		b.Close()
		return nil, err
	}
	if _, err := b.js.Stream(ctx, eventStream); err != nil {
		b.Close()
		return nil, fmt.Errorf("no bridge has used the bus at %s: stream %s: %w", c.URL, eventStream, err)
	}
	return b, nil
}

// patiently repeats try while an external cluster does not answer, until ctx ends: its servers may be
// about to elect a leader. An embedded server has no such excuse.
func (b *Bus) patiently(ctx context.Context, try func() error) error {
	for {
		err := try()
		var api *jetstream.APIError
		if err == nil || b.config.URL == "" || ctx.Err() != nil || (errors.As(err, &api) && api.Code < 500) {
			return err
		}
		b.log.Warn("the bus does not answer, trying again", zap.Error(err))
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
}

func (b *Bus) connect() error {
	options := []nats.Option{
		nats.Name("argo-bridge"),
		nats.MaxReconnects(-1),
		nats.ReconnectWait(250 * time.Millisecond),
		// While the server is away, publishing fails at once instead of filling a buffer: the
		// source is told 503 and keeps the event.
		nats.ReconnectBufSize(-1),
		// Whoever looks at a bus wants to hear at once that it is not there.
		nats.RetryOnFailedConnect(!b.attached),
		// A server that is cut off without a word is noticed after 10 to 15 seconds, not after minutes.
		nats.PingInterval(5 * time.Second),
		nats.MaxPingsOutstanding(2),
	}
	url := b.config.URL
	if url == "" {
		s, err := startServer(b.config, b.log, b.pulse.hear)
		if err != nil {
			return err
		}
		b.server = s
		options = append(options, s.connect...)
	} else if b.config.CredentialsFile != "" {
		options = append(options, nats.UserCredentials(b.config.CredentialsFile))
	}
	conn, err := nats.Connect(url, options...)
	if err != nil {
		return fmt.Errorf("connect to NATS: %w", err)
	}
	b.conn = conn
	b.js, err = jetstream.New(conn, jetstream.WithDefaultTimeout(apiTimeout))
	return err
}

// External says whether the bus is a cluster that other bridges may share.
func (b *Bus) External() bool { return b.server == nil }

// Ready returns nil when the server answers, and stores what it is given (see Pulse).
func (b *Bus) Ready(ctx context.Context) error {
	if failing, err := b.pulse.failing(); failing > readyWithin {
		return fmt.Errorf("the bus has stored nothing for %s: %w", failing.Round(time.Second), err)
	}
	if _, err := b.js.AccountInfo(ctx); err != nil {
		return fmt.Errorf("the bus does not answer: %w", err)
	}
	return nil
}

// Close ends the connection and the embedded server. Consumers must have returned before.
func (b *Bus) Close() {
	if b.conn != nil {
		b.conn.Close()
	}
	if b.server != nil {
		b.server.stop()
	}
}
