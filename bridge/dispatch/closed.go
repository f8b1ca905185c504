package dispatch

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/waiting"
)

// recordAtOnce is how many members of a batch are recorded at once.
const recordAtOnce = 16

// A closed batch is one whose Workflow is to be made: it stands on the bus, one per line, from before the Workflow is
// made until the outcome is recorded for each of its events.
type closed struct {
	Submission bridge.Submission `json:"submission"`
	Batch      bridge.BatchRef   `json:"batch"`
	Members    []closedMember    `json:"members"`
}

type closedMember struct {
	Event    string `json:"event"` // hash
	Sequence uint64 `json:"sequence"`
}

func closedKey(lane string) string { return "batch." + lane }

// close names the members.
func (b *batching) close(s bridge.Submission) *closed {
	first, last := b.members[0], b.members[len(b.members)-1]
	c := &closed{Submission: s, Batch: bridge.BatchRef{
		First: first.event.ID, Last: last.event.ID, Lead: first.task.Event, Items: len(b.members),
	}}
	for _, m := range b.members {
		c.Members = append(c.Members, closedMember{m.task.Event, m.task.Sequence})
	}
	return c
}

// save writes a batch down, unless one stands there: that comes first.
func (d *Dispatcher) save(ctx context.Context, lane string, c *closed) error {
	data, err := json.Marshal(c)
	if err != nil {
		return bridge.Permanent(fmt.Errorf("encode batch: %w", err))
	}
	if !d.Leads() {
		return errDeposed
	}
	return d.State.Update(ctx, closedKey(lane), data, 0)
}

// resume goes on with a batch of the line that was closed and not finished. It says how many tasks of the turn, the
// first ones, were in it.
func (d *Dispatcher) resume(ctx context.Context, t waiting.Turn) (settled int, err error) {
	lane := t.Tasks[0].Lane()
	entry, found, err := d.State.Get(ctx, closedKey(lane))
	if err != nil || !found {
		return 0, err
	}
	var c closed
	if err := json.Unmarshal(entry.Value, &c); err != nil {
		return 0, fmt.Errorf("read batch %s: %w", lane, err)
	}
	made, overtaken, err := d.fate(ctx, c)
	switch {
	case err != nil:
		return 0, err
	case overtaken:
		return 0, d.State.Delete(ctx, closedKey(lane))
	case !made:
		if denial := d.Gate.Enter(c.Submission, true); denial != nil {
			return 0, waiting.Full{On: denial.On}
		}
	}
	if err := d.finish(ctx, t, c, made); err != nil {
		return 0, err
	}
	in := map[string]bool{}
	for _, m := range c.Members {
		in[m.Event] = true
	}
	for settled < len(t.Tasks) && in[t.Tasks[settled].Event] {
		settled++
	}
	return settled, nil
}

// finish makes the Workflow of a closed batch, unless it is made, and records it for each of its events.
func (d *Dispatcher) finish(ctx context.Context, t waiting.Turn, c closed, made bool) error {
	result := matched(bridge.Result{Batch: &c.Batch}, c.Submission)
	if !made {
		var err error
		if result, err = d.makeBatch(ctx, t, c); err != nil {
			return err
		}
	}
	var recording errgroup.Group
	recording.SetLimit(recordAtOnce)
	for _, m := range c.Members {
		recording.Go(func() error { return d.recordMember(ctx, c, m, result) })
	}
	if err := recording.Wait(); err != nil {
		return err
	}
	return d.State.Delete(ctx, closedKey(t.Tasks[0].Lane()))
}

// makeBatch makes the Workflow. An error means: not settled, try again.
func (d *Dispatcher) makeBatch(ctx context.Context, t waiting.Turn, c closed) (bridge.Result, error) {
	s, result := c.Submission, bridge.Result{Batch: &c.Batch}
	err := d.submit(ctx, attempt{stored: t.Tasks[0].Since}, s)
	if d.refused(err, t) {
		err = bridge.Permanent(fmt.Errorf("given up after %s: %w", patience, err))
	}
	switch {
	case err == nil:
		d.Gate.Made(s)
		return matched(result, s), nil
	case bridge.IsPermanent(err):
		d.Gate.Leave(s)
		return become(result, bridge.Rejected, bridge.ReasonSubmit, err.Error()), nil
	}
	d.leave(s, err)
	return result, err
}

// fate says what became of a batch that was cut off: its Workflow was made, since it was seen or the record of a member
// says so (it may be gone by now); or it was overtaken, since a member was settled otherwise. A leader that stood still
// while another took over may have written down such a one.
func (d *Dispatcher) fate(ctx context.Context, c closed) (made, overtaken bool, err error) {
	if d.Gate.Seen(c.Submission) {
		return true, false, nil
	}
	for _, m := range c.Members {
		record, _, err := d.Ledger.Find(ctx, m.Event)
		if err != nil {
			return false, false, err
		}
		before, decided := record.Result(c.Submission.Template, c.Submission.Rule, c.Submission.Annotations[bridge.AnnotationReplay])
		switch {
		case before.Workflow == c.Submission.Namespace+"/"+c.Submission.Name:
			return true, false, nil
		case decided && before.Settled() && (before.Batch == nil || *before.Batch != c.Batch || before.Workflow != ""):
			overtaken = true
		}
	}
	return false, overtaken, nil
}

func (d *Dispatcher) recordMember(ctx context.Context, c closed, m closedMember, result bridge.Result) error {
	task := waiting.Task{
		Event: m.Event, Sequence: m.Sequence, Template: c.Submission.Template, Rule: c.Submission.Rule,
		Replay: c.Submission.Annotations[bridge.AnnotationReplay],
	}
	record, known, err := d.Ledger.Find(ctx, m.Event)
	if err != nil || !known { // it has aged
		return err
	}
	before, decided := record.Result(task.Template, task.Rule, task.Replay)
	if decided && before.Settled() {
		return nil
	}
	if result.Verdict == bridge.Rejected {
		e := bridge.Event{ID: record.Event, Source: record.Source, Type: record.Type, Subject: record.Subject}
		source, _, _ := strings.Cut(record.Name, ".")
		result.Replay = task.Replay
		if _, err := d.Herald.Settled(ctx, e, bridge.Facts{Source: source, ReplyTo: record.ReplyTo}, named(task), result); err != nil {
			return err
		}
	}
	return d.settle(ctx, task, record, result)
}
