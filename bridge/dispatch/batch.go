package dispatch

import (
	"context"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/expression"
	"github.com/argo-bridge/argo-bridge/bridge/inflight"
	"github.com/argo-bridge/argo-bridge/bridge/match"
	"github.com/argo-bridge/argo-bridge/bridge/waiting"
)

// maxBatchBytes closes a batch whose events have more data than that: all of it is in memory, decoded.
const maxBatchBytes = 4 << 20

// A batching makes one Workflow of the events of a line.
//
// Who is in the batch is written down before the Workflow is made (see closed), so that whoever goes on after
// a crash makes the same one of the same events.
type batching struct {
	*Dispatcher
	waiting.Turn
	rule    *bridge.Rule
	members []member
	looked  int  // so many tasks were looked at
	full    bool // there was no room for more
}

// A member is one event of a batch.
type member struct {
	task   waiting.Task
	record bridge.Record
	event  bridge.Event // without its data
	facts  bridge.Facts
	Member
}

// batch closes a batch and makes its Workflow. Tasks of the turn that turn out to be settled, stale or without an
// event are settled on the way.
func (d *Dispatcher) batch(ctx context.Context, rule *bridge.Rule, t waiting.Turn) (settled int, err error) {
	c, settled, err := d.collect(ctx, rule, t)
	if err != nil || c == nil {
		return settled, err
	}
	if err := d.finish(ctx, t, *c, false); err != nil {
		return 0, err
	}
	return settled, nil
}

// collect closes a batch and writes it down; nil: there is none to be made. One at a time has its events in memory.
func (d *Dispatcher) collect(ctx context.Context, rule *bridge.Rule, t waiting.Turn) (c *closed, settled int, err error) {
	d.collecting.Lock()
	defer d.collecting.Unlock()
	b := &batching{Dispatcher: d, Turn: t, rule: rule}
	if err := b.gather(ctx); err != nil {
		return nil, 0, err
	}
	if len(b.members) == 0 {
		return nil, b.looked, nil
	}
	s, n, err := b.largest()
	switch {
	case err != nil:
		settled, err = b.isolate(ctx, err)
		return nil, settled, err
	case b.Open && !b.full && n == len(b.members):
		return nil, 0, nil // it may grow
	}
	b.looked, b.members = b.upTo(n), b.members[:n]
	if err := b.enter(ctx, s); err != nil {
		return nil, 0, err
	}
	c = b.close(s)
	if err := d.save(ctx, t.Tasks[0].Lane(), c); err != nil {
		d.Gate.Leave(s)
		return nil, 0, err
	}
	return c, b.looked, nil
}

// enter takes a place among the runs in flight, and one of the rate.
func (b *batching) enter(ctx context.Context, s bridge.Submission) error {
	if denial := b.Gate.Enter(s, true); denial != nil {
		return b.denied(ctx, denial)
	}
	if err := b.rates.take(ctx, b.State, b.rule, b.Now()); err != nil {
		b.Gate.Leave(s)
		return err
	}
	return nil
}

// denied says in the record of the first event which limit the batch waits for.
func (b *batching) denied(ctx context.Context, denial *inflight.Denial) error {
	first := b.members[0]
	if before, _ := first.record.Result(first.task.Template, first.task.Rule, first.task.Replay); before.Detail != denial.Detail {
		waits := bridge.Result{Verdict: bridge.Waiting, Reason: denial.Reason, Detail: denial.Detail}
		if err := b.settle(ctx, first.task, first.record, waits); err != nil {
			return err
		}
	}
	return waiting.Full{On: denial.On}
}

// gather reads the events of the turn, in order, as many as may be.
func (b *batching) gather(ctx context.Context) error {
	bytes := 0
	for _, task := range b.Tasks {
		record, known, err := b.Ledger.Find(ctx, task.Event)
		if err != nil {
			return err
		}
		if before, ok := record.Result(task.Template, task.Rule, task.Replay); ok && before.Settled() {
			b.looked++
			continue
		}
		var ours, fits bool
		var failed error
		_, err = b.Events.WithEvent(ctx, task.Sequence, func(e bridge.Event) {
			if ours = e.Hash() == task.Event; !ours {
				return
			}
			if fits = len(b.members) == 0 || bytes+len(e.Data) <= maxBatchBytes; !fits {
				return
			}
			if !known {
				record = aged(e, task)
			}
			bytes += len(e.Data)
			failed = b.add(ctx, task, record, e)
		})
		switch {
		case err != nil && !bridge.IsPermanent(err):
			return err
		case failed != nil:
			return failed
		case !ours:
			lost := bridge.Result{Verdict: bridge.Rejected, Reason: bridge.ReasonLost, Detail: lostDetail}
			if err := b.settle(ctx, task, record, lost); err != nil {
				return err
			}
		case !fits:
			b.full = true
			return nil
		}
		b.looked++
	}
	return nil
}

// add makes an event a member, unless it is stale or cannot be read.
func (b *batching) add(ctx context.Context, task waiting.Task, record bridge.Record, e bridge.Event) error {
	facts, err := b.describe(e, record)
	if err != nil {
		return b.reject(ctx, member{task: task, record: record, event: e}, bridge.ReasonPayload, err)
	}
	if facts, err = b.supply(ctx, e, facts, match.Questions(b.rule, facts)); err != nil {
		return err
	}
	m := member{task: task, record: record, event: e, facts: facts}
	if err := tooDeep(facts, b.MaxDepth); err != nil {
		return b.reject(ctx, m, bridge.ReasonDepth, err)
	}
	if b.rule.Flow.LatestOnly && task.Replay == "" {
		newer, err := b.newer(ctx, b.rule, e, facts, task.Sequence)
		if err != nil {
			return err
		}
		if newer != "" {
			return b.settle(ctx, task, record, bridge.Result{
				Verdict: bridge.Skipped, Reason: bridge.ReasonLatestOnly, Detail: "latest-only: " + newer,
			})
		}
	}
	variables, err := expression.NewScope(e, facts).Variables()
	if err != nil {
		return b.reject(ctx, m, bridge.ReasonPayload, err)
	}
	m.event.Data = nil
	m.Member = Member{m.event, variables}
	b.members = append(b.members, m)
	return nil
}

// upTo is how many tasks of the turn are settled when the first n members are.
func (b *batching) upTo(n int) int {
	if n == len(b.members) {
		return b.looked
	}
	next := b.members[n].task
	for i, t := range b.Tasks {
		if t.Sequence == next.Sequence && t.Event == next.Event && t.Rule == next.Rule {
			return i
		}
	}
	return b.looked
}

// isolate rejects the members that make no Workflow even alone, or, when each would, all of them: whoever remains
// is looked at again.
func (b *batching) isolate(ctx context.Context, whole error) (settled int, err error) {
	bad := map[int]error{}
	for i := range b.members {
		if _, err := b.plan(b.members[i : i+1]); err != nil {
			bad[i] = err
		}
	}
	for i, m := range b.members {
		why, alone := bad[i]
		if !alone && len(bad) > 0 {
			continue
		}
		if !alone {
			why = whole
		}
		if err := b.reject(ctx, m, bridge.ReasonParameter, why); err != nil {
			return 0, err
		}
	}
	if len(bad) == 0 {
		return b.looked, nil
	}
	return 0, bridge.Permanent(whole) // again, without those
}

// reject settles an event of which nothing can be made.
func (b *batching) reject(ctx context.Context, m member, reason bridge.Reason, why error) error {
	result := bridge.Result{Verdict: bridge.Rejected, Reason: reason, Detail: why.Error()}
	if _, err := b.Herald.Settled(ctx, m.event, m.facts, named(m.task), result); err != nil {
		return err
	}
	return b.settle(ctx, m.task, m.record, result)
}
