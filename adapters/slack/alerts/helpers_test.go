package alerts

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest"

	adapter "github.com/argo-bridge/argo-bridge/adapters/slack"
	"github.com/argo-bridge/argo-bridge/adapters/slack/slacktest"
	"github.com/argo-bridge/argo-bridge/bridge"
)

const botToken = "xoxb-1234-secret"

// A shelf is a Table in memory; fail makes calls fail, as a bus does that is away.
type shelf struct {
	mu        sync.Mutex
	states    map[string][]byte
	revisions map[string]uint64
	fail      func(op, key string) error
	lists     int // how many calls of List are to fail
}

func newShelf() *shelf { return &shelf{states: map[string][]byte{}, revisions: map[string]uint64{}} }

func (s *shelf) broken(op, key string) error {
	if s.fail == nil {
		return nil
	}
	return s.fail(op, key)
}

func (s *shelf) Load(_ context.Context, key string) ([]byte, uint64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.states[key], s.revisions[key], s.broken("load", key)
}

func (s *shelf) Store(_ context.Context, key string, state []byte, revision uint64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.broken("store", key); err != nil {
		return err
	}
	if s.revisions[key] != revision {
		return bridge.ErrStale
	}
	s.states[key] = state
	s.revisions[key]++
	return nil
}

func (s *shelf) List(_ context.Context, prefix string) (map[string][]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lists > 0 {
		s.lists--
		return nil, context.DeadlineExceeded
	}
	all := map[string][]byte{}
	for k, v := range s.states {
		if strings.HasPrefix(k, prefix) {
			all[k] = v
		}
	}
	return all, nil
}

// quiet is bridge.Silences in memory.
type quiet struct {
	mu  sync.Mutex
	all []bridge.Silence
}

func (q *quiet) Add(_ context.Context, s bridge.Silence) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.all = append(q.all, s)
	return nil
}
func (q *quiet) Remove(context.Context, string) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.all = nil
	return nil
}
func (q *quiet) List(context.Context) ([]bridge.Silence, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	var all []bridge.Silence
	for _, s := range q.all {
		if s.Until.After(time.Now()) {
			all = append(all, s)
		}
	}
	return all, nil
}

// A world is a Notifier at work on a Slack.
type world struct {
	*Notifier
	slack    *slacktest.Server
	channel  *slacktest.Channel
	shelf    *shelf
	silences *quiet
	stop     func()
	http     *http.Client // nil: over the network

	mu      sync.Mutex
	refused []string
}

func newWorld(t *testing.T, change ...func(*Options)) *world {
	t.Helper()
	s := slacktest.NewServer(botToken)
	t.Cleanup(s.Close)
	w := &world{slack: s, channel: s.AddChannel("data-alerts"), shelf: newShelf(), silences: &quiet{}}
	w.start(t, change...)
	return w
}

// inBubble is a world whose time is not that of the machine's clock.
func inBubble(t *testing.T, f func(t *testing.T, w *world), change ...func(*Options)) {
	t.Helper()
	s := slacktest.NewServer(botToken)
	t.Cleanup(s.Close)
	w := &world{slack: s, channel: s.AddChannel("data-alerts"), shelf: newShelf(), silences: &quiet{}, http: &http.Client{Transport: s.Transport()}}
	synctest.Test(t, func(t *testing.T) {
		w.start(t, change...)
		f(t, w)
		w.stop()
	})
}

// start starts a new process on what there is.
func (w *world) start(t *testing.T, change ...func(*Options)) {
	t.Helper()
	o := Options{
		Clients: adapter.NewWorkspaces(adapter.Secrets{Token: botToken}, adapter.WorkspaceOptions{APIURL: w.slack.APIURL(), Client: w.http}),
		Table:   w.shelf, Silences: w.silences, Owner: fmt.Sprint(time.Now().UnixNano()), Log: zaptest.NewLogger(t, zaptest.Level(zap.ErrorLevel)), Now: time.Now,
		Refused: func(n bridge.Notification, err error) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.refused = append(w.refused, err.Error())
		},
	}
	for _, f := range change {
		f(&o)
	}
	w.Notifier = New(o)
	w.settle, w.updateEvery = 200*time.Millisecond, func(int) time.Duration { return 50 * time.Millisecond }
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = w.Run(ctx) }()
	var once sync.Once
	w.stop = func() { once.Do(func() { cancel(); <-done }) }
	t.Cleanup(w.stop)
}

var begun = time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)

// failure is the failure of a run of a template.
func failure(template string, number int) bridge.Notification {
	at := begun.Add(time.Duration(number) * time.Second)
	run := bridge.Run{
		Namespace: "team", Name: fmt.Sprintf("%s-%d", template, number), UID: fmt.Sprintf("uid-%s-%d", template, number),
		Template: bridge.Template{Namespace: "team", Name: template}, Phase: "Failed", Started: at, Finished: at.Add(time.Minute),
		Failures: []bridge.Failure{{Path: "load / extract", Phase: "Failed", Message: "Error (exit code 1)", ExitCode: "1", Log: []string{"no such file"}}},
	}
	return notification(bridge.Failed, run)
}

func notification(o bridge.Outcome, run bridge.Run) bridge.Notification {
	to := bridge.Destination{Scheme: "slack", Target: "#data-alerts"}
	return bridge.Notification{
		Key: run.UID + "-" + run.Started.String() + "-" + string(o), Outcome: o, To: to, Run: run, Created: run.Started,
		Link: "https://argo.example.com/workflows/" + run.ID().String(),
	}
}

// goes is the run on its way, good the run that has succeeded.
func goes(n bridge.Notification, again time.Duration) bridge.Notification {
	n.Run.Phase, n.Run.Failures, n.Run.Finished = "Running", nil, time.Time{}
	n.Run.Started = n.Run.Started.Add(again)
	return notification(bridge.Started, n.Run)
}

func good(n bridge.Notification, o bridge.Outcome) bridge.Notification {
	n.Run.Phase, n.Run.Failures = "Succeeded", nil
	return notification(o, n.Run)
}

// told has the notifier tell of n until it is told, as the bus does.
func (w *world) told(t *testing.T, n bridge.Notification) {
	t.Helper()
	for range 100 {
		err := w.Notify(t.Context(), n)
		if err == nil {
			return
		}
		wait, named := bridge.Wait(err)
		if bridge.IsPermanent(err) || !named {
			t.Fatalf("%s: %v", n.Key, err)
		}
		if w.http == nil { // the machine's clock
			wait = min(wait, 50*time.Millisecond)
		}
		time.Sleep(wait)
	}
	t.Fatalf("%s is not told", n.Key)
}

// eventually waits for a condition.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !ok(); {
		if time.Now().After(end) {
			t.Fatalf("in vain: %s", what)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// tops are the messages in the channel itself, replies those in threads.
func (w *world) tops() (all []slacktest.Message) {
	for _, m := range w.slack.Messages() {
		if m.ThreadTS == "" {
			all = append(all, m)
		}
	}
	return all
}

func (w *world) replies() (all []slacktest.Message) {
	for _, m := range w.slack.Messages() {
		if m.ThreadTS != "" {
			all = append(all, m)
		}
	}
	return all
}

// shown is all that a message shows.
func shown(m slacktest.Message) string {
	var texts []string
	for _, raw := range []json.RawMessage{m.Blocks, m.Attachments} {
		texts = append(texts, string(raw))
	}
	return m.Text + "\n" + strings.ReplaceAll(strings.Join(texts, "\n"), `\u003e`, ">")
}
