package alerts_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/argo-bridge/argo-bridge/adapters/slack"
	"github.com/argo-bridge/argo-bridge/adapters/slack/alerts"
	"github.com/argo-bridge/argo-bridge/adapters/slack/slacktest"
	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/bus"
	"github.com/argo-bridge/argo-bridge/bridge/notify"
	"github.com/argo-bridge/argo-bridge/bridge/silences"
)

const (
	stormTemplates = 20
	stormChannels  = 5
	stormMessages  = 60
)

// TestAStormIsFewMessagesThatCountEveryFailure lets a thousand runs fail within a minute, a real bus and the whole way from
// the end of a run to Slack between, and ends the process in the middle.
func TestAStormIsFewMessagesThatCountEveryFailure(t *testing.T) {
	t.Parallel()
	failures, within := 1000, time.Minute
	if testing.Short() {
		failures, within = 150, 9*time.Second
	}
	s := slacktest.NewServer("xoxb-storm")
	t.Cleanup(s.Close)
	for i := range stormChannels {
		s.AddChannel(fmt.Sprintf("alerts-%d", i))
	}
	storm := &storm{slack: s, dir: t.TempDir()}
	storm.start(t)
	defer func() { storm.stop() }()
	begun, every := time.Now(), within/time.Duration(failures)
	for i := range failures {
		if i == failures/2 {
			storm.stop()
			storm.start(t)
		}
		time.Sleep(time.Until(begun.Add(time.Duration(i) * every)))
		storm.fails(t, i)
	}
	storm.settles(t, failures)
	if n := s.Unheeded(); n != 0 {
		t.Errorf("%d calls came before Slack's Retry-After was over", n)
	}
	if n := len(s.Messages()); n >= stormMessages {
		t.Errorf("%d messages, want less than %d", n, stormMessages)
	}
	t.Logf("%d failures in %s: %d messages, %d updates, %d times 429", failures, time.Since(begun).Round(time.Second),
		len(s.Messages()), s.Calls("chat.update"), s.Limited())
}

// A storm is one bridge's way from the end of a run to Slack.
type storm struct {
	slack    *slacktest.Server
	dir      string
	reporter *notify.Reporter
	stop     func()
	sent     *atomic.Int64
}

func (w *storm) start(t *testing.T) {
	t.Helper()
	b, err := bus.Open(context.Background(), bus.Config{DataDir: w.dir}.Defaults(), zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	table := func(name string, ttl time.Duration) *bus.Bucket {
		bucket, err := b.Bucket(context.Background(), name, ttl)
		if err != nil {
			t.Fatal(err)
		}
		return bucket
	}
	w.reporter = &notify.Reporter{
		Routes: routes{}, Runs: table("RUNS", time.Hour), Queue: b, History: &notify.History{Table: table("STATE", 0)}, Origins: nobody{},
		Log: zap.NewNop(), Now: time.Now,
	}
	notifier := alerts.New(alerts.Options{
		Clients: slack.NewWorkspaces(slack.Secrets{Token: "xoxb-storm"}, slack.WorkspaceOptions{APIURL: w.slack.APIURL()}),
		Table:   register{table("ALERTS", time.Hour)}, Silences: silences.Book{Table: table("SILENCES", 0), Now: time.Now},
		Owner: rand.Text(), Log: zap.NewNop(), Now: time.Now,
	})
	w.sent = &atomic.Int64{}
	deliverer := &notify.Deliverer{
		Notifiers: map[string]bridge.Notifier{"slack": notifier}, Outbox: table("OUTBOX", time.Hour), Observer: w, Addresses: nobody{}, Log: zap.NewNop(), Now: time.Now,
	}
	ctx, cancel := context.WithCancel(context.Background())
	var parts sync.WaitGroup
	parts.Go(func() { _ = notifier.Run(ctx) })
	parts.Go(func() { _ = b.ConsumeNotifications(ctx, 8, deliverer.Handle) })
	w.stop = func() { cancel(); parts.Wait(); b.Close() }
}

// Delivered implements notify.Observer.
func (w *storm) Delivered(_, result string, _ time.Duration) {
	if result == "sent" {
		w.sent.Add(1)
	}
}

func (w *storm) fails(t *testing.T, i int) {
	t.Helper()
	template, at := fmt.Sprintf("job-%02d", i%stormTemplates), time.Now()
	run := bridge.Run{
		Namespace: "team", Name: fmt.Sprintf("%s-%d", template, i), UID: fmt.Sprintf("uid-%d", i), Template: bridge.Template{Namespace: "team", Name: template},
		Phase: "Failed", Created: at, Started: at, Finished: at,
		Failures: []bridge.Failure{{Path: "load", Phase: "Failed", Message: "Error (exit code 1)", Log: []string{"no space left"}}},
	}
	if err := w.reporter.Changed(t.Context(), run); err != nil {
		t.Fatal(err)
	}
}

// settles waits until the messages count all failures.
func (w *storm) settles(t *testing.T, failures int) {
	t.Helper()
	counted := 0
	for end := time.Now().Add(3 * time.Minute); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		if counted = w.counted(); counted == failures {
			return
		}
	}
	t.Errorf("the messages count %d failures of %d", counted, failures)
}

var count = regexp.MustCompile(`([0-9]+) (?:failures|runs|times)`)

// counted is how many failures the messages stand for, as their sentences say.
func (w *storm) counted() (all int) {
	for _, m := range w.slack.Messages() {
		if m.ThreadTS != "" {
			continue
		}
		all++
		if c := count.FindStringSubmatch(m.Text); c != nil {
			n, _ := strconv.Atoi(c[1])
			all += n - 1
		}
	}
	return all
}

// routes tells one channel of each template.
type routes struct{}

func (routes) Routes(t bridge.Template, _ string) []bridge.Route {
	n, _ := strconv.Atoi(strings.TrimPrefix(t.Name, "job-"))
	to := bridge.Destination{Scheme: "slack", Target: fmt.Sprintf("#alerts-%d", n%stormChannels)}
	return []bridge.Route{{Outcome: bridge.Failed, To: to}}
}

// nobody knows of no event.
type nobody struct{}

func (nobody) Variables(context.Context, bridge.Run) map[string]any { return nil }
func (nobody) Address(context.Context, bridge.Run) (string, bool, error) {
	return "", true, nil
}

// register keeps the alerts in a bucket.
type register struct{ table *bus.Bucket }

func (r register) Load(ctx context.Context, key string) ([]byte, uint64, error) {
	e, _, err := r.table.Get(ctx, key)
	return e.Value, e.Revision, err
}

func (r register) Store(ctx context.Context, key string, state []byte, revision uint64) error {
	err := r.table.Update(ctx, key, state, revision)
	if err != nil && strings.Contains(err.Error(), bus.ErrConflict.Error()) {
		return bridge.ErrStale
	}
	return err
}

func (r register) List(ctx context.Context, prefix string) (map[string][]byte, error) {
	entries, err := r.table.List(ctx, prefix+">")
	all := map[string][]byte{}
	for _, e := range entries {
		all[e.Key] = e.Value
	}
	return all, err
}
