package history

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/bus"
	"github.com/argo-bridge/argo-bridge/bridge/ledger"
	"github.com/argo-bridge/argo-bridge/bridge/waiting"
)

// A past is a history that a test writes.
type past struct {
	*History
	t      *testing.T
	ledger *ledger.Ledger
}

func newPast(t *testing.T) *past {
	t.Helper()
	b, err := bus.Open(t.Context(), bus.Config{DataDir: t.TempDir()}.Defaults(), zaptest.NewLogger(t, zaptest.Level(zap.ErrorLevel)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	bucket := func(name string) *bus.Bucket {
		table, err := b.Bucket(t.Context(), name, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		return table
	}
	h := &History{Bus: b, Ledger: bucket("LEDGER"), Runs: bucket("RUNS"), Outbox: bucket("OUTBOX")}
	return &past{History: h, t: t, ledger: ledger.New(h.Ledger, time.Hour, zap.NewNop())}
}

func pushEvent(id string) bridge.Event {
	return bridge.Event{ID: id, Source: "https://github.com/acme/app", Type: "com.github.push", Data: json.RawMessage(`{"ref":"refs/heads/main"}`)}
}

// handled publishes an event and records what became of it.
func (p *past) handled(id string, stored time.Time, results ...bridge.Result) {
	p.t.Helper()
	e := pushEvent(id)
	if err := p.Bus.Publish(p.t.Context(), e); err != nil {
		p.t.Fatal(err)
	}
	var sequence uint64
	err := p.Bus.EventsSince(p.t.Context(), time.Now().Add(-time.Hour), func(s uint64, _ time.Time, _ bridge.Event) bool {
		sequence = s
		return true
	})
	if err != nil {
		p.t.Fatal(err)
	}
	r := bridge.Record{Event: id, Source: e.Source, Type: e.Type, Name: "github.push", Results: results, Sequence: sequence, Stored: stored}
	if err := p.ledger.Put(p.t.Context(), r); err != nil {
		p.t.Fatal(err)
	}
}

func (p *past) list(q bridge.Query) (ids []string) {
	p.t.Helper()
	err := p.Records(p.t.Context(), q, func(r bridge.Record) bool {
		ids = append(ids, r.Event)
		return true
	})
	if err != nil {
		p.t.Fatal(err)
	}
	return ids
}

func result(template, rule string, v bridge.Verdict) bridge.Result {
	return bridge.Result{Template: template, Rule: rule, Verdict: v}
}

func TestRecordsAreFoundByWhatIsAskedForTheNewestFirst(t *testing.T) {
	t.Parallel()
	p, now := newPast(t), time.Now()
	p.handled("one", now.Add(-3*time.Hour), result("team/build", "default", bridge.Matched))
	p.handled("two", now.Add(-time.Hour), result("team/build", "nightly", bridge.Rejected), result("team/docs", "default", bridge.Filtered))
	p.handled("three", now)
	cases := map[string]struct {
		query bridge.Query
		want  []string
	}{
		"all":                         {bridge.Query{}, []string{"three", "two", "one"}},
		"the newest":                  {bridge.Query{Limit: 2}, []string{"three", "two"}},
		"by template":                 {bridge.Query{Template: "team/build"}, []string{"two", "one"}},
		"by a template's bare name":   {bridge.Query{Template: "docs"}, []string{"two"}},
		"by rule":                     {bridge.Query{Template: "build", Rule: "nightly"}, []string{"two"}},
		"one result has to fit whole": {bridge.Query{Template: "docs", Outcome: bridge.Rejected}, nil},
		"by outcome":                  {bridge.Query{Outcome: bridge.Matched}, []string{"one"}},
		"since":                       {bridge.Query{Since: now.Add(-2 * time.Hour)}, []string{"three", "two"}},
		"until":                       {bridge.Query{Until: now.Add(-2 * time.Hour)}, []string{"one"}},
		"by the source's short name":  {bridge.Query{Source: "github", Limit: 1}, []string{"three"}},
		"by a part of the source":     {bridge.Query{Source: "acme/other"}, nil},
		"by the name in on":           {bridge.Query{Type: "github.push", Limit: 1}, []string{"three"}},
		"by the beginning of a type":  {bridge.Query{Type: "com.git"}, nil},
		"by a type up to a dot":       {bridge.Query{Type: "com.github", Limit: 1}, []string{"three"}},
	}
	for name, c := range cases {
		if diff := cmp.Diff(c.want, p.list(c.query)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestAStoryHoldsAllThatIsKnown(t *testing.T) {
	t.Parallel()
	p := newPast(t)
	p.handled("one", time.Now(), result("team/build", "default", bridge.Matched))
	hash := pushEvent("one").Hash()
	put := func(b *bus.Bucket, key string, v any) {
		data, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		if err := b.Put(t.Context(), key, data); err != nil {
			t.Fatal(err)
		}
	}
	put(p.Runs, hash+".uid", bridge.RunState{Workflow: "team/build-1", Phase: "Failed"})
	put(p.Runs, pushEvent("other").Hash()+".uid2", bridge.RunState{Workflow: "team/other", Phase: "Failed"})
	put(p.Outbox, hash+".key", bridge.SentRecord{Key: "key", State: "sent", To: "slack:#x"})
	for _, id := range []string{"one", hash} {
		s, err := p.Story(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		if s.Event == nil || s.Event.ID != "one" || s.Hash != hash || len(s.Runs) != 1 || s.Runs[0].Phase != "Failed" ||
			len(s.Notifications) != 1 || s.Notifications[0].State != "sent" {
			t.Errorf("by %s: %+v", id, s)
		}
	}
	for _, id := range []string{"two", pushEvent("two").Hash()} {
		if _, err := p.Story(t.Context(), id); !errors.Is(err, bridge.ErrUnknownEvent) {
			t.Errorf("%s: %v", id, err)
		}
	}
}

func TestThePastIsReadFromTheOldestOn(t *testing.T) {
	t.Parallel()
	p := newPast(t)
	for i, v := range []bridge.Verdict{bridge.Matched, bridge.Rejected, bridge.Rejected} {
		p.handled(fmt.Sprint(i), time.Now(), result("team/build", "default", v))
	}
	past := func(q bridge.Query) (ids []string) {
		q.Since = time.Now().Add(-time.Hour)
		err := p.past(t.Context(), q, func(e bridge.Event, at bus.Delivery) error {
			if at.Sequence == 0 || at.Stored.IsZero() {
				t.Errorf("%s has no place: %+v", e.ID, at)
			}
			ids = append(ids, e.ID)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return ids
	}
	// A template that is to be started need not have met the events yet.
	if diff := cmp.Diff([]string{"0", "1", "2"}, past(bridge.Query{Template: "new"})); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"1"}, past(bridge.Query{Outcome: bridge.Rejected, Limit: 1})); diff != "" {
		t.Error(diff)
	}
	stop := errors.New("stop")
	if err := p.past(t.Context(), bridge.Query{}, func(bridge.Event, bus.Delivery) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("got %v", err)
	}
}

func TestAReplayOfEverythingIsRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		request bridge.Replay
		ok      bool
	}{
		"of everything":       {bridge.Replay{}, false},
		"of what was matched": {bridge.Replay{Query: bridge.Query{Outcome: bridge.Matched}}, false},
		"of an event":         {bridge.Replay{Event: "1"}, true},
		"for a template":      {bridge.Replay{Query: bridge.Query{Template: "build"}}, true},
		"of rejections":       {bridge.Replay{Query: bridge.Query{Outcome: bridge.Rejected}}, true},
	} {
		r, err := complete(c.request)
		if (err == nil) != c.ok || (err != nil && !bridge.IsPermanent(err)) {
			t.Errorf("%s: %v", name, err)
		}
		if c.ok && r.ID == "" {
			t.Errorf("%s has no id", name)
		}
	}
}

// room keeps the tasks that are added.
type room struct{ tasks []waiting.Task }

func (r *room) Add(_ context.Context, t waiting.Task) error {
	r.tasks = append(r.tasks, t)
	return nil
}

func TestARequestThroughTheBusIsCarriedOutByWhoeverLeads(t *testing.T) {
	t.Parallel()
	r := &room{}
	q := &Requester{Room: r, Now: time.Now}
	if err := q.Replay(t.Context(), bridge.Replay{Event: "1", DryRun: true}, nil); !bridge.IsPermanent(err) {
		t.Errorf("a dry run: %v", err)
	}
	if err := q.Replay(t.Context(), bridge.Replay{Event: "1", Rule: "nightly"}, nil); err != nil || len(r.tasks) != 1 {
		t.Fatalf("%v, %d tasks", err, len(r.tasks))
	}
	task := r.tasks[0]
	if task.Request == nil || task.Request.Event != "1" || task.Request.Rule != "nightly" || task.Request.ID == "" {
		t.Errorf("the task: %+v", task.Request)
	}
	handed := 0
	next := func(context.Context, waiting.Turn) (int, error) { handed++; return 1, nil }
	p := &Replayer{History: newPast(t).History}
	if _, err := p.Work(next)(t.Context(), waiting.Turn{Tasks: []waiting.Task{{}}}); err != nil || handed != 1 {
		t.Errorf("another task: %v, handed on %d times", err, handed)
	}
	if n, err := p.Work(next)(t.Context(), waiting.Turn{Tasks: []waiting.Task{task}}); n != 1 || !bridge.IsPermanent(err) || handed != 1 {
		t.Errorf("a request for an event that is not there: %v, want it settled", err)
	}
}
