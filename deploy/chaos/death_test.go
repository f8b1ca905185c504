package chaos

import (
	"context"
	"os"
	"strings"
	"sync"
	"syscall"

	"github.com/argo-bridge/argo-bridge/adapters/slack/alerts"
	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/app"
	"github.com/argo-bridge/argo-bridge/bridge/dispatch"
	"github.com/argo-bridge/argo-bridge/bridge/notify"
	"github.com/argo-bridge/argo-bridge/bridge/waiting"
)

// A death comes once: the file says that it has.
type death struct{ file string }

// come is kill -9 of this process by itself, at exactly this point.
func (d *death) come() {
	f, err := os.OpenFile(d.file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return // it has
	}
	f.Close()
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {}
}

// The wrappers die before or after the part that they wrap does its work.

type dyingPublisher struct {
	bridge.Publisher
	before, after func()
}

func (p dyingPublisher) Publish(ctx context.Context, e bridge.Event) error {
	p.before()
	err := p.Publisher.Publish(ctx, e)
	if err == nil {
		p.after()
	}
	return err
}

// dyingSubmitter tells how often it was asked for a Workflow, and for any.
type dyingSubmitter struct {
	bridge.Submitter
	before, after func(ofName, all int)

	mu    sync.Mutex
	tried map[string]int
	all   int
}

func (d *dyingSubmitter) Submit(ctx context.Context, s bridge.Submission) error {
	d.mu.Lock()
	d.tried[s.Name]++
	d.all++
	ofName, all := d.tried[s.Name], d.all
	d.mu.Unlock()
	d.before(ofName, all)
	err := d.Submitter.Submit(ctx, s)
	if err == nil {
		d.after(ofName, all)
	}
	return err
}

type dyingLedger struct {
	dispatch.Ledger
	after func(r bridge.Record)
}

func (l dyingLedger) Put(ctx context.Context, r bridge.Record) error {
	err := l.Ledger.Put(ctx, r)
	if err == nil {
		l.after(r)
	}
	return err
}

type dyingWaiting struct {
	waiting.Table
	afterPut, beforeDelete func()
}

func (t dyingWaiting) Put(ctx context.Context, key string, value []byte) error {
	err := t.Table.Put(ctx, key, value)
	if err == nil {
		t.afterPut()
	}
	return err
}

func (t dyingWaiting) Delete(ctx context.Context, key string) error {
	t.beforeDelete()
	return t.Table.Delete(ctx, key)
}

type dyingState struct {
	dispatch.Table
	afterWrite, beforeDelete func(key string)
}

func (t dyingState) Update(ctx context.Context, key string, value []byte, revision uint64) error {
	err := t.Table.Update(ctx, key, value, revision)
	if err == nil {
		t.afterWrite(key)
	}
	return err
}

func (t dyingState) Delete(ctx context.Context, key string) error {
	t.beforeDelete(key)
	return t.Table.Delete(ctx, key)
}

type dyingQueue struct {
	notify.Queue
	before, after func()
}

func (q dyingQueue) Enqueue(ctx context.Context, n bridge.Notification) error {
	q.before()
	err := q.Queue.Enqueue(ctx, n)
	if err == nil {
		q.after()
	}
	return err
}

// A slackNotifier is what the bridge has for Slack.
type slackNotifier interface {
	bridge.Notifier
	notify.Laned
	notify.Thrifty
}

type dyingNotifier struct {
	slackNotifier
	before, after func()
}

func (n dyingNotifier) Notify(ctx context.Context, m bridge.Notification) error {
	n.before()
	err := n.slackNotifier.Notify(ctx, m)
	if err == nil {
		n.after()
	}
	return err
}

type dyingOutbox struct {
	notify.Table
	afterSent func()
}

func (o dyingOutbox) Put(ctx context.Context, key string, value []byte) error {
	err := o.Table.Put(ctx, key, value)
	if err == nil && strings.Contains(string(value), `"sent"`) {
		o.afterSent()
	}
	return err
}

func nothing()         {}
func neither(int, int) {}
func noKey(string)     {}

func noState(string, []byte) {}

// Where a death sits.

func inPublisher(before, after func()) func(*app.Seams) {
	return func(s *app.Seams) {
		s.Publisher = func(p bridge.Publisher) bridge.Publisher { return dyingPublisher{p, before, after} }
	}
}

func inSubmitter(before, after func(ofName, all int)) func(*app.Seams) {
	return func(s *app.Seams) {
		s.Submitter = func(next bridge.Submitter) bridge.Submitter {
			return &dyingSubmitter{Submitter: next, before: before, after: after, tried: map[string]int{}}
		}
	}
}

func inLedger(after func(bridge.Record)) func(*app.Seams) {
	return func(s *app.Seams) {
		s.Ledger = func(l dispatch.Ledger) dispatch.Ledger { return dyingLedger{l, after} }
	}
}

func inWaiting(afterPut, beforeDelete func()) func(*app.Seams) {
	return func(s *app.Seams) {
		s.Waiting = func(t waiting.Table) waiting.Table { return dyingWaiting{t, afterPut, beforeDelete} }
	}
}

func inState(afterWrite, beforeDelete func(key string)) func(*app.Seams) {
	return func(s *app.Seams) {
		s.State = func(t dispatch.Table) dispatch.Table { return dyingState{t, afterWrite, beforeDelete} }
	}
}

func inQueue(before, after func()) func(*app.Seams) {
	return func(s *app.Seams) {
		s.Queue = func(q notify.Queue) notify.Queue { return dyingQueue{q, before, after} }
	}
}

func inNotifier(before, after func()) func(*app.Seams) {
	return func(s *app.Seams) {
		s.Notifier = func(n bridge.Notifier) bridge.Notifier {
			return dyingNotifier{n.(slackNotifier), before, after}
		}
	}
}

// dyingAlerts dies before or after a state of an alert, or of what leads to one, is stored.
type dyingAlerts struct {
	alerts.Table
	before, after func(key string, state []byte)
}

func (t dyingAlerts) Store(ctx context.Context, key string, state []byte, revision uint64) error {
	t.before(key, state)
	err := t.Table.Store(ctx, key, state, revision)
	if err == nil {
		t.after(key, state)
	}
	return err
}

func inAlerts(before, after func(key string, state []byte)) func(*app.Seams) {
	return func(s *app.Seams) {
		s.Alerts = func(t alerts.Table) alerts.Table { return dyingAlerts{t, before, after} }
	}
}

func inOutbox(afterSent func()) func(*app.Seams) {
	return func(s *app.Seams) {
		s.Outbox = func(t notify.Table) notify.Table { return dyingOutbox{t, afterSent} }
	}
}
