package announce

import (
	"encoding/json"
	"flag"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/argo-bridge/argo-bridge/bridge"
)

var update = flag.Bool("update", false, "write the golden files")

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func failed() bridge.Notification {
	return bridge.Notification{
		Key: "0d4c-failed-1f", Outcome: bridge.Failed, To: bridge.Destination{Scheme: "webhook", Target: "pager"}, Text: "Look at it.",
		Link: "https://argo.example/workflows/data/nightly-7f3a", Created: noon.Add(time.Hour), Usual: 4 * time.Minute, Mentions: []string{"@oncall"},
		Run: bridge.Run{
			Namespace: "data", Name: "nightly-7f3a", UID: "0d4c", Template: bridge.Template{Namespace: "data", Name: "nightly"}, Rule: "on-push", Phase: "Failed",
			Message: "child failed", Started: noon, Finished: noon.Add(90 * time.Second),
			Parameters: []bridge.Parameter{{Name: "path", Value: "a.json"}, {Name: "db-password", Value: "hunter2"}, {Name: "dsn", Value: "postgres://etl:s3cr3t@db/x"}},
			Failures:   []bridge.Failure{{Path: "load / extract", Message: "exit with token=abcdef", ExitCode: "3", Attempts: 2, Log: []string{"a", "password: x"}}},
			Annotations: map[string]string{
				bridge.AnnotationEventID: "e1", bridge.AnnotationEventType: "com.github.push", bridge.AnnotationEventSource: "https://github.com/acme/app",
				bridge.AnnotationEventTitle: "push", bridge.AnnotationEventURL: "https://github.com/acme/app/commit/a", bridge.AnnotationActor: "ann",
			},
		},
	}
}

func TestANotificationIsACloudEvent(t *testing.T) {
	t.Parallel()
	waiting := failed()
	waiting.Outcome, waiting.Run.Phase, waiting.Run.Failures = bridge.Suspended, "Running", nil
	waiting.Pause = &bridge.Pause{Path: "deploy / approve", Phase: "Running", Inputs: []bridge.Declared{{Name: "percent"}}}
	rejected := failed()
	rejected.Outcome, rejected.Reason = bridge.EventRejected, "github.sha is null"
	rejected.Run = bridge.Run{Template: bridge.Template{Name: "shared"}, Phase: "Rejected"}
	for name, n := range map[string]bridge.Notification{"failed": failed(), "waiting": waiting, "rejected": rejected} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, err := Event(n)
			if err != nil {
				t.Fatal(err)
			}
			got, err := json.MarshalIndent(e, "", "  ")
			if err != nil {
				t.Fatal(err)
			}
			path := "testdata/" + name + ".json"
			if *update {
				if err := os.WriteFile(path, append(got, '\n'), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), string(got)+"\n"); diff != "" {
				t.Error(diff)
			}
			for _, secret := range []string{"hunter2", "s3cr3t", "abcdef", "password: x"} {
				if strings.Contains(string(got), secret) {
					t.Errorf("%s got out", secret)
				}
			}
		})
	}
}
