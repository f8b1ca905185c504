package dispatch

import (
	"context"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/waiting"
)

// Trusts says whether the rule of a result, as it is now, trusts the person who caused an event. Of a rule that is gone
// the bridge's own setting decides.
func (d *Dispatcher) Trusts(ctx context.Context, e bridge.Event, f bridge.Facts, r bridge.Result) (ok bool, detail string, err error) {
	rule, _ := d.Rules.Rule(bridge.ParseTemplate(r.Template), r.Rule)
	if rule == nil {
		rule = &bridge.Rule{}
	}
	return d.mayOrder(ctx, e, f, f.Actor, rule)
}

// mayOrder says whether somebody may start and stop what others have caused. A rule that runs anybody's code does not let
// anybody do that: then the bridge's own setting decides.
func (d *Dispatcher) mayOrder(ctx context.Context, e bridge.Event, f bridge.Facts, who string, rule *bridge.Rule) (ok bool, detail string, err error) {
	if rule.Trust != nil && rule.Trust.Anyone {
		rule = &bridge.Rule{Template: rule.Template, Name: rule.Name}
	}
	return d.trusted(ctx, e, f, who, rule)
}

// Find returns the record of an event.
func (d *Dispatcher) Find(ctx context.Context, hash string) (bridge.Record, bool, error) {
	return d.Ledger.Find(ctx, hash)
}

// Read reads an event again; found is false when it is no longer on the bus.
func (d *Dispatcher) Read(ctx context.Context, sequence uint64, hash string) (e bridge.Event, found bool, err error) {
	_, err = d.Events.WithEvent(ctx, sequence, func(read bridge.Event) {
		if found = read.Hash() == hash; found {
			e = read
		}
	})
	return e, found, err
}

// StopRun stops a run, namespace/name, by somebody's order.
func (d *Dispatcher) StopRun(ctx context.Context, workflow, why string) error {
	return d.Stopper.Stop(ctx, workflow, bridge.ShutdownStop, why)
}

// Begin makes a Workflow of a template by an event's order, with a name that the event gives. Its errors are those of a
// Submitter.
func (d *Dispatcher) Begin(ctx context.Context, e bridge.Event, f bridge.Facts, t bridge.Template, parameters []bridge.Parameter) (bridge.Result, error) {
	s := d.ordered(e, f, t, parameters)
	result := matched(bridge.Result{Template: t.String()}, s)
	result.At = d.Now().UTC()
	if d.Gate.Seen(s) { // made before a crash; it may be gone already
		return result, nil
	}
	if err := d.Submitter.Submit(ctx, s); err != nil {
		return bridge.Result{}, err
	}
	d.Gate.Made(s)
	return result, nil
}

// ordered is the Workflow of an order: like a run that somebody starts by hand it is of no rule.
func (d *Dispatcher) ordered(e bridge.Event, f bridge.Facts, t bridge.Template, parameters []bridge.Parameter) bridge.Submission {
	rule := &bridge.Rule{Template: t}
	s := bridge.Submission{
		Template: t, Namespace: t.Namespace, Name: WorkflowName(rule, e, ""), Parameters: parameters,
		Labels: originLabels(e, f, rule), Annotations: originAnnotations(e, f, rule),
	}
	if t.Cluster() {
		s.Namespace = d.ClusterNamespace
	}
	delete(s.Labels, bridge.LabelRule)
	s.Annotations[annotationDescription] = "Started by order of " + escapeMarkdown(f.Actor)
	return s
}

// Origin are the labels and annotations of a Workflow that an event's order has made.
func (d *Dispatcher) Origin(e bridge.Event, f bridge.Facts, t bridge.Template) (labels, annotations map[string]string) {
	s := d.ordered(e, f, t, nil)
	return s.Labels, s.Annotations
}

// Resubmitted records a new run of what an event has started, as it does a replay's.
func (d *Dispatcher) Resubmitted(ctx context.Context, hash string, result bridge.Result) error {
	return d.update(ctx, hash, func(r *bridge.Record, known bool) bool {
		if before, is := r.Result(bridge.ParseTemplate(result.Template), result.Rule, result.Replay); !known || is && before.Workflow == result.Workflow {
			return false
		}
		result.At = d.Now().UTC()
		r.Set(result)
		return true
	})
}

// Release lets a held result start, since somebody has approved the code. The record comes first: cut off between the
// two, the order is carried out again, and finds it so.
func (d *Dispatcher) Release(ctx context.Context, hash string, r bridge.Result, by string) error {
	var task waiting.Task
	err := d.update(ctx, hash, func(record *bridge.Record, known bool) bool {
		now, is := record.Result(bridge.ParseTemplate(r.Template), r.Rule, r.Replay)
		if !known || !is || now.Verdict != bridge.Held && (now.Verdict != bridge.Waiting || now.Approved != by) {
			return false
		}
		task = waiting.Task{
			Event: hash, Sequence: record.Sequence, Template: bridge.ParseTemplate(r.Template), Rule: r.Rule, Replay: r.Replay, Since: d.Now().UTC(),
		}
		if now.Verdict == bridge.Waiting { // released before a crash
			return false
		}
		now = become(now, bridge.Waiting, bridge.ReasonOrder, "approved by "+by)
		now.Approved, now.At = by, d.Now().UTC()
		record.Set(now)
		return true
	})
	if err != nil || task.Event == "" {
		return err
	}
	return d.Room.Add(ctx, task)
}

// Withdraw takes back a result that waits or is held. Its task, if there is one, finds it settled.
func (d *Dispatcher) Withdraw(ctx context.Context, hash string, r bridge.Result, why string) error {
	var withdrawn bridge.Record
	var result bridge.Result
	err := d.update(ctx, hash, func(record *bridge.Record, known bool) bool {
		now, is := record.Result(bridge.ParseTemplate(r.Template), r.Rule, r.Replay)
		if !known || !is || now.Settled() && now.Verdict != bridge.Held {
			return false
		}
		result = become(now, bridge.Skipped, bridge.ReasonOrder, why)
		result.At = d.Now().UTC()
		record.Set(result)
		withdrawn = *record
		return true
	})
	if err != nil || withdrawn.Event == "" {
		return err
	}
	return d.tellAgain(ctx, withdrawn, result)
}

// tellAgain tells of a result with what the event says, or without where it is gone.
func (d *Dispatcher) tellAgain(ctx context.Context, record bridge.Record, result bridge.Result) error {
	e, found, err := d.Read(ctx, record.Sequence, record.Hash())
	if err != nil && !bridge.IsPermanent(err) {
		return err
	}
	if !found {
		return nil
	}
	facts, err := d.describe(e, record)
	if err != nil {
		return nil //nolint:nilerr // an event that cannot be read has nobody to be told
	}
	_, err = d.Herald.Settled(ctx, e, facts, &bridge.Rule{Template: bridge.ParseTemplate(result.Template), Name: result.Rule}, result)
	return err
}
