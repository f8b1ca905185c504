package message_test

import (
	"time"

	"github.com/argo-bridge/argo-bridge/adapters/slack/message"
	"github.com/argo-bridge/argo-bridge/bridge"
)

// noon is when the runs of the samples start.
var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

var nightly = bridge.Template{Namespace: "data", Name: "nightly-export"}

// sampleRun is a run of nightly-export that a push has started.
func sampleRun(phase string) bridge.Run {
	return bridge.Run{
		Namespace: "data", Name: "nightly-export-7f3a", UID: "0d4c", Template: nightly, Rule: "on-push", Phase: phase,
		Started: noon, Finished: noon.Add(12*time.Minute + 5*time.Second),
		Parameters: []bridge.Parameter{
			{Name: "bucket", Value: "landing-prod"}, {Name: "path", Value: "exports/2026-03-01/a & b.json"},
			{Name: "db-password", Value: "hunter2"}, {Name: "dsn", Value: "postgres://etl:s3cr3t@db.example/prod"},
		},
		Annotations: map[string]string{
			bridge.AnnotationEventURL:   "https://github.com/acme/app/compare/a...b",
			bridge.AnnotationEventTitle: "push to acme/app main: fix <the> build & more",
			bridge.AnnotationActor:      "ann",
		},
	}
}

func sample(o bridge.Outcome, phase string) bridge.Notification {
	return bridge.Notification{
		Key: "key-1", Outcome: o, To: bridge.Destination{Scheme: "slack", Target: "#data-alerts"}, Run: sampleRun(phase),
		Usual: 4 * time.Minute, Link: "https://argo.example/workflows/data/nightly-export-7f3a?uid=0d4c", Created: noon.Add(13 * time.Minute),
	}
}

// sampleFailure is a run two steps of which have failed, the first after three attempts.
func sampleFailure() bridge.Notification {
	n := sample(bridge.Failed, "Failed")
	n.Run.Message = "child 'nightly-export-7f3a-12' failed"
	n.Run.Failures = []bridge.Failure{
		{
			Path: "load / extract(0:orders)", Template: "extract", Phase: "Failed", Message: "Error (exit code 3)", ExitCode: "3", Attempts: 3,
			Log: []string{
				"reading exports/2026-03-01/a & b.json", "connecting to postgres://etl:***@db.example/prod", "connected",
				"COPY orders FROM STDIN", `ERROR: relation "orders" does not exist`, "LINE 1: COPY orders FROM STDIN", "exit status 3",
			},
		},
		{Path: "load / extract(1:customers)", Template: "extract", Phase: "Error", Message: "OOMKilled (exit code 137)", ExitCode: "137"},
	}
	return n
}

func sampleGroup() message.Alert {
	a := message.Alert{Newest: sampleFailure(), State: message.Firing, Count: 12, Templates: 1, First: noon, Last: noon.Add(6 * time.Minute)}
	for i := range 12 {
		a.Lines = append(a.Lines, message.Line{
			Template: nightly, Run: bridge.RunID{Namespace: "data", Name: "nightly-export-" + string(rune('l'-i)), UID: "u"},
			Link: "https://argo.example/workflows/data/nightly-export-" + string(rune('l'-i)), Step: "load / extract(0:orders)",
			Message: "Error (exit code 3)", At: noon.Add(6*time.Minute - time.Duration(i)*30*time.Second),
		})
	}
	return a
}

func samplePause() bridge.Notification {
	n := sample(bridge.Suspended, "Running")
	n.Run.Template.Name, n.Run.Name, n.Run.Finished = "release", "release-9x2k", time.Time{}
	n.Run.Parameters = n.Run.Parameters[:1]
	production, ten := "staging", "10"
	n.Pause = &bridge.Pause{
		Node: "release-9x2k-334", Path: "deploy / approve", Phase: "Running", Message: "Is the change log written?", Started: noon.Add(2 * time.Minute),
		Inputs: []bridge.Declared{
			{Name: "environment", Description: "Where it goes to.", Default: &production, Enum: []string{"staging", "production"}},
			{Name: "percent", Description: "How many of the users get it at first.", Default: &ten},
			{Name: "ticket"},
		},
	}
	return n
}

// samples are one alert of each kind.
func samples() map[string]message.Alert {
	all := map[string]message.Alert{}
	of := func(name string, n bridge.Notification, change ...func(*message.Alert)) {
		a := message.Of(n)
		for _, c := range change {
			c(&a)
		}
		all[name] = a
	}
	noRun := func(o bridge.Outcome, reason string) bridge.Notification {
		n := sample(o, "")
		n.Run.Name, n.Run.UID, n.Run.Parameters, n.Link, n.Reason = "", "", nil, "", reason
		return n
	}
	going := func(o bridge.Outcome, phase string) bridge.Notification {
		n := sample(o, phase)
		n.Run.Finished = time.Time{}
		return n
	}
	of("queued", noRun(bridge.Queued, "1 run of the group prod goes on, and 1 is the limit"))
	of("started", going(bridge.Started, "Running"))
	of("succeeded", sample(bridge.Succeeded, "Succeeded"))
	of("recovered", sample(bridge.Recovered, "Succeeded"))
	of("held", noRun(bridge.EventHeld, "octocat has read permission in acme/app, not write"))
	of("skipped", noRun(bridge.EventSkipped, "a run of the group prod goes on"))
	of("rejected", noRun(bridge.EventRejected, `parameter "sha": github.sha is null`))
	of("failed", sampleFailure(), func(a *message.Alert) {
		a.Mentions = []string{"<!subteam^S0614TZR7>", "<@U024BE7LH>"}
	})
	of("failed-retried", going(bridge.Failed, "Running"), func(a *message.Alert) {
		a.State, a.Notes = message.Going, []string{"Failed at 12:12, retried by <@U024BE7LH>"}
	})
	of("failed-silenced", sampleFailure(), func(a *message.Alert) { a.Silenced = noon.Add(time.Hour) })
	bare := bridge.Notification{Outcome: bridge.Completed, Run: bridge.Run{Namespace: "data", Name: "by-hand", Phase: "Error", Message: "no pod"}}
	of("failed-without-steps", bare)
	own := sampleFailure()
	own.Text = "*Load failed* for `a.json`, see https://runbooks.example/load?a=1&b=2.\n<!channel> <https://evil.example|click>"
	of("own-text", own)
	blocks := sampleFailure()
	blocks.Options = map[string]string{"blocks": `[{"type":"section","text":{"type":"mrkdwn","text":"*Orders are late.* <!subteam^S0614TZR7>"},
		"accessory":{"type":"button","text":{"type":"plain_text","text":"Runbook"},"url":"https://runbooks.example/orders","action_id":"runbook"}},
		{"type":"divider"},{"type":"context","elements":[{"type":"mrkdwn","text":"Written by the template's author"}]}]`}
	of("own-blocks", blocks)
	broken := sampleFailure()
	broken.Options = map[string]string{"blocks": `[{"type":"section",`}
	of("own-blocks-broken", broken)
	closed := sampleFailure()
	of("closed", closed, func(a *message.Alert) {
		a.State = message.Closed
		a.By = &message.Line{Template: nightly, Run: bridge.RunID{Namespace: "data", Name: "nightly-export-8b1c"}, Link: "https://argo.example/workflows/data/nightly-export-8b1c", At: noon.Add(47 * time.Minute)}
	})
	stopped := sample(bridge.Completed, "Failed")
	stopped.Run.Annotations[bridge.AnnotationStopped] = "replaced"
	of("stopped", stopped, func(a *message.Alert) { a.Notes = []string{"Stopped by <@U024BE7LH>"} })
	all["group"] = sampleGroup()
	cause := sampleGroup()
	cause.Templates, cause.Cause = 4, "ImagePullBackOff: registry.example/etl:1.4"
	cause.Lines[1].Template.Name = "hourly-sync"
	all["group-of-one-cause"] = cause
	overflow := sampleGroup()
	overflow.Templates, overflow.Count, overflow.Overflow = 20, 873, true
	all["group-overflow"] = overflow
	recovered := sampleGroup()
	recovered.State, recovered.By = message.Closed, all["closed"].By
	all["group-closed"] = recovered
	of("waiting", samplePause(), func(a *message.Alert) { a.Mentions = []string{"<!subteam^S0614TZR7>"} })
	decided := samplePause()
	decided.Pause.Phase, decided.Pause.Message = "Succeeded", "approved by ann, percent: 10"
	of("waiting-approved", decided)
	rejected := samplePause()
	rejected.Pause.Phase, rejected.Pause.Message = "Failed", "rejected by ann"
	of("waiting-rejected", rejected)
	return all
}

// threads are what stands in threads.
func threads() map[string]message.Rendered {
	return map[string]message.Rendered{
		"thread-details":  message.Details(sampleFailure()),
		"thread-recovery": message.Recovery(sample(bridge.Recovered, "Succeeded")),
	}
}
