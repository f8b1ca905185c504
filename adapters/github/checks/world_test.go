package checks

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bradleyfalzon/ghinstallation/v2"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-github/v60/github"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	adapter "github.com/argo-bridge/argo-bridge/adapters/github"
	"github.com/argo-bridge/argo-bridge/adapters/github/githubtest"
	"github.com/argo-bridge/argo-bridge/bridge"
)

var update = flag.Bool("update", false, "write the golden files")

const (
	repository   = "acme/app"
	commit       = "0123456789abcdef0123456789abcdef01234567"
	installation = 7
)

var (
	began = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	ended = began.Add(134 * time.Second)
)

// register keeps entries as the bus does, with revisions.
type register struct {
	mu        sync.Mutex
	revisions map[string]uint64
	states    map[string][]byte
	err       error // of the next Store
}

func newRegister() *register {
	return &register{revisions: map[string]uint64{}, states: map[string][]byte{}}
}

func (r *register) Load(_ context.Context, key string) ([]byte, uint64, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.states[key], r.revisions[key], nil
}

func (r *register) Store(_ context.Context, key string, state []byte, revision uint64) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.err; err != nil {
		r.err = nil
		return err
	}
	if r.revisions[key] != revision {
		return bridge.ErrStale
	}
	r.revisions[key]++
	r.states[key] = append([]byte{}, state...)
	return nil
}

// A world is GitHub with the App installed, and what the bridge's replicas share.
type world struct {
	*githubtest.Server
	register *register
	told     *observer.ObservedLogs
	log      *zap.Logger

	mu  sync.Mutex
	now time.Time
}

func newWorld(t *testing.T) *world {
	t.Helper()
	core, told := observer.New(zapcore.WarnLevel)
	w := &world{Server: githubtest.New(t, githubtest.Options{}), register: newRegister(), told: told, log: zap.New(core), now: ended}
	w.Install(githubtest.Installation{ID: installation, Account: "acme", Repositories: []string{repository}})
	return w
}

// Client acts as the installation, as the App's own clients do.
func (w *world) Client(_ context.Context, id int64, _ string) (*github.Client, error) {
	transport, err := ghinstallation.New(http.DefaultTransport, w.AppID(), id, githubtest.KeyPEM())
	if err != nil {
		return nil, err
	}
	transport.BaseURL = w.URL
	return github.NewClient(&http.Client{Transport: transport}).WithEnterpriseURLs(w.URL, w.URL)
}

// replica is one of the bridge's processes.
func (w *world) replica() *Notifier {
	return New(Options{Clients: w, Register: w.register, AppID: w.AppID(), Log: w.log, Now: w.clock})
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

// note is a notification of the run of one event.
func note(target string, outcome bridge.Outcome) bridge.Notification {
	m := bridge.Notification{
		Key: "key-" + string(outcome), Outcome: outcome, To: bridge.Destination{Scheme: Scheme, Target: target},
		Subject: bridge.RunKey(strings.Repeat("a", 32), bridge.Template{Namespace: "team", Name: "ci"}, "default", ""),
		Address: adapter.Address{Installation: installation, Repository: repository, Commit: commit, Number: 12, Deployment: 5}.String(),
		Link:    "https://argo.example.com/workflows/team/ci-x7k2?uid=u1", Created: began,
		Run: bridge.Run{
			Namespace: "team", Template: bridge.Template{Namespace: "team", Name: "ci"}, Rule: "default",
			Annotations: map[string]string{
				bridge.AnnotationEventTitle: "acme/app#12 @everyone `rm -rf`", bridge.AnnotationEventURL: "https://github.com/acme/app/pull/12",
			},
		},
	}
	switch outcome {
	case bridge.Queued, bridge.EventHeld, bridge.EventSkipped, bridge.EventRejected:
		m.Link = ""
		return m
	}
	m.Run.Name, m.Run.UID, m.Run.Phase, m.Run.Started = "ci-x7k2", "u1", "Running", began
	switch outcome {
	case bridge.Succeeded, bridge.Recovered:
		m.Run.Phase, m.Run.Finished = "Succeeded", ended
	case bridge.Failed, bridge.Completed:
		m.Run.Phase, m.Run.Finished = "Failed", ended
	}
	return m
}

func send1(t *testing.T, n *Notifier, m bridge.Notification) {
	t.Helper()
	if err := n.Notify(t.Context(), m); err != nil {
		t.Fatalf("%s: %v", m.Outcome, err)
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}

// pretty is an entry of the register, for messages of tests.
func (r *register) pretty() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := map[string]json.RawMessage{}
	for key, state := range r.states {
		all[key] = state
	}
	data, err := json.MarshalIndent(all, "", "  ")
	return string(data) + errString(err)
}

func errString(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

var errDown = errors.New("the bus is down")
