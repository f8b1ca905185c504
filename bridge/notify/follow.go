package notify

import (
	"slices"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// What is told once goes on in the same message: its destinations hear how it went on, also where no route of theirs asks
// for that, in notifications with Follow.

// Types of the events with which somebody starts a template from Slack.
const (
	slackCommand = "com.slack.command"
	slackForm    = "com.slack.view_submission"
)

// progress are the routes by which whoever started a run with a command sees how it goes on.
func (r *Reporter) progress(run bridge.Run) []bridge.Route {
	kind := run.Annotations[bridge.AnnotationEventType]
	if !r.Slack || run.Labels[bridge.LabelSource] != "slack" || kind != slackCommand && kind != slackForm {
		return nil
	}
	to := bridge.Destination{Scheme: "slack", Target: bridge.TargetProgress}
	var routes []bridge.Route
	for _, outcome := range []bridge.Outcome{bridge.Started, bridge.Succeeded, bridge.Failed, bridge.Completed} {
		routes = append(routes, bridge.Route{Outcome: outcome, To: to})
	}
	return routes
}

// keepsAlerts says that what a route has told is closed later.
func keepsAlerts(route bridge.Route) bool {
	return route.Outcome == bridge.Failed && keepsUp(route.To)
}

// keepsUp says whether the destination's messages are brought up to date.
func keepsUp(to bridge.Destination) bool { return to.Scheme == "slack" && !to.AtSource() }

// followers are the destinations that hear how a run goes on which they were told of, but no outcome of which they have
// asked for: each with the route that told them, whose outcome is replaced.
func followers(run bridge.Run, routes, chosen []bridge.Route, j judgement) (follow []bridge.Route) {
	outcome := followed(run, j)
	if outcome == "" {
		return nil
	}
	told := map[string]bool{}
	for _, route := range chosen {
		told[route.To.String()] = true
	}
	for _, route := range routes {
		if to := route.To.String(); !keepsUp(route.To) || told[to] || !hasTold(run, route, j) {
			continue
		} else {
			told[to] = true
		}
		route.Outcome, route.Message, route.Mentions = outcome, nil, nil
		follow = append(follow, route)
	}
	return follow
}

// followed is what the followers hear; empty: nothing.
func followed(run bridge.Run, j judgement) bridge.Outcome {
	switch {
	case !run.Completed():
		if j.again && j.is(bridge.Started) {
			return bridge.Started
		}
		return ""
	case len(j.outcomes) > 0:
		return j.outcomes[0]
	}
	return ""
}

// hasTold says whether a route may have told of the run, or of the failure that it makes good.
func hasTold(run bridge.Run, route bridge.Route, j judgement) bool {
	switch route.Outcome {
	case bridge.Failed:
		return j.again || j.is(bridge.Recovered) || run.Stopped()
	case bridge.Started:
		return run.Completed()
	case bridge.Suspended:
		return run.Completed() && len(run.Pauses) > 0
	}
	return false
}

// A paused route is one that tells of a pause, or that it is over.
type pausedRoute struct {
	bridge.Route
	pause bridge.Pause
	over  bool
}

// pausing are the routes that tell of a run's pauses. GitHub's checks show no pause.
func pausing(run bridge.Run, routes []bridge.Route) (all []pausedRoute) {
	var told []string
	for _, route := range routes {
		if route.Outcome != bridge.Suspended || route.To.Scheme == "github" || slices.Contains(told, route.To.String()) {
			continue
		}
		told = append(told, route.To.String())
		for _, pause := range run.Pauses {
			over := !pause.Open() || run.Completed()
			p := pausedRoute{Route: route, pause: pause, over: over}
			if over {
				p.Message, p.Mentions = nil, nil
			}
			all = append(all, p)
		}
	}
	return all
}
