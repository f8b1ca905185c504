package main

import (
	"context"
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/admin"
)

// A fakeBridge holds some events; it notes what it was asked.
type fakeBridge struct {
	records []bridge.Record
	stories map[string]bridge.Story
	replay  func(r bridge.Replay, each func(bridge.Replayed)) error
	fails   error

	query   bridge.Query
	replays []bridge.Replay
}

func (f *fakeBridge) Records(_ context.Context, q bridge.Query, each func(bridge.Record) bool) error {
	f.query = q
	for i, r := range f.records {
		if q.Limit > 0 && i == q.Limit || !each(r) {
			break
		}
	}
	return f.fails
}

func (f *fakeBridge) Story(_ context.Context, id string) (bridge.Story, error) {
	s, ok := f.stories[id]
	if !ok {
		return s, bridge.ErrUnknownEvent
	}
	return s, nil
}

// Follow ends after the records that there are, as a bridge that stops.
func (f *fakeBridge) Follow(_ context.Context, q bridge.Query, each func(bridge.Record)) error {
	f.query = q
	for _, r := range f.records {
		each(r)
	}
	return f.fails
}

func (f *fakeBridge) Replay(_ context.Context, r bridge.Replay, each func(bridge.Replayed)) error {
	f.replays = append(f.replays, r)
	return f.replay(r, each)
}

const adminToken = "0123456789abcdef0123456789abcdef"

// serve returns the flags that lead to the bridge.
func (f *fakeBridge) serve(t *testing.T) []string {
	t.Helper()
	handler := admin.New(f, f, nil, &admin.TokenFile{Path: file(t, "tokens", adminToken)}, zap.NewNop())
	server := httptest.NewServer(handler)
	t.Cleanup(func() { handler.Close(); server.Close() })
	return []string{"--server", server.URL, "--token", adminToken}
}

// events runs an events command on the bridge.
func (f *fakeBridge) events(t *testing.T, args ...string) (code int, out string) {
	t.Helper()
	return invoke(t, append(append([]string{"events"}, args...), f.serve(t)...)...)
}

const (
	pushID = "72d3162e-cc78-11e3-81ab-4c9367dc0958"
	gcsID  = "landing-prod/exports/2026/03/01/orders.json#1772366400000000#OBJECT_FINALIZE"
	// batchID is the id of an event that went into a batch, and was stale for another rule.
	batchID = "landing-prod/exports/2026/03/01/items.json#1772366300000000#OBJECT_FINALIZE"
)

func minute(m int) time.Time { return time.Date(2026, 3, 1, 12, m, 0, 0, time.UTC) }

// world is the bridge of the examples in docs/events.md.
func world() *fakeBridge {
	push := bridge.Record{
		Event: pushID, Source: "https://github.com/acme/app", Type: "com.github.push", Name: "github.push", Subject: "refs/heads/main",
		Done: true, Attempt: 1, Sequence: 4711, Stored: minute(4), Updated: minute(5),
		Results: []bridge.Result{
			{Template: "argo/ci", Rule: "default", Verdict: bridge.Matched, Reason: bridge.ReasonMatched, Workflow: "argo/ci-5d41402abc", Attempts: 1, At: minute(4)},
			{Template: "argo/docs", Rule: "default", Verdict: bridge.Filtered, Reason: "paths", Detail: `paths: got ["main.go" "go.mod"], want docs/**`, At: minute(4)},
			{Template: "argo/release", Rule: "nightly", Verdict: bridge.Rejected, Reason: bridge.ReasonParameter, Detail: `parameter "tag": github.ref_tag is null, and the template has no default`, At: minute(4)},
		},
	}
	object := bridge.Record{
		Event: gcsID, Source: "//storage.googleapis.com/projects/_/buckets/landing-prod", Type: "google.cloud.storage.object.v1.finalized", Name: "gcs.finalized",
		Subject: "objects/exports/2026/03/01/orders.json", Attempt: 3, Sequence: 4710, Stored: minute(2), Updated: minute(3),
		Results: []bridge.Result{{Template: "argo/load", Rule: "default", Verdict: bridge.Waiting, Reason: bridge.ReasonConcurrency,
			Detail: "concurrency: 1 run of the group exports is in flight, the limit is 1", Attempts: 2, At: minute(3)}},
	}
	command := bridge.Record{
		Event: "13345224609.738474920.8088930838d88f008e0", Source: "https://slack.com/T024BE7LD", Type: "com.slack.command", Name: "slack.command",
		Subject: "/deploy", Done: true, Attempt: 1, Sequence: 4709, Stored: minute(1), Updated: minute(1),
	}
	batched := batchedRecord()
	return &fakeBridge{
		records: []bridge.Record{push, object, command, batched},
		stories: map[string]bridge.Story{
			pushID: {
				Record: push, Hash: push.Hash(),
				Event: &bridge.Event{
					ID: push.Event, Source: push.Source, Type: push.Type, Subject: push.Subject, Time: minute(3),
					Extensions: map[string]string{"githubevent": "push"},
					Data:       json.RawMessage(`{"ref":"refs/heads/main","after":"` + strings.Repeat("1", 40) + `","commits":[` + strings.Repeat(`{"id":"1"},`, 20) + `{"id":"2"}]}`),
				},
				Runs: []bridge.RunState{{
					Workflow: "argo/ci-5d41402abc", UID: "u", Template: "argo/ci", Rule: "default", Phase: "Failed",
					Message: "child 'test' failed", Started: minute(4), Finished: minute(7),
				}},
				Notifications: []bridge.SentRecord{
					{Key: "1", Outcome: bridge.Failed, To: "slack:#builds", Workflow: "argo/ci-5d41402abc", State: "sent", At: minute(7)},
					{Key: "2", Outcome: bridge.EventRejected, To: "slack:#gone", State: "failed", Error: "channel_not_found: invite the app to #gone", At: minute(5)},
				},
			},
			gcsID:   {Record: object, Hash: object.Hash()},
			batchID: {Record: batched, Hash: batched.Hash()},
		},
		replay: func(r bridge.Replay, each func(bridge.Replayed)) error {
			started := bridge.Replayed{Event: pushID, Template: "argo/ci", Rule: "default", Verdict: bridge.Matched, Reason: bridge.ReasonMatched, Workflow: "argo/ci-" + r.ID}
			if r.DryRun {
				started.Object = map[string]any{
					"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow",
					"metadata": map[string]any{"name": "ci-" + r.ID, "namespace": "argo"},
					"spec":     map[string]any{"workflowTemplateRef": map[string]any{"name": "ci"}},
				}
			}
			each(started)
			each(bridge.Replayed{Event: pushID, Template: "argo/docs", Rule: "default", Verdict: bridge.Filtered, Reason: "paths", Detail: `paths: got ["main.go" "go.mod"], want docs/**`})
			if r.DryRun {
				each(bridge.Replayed{Event: pushID, Template: "argo/release", Rule: "nightly", Verdict: bridge.Matched, Reason: bridge.ReasonMatched,
					Workflow: "argo/release-" + r.ID, Refused: `admission webhook "policy" denied the request: no priority class`})
			}
			return nil
		},
	}
}

func batchedRecord() bridge.Record {
	return bridge.Record{
		Event: batchID, Source: "//storage.googleapis.com/projects/_/buckets/landing-prod", Type: "google.cloud.storage.object.v1.finalized", Name: "gcs.finalized",
		Subject: "objects/exports/2026/03/01/items.json", Done: true, Attempt: 1, Sequence: 4600, Stored: minute(0), Updated: minute(0),
		Results: []bridge.Result{
			{Template: "argo/archive", Rule: "default", Verdict: bridge.Matched, Reason: bridge.ReasonMatched, Workflow: "argo/archive-k4ws2q", Attempts: 1, At: minute(0),
				Batch: &bridge.BatchRef{First: "landing-prod/exports/2026/03/01/a.json#1772366200000000#OBJECT_FINALIZE", Last: batchID, Lead: "x", Items: 500}},
			{Template: "argo/index", Rule: "default", Verdict: bridge.Matched, Reason: bridge.ReasonMatched, Workflow: "argo/index-m2xv7a", Attempts: 1, At: minute(0),
				Batch: &bridge.BatchRef{First: batchID, Last: batchID, Lead: "y", Items: 1}},
			{Template: "argo/load", Rule: "default", Verdict: bridge.Skipped, Reason: bridge.ReasonLatestOnly, At: minute(0),
				Detail: "latest-only: generation 1772366400000000 of the object has come"},
		},
	}
}
