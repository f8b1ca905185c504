package orders_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/bus"
	"github.com/argo-bridge/argo-bridge/bridge/dispatch"
	"github.com/argo-bridge/argo-bridge/bridge/inflight"
	"github.com/argo-bridge/argo-bridge/bridge/ledger"
	"github.com/argo-bridge/argo-bridge/bridge/match"
	"github.com/argo-bridge/argo-bridge/bridge/orders"
	"github.com/argo-bridge/argo-bridge/bridge/threads"
	"github.com/argo-bridge/argo-bridge/bridge/waiting"
)

// A forge is a source whose events say all that these tests need in their data, and that can be asked.
type forge struct {
	away    bool            // it answers no question
	writers map[string]bool // who may write
}

// A payload is the data of an event of the forge.
type payload struct {
	Name, Sender, Author, Thread, Commit string
	Order                                *bridge.Order
	Files                                []string // which the forge tells when it is asked
	Awaited                              bool
}

func (f *forge) Facts(e bridge.Event) (bridge.Facts, bool, error) {
	var p payload
	if err := json.Unmarshal(e.Data, &p); err != nil {
		return bridge.Facts{}, true, err
	}
	facts := bridge.Facts{
		Name: p.Name, Source: "forge", Actor: p.Sender, Thread: p.Thread, Commit: p.Commit, Order: p.Order,
		Values: map[string][]string{}, Asks: map[string]string{"paths": "files"}, ReplyTo: "there", Awaited: p.Awaited,
	}
	if p.Author != "" {
		facts.Vouch = []string{p.Author}
	}
	if p.Order != nil {
		facts.Commander = p.Sender
	}
	return facts, true, nil
}

func (f *forge) Supply(_ context.Context, e bridge.Event, facts bridge.Facts, questions []string) (bridge.Facts, error) {
	if f.away {
		return facts, errors.New("the forge is away")
	}
	var p payload
	if err := json.Unmarshal(e.Data, &p); err != nil {
		return facts, err
	}
	if slices.Contains(questions, "files") {
		facts.Values["paths"], facts.Asks = p.Files, nil
	}
	return facts, nil
}

func (f *forge) Trusted(_ context.Context, _ bridge.Event, _ bridge.Facts, who string, t *bridge.Trust) (bool, string, error) {
	if f.away {
		return false, "", errors.New("the forge is away")
	}
	if t != nil && slices.Contains(t.Users, who) || f.writers[who] {
		return true, "", nil
	}
	return false, who + " may not write", nil
}

// A world is a dispatcher with a clerk over a real bus; Workflows are counted.
type world struct {
	*dispatch.Dispatcher
	*forge
	clerk     *orders.Clerk
	rules     []*bridge.Rule
	matcher   *match.Matcher
	stored    map[uint64]bridge.Event
	tasks     []waiting.Task
	failAdd   error
	workflows map[string]int
	submitted func(bridge.Submission) error
	phases    map[string]string
	stopped   []string
	told      []string
	answers   []string
}

func newWorld(t *testing.T, rules ...*bridge.Rule) *world {
	t.Helper()
	b, err := bus.Open(t.Context(), bus.Config{DataDir: t.TempDir()}.Defaults(), zaptest.NewLogger(t, zaptest.Level(zap.WarnLevel)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	table := func(name string) *bus.Bucket {
		bucket, err := b.Bucket(t.Context(), name, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		return bucket
	}
	w := &world{
		forge: &forge{writers: map[string]bool{"owner": true}}, rules: rules, matcher: match.New(rules, match.AllowAll()),
		stored: map[uint64]bridge.Event{}, workflows: map[string]int{}, phases: map[string]string{},
	}
	book := threads.Book{Table: table("THREADS")}
	w.Dispatcher = &dispatch.Dispatcher{
		Finders: []bridge.FactFinder{w.forge}, Rules: w, Ledger: ledger.New(table("LEDGER"), time.Hour, zap.NewNop()), Events: w, Room: w, Gate: w,
		Submitter: w, Stopper: w, Herald: w, Inquirers: map[string]bridge.Inquirer{"forge": w.forge}, Threads: book,
		Observer: unobserved{}, State: table("STATE"), Latest: table("LATEST"), Leads: func() bool { return true }, MaxDepth: 10,
		Log: zaptest.NewLogger(t, zaptest.Level(zap.ErrorLevel)), Now: time.Now,
	}
	w.clerk = &orders.Clerk{Dispatcher: w.Dispatcher, Threads: book, Runs: w, Now: time.Now}
	w.Orders = w.clerk
	return w
}

func (w *world) Match(f bridge.Facts, v match.Variables) []bridge.Decision {
	return w.matcher.Match(f, v)
}
func (w *world) Rule(t bridge.Template, name string) (*bridge.Rule, bridge.Decision) {
	for _, r := range w.rules {
		if r.Template == t && r.Name == name {
			return r, bridge.Decision{Rule: r, Verdict: bridge.Matched}
		}
	}
	return nil, bridge.Decision{Verdict: bridge.Parked, Reason: bridge.ReasonTemplate}
}

func (w *world) WithEvent(_ context.Context, sequence uint64, use func(bridge.Event)) (bool, error) {
	e, ok := w.stored[sequence]
	if ok {
		use(e)
	}
	return ok, nil
}
func (w *world) Handled(context.Context) (uint64, error)                { return 1 << 40, nil }
func (w *world) Last(context.Context) (uint64, error)                   { return 0, nil }
func (w *world) Taken(bridge.Template) bool                             { return false }
func (w *world) Enter(bridge.Submission, bool) *inflight.Denial         { return nil }
func (w *world) Leave(bridge.Submission)                                {}
func (w *world) Seen(bridge.Submission) bool                            { return false }
func (w *world) Made(bridge.Submission)                                 {}
func (w *world) Phase(_ context.Context, _, run string) (string, error) { return w.phases[run], nil }

func (w *world) Add(_ context.Context, t waiting.Task) error {
	if err := w.failAdd; err != nil {
		w.failAdd = nil
		return err
	}
	if !slices.ContainsFunc(w.tasks, func(have waiting.Task) bool {
		return have.Event == t.Event && have.Template == t.Template && have.Rule == t.Rule && have.Replay == t.Replay
	}) {
		w.tasks = append(w.tasks, t)
	}
	return nil
}

func (w *world) Submit(_ context.Context, s bridge.Submission) error {
	if w.submitted != nil {
		if err := w.submitted(s); err != nil {
			return err
		}
	}
	w.workflows[s.Namespace+"/"+s.Name]++
	return nil
}

func (w *world) Stop(_ context.Context, workflow string, _ bridge.Shutdown, reason string) error {
	w.stopped = append(w.stopped, reason)
	w.phases[workflow] = "Failed"
	return nil
}

func (w *world) Settled(_ context.Context, _ bridge.Event, _ bridge.Facts, rule *bridge.Rule, r bridge.Result) (bool, error) {
	w.told = append(w.told, rule.Template.Name+" "+string(r.Verdict))
	return true, nil
}

func (w *world) Answer(_ context.Context, _ bridge.Event, _ bridge.Facts, a bridge.Answer) error {
	w.answers = append(w.answers, fmt.Sprint(a.Done, " ", a.Text))
	return nil
}

type unobserved struct{}

func (unobserved) Decided(bridge.Decision)                        {}
func (unobserved) Submitted(string, time.Duration, time.Duration) {}
func (unobserved) SubmitFailed(string, string)                    {}
func (unobserved) Duplicate()                                     {}

func rule(t *testing.T, template string, filters ...bridge.Filter) *bridge.Rule {
	t.Helper()
	return &bridge.Rule{
		Template: bridge.Template{Namespace: "team", Name: template}, Name: bridge.DefaultRule,
		Triggers: []bridge.Trigger{{Event: "forge.change", Filters: filters}},
	}
}

// arrives handles an event, and then what waits.
func (w *world) arrives(t *testing.T, n uint64, p payload) bridge.Record {
	t.Helper()
	e := w.handle(t, n, p, nil)
	w.work(t)
	record, _, err := w.Find(t.Context(), e.Hash())
	if err != nil {
		t.Fatal(err)
	}
	return record
}

func (w *world) handle(t *testing.T, n uint64, p payload, want error) bridge.Event {
	t.Helper()
	e := w.event(t, n, p)
	w.stored[n] = e
	if err := w.Handle(t.Context(), e, bus.Delivery{Sequence: n, Attempt: 1, Stored: time.Now()}); !errors.Is(err, want) {
		t.Fatalf("got %v, want %v", err, want)
	}
	return e
}

func (w *world) event(t *testing.T, n uint64, p payload) bridge.Event {
	t.Helper()
	data, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	return bridge.Event{ID: fmt.Sprint("e", n), Source: "/forge", Type: p.Name, Data: data}
}

func (w *world) work(t *testing.T) {
	t.Helper()
	var rest []waiting.Task
	for _, task := range w.tasks {
		if settled, _ := w.Work(t.Context(), waiting.Turn{Tasks: []waiting.Task{task}, Number: 1}); settled == 0 {
			rest = append(rest, task)
		}
	}
	w.tasks = rest
}

const (
	thread = "acme/app#1"
	read   = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	later  = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
)

func change(commit string) payload {
	return payload{Name: "forge.change", Sender: "stranger", Author: "stranger", Thread: thread, Commit: commit}
}

func order(who string, o bridge.Order) payload {
	return payload{Name: "forge.comment", Sender: who, Thread: thread, Order: &o}
}

func approve(who, commit string) payload {
	return order(who, bridge.Order{Act: bridge.Approve, Word: "/ok-to-test", Commit: commit})
}

func TestAStrangersCodeRunsOnceSomebodyHasReadIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t, rule(t, "ci"))
	if r := w.arrives(t, 1, change(read)).Results[0]; r.Verdict != bridge.Held || !strings.Contains(r.Detail, "/ok-to-test "+read) {
		t.Fatalf("the change: %+v", r)
	}
	w.arrives(t, 2, change(later)) // the branch moves on
	w.arrives(t, 3, approve("stranger", read[:8]))
	if len(w.workflows) != 0 {
		t.Fatalf("a stranger has approved his own code: %v", w.workflows)
	}
	w.arrives(t, 4, approve("owner", read[:8]))
	w.arrives(t, 5, approve("owner", "cccccccc"))
	first, _, err := w.Find(t.Context(), w.stored[1].Hash())
	if err != nil || len(w.workflows) != 1 || first.Results[0].Verdict != bridge.Matched || first.Results[0].Approved != "owner" {
		t.Errorf("workflows %v, the approved change %+v %v", w.workflows, first, err)
	}
	second, _, _ := w.Find(t.Context(), w.stored[2].Hash())
	if second.Results[0].Verdict != bridge.Held {
		t.Errorf("the change that nobody has read: %+v", second.Results[0])
	}
	// Another event about the commit that was read needs no second approval.
	if r := w.arrives(t, 6, change(read)).Results[0]; r.Verdict != bridge.Matched {
		t.Errorf("a later event about the approved commit: %+v", r)
	}
	want := []string{
		"false /ok-to-test:\n- ci: stranger may not write",
		"true ",
		"false /ok-to-test:\n- no event here is about the commit cccccccc; the newest is " + later,
	}
	if diff := cmp.Diff(want, w.answers); diff != "" {
		t.Error(diff)
	}
}

func TestAnApprovalThatFitsTwoCommitsApprovesNone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, rule(t, "ci"))
	alike := read[:8] + later[8:]
	w.arrives(t, 1, change(read))
	w.arrives(t, 2, change(alike)) // made to look like the first, in its first digits
	w.arrives(t, 3, approve("owner", read[:8]))
	if len(w.workflows) != 0 || !strings.Contains(w.answers[0], "several commits here begin with") {
		t.Fatalf("workflows %v, answers %v", w.workflows, w.answers)
	}
	w.arrives(t, 4, approve("owner", read))
	if len(w.workflows) != 1 {
		t.Errorf("workflows %v, want the one of the commit that was named in full", w.workflows)
	}
}

func TestAnApprovalThatIsCutOffIsCarriedOutAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, rule(t, "ci"))
	w.arrives(t, 1, change(read))
	cut := errors.New("the process dies")
	w.failAdd = cut
	w.handle(t, 2, approve("owner", read[:8]), cut)
	if len(w.tasks) != 0 {
		t.Fatal("it was not cut off")
	}
	w.arrives(t, 2, approve("owner", read[:8])) // delivered again
	if len(w.workflows) != 1 {
		t.Errorf("workflows %v, want one", w.workflows)
	}
}

func TestAnApprovalIsWorthWhatTheRuleThinksOfTheApprover(t *testing.T) {
	t.Parallel()
	strict := rule(t, "deploy")
	strict.Trust = &bridge.Trust{Users: []string{"release"}}
	w := newWorld(t, rule(t, "ci"), strict)
	w.writers["release"] = true
	// The fake forge trusts writers whatever the rule says; so make the owner one whom only ci trusts.
	w.arrives(t, 1, change(read))
	w.writers = map[string]bool{}
	w.rules[0].Trust = &bridge.Trust{Users: []string{"owner", "release"}}
	w.arrives(t, 2, approve("owner", read))
	if len(w.workflows) != 1 {
		t.Fatalf("workflows %v, want the one of ci", w.workflows)
	}
	w.arrives(t, 3, approve("release", read))
	if len(w.workflows) != 2 {
		t.Errorf("workflows %v, want that of deploy too", w.workflows)
	}
}

func TestRetestStartsAnewWhatHasFailedAndNothingElse(t *testing.T) {
	t.Parallel()
	w := newWorld(t, rule(t, "ci"), rule(t, "docs"))
	p := change(read)
	p.Author, p.Sender = "", "owner"
	record := w.arrives(t, 1, p)
	w.phases[record.Results[0].Workflow], w.phases[record.Results[1].Workflow] = "Failed", "Succeeded"
	w.arrives(t, 2, order("stranger", bridge.Order{Act: bridge.Retest, Word: "/retest"}))
	if len(w.workflows) != 2 {
		t.Fatalf("a stranger has started %v", w.workflows)
	}
	for range 2 { // the second is a redelivery
		w.arrives(t, 3, order("owner", bridge.Order{Act: bridge.Retest, Word: "/retest"}))
	}
	if len(w.workflows) != 3 {
		t.Errorf("workflows %v, want a second one of ci", w.workflows)
	}
	w.arrives(t, 4, order("owner", bridge.Order{Act: bridge.Test, Word: "/test", Template: "docs"}))
	if len(w.workflows) != 4 {
		t.Errorf("workflows %v, want a second one of docs", w.workflows)
	}
	w.arrives(t, 5, order("owner", bridge.Order{Act: bridge.Test, Word: "/test", Template: "dosc"}))
	if last := w.answers[len(w.answers)-1]; last != "false /test: there is nothing to do for the template dosc" {
		t.Errorf("a template that is not there: %s", last)
	}
}

func TestCancelStopsWhatRunsAndTakesBackWhatWaits(t *testing.T) {
	t.Parallel()
	held := rule(t, "deploy")
	held.Trust = &bridge.Trust{Users: []string{"release"}}
	w := newWorld(t, rule(t, "ci"), held)
	w.writers["stranger"] = true
	w.rules[1].Triggers[0].Event = "forge.other"
	w.matcher = match.New(w.rules, match.AllowAll())
	w.arrives(t, 1, change(read))
	w.writers = map[string]bool{"owner": true}
	p := change(later)
	w.arrives(t, 2, p)
	w.arrives(t, 3, order("owner", bridge.Order{Act: bridge.Cancel, Word: "/cancel"}))
	if diff := cmp.Diff([]string{"by order of owner: /cancel"}, w.stopped); diff != "" {
		t.Error(diff)
	}
	record, _, _ := w.Find(t.Context(), w.stored[2].Hash())
	if r := record.Results[0]; r.Verdict != bridge.Skipped || r.Reason != bridge.ReasonOrder {
		t.Errorf("what was held: %+v", r)
	}
}

func TestACheckIsRunAgainByItsKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t, rule(t, "ci"), rule(t, "docs"))
	p := change(read)
	p.Author, p.Sender = "", "owner"
	record := w.arrives(t, 1, p)
	key := bridge.RunKey(record.Hash(), w.rules[1].Template, bridge.DefaultRule, "")
	w.arrives(t, 2, order("owner", bridge.Order{Act: bridge.Rerun, Word: "Re-run", Runs: []string{key, "forged"}}))
	if len(w.workflows) != 3 {
		t.Errorf("workflows %v, want one more", w.workflows)
	}
	w.arrives(t, 3, order("owner", bridge.Order{Act: bridge.Rerun, Word: "Re-run all", Commit: read}))
	if len(w.workflows) != 5 {
		t.Errorf("workflows %v, want two more", w.workflows)
	}
}

func TestAQuestionThatIsNotAnsweredWaitsAndHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	filter, err := match.Globs("paths", []string{"docs/**"})
	if err != nil {
		t.Fatal(err)
	}
	asking := rule(t, "docs", filter)
	w := newWorld(t, asking, rule(t, "ci"))
	w.away = true
	p := change(read)
	p.Author, p.Sender, p.Files = "", "owner", []string{"docs/index.md"}
	record := w.arrives(t, 1, p)
	if len(w.workflows) != 1 || record.Done {
		t.Fatalf("workflows %v, record %+v: want ci to run, and docs to wait", w.workflows, record)
	}
	w.away = false
	w.work(t)
	record, _, _ = w.Find(t.Context(), record.Hash())
	if len(w.workflows) != 2 || !record.Done {
		t.Errorf("workflows %v, record %+v", w.workflows, record)
	}
	w.away = true
	p.Files = []string{"main.go"}
	w.arrives(t, 2, p)
	w.away = false
	w.work(t)
	record, _, _ = w.Find(t.Context(), w.stored[2].Hash())
	if r, _ := record.Result(asking.Template, asking.Name, ""); r.Verdict != bridge.Filtered || r.Reason != "paths" {
		t.Errorf("another file: %+v", r)
	}
}
