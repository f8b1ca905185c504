package bus

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"
)

// Names on the JetStream account.
const (
	eventStream   = "ARGO_BRIDGE_EVENTS"
	eventSubjects = "bridge.events."
	notifyStream  = "ARGO_BRIDGE_NOTIFICATIONS"
	notifySubject = "bridge.notifications"
	bucketPrefix  = "ARGO_BRIDGE_"
)

const (
	// duplicateWindow is how long the streams refuse a message id that they have seen. The ledger
	// answers later redeliveries.
	duplicateWindow = 10 * time.Minute
	// The notifications and each bucket may fill this part of Config.MaxBytes.
	notifyPart = 8
	bucketPart = 4
)

// A Bus is a connection to JetStream with all streams in place. Safe for concurrent use.
type Bus struct {
	config Config
	log    *zap.Logger
	server *server.Server // nil with an external cluster
	lock   *os.File
	conn   *nats.Conn
	js     jetstream.JetStream

	payloads *payloads

	mu      sync.Mutex
	buckets map[string]*Bucket
}

// Open starts or connects to the server and creates what is missing on it; settings that have changed
// since the last start are applied to the streams that exist. With an external cluster that does not
// answer it keeps trying until ctx ends.
func Open(ctx context.Context, c Config, log *zap.Logger) (*Bus, error) {
	b := &Bus{config: c, log: log, buckets: map[string]*Bucket{}, payloads: newPayloads()}
	if err := b.connect(); err != nil {
		b.Close()
		return nil, err
	}
	for {
		err := b.ensureStreams(ctx)
		if err == nil {
			return b, nil
		}
		var api *jetstream.APIError
		if c.URL == "" || ctx.Err() != nil || (errors.As(err, &api) && api.Code < 500) {
			b.Close()
			return nil, fmt.Errorf("set up JetStream: %w", err)
		}
		log.Warn("the bus does not answer, trying again", zap.Error(err))
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
		nats.RetryOnFailedConnect(true),
	}
	url := b.config.URL
	if url == "" {
		s, lock, err := startServer(b.config, b.log)
		if err != nil {
			return err
		}
		b.server, b.lock = s, lock
		options = append(options, nats.InProcessServer(s))
	} else if b.config.CredentialsFile != "" {
		options = append(options, nats.UserCredentials(b.config.CredentialsFile))
	}
	conn, err := nats.Connect(url, options...)
	if err != nil {
		return fmt.Errorf("connect to NATS: %w", err)
	}
	b.conn = conn
	b.js, err = jetstream.New(conn, jetstream.WithDefaultTimeout(5*time.Second))
	return err
}

func (b *Bus) ensureStreams(ctx context.Context) error {
	streams := []jetstream.StreamConfig{{
		Name:        eventStream,
		Description: "argo-bridge: events as CloudEvents, kept for replay",
		Subjects:    []string{eventSubjects + ">"},
		MaxBytes:    b.config.MaxBytes,
		MaxAge:      b.config.MaxAge,
	}, {
		Name:        notifyStream,
		Description: "argo-bridge: notifications on their way",
		Subjects:    []string{notifySubject},
		Retention:   jetstream.WorkQueuePolicy,
		MaxBytes:    b.config.MaxBytes / notifyPart,
	}}
	for _, s := range streams {
		s.Discard = jetstream.DiscardNew
		s.Storage = jetstream.FileStorage
		s.Replicas = b.config.Replicas
		s.Duplicates = duplicateWindow
		s.AllowDirect = true
		if _, err := b.js.CreateOrUpdateStream(ctx, s); err != nil {
			return fmt.Errorf("stream %s: %w", s.Name, err)
		}
	}
	return b.ensureClaims(ctx)
}

// Ready returns nil when the server answers.
func (b *Bus) Ready(ctx context.Context) error {
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
		b.server.Shutdown()
		b.server.WaitForShutdown()
	}
	if b.lock != nil {
		_ = b.lock.Close()
	}
}
