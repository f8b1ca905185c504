package bus

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/nats-io/nats.go"
	"go.uber.org/zap"

	"github.com/argo-bridge/argo-bridge/bridge"
)

const (
	// freeData is what the data of an event may have to be handled without a share of the budget.
	freeData = 1 << 20
	// consumeBudget bounds the data of all larger events that are being handled, in bytes: one of
	// GitHub's largest at a time. What is made of the data on the way (the variables of expressions)
	// is two to five times as large, and handling keeps a core busy anyway.
	consumeBudget = 32 << 20
	// pullBytes bounds the messages that the server sends ahead. It is no less than the largest
	// message that may stand in a stream: a bridge before this one stored up to 32 MB in one.
	pullBytes = maxData + 1<<20
)

// receive restores the event of a message; release ends its share of the budget and is called when
// the event is done with.
//
// An event with large data waits here until others are done. It then holds one of the consumer's
// workers, and its claim on the message is renewed: to give the message back instead would make it
// race with newer ones and count attempts that were none. Small events go on with the other workers,
// which 20 waiting ones leave; more than that wait no longer than the handling of those before them
// takes.
func (b *Bus) receive(ctx context.Context, header nats.Header, data []byte) (e bridge.Event, release func(), err error) {
	v := unseal(header, data)
	if release, err = b.payloads.reserve(ctx, v.weight()); err != nil {
		return bridge.Event{}, nil, err
	}
	if e, err = b.decode(ctx, v); err != nil {
		release()
		return bridge.Event{}, nil, err
	}
	return e, release, nil
}

// logUnread reports an event that could not be restored.
func (b *Bus) logUnread(subject string, d Delivery, err error) {
	fields := []zap.Field{zap.String("subject", subject), zap.Uint64("sequence", d.Sequence), zap.Error(err)}
	if bridge.IsPermanent(err) {
		b.log.Error("a message on the event stream cannot be read", fields...)
	} else {
		b.log.Warn("a message on the event stream could not be read, will be tried again", fields...)
	}
}

// unread is what can be said of a message that cannot be read.
func unread(header nats.Header, subject string, sequence uint64) bridge.Event {
	attributes := unseal(header, nil).attributes
	return bridge.Event{
		ID:     cmp.Or(attributes["id"], fmt.Sprint("message-", sequence)),
		Source: cmp.Or(attributes["source"], "nats:"+eventStream),
		Type:   cmp.Or(attributes["type"], strings.TrimPrefix(subject, eventSubjects)),
	}
}

// weight is how much memory the decoded data takes; the most that is possible where nobody says.
func (v envelope) weight() int64 {
	_, claimed := v.claim()
	switch {
	case v.encoding == "" && !claimed:
		return int64(len(v.data))
	case v.size == 0:
		return maxData
	}
	return v.size
}

// reserve waits for a share of the budget. An event that is larger than all of it takes all.
func (p *payloads) reserve(ctx context.Context, size int64) (release func(), err error) {
	if size <= freeData {
		return func() {}, nil
	}
	share := min(size, consumeBudget)
	if err := p.budget.Acquire(ctx, share); err != nil {
		return nil, fmt.Errorf("wait for memory: %w", err)
	}
	return func() { p.budget.Release(share) }, nil
}
