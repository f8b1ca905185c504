package nats

import (
	"context"
	"fmt"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/announce"
)

// An Announcer publishes an event for others. nil: the server has it, and the stream that keeps the subject, if one does.
// Errors are to be tried again unless they are Permanent.
type Announcer interface {
	Announce(ctx context.Context, subject string, e bridge.Event) error
}

// Notifier publishes notifications of the scheme nats.
type Notifier struct {
	config Config
	bus    Announcer
}

var _ bridge.Notifier = (*Notifier)(nil)

// NewNotifier publishes on the subjects that the config allows.
func NewNotifier(c Config, bus Announcer) *Notifier { return &Notifier{config: c, bus: bus} }

// Notify publishes the notification. See [bridge.Notifier].
func (s *Notifier) Notify(ctx context.Context, n bridge.Notification) error {
	subject := n.To.Target
	if err := check(subject, false); err != nil {
		return bridge.Permanent(fmt.Errorf("notify %s: %w", n.To, err))
	}
	if !s.config.allows(subject) {
		return bridge.Permanent(fmt.Errorf("notify %s: the bridge's config does not allow the subject: add it to nats.subjects", n.To))
	}
	e, err := announce.Event(n)
	if err != nil {
		return bridge.Permanent(fmt.Errorf("notify %s: %w", n.To, err))
	}
	if err := s.bus.Announce(ctx, subject, e); err != nil {
		return fmt.Errorf("notify %s: %w", n.To, err)
	}
	return nil
}
