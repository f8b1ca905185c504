package flow

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/submit"
)

const (
	// patience is how long a schedule waits for the bridges: a killed leader's lease lasts 15 seconds.
	patience = 90 * time.Second
	// sight is how long it may take until every bridge has seen what has happened.
	sight = 2 * time.Second
)

// A sentEvent is one event of a schedule.
type sentEvent struct {
	id, hash string
	group    int
	sequence uint64    // its place on the bus
	sent     time.Time // before it was sent
}

// A trial is one schedule that is being played.
type trial struct {
	*world
	schedule
	events []sentEvent
	ended  map[string]bool // runs that this trial has ended or deleted
}

// play does the steps, and then ends all runs until nothing is left to do.
func (x *trial) play(ctx context.Context) error {
	for i, s := range x.steps {
		if err := x.step(ctx, s); err != nil {
			return fmt.Errorf("step %d, %s: %w", i+1, s.do, err)
		}
	}
	return until(ctx, patience, "all is over", func() error { return x.drain(ctx) })
}

func (x *trial) step(ctx context.Context, s step) error {
	switch s.do {
	case send:
		return x.send(ctx, s)
	case byHand:
		return x.start(ctx, s.group)
	case finish:
		return x.end(ctx, s)
	case remove:
		return x.delete(ctx, s)
	case restart:
		x.restarts.ask(s)
		return nil
	case quiet:
		return until(ctx, patience, "the bridges have nothing to do", x.quiet)
	}
	return until(ctx, patience, "the bridges have nothing to do, and know it", x.calm)
}

func (x *trial) send(ctx context.Context, s step) error {
	for range s.count {
		data, err := json.Marshal(map[string]string{"group": x.nameOf(s.group)})
		if err != nil {
			return err
		}
		e := bridge.Event{
			ID: fmt.Sprintf("%s-%d", x.template(), len(x.events)), Source: "https://flow.example.com", Type: x.eventType(), Data: data,
		}
		sent := sentEvent{id: e.ID, hash: e.Hash(), group: s.group, sent: time.Now()}
		if sent.sequence, err = x.bus.publish(ctx, e); err != nil {
			return err
		}
		x.events = append(x.events, sent)
	}
	return nil
}

func (x *trial) nameOf(group int) string {
	if len(x.groups) == 0 {
		return "none"
	}
	return x.groups[group]
}

// start makes a run as a person does.
func (x *trial) start(ctx context.Context, group int) error {
	labels := map[string]any{submit.LabelTemplate: x.template()}
	if label := x.label(group); label != "" {
		labels[bridge.LabelGroup] = label
	}
	_, err := x.workflows.Create(ctx, &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow",
		"metadata": map[string]any{"generateName": x.template() + "-by-hand-", "labels": labels},
		"spec":     map[string]any{"workflowTemplateRef": map[string]any{"name": x.template()}},
	}}, metav1.CreateOptions{})
	return err
}

// choose picks one of the runs that there are.
func (x *trial) choose(pick int, fits func(run) bool) (run, bool) {
	var all []run
	for _, r := range x.recorder.live(x.template()) {
		if !x.ended[r.name] && fits(r) {
			all = append(all, r)
		}
	}
	if len(all) == 0 {
		return run{}, false
	}
	return all[pick%len(all)], true
}

func (x *trial) end(ctx context.Context, s step) error {
	r, ok := x.choose(s.pick, func(run) bool { return true })
	if !ok {
		return nil
	}
	x.ended[r.name] = true
	return x.controller.end(ctx, r.name, s.phase)
}

// delete takes a run away whose making is recorded: of one that is gone before the bridge that made it could write that
// down, and has died, docs/delivery.md promises nothing.
func (x *trial) delete(ctx context.Context, s step) error {
	r, ok := x.choose(s.pick, func(r run) bool { return !r.ours || x.settled(r.event) })
	if !ok {
		return nil
	}
	x.ended[r.name] = true
	return x.controller.delete(ctx, r.name)
}

func (x *trial) settled(hash string) bool {
	result, ok := x.ledger.result(hash)
	return ok && result.Settled()
}

// quiet says which event a bridge still has to do something for: one that is not settled though its group has room.
func (x *trial) quiet() error {
	flying := map[string]int{}
	for _, r := range x.recorder.live(x.template()) {
		flying[r.group]++
	}
	for _, e := range x.events {
		if n := flying[x.label(e.group)]; !x.settled(e.hash) && n < x.limit {
			result, _ := x.ledger.result(e.hash)
			return fmt.Errorf("%s waits, though %d of at most %d runs of its group are in flight: %+v", e.id, n, x.limit, result)
		}
	}
	return x.recorder.broken()
}

func (x *trial) calm() error {
	if err := x.quiet(); err != nil {
		return err
	}
	if time.Since(x.recorder.last(x.template())) < sight {
		return errors.New("not for long enough")
	}
	return nil
}

// drain ends all runs, and says what is not over.
func (x *trial) drain(ctx context.Context) error {
	live := x.recorder.live(x.template())
	for _, r := range live {
		if x.ended[r.name] {
			continue
		}
		x.ended[r.name] = true
		if err := x.controller.end(ctx, r.name, "Succeeded"); err != nil {
			return err
		}
	}
	for _, e := range x.events {
		result, ok := x.ledger.result(e.hash)
		if !ok || !result.Settled() {
			return fmt.Errorf("%s waits: %+v", e.id, result)
		}
		if result.Verdict == bridge.Matched && !x.recorder.saw(x.template(), e.hash) {
			return fmt.Errorf("%s is matched, and has no Workflow", e.id)
		}
	}
	if len(live) > 0 {
		return fmt.Errorf("%d runs have not ended", len(live))
	}
	return x.recorder.broken()
}
