package alerts

import (
	"context"
	"fmt"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/bus"
	"github.com/argo-bridge/argo-bridge/bridge/notify"
)

// A scene is a notification, and when it is made.
type scene struct {
	at time.Duration
	n  bridge.Notification
}

// A teller is what the reporter of a story needs: routes, a queue and tables.
type teller struct {
	c      *chaos
	routes map[string][]bridge.Route
	state  map[string]bus.Entry
	now    time.Duration
	begun  time.Time
	all    []scene
}

func (w *teller) Routes(t bridge.Template, _ string) []bridge.Route    { return w.routes[t.Name] }
func (w *teller) Variables(context.Context, bridge.Run) map[string]any { return nil }
func (w *teller) Get(_ context.Context, k string) (bus.Entry, bool, error) {
	e, ok := w.state[k]
	return e, ok, nil
}
func (w *teller) Put(_ context.Context, k string, v []byte) error {
	w.state[k] = bus.Entry{Key: k, Value: v, Revision: 1}
	return nil
}
func (w *teller) Update(ctx context.Context, k string, v []byte, _ uint64) error {
	return w.Put(ctx, k, v)
}
func (w *teller) Enqueue(_ context.Context, n bridge.Notification) error {
	if n.To.Target == "#loud" {
		return nil
	}
	w.all = append(w.all, scene{w.now, n})
	w.c.told = append(w.c.told, n)
	return nil
}

// story makes up some templates and their runs, and returns what is to be told of them.
func (c *chaos) story() []scene {
	w := &teller{c: c, routes: map[string][]bridge.Route{}, state: map[string]bus.Entry{}, begun: time.Now()}
	r := &notify.Reporter{Routes: w, Runs: w, Queue: w, History: &notify.History{Table: w}, Origins: w, Log: zap.NewNop(), Now: func() time.Time { return w.begun.Add(w.now) }}
	type change struct {
		at  time.Duration
		run bridge.Run
	}
	var changes []change
	for _, template := range []string{"a", "b", "c", "d"}[:1+c.n(4)] {
		w.routes[template] = c.routesOf()
		groups := c.roll(3)
		for i := range 1 + c.n(7) {
			run := bridge.Run{
				Namespace: "team", Name: fmt.Sprintf("%s-%d", template, i), UID: fmt.Sprintf("uid-%s-%d", template, i), Template: bridge.Template{Namespace: "team", Name: template},
				Labels: map[string]string{}, Annotations: map[string]string{},
			}
			if groups {
				run.Labels[bridge.LabelGroup] = fmt.Sprint(c.n(2))
			}
			if c.roll(2) {
				run.Labels[bridge.LabelEvent] = bridge.Event{ID: run.UID}.Hash()
			}
			at := c.within(chaosFor)
			for _, state := range c.life(w.begun, at, run) {
				changes = append(changes, change{state.Created.Sub(w.begun), state})
			}
		}
	}
	slices.SortStableFunc(changes, func(a, b change) int { return int(a.at - b.at) })
	for _, next := range changes {
		w.now = next.at
		if next.run.Phase == "Queued" || next.run.Phase == "Rejected" {
			w.matched(next.run)
			continue
		}
		if err := r.Changed(context.Background(), next.run); err != nil {
			c.wrong("%v", err)
		}
	}
	return w.all
}

func (c *chaos) routesOf() (all []bridge.Route) {
	outcomes := [][]bridge.Outcome{
		{bridge.Failed}, {bridge.Failed}, {bridge.Failed, bridge.Recovered}, {bridge.Started, bridge.Failed}, {bridge.Queued, bridge.Started, bridge.Failed, bridge.Completed},
		{bridge.Started}, {bridge.Suspended, bridge.Failed}, {bridge.Completed}, {bridge.EventRejected, bridge.Failed, bridge.Succeeded},
	}
	targets := []string{"#one", "#two", "@ann", c.channels[0].ID}
	if c.limits { // that a name and an id are one channel is not known before the first message
		targets = targets[:3]
	}
	for _, target := range targets[:1+c.n(len(targets))] {
		to := bridge.Destination{Scheme: "slack", Target: target}
		for _, outcome := range outcomes[c.n(len(outcomes))] {
			all = append(all, bridge.Route{Outcome: outcome, To: to})
		}
	}
	return all
}

// matched tells what Reporter.Settled tells of an event.
func (w *teller) matched(run bridge.Run) {
	outcome := bridge.Queued
	subject := bridge.RunKey(run.Labels[bridge.LabelEvent], run.Template, run.Rule, "")
	if run.Phase == "Rejected" {
		outcome = bridge.EventRejected
	}
	run.UID, run.Phase = "", map[bool]string{true: "Pending", false: "Rejected"}[outcome == bridge.Queued]
	for _, route := range w.routes[run.Template.Name] {
		if route.Outcome == outcome {
			_ = w.Enqueue(context.Background(), bridge.Notification{
				Key: subject + string(outcome) + route.To.String(), Outcome: outcome, To: route.To, Run: run, Subject: subject, Reason: "why", Created: w.begun.Add(w.now),
			})
		}
	}
}

// life are the states that a run passes; Created is when it does.
func (c *chaos) life(begun time.Time, at time.Duration, run bridge.Run) (all []bridge.Run) {
	now := begun.Add(at)
	next := func() { now = now.Add(time.Second + c.within(5*time.Minute).Truncate(time.Second)) }
	add := func(phase string) { run.Phase, run.Created = phase, now; all = append(all, run) }
	if run.Labels[bridge.LabelEvent] != "" {
		if c.roll(6) {
			run.Name = ""
			add("Rejected")
			return all
		}
		add("Queued")
		next()
	}
	for attempt := 0; ; attempt++ {
		run.Started, run.Finished, run.Failures, run.Message = now.Truncate(time.Second), time.Time{}, nil, ""
		add("Running")
		next()
		if c.roll(4) {
			run.Pauses = []bridge.Pause{{Node: "n1", Path: "approve", Phase: "Running", Started: now.Truncate(time.Second)}}
			add("Running")
			next()
			run.Pauses = []bridge.Pause{{Node: "n1", Path: "approve", Phase: "Succeeded", Started: run.Pauses[0].Started}}
			if c.roll(2) {
				add("Running")
				next()
			}
		}
		run.Finished = now.Truncate(time.Second)
		if c.roll(8) {
			run.Annotations = map[string]string{bridge.AnnotationStopped: "by a rule"}
			add("Failed")
			return all
		}
		if c.roll(3) {
			add("Succeeded")
			return all
		}
		message := []string{"Error (exit code 1)", "OOMKilled", "no space left on device"}[c.n(3)]
		run.Failures = []bridge.Failure{{Path: "load", Phase: "Failed", Message: message, Log: []string{"no such file"}}}
		add("Failed")
		if attempt == 2 || c.roll(2) {
			return all
		}
		next()
	}
}
