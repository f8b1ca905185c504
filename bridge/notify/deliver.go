package notify

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/bus"
)

// lookUpAfter is how long a message may take to appear in a service's history: one whose sending was
// interrupted is looked up no earlier than this after its attempt.
const lookUpAfter = 2 * time.Second

// An Observer counts deliveries. result is sent, failed, retried or found.
type Observer interface {
	Delivered(scheme, result string, sinceCreated time.Duration)
}

// Details add to a notification of a failed run what only its end has shown, such as logs. It does so as far as it can,
// and takes no longer than it takes to send.
type Details interface {
	Complete(ctx context.Context, n *bridge.Notification)
}

// A Thrifty notifier says of a notification of a failed run whether its details would be shown at all: getting them takes
// time, which a hundred failures a minute do not have.
type Thrifty interface {
	Wants(ctx context.Context, n bridge.Notification) bool
}

// A Laned notifier has services that ask for a pause one by one, as GitHub does for each installation of an App:
// a pause holds up the notifications of the same lane only. For a notifier that is not Laned, a destination is a lane.
type Laned interface {
	Lane(n bridge.Notification) string
}

// A Deliverer sends notifications, each once. All fields are needed but Details.
type Deliverer struct {
	Notifiers map[string]bridge.Notifier // by destination scheme
	Outbox    Table
	Observer  Observer
	// Addresses finds where the source of a run's event answers.
	Addresses Addresses
	// Details of failed runs. Optional.
	Details Details
	// Failed hears of notifications that cannot be delivered. Optional.
	Failed func(n bridge.Notification, err error)
	Log    *zap.Logger
	Now    func() time.Time

	mu      sync.Mutex
	blocked map[string]time.Time // lane → until when its service wants no more
}

// Handle is a bus.NotificationHandler: nil and permanent errors settle the notification.
func (d *Deliverer) Handle(ctx context.Context, n bridge.Notification, delivery bus.Delivery) error {
	state, revision, err := d.load(ctx, n)
	if err != nil {
		return err
	}
	if state == stateSent || state == stateFailed {
		return nil
	}
	if err := d.address(ctx, &n); bridge.IsPermanent(err) {
		return d.fail(ctx, n, err)
	} else if err != nil {
		return err
	}
	if wait := d.wait(n); wait > 0 {
		return bridge.RetryAfter(errors.New("the destination asked for a pause"), wait)
	}
	notifier, ok := d.Notifiers[n.To.Scheme]
	if !ok {
		return d.fail(ctx, n, fmt.Errorf("no notifier for %q: is it set up in the bridge's config?", n.To.Scheme))
	}
	if state == stateBegun {
		found, err := d.lookUp(ctx, notifier, n)
		if err != nil {
			return err
		}
		if found {
			d.observe(n, "found")
			return d.store(ctx, n, stateSent, nil)
		}
	}
	return d.send(ctx, notifier, n, revision)
}

func (d *Deliverer) send(ctx context.Context, notifier bridge.Notifier, n bridge.Notification, revision uint64) error {
	// Before the beginning is recorded: between that and the sending nothing may take long, or another replica, to which
	// the bus has given the notification as well, looks for a message that is only about to be sent.
	if d.detailed(ctx, notifier, n) {
		d.Details.Complete(ctx, &n)
	}
	if err := d.begin(ctx, n, revision); err != nil {
		// A conflict: another replica has just begun. Its answer is seen at the next attempt.
		return bridge.RetryAfter(err, lookUpAfter)
	}
	err := notifier.Notify(ctx, n)
	if err == nil {
		d.observe(n, "sent")
		d.Log.Info("notified", fields(n)...)
		return d.store(ctx, n, stateSent, nil)
	}
	if bridge.IsPermanent(err) {
		return d.fail(ctx, n, err)
	}
	d.observe(n, "retried")
	if errors.Is(err, bridge.ErrSpaced) {
		d.Log.Debug("notification waits its turn", fields(n)...)
	} else {
		d.Log.Warn("notification not delivered yet, will be tried again", append(fields(n), zap.Error(err))...)
	}
	if wait, named := bridge.Wait(err); named {
		d.block(n, wait)
		// The service has refused it: no need to look it up before the next attempt.
		return errors.Join(err, d.store(ctx, n, stateQueued, err))
	}
	// Whether it arrived is not known: give the service time to show it in its history.
	return bridge.RetryAfter(err, lookUpAfter)
}

func (d *Deliverer) detailed(ctx context.Context, notifier bridge.Notifier, n bridge.Notification) bool {
	if d.Details == nil || !n.Run.Completed() || n.Run.Phase == "Succeeded" || n.Run.Stopped() {
		return false
	}
	thrifty, ok := notifier.(Thrifty)
	return !ok || thrifty.Wants(ctx, n)
}

// lookUp asks the destination whether it has the notification. Where the bridge may not look, the
// notification is sent again: an alert twice is better than none.
func (d *Deliverer) lookUp(ctx context.Context, notifier bridge.Notifier, n bridge.Notification) (bool, error) {
	finder, ok := notifier.(bridge.Finder)
	if !ok {
		return false, nil
	}
	found, err := finder.Sent(ctx, n)
	if bridge.IsPermanent(err) {
		d.Log.Warn("cannot look up whether an interrupted notification was sent; sending it again",
			append(fields(n), zap.Error(err))...)
		return false, nil
	}
	if wait, named := bridge.Wait(err); named {
		d.block(n, wait)
	}
	return found, err
}

func (d *Deliverer) fail(ctx context.Context, n bridge.Notification, err error) error {
	d.observe(n, "failed")
	d.Log.Error("notification cannot be delivered", append(fields(n), zap.Error(err))...)
	if d.Failed != nil {
		d.Failed(n, err)
	}
	if err := d.store(ctx, n, stateFailed, err); err != nil {
		return err
	}
	return bridge.Permanent(err)
}

// lane is what a pause of the notification's service holds up.
func (d *Deliverer) lane(n bridge.Notification) string {
	if laned, ok := d.Notifiers[n.To.Scheme].(Laned); ok {
		return n.To.Scheme + " " + laned.Lane(n)
	}
	return n.To.String()
}

// wait is how long the lane still wants no message.
func (d *Deliverer) wait(n bridge.Notification) time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.blocked[d.lane(n)].Sub(d.Now())
}

func (d *Deliverer) block(n bridge.Notification, wait time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := d.Now()
	if d.blocked == nil {
		d.blocked = map[string]time.Time{}
	}
	for name, until := range d.blocked {
		if until.Before(now) {
			delete(d.blocked, name)
		}
	}
	d.blocked[d.lane(n)] = now.Add(wait)
}

func (d *Deliverer) observe(n bridge.Notification, result string) {
	d.Observer.Delivered(n.To.Scheme, result, d.Now().Sub(n.Created))
}

func fields(n bridge.Notification) []zap.Field {
	return []zap.Field{
		zap.Stringer(bridge.LogDestination, n.To), zap.String(bridge.LogOutcome, string(n.Outcome)),
		zap.Stringer(bridge.LogTemplate, n.Run.Template), zap.String(bridge.LogWorkflow, n.Run.Namespace+"/"+n.Run.Name),
	}
}
