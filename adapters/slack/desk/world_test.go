package desk_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/argo-bridge/argo-bridge/adapters/slack"
	"github.com/argo-bridge/argo-bridge/adapters/slack/desk"
	"github.com/argo-bridge/argo-bridge/adapters/slack/progress"
	"github.com/argo-bridge/argo-bridge/adapters/slack/slacktest"
	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/match"
	"github.com/argo-bridge/argo-bridge/bridge/orders"
)

const signing = "signing-secret"

var midnight = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

// A world is a bridge between a Slack and a cluster: what comes from Slack is stored, carried out at once by a clerk, and
// answered from the record.
type world struct {
	slack *slacktest.Server
	clock *slacktest.Clock
	// ann may do all, bob may look; eve is of another workspace, and so is guest, who is in the channels of this one.
	ann, bob, eve, guest   string
	ops, lounge, elsewhere *slacktest.Channel
	other                  *slacktest.Team
	templates              []desk.Template
	register               *table
	progress               *progress.Progress
	warden                 *slack.Warden
	options                desk.Options
	inbox                  *slack.Inbox

	mu       sync.Mutex
	clerk    *orders.Clerk
	runs     []bridge.Run
	logs     []bridge.StepLog
	silenced []bridge.Silence
	events   []bridge.Event
	records  map[string]bridge.Record
	did      []string
	wants    bool
	down     error // of the cluster
}

func text(s string) *string { return &s }

var etl = bridge.Template{Namespace: "team", Name: "etl"}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{clock: slacktest.NewClock(midnight), records: map[string]bridge.Record{}, register: &table{states: map[string]state{}}}
	var err error
	if w.slack, err = slacktest.New(slacktest.Options{Token: "xoxb-home", SigningSecret: signing, Now: w.clock.Now}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.slack.Close)
	w.other = w.slack.AddTeam("T0OTHER", "xoxb-other")
	w.ann, w.bob, w.eve = w.slack.AddUser("ann"), w.slack.AddUser("bob"), w.other.AddUser("eve")
	w.guest = w.slack.Team().Add(slacktest.User{Name: "guest", Team: w.other.ID}).ID
	w.ops, w.lounge, w.elsewhere = w.slack.AddChannel("ops"), w.slack.AddChannel("lounge"), w.other.AddChannel("ops")
	all := bridge.Allowances{}
	for _, right := range bridge.Rights {
		all[right] = bridge.Allowance{Users: []string{w.ann}, Channels: []string{"#ops"}}
	}
	delete(all, bridge.RightView)
	w.templates = []desk.Template{
		{Ref: etl, Description: "loads <!channel> what is new", Allow: all, Declared: []bridge.Declared{
			{Name: "date", Description: "which day to load"}, {Name: "mode", Default: text("fast"), Enum: []string{"fast", "slow"}},
			{Name: "query", Default: text(`{"a": 1}`)}, {Name: "api-token", Default: text("hunter2")},
		}},
		{Ref: bridge.Template{Namespace: "team", Name: "nightly"}, Allow: all},
		{Ref: bridge.Template{Namespace: "team", Name: "secret"}, Allow: bridge.Allowances{bridge.RightView: {Users: []string{w.ann}}}},
		{Ref: bridge.Template{Namespace: "vault", Name: "etl"}, Allow: all},
	}
	w.build(t)
	return w
}

func (w *world) build(t *testing.T) {
	t.Helper()
	access, err := match.NewAccess([]match.Entry{
		{Namespaces: []string{"team"}, Workspaces: []string{slacktest.TeamID}, Channels: []string{"#ops", "#lounge"}},
		{Namespaces: []string{"vault"}, Workspaces: []string{slacktest.TeamID}, Channels: []string{"#vault"}},
	}, "argo")
	if err != nil {
		t.Fatal(err)
	}
	workspaces := slack.NewWorkspaces(slack.Secrets{Token: "xoxb-home"}, slack.WorkspaceOptions{APIURL: w.slack.APIURL(), Now: w.clock.Now})
	w.warden = slack.NewWarden(workspaces, nil, w.clock.Now)
	finder := &desk.Finder{Templates: w, Runs: w, Access: access, Warden: w.warden}
	w.progress = progress.New(progress.Options{Clients: workspaces, Register: w.register, Now: w.clock.Now})
	link := func(workflow string) string { return "https://argo.example/" + workflow }
	w.options = desk.Options{
		Finder: finder, Logs: w, Silences: silences{w}, Clients: workspaces, Rules: w, Link: link, Log: zap.NewNop(), Now: w.clock.Now,
	}
	w.clerk = &orders.Clerk{
		Dispatcher: dispatcher{world: w}, Wardens: map[string]bridge.Warden{"slack": w.warden}, Operator: operator{w}, Templates: catalog{w},
		Silences: silences{w}, Access: access, Names: desk.Names{Finder: finder}, Now: w.clock.Now,
	}
	w.inbox = slack.NewInbox(w, slack.InboxOptions{
		Now: w.clock.Now, Workspaces: workspaces, Desk: desk.New(w.options), Book: w.progress, Answers: w, Link: link,
	})
	hooks := slack.NewWebhooks([]string{signing}, w.inbox)
	mux := http.NewServeMux()
	mux.Handle("/webhooks/slack/events", hooks.Events())
	mux.Handle("/webhooks/slack/commands", hooks.Commands())
	mux.Handle("/webhooks/slack/interactions", hooks.Interactions())
	server := httptest.NewServer(mux)
	t.Cleanup(func() { server.Close(); w.inbox.Close() })
	w.slack.DeliverTo(server.URL)
}

// Publish stores an event, and carries its order out once.
func (w *world) Publish(ctx context.Context, e bridge.Event) error {
	w.mu.Lock()
	_, known := w.records[e.Hash()]
	w.mu.Unlock()
	if known {
		return nil
	}
	record := bridge.Record{Event: e.ID, Source: e.Source, Done: true}
	f, _, err := slack.FactFinder{}.Facts(e)
	if err != nil {
		return err
	}
	if f.Order != nil {
		a, err := w.clerk.Carry(ctx, e, f)
		if err != nil {
			return err
		}
		verdict := bridge.Rejected
		if a.Done {
			verdict = bridge.Matched
		}
		record.Results = append(record.Results, bridge.Result{Template: bridge.OrderTemplate, Rule: f.Order.Word, Verdict: verdict, Detail: a.Text})
		if a.Made != nil {
			record.Results = append(record.Results, *a.Made)
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.events = append(w.events, e)
	w.records[e.Hash()] = record
	return nil
}

func (w *world) Await(_ context.Context, e bridge.Event) (bridge.Record, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.records[e.Hash()], nil
}

func (w *world) Templates() []desk.Template { return w.templates }

func (w *world) Wants(bridge.Facts) bool { return w.wants }

func (w *world) Find(_ context.Context, namespace, name string) (bridge.Run, error) {
	if w.down != nil {
		return bridge.Run{}, w.down
	}
	i := slices.IndexFunc(w.runs, func(r bridge.Run) bool { return r.Namespace == namespace && r.Name == name })
	if i < 0 {
		return bridge.Run{}, bridge.Permanent(fmt.Errorf("the run %s/%s is gone", namespace, name))
	}
	return w.runs[i], nil
}

func (w *world) List(_ context.Context, namespace, template string, limit int) (runs []bridge.Run, err error) {
	for _, r := range w.runs {
		if r.Namespace == namespace && (template == "" || r.Template.Name == template) && len(runs) < limit {
			runs = append(runs, r)
		}
	}
	return runs, w.down
}

func (w *world) Steps(_ context.Context, _ bridge.Run, step string) (logs []bridge.StepLog, err error) {
	for _, l := range w.logs {
		if strings.Contains(l.Path, step) {
			logs = append(logs, l)
		}
	}
	return logs, w.down
}

// catalog, operator and dispatcher are what a clerk needs of the world.
type catalog struct{ *world }

func (c catalog) Allowances(t bridge.Template) (bridge.Allowances, bool) {
	for _, have := range c.templates {
		if have.Ref == t {
			return have.Allow, true
		}
	}
	return nil, false
}

func (c catalog) Declared(t bridge.Template) ([]bridge.Declared, bool) {
	for _, have := range c.templates {
		if have.Ref == t {
			return have.Declared, true
		}
	}
	return nil, false
}

type operator struct{ *world }

func (o operator) act(what string, run bridge.RunID) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.did = append(o.did, what+" "+run.String())
	return nil
}

func (o operator) Retry(_ context.Context, run bridge.RunID, _ bridge.Stamp) error {
	return o.act("retry", run)
}

func (o operator) Resubmit(_ context.Context, run bridge.RunID, s bridge.Stamp) (string, error) {
	return run.Name + "-" + s.ID, o.act("resubmit", run)
}

func (o operator) Stop(_ context.Context, run bridge.RunID, _ string) error {
	return o.act("stop", run)
}

func (o operator) Resume(_ context.Context, run bridge.RunID, node string, s bridge.Stamp, p []bridge.Parameter) error {
	return o.act(fmt.Sprint("resume ", node, " ", s.By, " ", p), run)
}

func (o operator) Reject(_ context.Context, run bridge.RunID, node string, s bridge.Stamp) error {
	return o.act("reject "+node+" "+s.By, run)
}

type dispatcher struct {
	orders.Dispatcher
	*world
}

func (d dispatcher) Begin(_ context.Context, e bridge.Event, _ bridge.Facts, t bridge.Template, p []bridge.Parameter) (bridge.Result, error) {
	name := t.Name + "-" + e.Hash()[:6]
	d.mu.Lock()
	defer d.mu.Unlock()
	d.did = append(d.did, fmt.Sprint("run ", t, " ", p))
	return bridge.Result{Template: t.String(), Verdict: bridge.Matched, Workflow: t.Namespace + "/" + name}, nil
}

func (d dispatcher) Find(context.Context, string) (bridge.Record, bool, error) {
	return bridge.Record{}, false, nil
}

func (d dispatcher) Origin(bridge.Event, bridge.Facts, bridge.Template) (labels, annotations map[string]string) {
	return map[string]string{}, map[string]string{}
}

func (w *world) Add(_ context.Context, s bridge.Silence) error {
	w.silenced = append(w.silenced, s)
	return nil
}

func (w *world) Remove(_ context.Context, id string) error {
	w.silenced = slices.DeleteFunc(w.silenced, func(s bridge.Silence) bool { return s.ID == id })
	return nil
}

// silences is the list of the world's silences, whose name the runs take.
type silences struct{ *world }

func (s silences) List(context.Context) ([]bridge.Silence, error) {
	return slices.Clone(s.silenced), nil
}

// deeds are what was done so far.
func (w *world) deeds() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.did)
}

func (w *world) stored() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.events)
}

// types lets somebody type the command, and returns what they are answered.
func (w *world) types(t *testing.T, user string, c *slacktest.Channel, line string) string {
	t.Helper()
	sent := w.slack.Command(user, c, "/argo", line)
	if !sent.OK() || sent.Fault != "" || sent.Status != http.StatusOK {
		t.Fatalf("/argo %.60s: %+v", line, sent)
	}
	if len(sent.Body) == 0 {
		return ""
	}
	var answer struct {
		Type string `json:"response_type"`
		Text string `json:"text"`
	}
	if err := json.Unmarshal(sent.Body, &answer); err != nil || answer.Type != "ephemeral" {
		t.Fatalf("/argo %.60s: %v: %s", line, err, sent.Body)
	}
	harmless(t, answer.Text)
	return answer.Text
}

// harmless wants nobody to be called by what is shown, but users by the bridge itself, and no link but the bridge's own.
func harmless(t *testing.T, text string) {
	t.Helper()
	for _, bad := range []string{"<!channel", "<!here", "<!everyone", "<!subteam", "<@U0EVIL", "<http://evil"} {
		if strings.Contains(text, bad) {
			t.Errorf("%s is in %q", bad, text)
		}
	}
	if len(text) > 4000 {
		t.Errorf("an answer of %d bytes", len(text))
	}
}

// A table is a register.
type table struct {
	mu     sync.Mutex
	states map[string]state
	fail   error
}

type state struct {
	data     []byte
	revision uint64
}

func (t *table) Load(_ context.Context, key string) ([]byte, uint64, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.states[key].data, t.states[key].revision, t.fail
}

func (t *table) Store(_ context.Context, key string, data []byte, revision uint64) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.fail != nil {
		return t.fail
	}
	if t.states[key].revision != revision {
		return bridge.ErrStale
	}
	t.states[key] = state{slices.Clone(data), revision + 1}
	return nil
}

var errDown = errors.New("the API server does not answer")
