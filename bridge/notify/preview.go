package notify

import (
	"context"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// Preview makes the notification that a route has for a run as it stands. Nothing is stored or sent, and of the Reporter
// only Origins, Layouts, UI, Log and Now are used.
func (r *Reporter) Preview(ctx context.Context, run bridge.Run, route bridge.Route) bridge.Notification {
	n := r.notification(route, run)
	n.Key = keyOfRun(run, route)
	n.Subject = bridge.RunKey(run.Labels[bridge.LabelEvent], run.Template, run.Rule, "")
	n.Text, n.Options = r.text(ctx, route, run), r.options(ctx, route, run, r.Origins.Variables)
	n.Mentions = route.Mentions
	if route.Outcome == bridge.Suspended {
		for _, p := range run.Pauses {
			if n.Pause == nil || p.Open() {
				n.Pause = &p
			}
		}
	}
	return n
}
