package slack

import (
	"time"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// run is a run of gcs-to-bigquery.
func run(phase string) bridge.Run {
	started := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	return bridge.Run{
		Namespace: "data", Name: "gcs-to-bigquery-7f3a", Template: bridge.Template{Namespace: "data", Name: "gcs-to-bigquery"},
		Rule: "nightly", Phase: phase, Started: started, Finished: started.Add(3*time.Minute + 5*time.Second),
		Parameters: []bridge.Parameter{{Name: "path", Value: "exports/a.json"}, {Name: "bucket", Value: "landing-prod"}},
		Annotations: map[string]string{
			bridge.AnnotationEventURL:   "https://github.com/acme/app/compare/a...b",
			bridge.AnnotationEventTitle: "push to acme/app main: fix <the> build & more",
			bridge.AnnotationActor:      "ann",
		},
	}
}

func notification(o bridge.Outcome, phase string) bridge.Notification {
	return bridge.Notification{
		Key: "key-1", Outcome: o, To: bridge.Destination{Scheme: "slack", Target: "#data-alerts"}, Run: run(phase),
		Link: "https://argo.example/workflows/data/gcs-to-bigquery-7f3a", Created: time.Now(),
	}
}

func failed() bridge.Notification {
	n := notification(bridge.Failed, "Failed")
	n.Run.Message = "child failed"
	n.Run.Failures = []bridge.Failure{{Path: "load / extract(0)", Template: "extract", Phase: "Failed", Message: "main: Error (exit code 3)\nno such table", ExitCode: "3"}}
	return n
}
