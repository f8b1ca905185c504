package dispatch

import (
	"context"
	"fmt"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/expression"
	"github.com/argo-bridge/argo-bridge/bridge/match"
)

// describe finds the facts of an event, with what its source was asked before.
func (d *Dispatcher) describe(e bridge.Event, record bridge.Record) (bridge.Facts, error) {
	f, err := Describe(d.Finders, e)
	f.Pinned = record.Pinned
	return f, err
}

// curious says that a decision needs more than the payload: an answer of the source, or its word on somebody.
func curious(decision bridge.Decision, f bridge.Facts) bool {
	switch decision.Verdict {
	case bridge.Undecided:
		return true
	case bridge.Matched:
		return f.Own || f.Skip != "" || f.Asks[bridge.AskSkip] != "" || outside(decision.Rule, f)
	}
	return false
}

// outside says that the rule would run code or a command of somebody who has to be trusted.
func outside(rule *bridge.Rule, f bridge.Facts) bool {
	return (rule.Trust == nil || !rule.Trust.Anyone) && (f.Commander != "" || len(f.Vouch) > 0 || f.Asks[bridge.AskVouch] != "")
}

// inquire decides a rule with what its source answers. An error is to be tried again.
func (d *Dispatcher) inquire(ctx context.Context, e bridge.Event, f bridge.Facts, rule *bridge.Rule) (bridge.Facts, bridge.Decision, error) {
	if f.Own {
		return f, no(rule, bridge.Filtered, bridge.ReasonOwn, "the bridge itself has caused the event"), nil
	}
	f, err := d.supply(ctx, e, f, match.Questions(rule, f))
	if err != nil {
		return unanswered(f, rule, err)
	}
	decision := match.Decide(rule, f, expression.NewScope(e, f).Variables)
	if decision.Verdict != bridge.Matched {
		return f, decision, nil
	}
	if f, err = d.supply(ctx, e, f, open(f, bridge.AskSkip)); err != nil {
		return unanswered(f, rule, err)
	}
	if f.Skip != "" {
		return f, no(rule, bridge.Skipped, bridge.ReasonSkip, f.Skip), nil
	}
	if !outside(rule, f) {
		return f, decision, nil
	}
	if f, err = d.supply(ctx, e, f, open(f, bridge.AskVouch)); err != nil {
		return unanswered(f, rule, err)
	}
	verdict, detail, err := d.trust(ctx, e, f, rule)
	if err != nil {
		return unanswered(f, rule, err)
	}
	if verdict != bridge.Matched {
		return f, no(rule, verdict, bridge.ReasonTrust, "trust: "+detail), nil
	}
	return f, decision, nil
}

// supply asks the source.
func (d *Dispatcher) supply(ctx context.Context, e bridge.Event, f bridge.Facts, questions []string) (bridge.Facts, error) {
	if len(questions) == 0 {
		return f, nil
	}
	inquirer, ok := d.Inquirers[f.Source]
	if !ok {
		return f, bridge.Permanent(fmt.Errorf("there is nobody to ask for %v", questions))
	}
	return inquirer.Supply(ctx, e, f, questions)
}

// open is the question behind a key of Facts.Asks, if it is still open.
func open(f bridge.Facts, key string) []string {
	if question := f.Asks[key]; question != "" {
		return []string{question}
	}
	return nil
}

// trust says whether the rule trusts all whose code or command it would run.
func (d *Dispatcher) trust(ctx context.Context, e bridge.Event, f bridge.Facts, rule *bridge.Rule) (bridge.Verdict, string, error) {
	if f.Commander != "" {
		if ok, detail, err := d.trusted(ctx, e, f, f.Commander, rule); err != nil || !ok {
			return bridge.Filtered, detail, err
		}
	}
	for _, who := range f.Vouch {
		ok, detail, err := d.trusted(ctx, e, f, who, rule)
		if err != nil {
			return "", "", err
		}
		if ok {
			continue
		}
		if approved, err := d.approved(ctx, e, f, rule); err != nil || approved {
			return bridge.Matched, "", err
		}
		detail += approval(f)
		if f.Commander != "" || f.Thread == "" || f.Commit == "" {
			return bridge.Filtered, detail, nil
		}
		return bridge.Held, detail, nil
	}
	return bridge.Matched, "", nil
}

// approval says how somebody who has read the code lets it run.
func approval(f bridge.Facts) string {
	if f.Thread == "" || f.Commit == "" {
		return ""
	}
	return "; who has read the commit and is trusted approves it with /ok-to-test " + f.Commit
}

func (d *Dispatcher) trusted(ctx context.Context, e bridge.Event, f bridge.Facts, who string, rule *bridge.Rule) (bool, string, error) {
	inquirer, ok := d.Inquirers[f.Source]
	if !ok {
		return false, "nobody can be asked whether " + who + " is trusted", nil
	}
	return inquirer.Trusted(ctx, e, f, who, rule.Trust)
}

// approved says whether somebody whom the rule trusts has approved the commit.
func (d *Dispatcher) approved(ctx context.Context, e bridge.Event, f bridge.Facts, rule *bridge.Rule) (bool, error) {
	if f.Thread == "" || f.Commit == "" {
		return false, nil
	}
	by, err := d.Threads.Approvers(ctx, f.Thread, f.Commit)
	if err != nil {
		return false, err
	}
	for _, who := range by {
		if ok, _, err := d.trusted(ctx, e, f, who, rule); err != nil || ok {
			return ok, err
		}
	}
	return false, nil
}

// unanswered is the decision when the source does not answer: none, when it may do so later.
func unanswered(f bridge.Facts, rule *bridge.Rule, err error) (bridge.Facts, bridge.Decision, error) {
	if bridge.IsPermanent(err) {
		return f, no(rule, bridge.Rejected, bridge.ReasonLookup, err.Error()), nil
	}
	return f, bridge.Decision{}, err
}

func no(rule *bridge.Rule, v bridge.Verdict, reason bridge.Reason, detail string) bridge.Decision {
	return bridge.Decision{Rule: rule, Verdict: v, Reason: reason, Detail: detail}
}

// pin writes down what the source has answered that may change later, before anything is made of it. The record is not
// done by that: whoever goes on after a crash goes on with the same answers.
func (h *handling) pin(ctx context.Context, f bridge.Facts) error {
	if f.Pinned == h.record.Pinned {
		return nil
	}
	h.record.Pinned, h.record.ReplyTo = f.Pinned, f.ReplyTo
	r := *h.record
	r.Done = false
	if err := h.Ledger.Put(ctx, r); err != nil {
		return err
	}
	stored, _, err := h.Ledger.Find(ctx, h.event.Hash())
	h.record.Revision = stored.Revision
	return err
}
