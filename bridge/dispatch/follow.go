package dispatch

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/match"
)

// answers are what the rules of a command say.
type answers struct {
	done  bool
	texts []string
}

// answer keeps what the person hears who gave the command that a rule starts for.
func (h *handling) answer(rule *bridge.Rule, f bridge.Facts, result bridge.Result) {
	if _, commanded := match.CommandOf(rule, f); !commanded || f.Commander == "" {
		return
	}
	done, text := answerOf(rule, result)
	h.answers.done = h.answers.done || done
	if text != "" {
		h.answers.texts = append(h.answers.texts, text)
	}
}

// answerOf is what one rule says to who gave the command that it starts for: nothing while it is not known whether it
// does.
func answerOf(rule *bridge.Rule, result bridge.Result) (done bool, text string) {
	switch result.Verdict {
	case bridge.Waiting:
		return result.Reason != bridge.ReasonLookup, ""
	case bridge.Matched:
		return true, ""
	case bridge.Rejected, bridge.Held, bridge.Skipped, bridge.Parked:
		return false, rule.Template.Name + ": " + result.Detail
	case bridge.Filtered:
		if result.Reason == bridge.ReasonTrust {
			return false, rule.Template.Name + ": " + result.Detail
		}
	}
	return false, ""
}

// answer answers a command once it is known what comes of it, by the source's word.
func (t *turn) answer(ctx context.Context, result bridge.Result) error {
	if _, commanded := match.CommandOf(t.rule, t.facts); !commanded || t.facts.Commander == "" {
		return nil
	}
	done, text := answerOf(t.rule, result)
	if !done && text == "" {
		return nil
	}
	return t.reply(ctx, t.event, t.facts, bridge.Answer{Done: done, Text: text})
}

// follow does what comes after the rules: the event joins its threads, its order is carried out, and who gave a command
// is answered.
func (h *handling) follow(ctx context.Context) error {
	if h.facts.Own {
		return nil
	}
	if err := h.join(ctx); err != nil {
		return err
	}
	a := bridge.Answer{Done: h.answers.done, Text: strings.Join(h.answers.texts, "\n")}
	if h.facts.Order != nil {
		carried, err := h.order(ctx)
		if err != nil {
			return err
		}
		a.Done, a.Text = a.Done || carried.Done, strings.TrimSpace(a.Text+"\n"+carried.Text)
	}
	if a == (bridge.Answer{}) {
		return nil
	}
	return h.reply(ctx, h.event, h.facts, a)
}

// reply answers where the command or order was given, unless the source waits for the record and answers itself.
func (d *Dispatcher) reply(ctx context.Context, e bridge.Event, f bridge.Facts, a bridge.Answer) error {
	if f.Awaited {
		return nil
	}
	return d.Herald.Answer(ctx, e, f, a)
}

// join lets people find the event by its thread: when something may have come of it, or is to.
func (h *handling) join(ctx context.Context) error {
	var threads []string
	if h.facts.Thread != "" && h.facts.Commit != "" && h.facts.Commander == "" || h.facts.Thread != "" && h.started() {
		threads = append(threads, h.facts.Thread)
	}
	if h.told && h.facts.Commit != "" {
		threads = append(threads, h.facts.Commit)
	}
	if len(threads) == 0 {
		return nil
	}
	return h.Threads.Join(ctx, threads, bridge.Post{
		Event: h.event.Hash(), Sequence: h.record.Sequence, Commit: h.facts.Commit, Command: h.facts.Commander != "",
	})
}

func (h *handling) started() bool {
	return slices.ContainsFunc(h.record.Results, func(r bridge.Result) bool {
		return r.Verdict == bridge.Matched || r.Verdict == bridge.Waiting
	})
}

// order carries the event's order out, once.
func (h *handling) order(ctx context.Context) (bridge.Answer, error) {
	word := h.facts.Order.Word
	if before, done := h.record.Result(bridge.ParseTemplate(bridge.OrderTemplate), word, ""); done {
		return bridge.Answer{Done: before.Verdict == bridge.Matched, Text: before.Detail}, nil
	}
	a, err := h.Orders.Carry(ctx, h.event, h.facts)
	if err != nil {
		return a, err
	}
	result := bridge.Result{Template: bridge.OrderTemplate, Rule: word, Verdict: bridge.Matched, Reason: bridge.ReasonOrder, Detail: a.Text}
	if !a.Done {
		result.Verdict = bridge.Rejected
	}
	h.decided(h.event, &bridge.Rule{Template: bridge.ParseTemplate(bridge.OrderTemplate), Name: cmp.Or(word, string(h.facts.Order.Act))}, result)
	h.set(result)
	if a.Made != nil {
		h.set(*a.Made)
	}
	return a, nil
}
