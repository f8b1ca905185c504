package bridge

import (
	"context"
	"time"
)

// A Publisher stores events on the bus.
type Publisher interface {
	// Publish returns nil when the event is stored, or was stored before: only then may its source
	// be acknowledged. It blocks until the bus has answered or ctx ends. Safe for concurrent use.
	Publish(ctx context.Context, e Event) error
}

// A Submitter makes Workflows.
type Submitter interface {
	// Submit makes the Workflow, or finds that it exists, which is success as well. It returns a
	// Permanent error when no retry can help. Safe for concurrent use.
	Submit(ctx context.Context, s Submission) error
}

// A Notifier delivers notifications to one kind of destination.
type Notifier interface {
	// Notify returns nil when the service has accepted the message, a Permanent error when
	// retrying is useless, and any other error (see RetryAfter) when it should be tried again.
	// Safe for concurrent use.
	Notify(ctx context.Context, n Notification) error
}

// A Finder is a Notifier that can tell whether it has sent a notification before. It is asked
// about notifications whose sending was begun and whose answer was never recorded.
type Finder interface {
	// Sent says whether the destination already holds the notification with n.Key.
	Sent(ctx context.Context, n Notification) (bool, error)
}

// An Observer counts what the sources receive. Safe for concurrent use.
type Observer interface {
	// Received counts an event that is stored on the bus. took is the time from its arrival to
	// the bus's answer.
	Received(source, eventType string, took time.Duration)
	// Refused counts a request or message that was not taken, by a reason of few distinct values
	// such as unsigned, malformed, too-large, stale, bus-down.
	Refused(source, reason string)
}
