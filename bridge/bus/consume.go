package bus

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// A Delivery is what the bus knows of one delivery of a message.
type Delivery struct {
	// Sequence is the message's place in its stream.
	Sequence uint64
	// Attempt counts the deliveries of this message, from 1.
	Attempt int
	// Stored is when the bus stored the message.
	Stored time.Time
	// Unread says why the message could not be read, for ever; of the event then only identity and type
	// are known, or made up where the message has none.
	Unread error
}

// An EventHandler handles one event. Nil and permanent errors settle it; any other error brings it
// back after bridge.Wait(err), or after a growing time with jitter.
type EventHandler func(ctx context.Context, e bridge.Event, d Delivery) error

// Times of redelivery.
const (
	// How long a message may be handled before another consumer gets it; a handler that takes longer has its claim
	// renewed. Events that come later wait for one whose process has died, where their order counts; a notification
	// that another takes over while its process only stood still may be sent twice.
	ackWaitEvents        = 10 * time.Second
	ackWaitNotifications = 30 * time.Second
	// Messages that wait for a retry or are being handled. Events wait only while the bus or the
	// ledger fails; notifications wait for destinations, each for its own.
	maxPendingEvents        = 4096
	maxPendingNotifications = 1 << 17
)

// Names of the consumers.
const (
	dispatchConsumer = "dispatch"
	notifyConsumer   = "notify"
)

// ConsumeEvents hands every event to handle, with at most workers at once, until ctx ends and the
// last handler has returned. Several processes may consume at the same time: each event goes to one.
// A message that cannot be read is handed over as Delivery.Unread says, so that it is recorded.
func (b *Bus) ConsumeEvents(ctx context.Context, workers int, handle EventHandler) error {
	c := consumption{eventStream, dispatchConsumer, workers, maxPendingEvents, ackWaitEvents}
	return b.consume(ctx, c, func(work context.Context, m jetstream.Msg, d Delivery) error {
		// ctx: what still waits for memory at a shutdown has not begun, and goes back.
		e, release, err := b.receive(ctx, m.Headers(), m.Data())
		if err != nil {
			b.logUnread(m.Subject(), d, err)
			if !bridge.IsPermanent(err) {
				return err
			}
			d.Unread = err
			return handle(work, unread(m.Headers(), m.Subject(), d.Sequence), d)
		}
		defer release()
		if err := misplaced(m.Subject(), e); err != nil {
			b.logUnread(m.Subject(), d, err)
			d.Unread = err
			e = unread(nil, m.Subject(), d.Sequence)
		}
		return handle(work, e, d)
	})
}

// misplaced says that the event stands under the subject of another type. Rights on the bus are rights to
// subjects: whoever may publish com.example.order shall not make GitHub's events there, nor take the
// identity of one.
func misplaced(subject string, e bridge.Event) error {
	if want := eventSubject(e.Type); subject != want {
		return bridge.Permanent(fmt.Errorf("an event of type %s belongs to the subject %s, not %s", e.Type, want, subject))
	}
	return nil
}

type handler func(ctx context.Context, m jetstream.Msg, d Delivery) error

// A consumption is what one consumer needs.
type consumption struct {
	stream, name        string
	workers, maxPending int
	ackWait             time.Duration
}

func (b *Bus) consume(ctx context.Context, c consumption, handle handler) error {
	for {
		err := b.consumeOnce(ctx, c, handle)
		if ctx.Err() != nil {
			return nil //nolint:nilerr // stopped, as it should
		}
		b.repairs.Add(1)
		b.log.Warn("consumer interrupted, starting again", zap.String("consumer", c.name), zap.Error(err))
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(time.Second):
		}
	}
}

// consumeOnce returns when ctx ends, or when the consumer has been lost and must be made anew.
func (b *Bus) consumeOnce(ctx context.Context, c consumption, handle handler) error {
	if err := b.ensurePlanned(ctx, c.stream); err != nil {
		return err
	}
	asked, cancel := context.WithTimeout(ctx, apiTimeout)
	defer cancel()
	consumer, err := b.js.CreateOrUpdateConsumer(asked, c.stream, jetstream.ConsumerConfig{
		Durable:       c.name,
		AckPolicy:     jetstream.AckExplicitPolicy,
		AckWait:       c.ackWait,
		MaxDeliver:    -1,
		MaxAckPending: c.maxPending,
		Replicas:      b.config.Replicas,
	})
	if err != nil {
		return fmt.Errorf("consumer %s: %w", c.name, err)
	}
	lost := make(chan error, 1)
	slots := make(chan struct{}, c.workers)
	var handlers sync.WaitGroup
	defer handlers.Wait()
	// Handlers outlive ctx: at a shutdown what has begun is finished.
	work := context.WithoutCancel(ctx)
	messages, err := consumer.Consume(func(m jetstream.Msg) {
		select {
		case <-ctx.Done():
			_ = m.Nak()
			return
		case slots <- struct{}{}:
		}
		handlers.Go(func() {
			defer func() { <-slots }()
			b.settle(work, m, c.ackWait, handle)
		})
	}, jetstream.PullMaxMessagesWithBytesLimit(2*c.workers, pullBytes), jetstream.ConsumeErrHandler(func(_ jetstream.ConsumeContext, err error) {
		if errors.Is(err, jetstream.ErrConsumerDeleted) || errors.Is(err, jetstream.ErrConsumerNotFound) ||
			errors.Is(err, jetstream.ErrStreamNotFound) {
			select {
			case lost <- err:
			default:
			}
		}
	}))
	if err != nil {
		return fmt.Errorf("consume %s: %w", c.name, err)
	}
	defer func() {
		// Not Stop, which drops what was fetched: it goes back at once, and not when its time is over.
		messages.Drain()
		<-messages.Closed()
	}()
	select {
	case <-ctx.Done():
		return nil
	case err := <-lost:
		return err
	case <-messages.Closed():
		return errors.New("the subscription has ended")
	}
}

// settle runs the handler on one message and answers the server.
func (b *Bus) settle(ctx context.Context, m jetstream.Msg, claim time.Duration, handle handler) {
	d := Delivery{Attempt: 1}
	if meta, err := m.Metadata(); err == nil {
		d = Delivery{Sequence: meta.Sequence.Stream, Attempt: int(meta.NumDelivered), Stored: meta.Timestamp}
	}
	stop := renew(m, claim)
	err := handle(ctx, m, d)
	stop()
	if err == nil || bridge.IsPermanent(err) {
		err = m.Ack()
	} else {
		wait, named := bridge.Wait(err)
		if !named {
			wait = bridge.Backoff(d.Attempt)
		}
		err = m.NakWithDelay(wait)
	}
	if err != nil {
		b.log.Warn("settle message; it will come again", zap.Uint64("sequence", d.Sequence), zap.Error(err))
	}
}

// renew keeps the message claimed while it is being handled.
func renew(m jetstream.Msg, claim time.Duration) (stop func()) {
	var mu sync.Mutex
	var stopped bool
	var timer *time.Timer
	mu.Lock()
	defer mu.Unlock()
	timer = time.AfterFunc(claim/3, func() {
		mu.Lock()
		defer mu.Unlock()
		if !stopped {
			_ = m.InProgress()
			timer.Reset(claim / 3)
		}
	})
	return func() {
		mu.Lock()
		defer mu.Unlock()
		stopped = true
		timer.Stop()
	}
}
