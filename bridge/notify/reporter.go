package notify

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strconv"
	"time"

	"go.uber.org/zap"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// Routes says who hears of the runs of a template: the routes of its `notify` annotation, and those of
// the rule that started the run, if one did.
type Routes interface {
	Routes(template bridge.Template, rule string) []bridge.Route
}

// A Queue stores notifications until they are delivered; a key that it holds already is stored once.
type Queue interface {
	Enqueue(ctx context.Context, n bridge.Notification) error
}

// Origins finds the event that started a run again, for the author's own message.
type Origins interface {
	// Variables are the expression variables of the event; nil when it is not known any more.
	Variables(ctx context.Context, run bridge.Run) map[string]any
}

// A Runs keeps the last phase of the runs that an event has started.
type Runs = Table

// A Reporter is a watch.Handler. All fields are needed but UI, Slack and Layouts.
type Reporter struct {
	Routes  Routes
	Runs    Runs
	Queue   Queue
	History *History
	Origins Origins
	// UI is the address of the Argo UI, for links. Optional.
	UI string
	// Slack says that Slack is set up: who starts a template from there sees how it goes on.
	Slack bool
	// Layouts are the looks that authors keep in ConfigMaps. Optional: without it the default stands in.
	Layouts Layouts
	Log     *zap.Logger
	Now     func() time.Time
}

// Changed stores a notification for each route that a run's new phase, or pause, meets. It may be called again
// with the same run: the notifications are the same ones.
func (r *Reporter) Changed(ctx context.Context, run bridge.Run) error {
	if err := r.keep(ctx, run); err != nil {
		return err
	}
	routes := slices.Concat(r.Routes.Routes(run.Template, run.Rule), r.progress(run))
	if len(routes) == 0 {
		return nil
	}
	j, err := r.judge(ctx, run, routes)
	if err != nil {
		return err
	}
	var errs []error
	for _, n := range r.notifications(ctx, run, routes, j) {
		errs = append(errs, r.Queue.Enqueue(ctx, n))
	}
	return errors.Join(errs...)
}

// notifications are those that a run's state asks for.
func (r *Reporter) notifications(ctx context.Context, run bridge.Run, routes []bridge.Route, j judgement) (all []bridge.Notification) {
	chosen := choose(routes, j.outcomes)
	add := func(route bridge.Route, key string, follow bool, pause *bridge.Pause) {
		if route.To.AtSource() && run.Labels[bridge.LabelSource] != route.To.Scheme {
			return // started by hand, or by an event of another source
		}
		n := r.notification(route, run)
		n.Key, n.Follow, n.Pause, n.Usual = key, follow, pause, j.usual
		n.Subject = bridge.RunKey(run.Labels[bridge.LabelEvent], run.Template, run.Rule, run.Annotations[bridge.AnnotationReplay])
		n.Text, n.Options = r.text(ctx, route, run), r.options(ctx, route, run, r.Origins.Variables)
		if !follow {
			n.Mentions = route.Mentions
		}
		all = append(all, n)
	}
	for _, route := range chosen {
		add(route, keyOfRun(run, route), false, nil)
	}
	for _, p := range pausing(run, routes) {
		add(p.Route, keyOfPause(run, p), p.over, &p.pause)
	}
	for _, route := range followers(run, routes, chosen, j) {
		add(route, keyOfRun(run, route), true, nil)
	}
	return all
}

// keyOfRun is the same however often a run's state is reported, and another for each attempt of a run that is retried.
func keyOfRun(run bridge.Run, route bridge.Route) string {
	return run.UID + "-" + string(route.Outcome) + "-" + bridge.Digest(route.To.String()) + attemptOf(run)
}

// attemptOf tells the attempts of a run apart: each has its own start.
func attemptOf(run bridge.Run) string {
	if run.Started.IsZero() {
		return ""
	}
	return "-" + strconv.FormatInt(run.Started.Unix(), 10)
}

// keyOfPause is the same for a pause's opening, and for its end. A retry may open it again.
func keyOfPause(run bridge.Run, p pausedRoute) string {
	key := run.UID + "-" + string(p.Outcome) + "-" + bridge.Digest(p.To.String()) +
		"-" + bridge.Digest(p.pause.Node+"\n"+p.pause.Started.UTC().Format(time.RFC3339))
	if p.over {
		return key + "-over"
	}
	return key
}

func (r *Reporter) notification(route bridge.Route, run bridge.Run) bridge.Notification {
	return bridge.Notification{
		Outcome: route.Outcome, To: route.To, Run: run, Link: r.link(run), Created: r.Now().UTC(),
	}
}

// link is the run's page in the Argo UI.
func (r *Reporter) link(run bridge.Run) string {
	if r.UI == "" || run.Name == "" {
		return ""
	}
	link, err := url.JoinPath(r.UI, "workflows", run.Namespace, run.Name)
	if err != nil {
		return ""
	}
	if run.UID == "" { // it was made just now
		return link
	}
	return link + "?uid=" + url.QueryEscape(run.UID)
}

// options renders the settings of a destination; a fault in one costs that one. origin finds the variables of the event.
func (r *Reporter) options(ctx context.Context, route bridge.Route, run bridge.Run, origin func(context.Context, bridge.Run) map[string]any) map[string]string {
	if len(route.Options) == 0 {
		return nil
	}
	all, scope := map[string]string{}, variables(run, origin(ctx, run))
	for name, option := range route.Options {
		text, err := option.Render(scope)
		if err != nil {
			r.Log.Warn("a setting of the template's notifications cannot be rendered; going on without it",
				zap.Stringer(bridge.LogTemplate, run.Template), zap.String("setting", name), zap.Error(err))
			continue
		}
		all[name] = text
	}
	r.layOut(ctx, run, all, scope)
	return all
}

// text renders the author's own message; a fault in it costs the message, not the notification.
func (r *Reporter) text(ctx context.Context, route bridge.Route, run bridge.Run) string {
	if route.Message == nil {
		return ""
	}
	text, err := route.Message.Render(variables(run, r.Origins.Variables(ctx, run)))
	if err != nil {
		r.Log.Warn("the template's message cannot be rendered; sending the default text",
			zap.Stringer(bridge.LogTemplate, run.Template), zap.String(bridge.LogWorkflow, run.Name), zap.Error(err))
		return ""
	}
	return text
}
