package gcs

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"cloud.google.com/go/pubsub/v2"
	"github.com/argo-bridge/argo-bridge/bridge"
	"go.uber.org/zap"
	"google.golang.org/api/option"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

const (
	// publishTimeout bounds one try of the bus; the SDK extends the message's lease meanwhile. It
	// bounds as well how long Run waits, when it stops, for messages on their way to the bus.
	publishTimeout = 15 * time.Second

	minBackoff, maxBackoff = time.Second, time.Minute
	// warnEvery is how often a subscription's foreign messages are logged.
	warnEvery = time.Minute
)

// Source pulls the notifications of the configured subscriptions. A message is
//
//   - acknowledged when its event is stored on the bus, or was stored before,
//   - refused (nacked) after a short wait when the bus did not store it, so that Pub/Sub delivers
//     it again and a bus that is down is no busy loop,
//   - refused as well when it is no notification of Cloud Storage, counted and logged at most once
//     a minute. To acknowledge it would lose somebody's message silently. Refused, it goes to the
//     subscription's dead-letter topic; without one, Pub/Sub drops it when its retention ends.
//
// Set a dead-letter policy and a retry policy (such as 10 s to 600 s) on each subscription.
type Source struct {
	publisher bridge.Publisher
	observer  bridge.Observer
	log       *zap.Logger
	now       func() time.Time
	sleep     func(context.Context, time.Duration)
	clients   map[string]*pubsub.Client
	config    Config

	mu     sync.Mutex
	warned map[string]time.Time // when a foreign message of the subscription was last logged
}

// SourceOptions are what a Source can do without.
type SourceOptions struct {
	Observer bridge.Observer  // default: counts nothing
	Logger   *zap.Logger      // default: silent
	Now      func() time.Time // default: time.Now
	// Client are options for Google's clients: those of [Config.Load].
	Client []option.ClientOption
}

// NewSource makes one Pub/Sub client per project. It reads PUBSUB_EMULATOR_HOST as Google's SDK
// does, and does not connect yet.
func NewSource(ctx context.Context, c Config, p bridge.Publisher, o SourceOptions) (*Source, error) {
	s := &Source{
		publisher: p, observer: o.Observer, log: o.Logger, now: o.Now, sleep: sleep,
		clients: map[string]*pubsub.Client{}, config: c, warned: map[string]time.Time{},
	}
	if s.observer == nil {
		s.observer = uncounted{}
	}
	if s.log == nil {
		s.log = zap.NewNop()
	}
	if s.now == nil {
		s.now = time.Now
	}
	for _, name := range c.Subscriptions {
		if s.clients[project(name)] != nil {
			continue
		}
		client, err := pubsub.NewClient(ctx, project(name), o.Client...)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("connect to Pub/Sub for %s: %w", name, err), s.close())
		}
		s.clients[project(name)] = client
	}
	return s, nil
}

// Run pulls until ctx ends, then waits until what is under way is stored and acknowledged, or given
// back: some 15 s at most, unless Pub/Sub itself does not answer. A subscription that is
// missing or forbidden is logged and tried again for ever, and holds up no other. Run is called
// once.
func (s *Source) Run(ctx context.Context) error {
	var pulling sync.WaitGroup
	for _, name := range s.config.Subscriptions {
		pulling.Go(func() { s.pull(ctx, name) })
	}
	pulling.Wait()
	return s.close()
}

func (s *Source) close() error {
	var errs []error
	for _, c := range s.clients {
		errs = append(errs, c.Close())
	}
	return errors.Join(errs...)
}

func (s *Source) pull(ctx context.Context, name string) {
	log := s.log.With(zap.String("subscription", name))
	wait := minBackoff
	for ctx.Err() == nil {
		started := s.now()
		err := s.subscriber(name).Receive(ctx, func(ctx context.Context, m *pubsub.Message) { s.handle(ctx, name, m) })
		if ctx.Err() != nil {
			return
		}
		if s.now().Sub(started) > maxBackoff {
			wait = minBackoff
		}
		log.Error("subscription interrupted", zap.String("advice", advice(err)), zap.Duration("retry_in", wait), zap.Error(err))
		s.sleep(ctx, wait)
		wait = min(2*wait, maxBackoff)
	}
}

func (s *Source) subscriber(name string) *pubsub.Subscriber {
	sub := s.clients[project(name)].Subscriber(name)
	sub.ReceiveSettings.MaxOutstandingMessages = DefaultMaxMessages
	if s.config.MaxMessages > 0 {
		sub.ReceiveSettings.MaxOutstandingMessages = s.config.MaxMessages
	}
	sub.ReceiveSettings.MaxOutstandingBytes = DefaultMaxBytes
	if s.config.MaxBytes > 0 {
		sub.ReceiveSettings.MaxOutstandingBytes = s.config.MaxBytes
	}
	// No ShutdownOptions: with a timeout the SDK returns before the last acks are sent.
	return sub
}

// handle takes one message to its ack or nack. ctx ends when the source stops; the publishing of a
// message that is here already is finished nevertheless.
func (s *Source) handle(ctx context.Context, name string, m *pubsub.Message) {
	arrived := s.now()
	e, err := Translate(m.Attributes, m.Data, m.PublishTime)
	if err != nil {
		s.observer.Refused(source, refusedMalformed)
		s.warnForeign(name, m.ID, err)
		s.nack(ctx, m)
		return
	}
	publishing, cancel := context.WithTimeout(context.WithoutCancel(ctx), publishTimeout)
	defer cancel()
	err = s.publisher.Publish(publishing, e)
	switch {
	case err == nil:
		m.Ack()
		s.observer.Received(source, e.Type, s.now().Sub(arrived))
		return
	case bridge.IsPermanent(err):
		s.observer.Refused(source, refusedTooLarge)
		s.log.Warn("event refused by the bus", zap.String(bridge.LogEventID, e.ID), zap.String("subscription", name), zap.Error(err))
	default:
		s.observer.Refused(source, refusedBusDown)
		s.log.Error("event not stored", zap.String(bridge.LogEventID, e.ID), zap.String("subscription", name), zap.Error(err))
	}
	s.nack(ctx, m)
}

// nack holds the message back for a moment first, within the source's flow control: a subscription
// without a retry policy would deliver it again at once.
func (s *Source) nack(ctx context.Context, m *pubsub.Message) {
	s.sleep(ctx, minBackoff)
	m.Nack()
}

func (s *Source) warnForeign(name, id string, err error) {
	s.mu.Lock()
	due := s.now().Sub(s.warned[name]) >= warnEvery
	if due {
		s.warned[name] = s.now()
	}
	s.mu.Unlock()
	if due {
		s.log.Warn("message is no notification of Cloud Storage; give the subscription a dead-letter topic, or its topic to buckets alone",
			zap.String("subscription", name), zap.String("message_id", id), zap.Error(err))
	}
}

func advice(err error) string {
	switch status.Code(err) {
	case codes.NotFound:
		return "create the subscription, or correct its name in gcs.subscriptions"
	case codes.PermissionDenied:
		return "grant the bridge's service account roles/pubsub.subscriber on the subscription"
	case codes.Unauthenticated:
		return "check gcs.credentialsFile or the pod's Workload Identity"
	default:
		return "none; it is tried again"
	}
}

func sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

type uncounted struct{}

func (uncounted) Received(string, string, time.Duration) {}
func (uncounted) Refused(string, string)                 {}
