package gcs

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"cloud.google.com/go/pubsub/v2/pstest"
	"github.com/argo-bridge/argo-bridge/bridge"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
	"google.golang.org/api/option"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

const (
	topic        = "projects/acme/topics/landing"
	subscription = "projects/acme/subscriptions/argo-bridge"
)

// A fake is Google's own fake with one topic, and a source that pulls from it.
type fake struct {
	*pstest.Server
	source *Source
	logs   *observer.ObservedLogs
	counts *counts
	stop   func()
}

func start(t *testing.T, p bridge.Publisher, c Config) *fake {
	t.Helper()
	server := pstest.NewServer()
	t.Cleanup(func() { _ = server.Close() })
	ctx, cancel := context.WithCancel(context.Background())
	if _, err := server.GServer.CreateTopic(ctx, &pubsubpb.Topic{Name: topic}); err != nil {
		t.Fatal(err)
	}
	subscribe(t, server, subscription)
	conn, err := grpc.NewClient(server.Addr, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	core, logs := observer.New(zap.DebugLevel)
	ps := &fake{Server: server, logs: logs, counts: &counts{}}
	ps.source, err = NewSource(ctx, c, p, SourceOptions{
		Observer: ps.counts, Logger: zap.New(core), Client: []option.ClientOption{option.WithGRPCConn(conn)},
	})
	if err != nil {
		t.Fatal(err)
	}
	ps.source.sleep = func(ctx context.Context, _ time.Duration) { sleep(ctx, time.Millisecond) }
	done := make(chan error)
	go func() { done <- ps.source.Run(ctx) }()
	ps.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Logf("Run: %v", err) // two clients share one connection here
		}
	})
	t.Cleanup(ps.stop)
	return ps
}

func subscribe(t *testing.T, s *pstest.Server, name string) {
	t.Helper()
	if _, err := s.GServer.CreateSubscription(context.Background(), &pubsubpb.Subscription{Name: name, Topic: topic, AckDeadlineSeconds: 10}); err != nil {
		t.Fatal(err)
	}
}

// until polls a condition.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	end := time.Now().Add(20 * time.Second)
	for !ok() {
		if time.Now().After(end) {
			t.Fatalf("not within 20 s: %s", what)
		}
		time.Sleep(2 * time.Millisecond)
	}
}

func (ps *fake) acked(id string) bool {
	m := ps.Message(id)
	return m != nil && m.Acks > 0
}

// bus is a Publisher that remembers.
type bus struct {
	PublishFn func(context.Context, bridge.Event) error

	mu  sync.Mutex
	ids []string
}

func (b *bus) Publish(ctx context.Context, e bridge.Event) error {
	if b.PublishFn != nil {
		if err := b.PublishFn(ctx, e); err != nil {
			return err
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ids = append(b.ids, e.ID)
	return nil
}

func (b *bus) stored() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.ids)
}

// counts is an Observer.
type counts struct {
	mu                sync.Mutex
	received, refused []string
}

func (c *counts) Received(_, eventType string, _ time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.received = append(c.received, eventType)
}

func (c *counts) Refused(_, reason string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.refused = append(c.refused, reason)
}

func (c *counts) refusals(reason string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := 0
	for _, r := range c.refused {
		if r == reason {
			n++
		}
	}
	return n
}

func TestAMessageIsAcknowledgedAfterItsEventIsStored(t *testing.T) {
	t.Parallel()
	store := make(chan struct{})
	begun := make(chan struct{}, 10)
	b := &bus{PublishFn: func(context.Context, bridge.Event) error { begun <- struct{}{}; <-store; return nil }}
	ps := start(t, b, Config{Subscriptions: []string{subscription}})
	id := ps.Publish(topic, []byte(object), attributes("OBJECT_FINALIZE"))
	<-begun
	if ps.acked(id) {
		t.Error("acknowledged before the event was stored")
	}
	close(store)
	until(t, "the ack", func() bool { return ps.acked(id) })
	if got := b.stored(); len(got) == 0 {
		t.Error("acknowledged without an event")
	}
}

func TestAMessageThatIsNotStoredComesAgain(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	tries := 0
	b := &bus{PublishFn: func(context.Context, bridge.Event) error {
		mu.Lock()
		defer mu.Unlock()
		if tries++; tries <= 2 {
			return errors.New("no bus")
		}
		return nil
	}}
	ps := start(t, b, Config{Subscriptions: []string{subscription}})
	id := ps.Publish(topic, []byte(object), attributes("OBJECT_FINALIZE"))
	until(t, "the ack", func() bool { return ps.acked(id) })
	if got := ps.counts.refusals("bus-down"); got != 2 {
		t.Errorf("%d refusals are counted, want 2", got)
	}
	if got := b.stored(); len(got) != 1 {
		t.Errorf("stored %v", got)
	}
}

func TestDuplicatesHaveOneID(t *testing.T) {
	t.Parallel()
	b := &bus{}
	ps := start(t, b, Config{Subscriptions: []string{subscription}})
	one := ps.Publish(topic, []byte(object), attributes("OBJECT_FINALIZE"))
	two := ps.Publish(topic, []byte(object), attributes("OBJECT_FINALIZE"))
	if one == two {
		t.Fatal("the messages have one id")
	}
	until(t, "both acks", func() bool { return ps.acked(one) && ps.acked(two) })
	if got := slices.Compact(b.stored()); len(got) != 1 {
		t.Errorf("got the ids %v, want one", got)
	}
}

func TestAForeignMessageIsNeitherAcknowledgedNorPublished(t *testing.T) {
	t.Parallel()
	b := &bus{}
	ps := start(t, b, Config{Subscriptions: []string{subscription}})
	foreign := ps.Publish(topic, []byte("hello"), map[string]string{"a": "b"})
	until(t, "three deliveries", func() bool { return ps.counts.refusals("malformed") >= 3 })
	own := ps.Publish(topic, []byte(object), attributes("OBJECT_FINALIZE"))
	until(t, "the ack of the other message", func() bool { return ps.acked(own) })
	if ps.acked(foreign) || len(b.stored()) != 1 {
		t.Errorf("acknowledged %v, stored %v", ps.acked(foreign), b.stored())
	}
	if got := ps.logs.FilterMessageSnippet("no notification of Cloud Storage").Len(); got != 1 {
		t.Errorf("logged %d times, want once a minute", got)
	}
}

func TestAMissingSubscriptionHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	const late = "projects/acme/subscriptions/late"
	b := &bus{}
	ps := start(t, b, Config{Subscriptions: []string{late, subscription}})
	id := ps.Publish(topic, []byte(object), attributes("OBJECT_FINALIZE"))
	until(t, "the ack", func() bool { return ps.acked(id) })
	until(t, "the advice", func() bool {
		return ps.logs.FilterField(zap.String("advice", "create the subscription, or correct its name in gcs.subscriptions")).Len() > 0
	})
	subscribe(t, ps.Server, late)
	id = ps.Publish(topic, []byte(object), attributes("OBJECT_DELETE"))
	// Both subscriptions get it, and each acknowledges it.
	until(t, "two acks", func() bool { return ps.Message(id).Acks == 2 })
}

func TestStoppingFinishesWhatIsUnderWay(t *testing.T) {
	t.Parallel()
	store := make(chan struct{})
	begun := make(chan struct{}, 10)
	var ended error
	b := &bus{PublishFn: func(ctx context.Context, _ bridge.Event) error {
		begun <- struct{}{}
		<-store
		ended = ctx.Err()
		return nil
	}}
	ps := start(t, b, Config{Subscriptions: []string{subscription}, MaxMessages: 1})
	id := ps.Publish(topic, []byte(object), attributes("OBJECT_FINALIZE"))
	<-begun
	stopped := make(chan struct{})
	go func() { ps.stop(); close(stopped) }()
	close(store)
	<-stopped
	if ended != nil || len(b.stored()) != 1 {
		t.Errorf("publishing ended with %v, stored %v", ended, b.stored())
	}
	until(t, "the ack", func() bool { return ps.acked(id) })
}
