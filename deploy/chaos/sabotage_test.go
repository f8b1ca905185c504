package chaos

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/argo-bridge/argo-bridge/adapters/slack/alerts"
	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/app"
	"github.com/argo-bridge/argo-bridge/bridge/bus"
	"github.com/argo-bridge/argo-bridge/bridge/dispatch"
	"github.com/argo-bridge/argo-bridge/bridge/notify"
	"github.com/argo-bridge/argo-bridge/bridge/waiting"
)

// The safeguards that can be switched off.
const (
	storedFirst      = "stored before acknowledged"
	refusalsTold     = "a bus that does not store is told as 503"
	sourceIdentity   = "identity from the source"
	derivedNames     = "names derived from the event"
	existsIsSuccess  = "a Workflow that exists is success"
	ledgerAsked      = "the ledger is asked"
	ledgerWritten    = "the outcome is recorded"
	ackedAfterEffect = "acknowledged after the effect"
	retried          = "transient failures are tried again"
	keptWaiting      = "what waits stands on the bus"
	batchWritten     = "a batch is written down before it is made"
	runsCounted      = "runs are counted by the labels that they bear"
	outboxAsked      = "outbox and alerts remember what was told"
	lookedUp         = "a message in doubt is looked up"
)

// off switches each of them off. It runs in the bridge's process.
var off = map[string]func(s *app.Seams){
	storedFirst: func(s *app.Seams) {
		s.Publisher = func(p bridge.Publisher) bridge.Publisher { return publishLater{p} }
	},
	refusalsTold: func(s *app.Seams) {
		s.Publisher = func(p bridge.Publisher) bridge.Publisher { return hideRefusals{p} }
	},
	sourceIdentity: func(s *app.Seams) {
		s.Publisher = func(p bridge.Publisher) bridge.Publisher { return ownIdentity{p} }
	},
	derivedNames: func(s *app.Seams) {
		s.Submitter = func(next bridge.Submitter) bridge.Submitter { return randomName{next} }
	},
	existsIsSuccess: func(s *app.Seams) {
		s.Submitter = func(next bridge.Submitter) bridge.Submitter {
			return &existsIsFailure{next: next, tried: map[string]bool{}}
		}
	},
	ledgerAsked: func(s *app.Seams) {
		s.Ledger = func(l dispatch.Ledger) dispatch.Ledger { return forgetful{l} }
	},
	ledgerWritten: func(s *app.Seams) {
		s.Ledger = func(l dispatch.Ledger) dispatch.Ledger { return unwritten{l} }
	},
	ackedAfterEffect: func(s *app.Seams) { s.Events = acknowledgeFirst },
	retried: func(s *app.Seams) {
		s.Submitter = func(next bridge.Submitter) bridge.Submitter { return giveUp{next} }
	},
	keptWaiting: func(s *app.Seams) {
		s.Waiting = func(t waiting.Table) waiting.Table { return nobodyWaits{t} }
	},
	batchWritten: func(s *app.Seams) {
		s.State = func(t dispatch.Table) dispatch.Table { return unwrittenState{t} }
	},
	runsCounted: func(s *app.Seams) {
		s.Submitter = func(next bridge.Submitter) bridge.Submitter { return unlabelled{next} }
	},
	outboxAsked: func(s *app.Seams) {
		s.Outbox = func(t notify.Table) notify.Table { return emptyTable{t} }
		s.Alerts = func(alerts.Table) alerts.Table { return &forgetfulAlerts{states: map[string][]byte{}} }
	},
	lookedUp: func(s *app.Seams) {
		s.Alerts = func(t alerts.Table) alerts.Table { return carefree{t} }
	},
}

// publishLater answers before the event is stored.
type publishLater struct{ bridge.Publisher }

func (p publishLater) Publish(ctx context.Context, e bridge.Event) error {
	ctx = context.WithoutCancel(ctx)
	time.AfterFunc(time.Second, func() { _ = p.Publisher.Publish(ctx, e) })
	return nil
}

// hideRefusals says that all is well.
type hideRefusals struct{ bridge.Publisher }

func (p hideRefusals) Publish(ctx context.Context, e bridge.Event) error {
	_ = p.Publisher.Publish(ctx, e)
	return nil
}

// ownIdentity gives each arrival an identity of its own.
type ownIdentity struct{ bridge.Publisher }

func (p ownIdentity) Publish(ctx context.Context, e bridge.Event) error {
	e.Source += fmt.Sprint("?", rand.Uint64())
	return p.Publisher.Publish(ctx, e)
}

// randomName names each Workflow anew.
type randomName struct{ bridge.Submitter }

func (r randomName) Submit(ctx context.Context, s bridge.Submission) error {
	s.Name = fmt.Sprintf("%s-%016x", s.Template.Name, rand.Uint64())
	return r.Submitter.Submit(ctx, s)
}

// existsIsFailure takes a Workflow that an earlier try has made for a fault.
type existsIsFailure struct {
	next  bridge.Submitter
	mu    sync.Mutex
	tried map[string]bool
}

func (x *existsIsFailure) Submit(ctx context.Context, s bridge.Submission) error {
	x.mu.Lock()
	again := x.tried[s.Name]
	x.tried[s.Name] = true
	x.mu.Unlock()
	if again {
		return bridge.Permanent(errors.New("it exists"))
	}
	return x.next.Submit(ctx, s)
}

// forgetful knows no event.
type forgetful struct{ dispatch.Ledger }

func (forgetful) Done(bridge.Event) bool { return false }

func (forgetful) Lookup(context.Context, bridge.Event) (bridge.Record, bool, error) {
	return bridge.Record{}, false, nil
}

// unwritten keeps no record.
type unwritten struct{ dispatch.Ledger }

func (unwritten) Put(context.Context, bridge.Record) error { return nil }

// acknowledgeFirst settles a message, and then works.
func acknowledgeFirst(handle bus.EventHandler) bus.EventHandler {
	return func(ctx context.Context, e bridge.Event, d bus.Delivery) error {
		go func() { _ = handle(context.WithoutCancel(ctx), e, d) }()
		return nil
	}
}

// giveUp takes every failure for permanent.
type giveUp struct{ bridge.Submitter }

func (g giveUp) Submit(ctx context.Context, s bridge.Submission) error {
	return bridge.Permanent(g.Submitter.Submit(ctx, s))
}

// nobodyWaits says that a task is stored.
type nobodyWaits struct{ waiting.Table }

func (nobodyWaits) Put(context.Context, string, []byte) error { return nil }

// emptyTable remembers nothing.
type emptyTable struct{ notify.Table }

func (emptyTable) Get(context.Context, string) (bus.Entry, bool, error) {
	return bus.Entry{}, false, nil
}
func (emptyTable) Put(context.Context, string, []byte) error            { return nil }
func (emptyTable) Update(context.Context, string, []byte, uint64) error { return nil }

// forgetfulAlerts knows the alerts of this process alone.
type forgetfulAlerts struct {
	mu     sync.Mutex
	states map[string][]byte
	count  uint64
}

func (f *forgetfulAlerts) Load(_ context.Context, key string) ([]byte, uint64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.states[key], f.count, nil
}

func (f *forgetfulAlerts) Store(_ context.Context, key string, state []byte, revision uint64) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if revision != f.count {
		return bridge.ErrStale
	}
	f.states[key] = state
	f.count++
	return nil
}

func (f *forgetfulAlerts) List(context.Context, string) (map[string][]byte, error) { return nil, nil }

// carefree forgets that a message was begun, and so never looks it up.
type carefree struct{ alerts.Table }

func (c carefree) Load(ctx context.Context, key string) ([]byte, uint64, error) {
	data, revision, err := c.Table.Load(ctx, key)
	var state map[string]json.RawMessage
	if err != nil || !strings.HasPrefix(key, "alert.") || json.Unmarshal(data, &state) != nil {
		return data, revision, err
	}
	delete(state, "writer")
	delete(state, "doubt")
	data, err = json.Marshal(state)
	return data, revision, err
}

// unwrittenState says that all is stored.
type unwrittenState struct{ dispatch.Table }

func (unwrittenState) Update(context.Context, string, []byte, uint64) error { return nil }

// unlabelled makes Workflows that nobody counts for their group. The recorder knows the group by the annotation.
type unlabelled struct{ bridge.Submitter }

func (u unlabelled) Submit(ctx context.Context, s bridge.Submission) error {
	s.Labels = maps.Clone(s.Labels)
	delete(s.Labels, bridge.LabelGroup)
	return u.Submitter.Submit(ctx, s)
}
