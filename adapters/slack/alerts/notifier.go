package alerts

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/slack-go/slack"
	"go.uber.org/zap"

	"github.com/argo-bridge/argo-bridge/adapters/slack/message"
	"github.com/argo-bridge/argo-bridge/bridge"
)

// Clients makes clients of Slack's Web API. Safe for concurrent use.
type Clients interface {
	// Client acts as the app in a workspace, by its team id; "" is the default workspace. A workspace that is not
	// configured is a Permanent error.
	Client(team string) (*slack.Client, error)
	// Redact takes tokens out of a text.
	Redact(text string) string
}

// Options say what a Notifier works with. All fields are needed but Settings, People, Others, Refused and Painted.
type Options struct {
	Clients  Clients
	Table    Table
	Silences bridge.Silences
	Settings Settings
	// People finds users by their names at other services, such as GitHub logins in lower case, for mentions.
	People map[string]string
	// Others says that other processes may paint the same alerts: claims of theirs count.
	Others bool
	// Owner is this process, for its claims.
	Owner string
	// Refused hears of what Slack will never take, with what to do.
	Refused func(n bridge.Notification, err error)
	// Painted counts what Slack was told: post, update, reply; and paused, when Slack has asked for a pause.
	Painted func(what string)
	Log     *zap.Logger
	Now     func() time.Time
}

// A Notifier serves the destinations slack:#channel, slack:@user, slack:C024BE91L, slack:reply, and the answers to buttons.
//
// The app needs the scope chat:write; channels:read and groups:read to look up #names, users:read and im:write for @users,
// usergroups:read for @groups, channels:history, groups:history and im:history to recognise a message whose sending was
// interrupted. It must be a member of the channels that it posts to.
type Notifier struct {
	Options
	places   *places
	mentions *mentions
	throttle *throttle
	painter  *painter

	waiting     chan struct{} // has room for those who wait
	settle      time.Duration // how long the details of a failure wait for others to join it
	updateEvery func(count int) time.Duration
}

var _ bridge.Notifier = (*Notifier)(nil)

// New makes a Notifier. What it merges is shown while Run runs.
func New(o Options) *Notifier {
	o.Settings = o.Settings.withDefaults()
	if o.Refused == nil {
		o.Refused = func(bridge.Notification, error) {}
	}
	if o.Painted == nil {
		o.Painted = func(string) {}
	}
	return &Notifier{
		Options: o, places: &places{clients: o.Clients}, throttle: newThrottle(), painter: newPainter(),
		waiting: make(chan struct{}, maxWaiting), settle: settle, updateEvery: updateEvery,
		mentions: &mentions{clients: o.Clients, people: o.People, log: o.Log, now: o.Now},
	}
}

const (
	// maxWait is how long a notification waits for Slack to show it, before it is put back, and maxWaiting how many do so
	// at once: the others are put back at once, so that in a storm all are merged before any is waited for.
	maxWait    = time.Second
	maxWaiting = 4
	// Who was put back comes again after this, at least and at most.
	minAgain, maxAgain = 2 * time.Second, 30 * time.Second
)

// errBehind says that Slack does not show the notification yet: it is kept, and shown as soon as Slack's limits let it.
var errBehind = fmt.Errorf("slack does not show it yet: %w", bridge.ErrSpaced)

// Notify merges the notification into its alert, and returns nil once Slack shows it, or once it is kept for the end of
// quiet hours or of a silence. See [bridge.Notifier].
func (n *Notifier) Notify(ctx context.Context, m bridge.Notification) error {
	if m.To.Target == bridge.TargetAnswer {
		return n.fault(m.To.String(), n.answer(ctx, m))
	}
	all, err := n.merge(ctx, m)
	for _, to := range all { // all of them, whatever becomes of the first
		n.painter.schedule(to.id, n.Now())
	}
	if err != nil {
		return err
	}
	var refused error
	for _, to := range all {
		switch err := n.await(ctx, to); {
		case bridge.IsPermanent(err):
			refused = errors.Join(refused, err)
		case err != nil: // another attempt can help, whatever is refused elsewhere
			return err
		}
	}
	return refused
}

// await returns once Slack shows the version.
func (n *Notifier) await(ctx context.Context, to merged) error {
	told := n.painter.listen(to.id)
	defer n.painter.unlisten(to.id, told)
	n.painter.schedule(to.id, n.Now())
	if !to.news {
		return n.shows(ctx, to)
	}
	select {
	case n.waiting <- struct{}{}:
		defer func() { <-n.waiting }()
	default:
		return bridge.RetryAfter(errBehind, minAgain)
	}
	timeout := time.NewTimer(maxWait)
	defer timeout.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-timeout.C:
			return bridge.RetryAfter(errBehind, minAgain)
		case t := <-told:
			switch {
			case t.err != nil:
				return t.err
			case t.shown >= to.version || t.held:
				return nil
			case t.again > maxWait/4:
				return bridge.RetryAfter(errBehind, min(max(t.again, minAgain), maxAgain))
			}
		}
	}
}

// shows says whether Slack shows what was merged before.
func (n *Notifier) shows(ctx context.Context, to merged) error {
	e, err := n.load(ctx, to.id)
	switch {
	case err != nil:
		return err
	case e == nil || e.Shown >= to.version || e.Gone || e.Held && e.TS == "":
		return nil
	case e.Failed != "":
		return e.refusal()
	}
	return bridge.RetryAfter(errBehind, min(max(n.updateEvery(len(e.Seen)), minAgain), maxAgain))
}

// Lane keeps a pause from holding up any other notification: the pauses that Slack asks for are kept here.
func (n *Notifier) Lane(m bridge.Notification) string { return m.Key }

// Wants says whether the logs of a failed run would be shown: they are in the first of a group alone.
func (n *Notifier) Wants(ctx context.Context, m bridge.Notification) bool {
	if !fails(m) || m.To.Target == bridge.TargetAnswer {
		return false
	}
	var a assignment
	if err := n.read(ctx, keyRun+roomOf(m)+"."+runKey(m), &a); err != nil {
		return true
	}
	if a.Alert == "" {
		var p pointer
		if err := n.read(ctx, keySeries+roomOf(m)+"."+seriesOf(m), &p); err != nil {
			return true
		}
		open, err := n.open(ctx, p, n.Now())
		return err != nil || !open
	}
	e, err := n.load(ctx, a.Alert)
	if err != nil || e == nil {
		return true
	}
	have, ok := e.Seen[runKey(m)]
	return len(e.Seen) <= 1 && (!ok || m.Run.Started.After(have.Started))
}

// alert is what the message of an entry shows.
func (n *Notifier) alert(ctx context.Context, e *entry) message.Alert {
	a := message.Alert{
		Newest: e.Newest, State: e.State, Count: max(1, len(e.Seen)), Lines: e.Lines, Templates: len(e.Of), Cause: e.Cause,
		Overflow: e.Overflow, First: e.First, Last: e.Last, By: e.By, Silenced: n.silent(ctx, e),
	}
	for _, note := range e.Notes {
		a.Notes = append(a.Notes, note.Text)
	}
	if e.State == message.Firing || e.State == message.Waiting {
		a.Mentions = n.mentions.of(ctx, e.Team, e.Newest)
	}
	return a
}
