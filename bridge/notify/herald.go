package notify

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// told are the outcomes of an event for which there is no run, or none yet.
var told = map[bridge.Verdict]bridge.Outcome{
	bridge.Matched: bridge.Queued, bridge.Waiting: bridge.Queued, bridge.Held: bridge.EventHeld,
	bridge.Skipped: bridge.EventSkipped, bridge.Rejected: bridge.EventRejected,
	// Parked: the template is faulty or gone, which whoever waits for a check has to know.
	bridge.Parked: bridge.EventRejected,
}

// Settled stores a notification for each route that asks what became of an event. See dispatch.Herald.
func (r *Reporter) Settled(ctx context.Context, e bridge.Event, f bridge.Facts, rule *bridge.Rule, result bridge.Result) (bool, error) {
	outcome, tells := told[result.Verdict]
	if !tells || result.Reason == bridge.ReasonLookup && result.Verdict == bridge.Waiting {
		return false, nil // whether the rule fits is not known yet
	}
	routes := choose(r.Routes.Routes(rule.Template, rule.Name), []bridge.Outcome{outcome})
	routes = slices.DeleteFunc(routes, func(route bridge.Route) bool {
		return route.To.AtSource() && (route.To.Scheme != f.Source || f.ReplyTo == "")
	})
	if len(routes) == 0 {
		return false, nil
	}
	run := intended(e, f, rule, result)
	var errs []error
	for _, route := range routes {
		n := r.notification(route, run)
		n.Reason = result.Detail
		n.Subject = bridge.RunKey(e.Hash(), rule.Template, rule.Name, result.Replay)
		n.Key = keyOf(e, rule, result, outcome, route.To)
		if n.Options = r.options(ctx, route, run, known(f, r.Origins)); route.To.AtSource() {
			n.Address = f.ReplyTo
		}
		errs = append(errs, r.Queue.Enqueue(ctx, n))
	}
	return true, errors.Join(errs...)
}

// known finds the variables of an event that is being handled: its record may not be there yet.
func known(f bridge.Facts, otherwise Origins) func(context.Context, bridge.Run) map[string]any {
	return func(ctx context.Context, run bridge.Run) map[string]any {
		if f.Variables == nil {
			return otherwise.Variables(ctx, run)
		}
		all, err := f.Variables()
		if err != nil {
			return nil
		}
		return all
	}
}

// keyOf is the same however often a result is told.
func keyOf(e bridge.Event, rule *bridge.Rule, result bridge.Result, outcome bridge.Outcome, to bridge.Destination) string {
	of := rule.Template.String() + "\n" + rule.Name
	if result.Replay != "" {
		of += "\n" + result.Replay
	}
	return bridge.Digest(e.Key()) + bridge.Digest(of) + "-" + string(outcome) + "-" + bridge.Digest(to.String())
}

// intended is the run that an event is to become, or would have.
func intended(e bridge.Event, f bridge.Facts, rule *bridge.Rule, result bridge.Result) bridge.Run {
	run := bridge.Run{
		Namespace: rule.Template.Namespace, Template: rule.Template, Rule: rule.Name, Message: result.Detail,
		Labels: map[string]string{bridge.LabelEvent: e.Hash(), bridge.LabelSource: cmp.Or(f.Source, "cloudevent")},
		Annotations: map[string]string{
			bridge.AnnotationEventID: e.ID, bridge.AnnotationEventType: e.Type, bridge.AnnotationEventURL: f.URL,
			bridge.AnnotationEventTitle: f.Title, bridge.AnnotationActor: f.Actor, bridge.AnnotationReplyTo: f.ReplyTo,
		},
	}
	switch result.Verdict {
	case bridge.Matched:
		run.Phase, run.Message = "Pending", ""
		run.Namespace, run.Name, _ = strings.Cut(result.Workflow, "/")
	case bridge.Waiting:
		run.Phase, run.Message = "Pending", ""
	case bridge.Held:
		run.Phase = "Held"
	case bridge.Skipped:
		run.Phase = "Skipped"
	default:
		run.Phase = "Rejected"
	}
	return run
}

// Answer stores the answer to a command or order, unless the source gives it itself. See dispatch.Herald.
func (r *Reporter) Answer(ctx context.Context, e bridge.Event, f bridge.Facts, a bridge.Answer) error {
	to := bridge.Destination{Scheme: f.Source, Target: bridge.TargetAnswer}
	if !to.AtSource() || f.ReplyTo == "" || f.Awaited {
		return nil
	}
	return r.Queue.Enqueue(ctx, bridge.Notification{
		Key: e.Hash() + "-answer", Outcome: bridge.Answered, To: to, Text: a.Text, Address: f.ReplyTo,
		Options: answerOptions(f, a), Created: r.Now().UTC(),
		Run: bridge.Run{Labels: map[string]string{bridge.LabelEvent: e.Hash()}},
	})
}

// answerOptions are what else the source's notifier needs: GitHub shows a reaction, Slack a message to one person.
func answerOptions(f bridge.Facts, a bridge.Answer) map[string]string {
	if f.Source != "slack" {
		if a.Done {
			return map[string]string{"reaction": "rocket"}
		}
		return map[string]string{"reaction": "-1"}
	}
	options := map[string]string{"done": strconv.FormatBool(a.Done)}
	if users := f.Values["users"]; len(users) > 0 {
		options["user"] = users[0]
	}
	if f.Order != nil {
		options["word"] = f.Order.Word
	}
	return options
}
