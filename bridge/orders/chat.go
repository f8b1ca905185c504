package orders

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// An Operator acts on runs; *operate.Operator is one. A Permanent error is for people: it says what is not so, such as that
// the run is gone. What a call has done already, by the same stamp or the same person, it does not do again. A RunID with
// a UID is of that Workflow alone.
type Operator interface {
	Find(ctx context.Context, namespace, name string) (bridge.Run, error)
	Retry(ctx context.Context, run bridge.RunID, s bridge.Stamp) error
	// Resubmit returns the name of the new Workflow, in the namespace of the run.
	Resubmit(ctx context.Context, run bridge.RunID, s bridge.Stamp) (name string, err error)
	Stop(ctx context.Context, run bridge.RunID, why string) error
	Resume(ctx context.Context, run bridge.RunID, node string, s bridge.Stamp, parameters []bridge.Parameter) error
	Reject(ctx context.Context, run bridge.RunID, node string, s bridge.Stamp) error
}

// Templates are the templates that the bridge knows, as they are now.
type Templates interface {
	// Allowances are what a template says of who may do what; ok is false when there is no such template.
	Allowances(t bridge.Template) (a bridge.Allowances, ok bool)
	// Declared are the parameters of a template that can be started; ok is false when there is none.
	Declared(t bridge.Template) (parameters []bridge.Declared, ok bool)
}

// Access says which templates an event may start; match.Access is one.
type Access interface {
	Allows(t bridge.Template, f bridge.Facts) (ok bool, detail string)
}

// forChat says that the order is about one run or template, and so for the chat's Warden to allow.
func (x *errand) forChat() bool {
	switch x.order.Act {
	case bridge.Start, bridge.Retry, bridge.Resubmit, bridge.Resume, bridge.Reject, bridge.Mute, bridge.Unmute:
		return true
	case bridge.Stop:
		return x.order.Run != (bridge.RunID{})
	}
	return false
}

// chat carries an order out that came from a chat. Whatever no retry can cure is the answer.
func (x *errand) chat(ctx context.Context) (bridge.Answer, error) {
	text, err := x.act(ctx)
	switch {
	case bridge.IsPermanent(err), bridge.IsRefusal(err):
		return bridge.Answer{Text: err.Error()}, nil
	case err != nil:
		return bridge.Answer{}, err
	}
	return bridge.Answer{Done: true, Text: text, Made: x.made}, nil
}

// act does it, and says what was done.
func (x *errand) act(ctx context.Context) (text string, err error) {
	if x.Wardens[x.facts.Source] == nil {
		return "", bridge.Permanent(errors.New("nobody may do that from here"))
	}
	if err := x.resolve(ctx); err != nil {
		return "", err
	}
	switch x.order.Act {
	case bridge.Start:
		return x.start(ctx)
	case bridge.Mute:
		return x.mute(ctx)
	case bridge.Unmute:
		return x.unmute(ctx)
	}
	return x.onRun(ctx)
}

// allowed returns a Permanent error if the person may not do that with a template. In a namespace nobody may who is not
// allowed to start its templates.
func (x *errand) allowed(ctx context.Context, t bridge.Template, in bridge.Template) error {
	if x.Access != nil && in != (bridge.Template{}) {
		if ok, detail := x.Access.Allows(in, x.facts); !ok {
			return bridge.Permanent(fmt.Errorf("from here nobody may do that with %s: %s", in, detail))
		}
	}
	said, _ := x.Templates.Allowances(t)
	ok, detail, err := x.Wardens[x.facts.Source].May(ctx, x.facts, x.order.Act.Right(), t, said)
	if err != nil {
		return err
	}
	if !ok {
		return bridge.Permanent(errors.New(detail))
	}
	return nil
}

// onRun acts on a run. Which template it is of the Workflow itself says: a button that somebody passes on proves nothing.
func (x *errand) onRun(ctx context.Context) (string, error) {
	if x.order.Run.Namespace == "" || x.order.Run.Name == "" {
		return "", bridge.Permanent(errors.New("the order names no run"))
	}
	run, err := x.Operator.Find(ctx, x.order.Run.Namespace, x.order.Run.Name)
	if err != nil {
		return "", err
	}
	if x.order.Run.UID != "" && x.order.Run.UID != run.UID {
		return "", bridge.Permanent(fmt.Errorf("the run %s is gone: another one has its name now", x.order.Run))
	}
	if err := x.allowed(ctx, templateOf(run), bridge.Template{Namespace: run.Namespace, Name: run.Template.Name}); err != nil {
		return "", err
	}
	id := run.ID() // with the UID for which it is allowed
	switch x.order.Act {
	case bridge.Retry:
		return run.Name + " tries its failed steps again", x.Operator.Retry(ctx, id, x.stamp())
	case bridge.Resubmit:
		return x.resubmit(ctx, run)
	case bridge.Stop:
		return run.Name + " is being stopped", x.Operator.Stop(ctx, id, "by order of "+x.facts.Actor+": "+x.order.Word)
	case bridge.Resume, bridge.Reject:
		return x.decide(ctx, run)
	}
	return "", bridge.Permanent(fmt.Errorf("there is no order %q", x.order.Act))
}

// decide lets a run go on at the step at which it waits, or fails that step.
func (x *errand) decide(ctx context.Context, run bridge.Run) (string, error) {
	text := "approved: " + run.Name + " goes on"
	if x.order.Act == bridge.Reject {
		text = "rejected: the step of " + run.Name + " fails"
	}
	if bridge.Carried(run.Annotations, x.stamp().ID) {
		return text, nil // before a crash; the step that waits now is another one
	}
	node, err := x.step(run)
	switch {
	case err != nil:
		return "", err
	case x.order.Act == bridge.Reject:
		return text, x.Operator.Reject(ctx, run.ID(), node, x.stamp())
	}
	return text, x.Operator.Resume(ctx, run.ID(), node, x.stamp(), x.order.Parameters)
}

// templateOf is the run's template. Of a run without one only the namespace is known, for which the config may say who may
// what.
func templateOf(run bridge.Run) bridge.Template {
	if run.Template.Name == "" {
		return bridge.Template{Namespace: run.Namespace}
	}
	return run.Template
}

func (x *errand) stamp() bridge.Stamp { return bridge.Stamp{ID: x.replayID(), By: x.facts.Actor} }

// resubmit makes a new run. If an event has started the first one, it is one more attempt at that event, like a replay:
// whoever was told of the first hears of the second. Else it is this order that has started it.
func (x *errand) resubmit(ctx context.Context, run bridge.Run) (string, error) {
	stamp := x.stamp()
	hash, result, known, err := x.startOf(ctx, run)
	if err != nil {
		return "", err
	}
	if known {
		stamp.Annotations = map[string]string{bridge.AnnotationReplay: stamp.ID}
	} else {
		stamp.Labels, stamp.Annotations = x.Dispatcher.Origin(x.event, x.facts, run.Template)
		stamp.Annotations[bridge.AnnotationReplay] = ""
		result = bridge.Result{Template: run.Template.String(), Rule: run.Rule, Verdict: bridge.Matched, Reason: bridge.ReasonMatched}
	}
	name, err := x.Operator.Resubmit(ctx, run.ID(), stamp)
	if err != nil {
		return "", err
	}
	result.Workflow, result.Detail, result.Attempts, result.Batch = run.Namespace+"/"+name, "", 0, nil
	result.Replay = stamp.Annotations[bridge.AnnotationReplay]
	if known {
		if err := x.Dispatcher.Resubmitted(ctx, hash, result); err != nil {
			return "", err
		}
		result.Replay = "" // of this event's own record
	}
	x.made = &result
	return run.Name + " runs anew as " + name, nil
}

// startOf finds what an event has made the run of. A label is anybody's to write who may make a Workflow: known is false
// unless the bridge itself has recorded it.
func (x *errand) startOf(ctx context.Context, run bridge.Run) (hash string, r bridge.Result, known bool, err error) {
	if hash = run.Labels[bridge.LabelEvent]; !bridge.IsHash(hash) {
		return "", r, false, nil
	}
	record, found, err := x.Dispatcher.Find(ctx, hash)
	if err != nil || !found {
		return "", r, false, err
	}
	r, known = record.Result(run.Template, run.Rule, run.Annotations[bridge.AnnotationReplay])
	return hash, r, known && r.Workflow == run.Namespace+"/"+run.Name, nil
}

// list is for people: a, b and c.
func list(all []string) string {
	if len(all) < 2 {
		return strings.Join(all, "")
	}
	return strings.Join(all[:len(all)-1], ", ") + " and " + all[len(all)-1]
}
