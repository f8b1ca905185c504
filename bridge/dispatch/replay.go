package dispatch

import (
	"context"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/bus"
	"github.com/argo-bridge/argo-bridge/bridge/expression"
	"github.com/argo-bridge/argo-bridge/bridge/match"
	"github.com/argo-bridge/argo-bridge/bridge/waiting"
)

// A Validator asks the API server what it would say to a Workflow, without making it.
type Validator interface {
	// Validate returns the object as the server would store it.
	Validate(ctx context.Context, s bridge.Submission) (object any, err error)
}

// Replay handles an event again by the rules of now. With an event in the request every rule that fits gets a
// Workflow of a new name; without, every rule that fits and has started nothing yet gets the one that
// it would have had. The Workflows are made by the leader, in the order of the events: the verdict of
// a rule that fits is waiting, or, in a dry run, matched.
func (d *Dispatcher) Replay(ctx context.Context, e bridge.Event, at bus.Delivery, r bridge.Replay) ([]bridge.Replayed, error) {
	record, _, err := d.Ledger.Find(ctx, e.Hash())
	if err != nil {
		return nil, err
	}
	facts, err := d.describe(e, record)
	if err != nil {
		return nil, bridge.Permanent(err)
	}
	x := &replaying{
		Dispatcher: d, request: r, event: e, at: at,
		attempt: attempt{event: e, facts: facts, scope: expression.NewScope(e, facts), stored: at.Stored},
	}
	if r.Event != "" {
		x.attempt.replay = r.ID
	}
	for _, decision := range d.Rules.Match(facts, x.attempt.scope.Variables) {
		if !bridge.Named(r.Template, decision.Rule.Template.String()) || r.Rule != "" && r.Rule != decision.Rule.Name {
			continue
		}
		if err := x.decide(ctx, record, decision); err != nil {
			return x.decided, err
		}
	}
	return x.decided, x.enqueue(ctx)
}

// A replaying is one event of a replay.
type replaying struct {
	*Dispatcher
	request bridge.Replay
	event   bridge.Event
	at      bus.Delivery
	attempt attempt
	decided []bridge.Replayed
	tasks   []waiting.Task
}

func (x *replaying) decide(ctx context.Context, record bridge.Record, d bridge.Decision) error {
	a := x.attempt
	a.rule = d.Rule
	if curious(d, a.facts) {
		var err error
		if a.facts, d, err = x.ask(ctx, a.facts, d); err != nil {
			return err
		}
		a.scope = expression.NewScope(x.event, a.facts)
	}
	d, err := x.permit(ctx, a.facts, d)
	if err != nil {
		return err
	}
	answer := bridge.Replayed{
		Event: x.event.ID, Template: a.rule.Template.String(), Rule: a.rule.Name, Verdict: d.Verdict, Reason: d.Reason, Detail: d.Detail,
	}
	if d.Verdict != bridge.Matched {
		x.decided = append(x.decided, answer)
		return nil
	}
	before, _ := record.Result(d.Rule.Template, d.Rule.Name, x.attempt.replay)
	if before.Verdict == bridge.Matched {
		return nil // started before
	}
	s, reason, err := x.plan(a)
	answer.Workflow = s.Namespace + "/" + s.Name
	switch {
	case err != nil:
		answer.Verdict, answer.Reason, answer.Detail, answer.Workflow = bridge.Rejected, reason, err.Error(), ""
	case x.request.DryRun:
		if answer.Object, err = x.Validator.Validate(ctx, s); err != nil {
			answer.Refused = err.Error()
		}
	default:
		answer.Verdict, answer.Reason = bridge.Waiting, bridge.ReasonReplay
		x.tasks = append(x.tasks, waiting.Task{
			Event: x.event.Hash(), Sequence: x.at.Sequence, Template: d.Rule.Template, Rule: d.Rule.Name,
			Replay: a.replay, Since: x.Now().UTC(), Line: x.line(d.Rule, a.scope),
		})
	}
	x.decided = append(x.decided, answer)
	return nil
}

// permit lets only those start a rule whom it trusts.
func (x *replaying) permit(ctx context.Context, f bridge.Facts, d bridge.Decision) (bridge.Decision, error) {
	if x.request.By == "" || d.Verdict != bridge.Matched {
		return d, nil
	}
	ok, detail, err := x.mayOrder(ctx, x.event, f, x.request.By, d.Rule)
	if err != nil || ok {
		return d, err
	}
	return no(d.Rule, bridge.Filtered, bridge.ReasonTrust, "trust: "+detail), nil
}

// ask decides a rule with what the source answers. Who may replay any event is trusted: of what an order asks for, the
// code of others stays theirs.
func (x *replaying) ask(ctx context.Context, f bridge.Facts, d bridge.Decision) (bridge.Facts, bridge.Decision, error) {
	if x.request.By != "" {
		return x.inquire(ctx, x.event, f, d.Rule)
	}
	f, err := x.supply(ctx, x.event, f, match.Questions(d.Rule, f))
	if err != nil {
		return unanswered(f, d.Rule, err)
	}
	return f, match.Decide(d.Rule, f, expression.NewScope(x.event, f).Variables), nil
}

// line is where a rule with flow control waits; its plan has shown that it can be told.
func (x *replaying) line(rule *bridge.Rule, scope *expression.Scope) *waiting.Line {
	variables, err := scope.Variables()
	if err != nil {
		return nil
	}
	line, err := lineOf(rule, variables)
	if err != nil {
		return nil
	}
	return line
}

// enqueue records what waits, then puts it into the waiting room. Cut off between the two it is done again by
// the same request.
func (x *replaying) enqueue(ctx context.Context) error {
	if len(x.tasks) == 0 {
		return nil
	}
	err := x.update(ctx, x.event.Hash(), func(r *bridge.Record, known bool) bool {
		if !known {
			*r = bridge.Record{
				Event: x.event.ID, Source: x.event.Source, Type: x.event.Type, Subject: x.event.Subject,
				Name: x.attempt.facts.Name, Stored: x.at.Stored.UTC(),
			}
		}
		r.Sequence = x.at.Sequence
		for _, t := range x.tasks {
			r.Set(bridge.Result{
				Template: t.Template.String(), Rule: t.Rule, Replay: t.Replay, Verdict: bridge.Waiting, Reason: bridge.ReasonReplay, At: t.Since,
			})
		}
		return true
	})
	if err != nil {
		return err
	}
	for _, t := range x.tasks {
		if err := x.Room.Add(ctx, t); err != nil {
			return err
		}
		waits := bridge.Result{Verdict: bridge.Waiting, Reason: bridge.ReasonReplay, Replay: t.Replay}
		if _, err := x.Herald.Settled(ctx, x.event, x.attempt.facts, named(t), waits); err != nil {
			return err
		}
	}
	return nil
}
