// Package orders carries out what people ask of the bridge itself, by a comment or a button: to approve the code of
// others, to start a run anew, to stop it.
//
// An order acts only on what it may. Of what the events of a thread have started, the rule must trust the person; what is
// about one run or template, from a chat, the chat's Warden must allow, and where nothing is said nobody may. An order may
// be carried out twice, after a crash, and then changes nothing more.
package orders

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/bus"
)

// Threads are the events about the same thing; threads.Book is one.
type Threads interface {
	Posts(ctx context.Context, thread string) ([]bridge.Post, error)
	Approve(ctx context.Context, thread, commit, who string) error
}

// A Dispatcher does what an order asks for; *dispatch.Dispatcher is one.
type Dispatcher interface {
	Replay(ctx context.Context, e bridge.Event, at bus.Delivery, r bridge.Replay) ([]bridge.Replayed, error)
	// Trusts says whether the rule of a result, as it is now, trusts somebody.
	Trusts(ctx context.Context, e bridge.Event, f bridge.Facts, r bridge.Result) (ok bool, detail string, err error)
	// Release lets a held result start, Withdraw takes one that waits or is held back.
	Release(ctx context.Context, hash string, r bridge.Result, by string) error
	Withdraw(ctx context.Context, hash string, r bridge.Result, why string) error
	Find(ctx context.Context, hash string) (bridge.Record, bool, error)
	Read(ctx context.Context, sequence uint64, hash string) (e bridge.Event, found bool, err error)
	StopRun(ctx context.Context, workflow, why string) error
	// Begin makes a Workflow of a template, Origin says how such a one is stamped.
	Begin(ctx context.Context, e bridge.Event, f bridge.Facts, t bridge.Template, parameters []bridge.Parameter) (bridge.Result, error)
	Origin(e bridge.Event, f bridge.Facts, t bridge.Template) (labels, annotations map[string]string)
	// Resubmitted records a new run of what the event of that hash has started.
	Resubmitted(ctx context.Context, hash string, result bridge.Result) error
}

// Runs knows how runs stand.
type Runs interface {
	// Phase is the last phase of a run of an event that was seen; empty: none.
	Phase(ctx context.Context, hash, workflow string) (string, error)
}

// A Clerk carries orders out. Dispatcher, Threads and Runs are needed; the others where there is a Warden.
type Clerk struct {
	Dispatcher Dispatcher
	Threads    Threads
	Runs       Runs
	// Wardens say who may do what, by Facts.Source. From a source without one nobody may act on a run or template.
	Wardens   map[string]bridge.Warden
	Operator  Operator
	Templates Templates
	Silences  bridge.Silences
	// Names finds what people name without its namespace; nil: an order that names none is about nothing.
	Names Names
	// Access says which templates the events of a place may act on at all; nil: all.
	Access Access
	Now    func() time.Time
}

// An errand is one order on its way.
type errand struct {
	*Clerk
	event   bridge.Event
	facts   bridge.Facts
	order   bridge.Order
	done    []string // what was done, for people
	refused []string // what was not, and why
	made    *bridge.Result
}

// Carry implements dispatch.Orders.
func (c *Clerk) Carry(ctx context.Context, e bridge.Event, f bridge.Facts) (bridge.Answer, error) {
	x := &errand{Clerk: c, event: e, facts: f, order: *f.Order}
	if x.order.Fault != "" {
		return bridge.Answer{Text: x.order.Word + ": " + x.order.Fault}, nil
	}
	if x.forChat() {
		return x.chat(ctx)
	}
	var err error
	switch x.order.Act {
	case bridge.Approve:
		err = x.approve(ctx)
	case bridge.Retest, bridge.Test:
		err = x.retest(ctx)
	case bridge.Cancel:
		err = x.cancel(ctx)
	case bridge.Rerun, bridge.Stop:
		err = x.named(ctx)
	default:
		err = fmt.Errorf("there is no order %q", x.order.Act)
	}
	if err != nil {
		return bridge.Answer{}, err
	}
	return x.answer(), nil
}

// answer says nothing more than the reaction where all went as asked.
func (x *errand) answer() bridge.Answer {
	switch {
	case len(x.refused) > 0:
		return bridge.Answer{Done: len(x.done) > 0, Text: x.order.Word + ":\n- " + strings.Join(append(x.done, x.refused...), "\n- ")}
	case len(x.done) == 0:
		return bridge.Answer{Text: x.order.Word + ": there is nothing to do" + ofTemplate(x.order.Template)}
	}
	return bridge.Answer{Done: true}
}

func ofTemplate(name string) string {
	if name == "" {
		return ""
	}
	return " for the template " + name
}

// each calls act with every result of a record that the order is about and whose rule trusts the person.
func (x *errand) each(ctx context.Context, hash string, act func(ctx context.Context, record bridge.Record, r bridge.Result) error) error {
	record, known, err := x.Dispatcher.Find(ctx, hash)
	if err != nil || !known {
		return err
	}
	for _, r := range record.Results {
		if r.Template == bridge.OrderTemplate || !bridge.Named(x.order.Template, r.Template) {
			continue
		}
		if err := act(ctx, record, r); err != nil {
			return err
		}
	}
	return nil
}

// may says whether the rule trusts the person; if not, the answer says so.
func (x *errand) may(ctx context.Context, r bridge.Result) (bool, error) {
	ok, detail, err := x.Dispatcher.Trusts(ctx, x.event, x.facts, r)
	if err == nil && !ok {
		x.refuse(r, detail)
	}
	return ok, err
}

func (x *errand) refuse(r bridge.Result, why string) {
	line := name(r) + ": " + why
	for _, said := range x.refused {
		if said == line {
			return
		}
	}
	x.refused = append(x.refused, line)
}

// name is a rule for people.
func name(r bridge.Result) string {
	template := bridge.ParseTemplate(r.Template).Name
	if r.Rule == bridge.DefaultRule {
		return template
	}
	return template + " (" + r.Rule + ")"
}

// replay starts the rule of a result anew. The order's event names the replay, so that it is one however often the
// order is carried out.
func (x *errand) replay(ctx context.Context, record bridge.Record, template, rule string) error {
	e, found, err := x.Dispatcher.Read(ctx, record.Sequence, record.Hash())
	if err != nil {
		return err
	}
	if !found {
		x.refused = append(x.refused, "the event is no longer on the bus: push again")
		return nil
	}
	decided, err := x.Dispatcher.Replay(ctx, e, bus.Delivery{Sequence: record.Sequence, Attempt: 1, Stored: record.Stored}, bridge.Replay{
		By: x.facts.Actor, ID: x.replayID(), Event: e.ID, Template: template, Rule: rule,
	})
	if bridge.IsPermanent(err) {
		x.refused = append(x.refused, err.Error())
		return nil
	}
	for _, d := range decided {
		r := bridge.Result{Template: d.Template, Rule: d.Rule}
		switch d.Verdict {
		case bridge.Waiting, bridge.Matched:
			x.done = append(x.done, name(r)+": starts anew")
		default:
			x.refuse(r, cmp.Or(d.Detail, string(d.Verdict)))
		}
	}
	return err
}

// replayID is the same whenever the order is carried out.
func (x *errand) replayID() string { return bridge.Digest(x.event.Key())[:10] }
