package checks

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/argo-bridge/argo-bridge/adapters/github/githubtest"
	"github.com/argo-bridge/argo-bridge/bridge"
)

func withAnnotations(m bridge.Notification, lines int) bridge.Notification {
	m.Options = map[string]string{OptionAnnotations: "true"}
	f := bridge.Failure{Path: "build", Phase: "Failed", ExitCode: "2", Message: "exit 2"}
	for i := range lines {
		f.Log = append(f.Log, fmt.Sprintf("./pkg/main.go:%d: undefined: x", i+1))
	}
	m.Run.Failures = []bridge.Failure{f}
	return m
}

// until delivers a notification as the outbox does: again and again, until it is accepted.
func until(t *testing.T, w *world, replicas []*Notifier, m bridge.Notification) {
	for range 200 {
		n := replicas[rand.N(len(replicas))]
		err := n.Notify(t.Context(), m)
		if err == nil {
			return
		}
		if bridge.IsPermanent(err) {
			t.Errorf("%s: %v", m.Outcome, err)
			return
		}
		if wait, ok := bridge.Wait(err); ok {
			w.pass(wait)
		}
	}
	t.Errorf("%s: never delivered", m.Outcome)
}

// TestHoweverNotificationsComeTheNewestStateStays delivers those of one run at the same time, in any order, some of
// them twice, by several replicas, while GitHub fails and loses answers.
func TestHoweverNotificationsComeTheNewestStateStays(t *testing.T) {
	t.Parallel()
	for round := range 12 {
		t.Run(fmt.Sprint("round ", round), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			replicas := []*Notifier{w.replica(), w.replica(), w.replica()}
			faults := []githubtest.Fault{{Lost: true}, {Status: 502}, {Secondary: true, RetryAfter: 1}, {Status: 500}}
			for _, line := range []string{"POST /repos/acme/app/check-runs", "PATCH /repos/acme/app/check-runs", "GET /repos/acme/app/commits"} {
				w.Fail(line, faults[rand.N(len(faults))], faults[rand.N(len(faults))])
			}
			notes := []bridge.Notification{
				note(TargetCheck, bridge.EventHeld), note(TargetCheck, bridge.Queued), note(TargetCheck, bridge.Started),
				withAnnotations(note(TargetCheck, bridge.Failed), 70),
			}
			notes = append(notes, notes[rand.N(len(notes))], notes[rand.N(len(notes))])
			rand.Shuffle(len(notes), func(i, j int) { notes[i], notes[j] = notes[j], notes[i] })
			var all sync.WaitGroup
			for _, m := range notes {
				all.Go(func() { until(t, w, replicas, m) })
			}
			all.Wait()
			c := only(t, w)
			if c.Conclusion != "failure" || c.Status != "completed" || len(c.Annotations) != 70 || len(c.Actions) != 0 {
				t.Errorf("in the end: %s/%s, %d annotations\n%s", c.Status, c.Conclusion, len(c.Annotations), w.register.pretty())
			}
			if !slices.IsSortedFunc(c.History, func(a, b string) int { return place2(a) - place2(b) }) {
				t.Errorf("it went back: %v", c.History)
			}
		})
	}
}

// place2 is where a state stands on the way of a run.
func place2(state string) int {
	return slices.Index([]string{"completed/action_required", "queued", "in_progress", "completed/failure"}, state)
}

func TestAnAnswerThatIsLostMakesNoSecondCheckRun(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		line  string
		fault githubtest.Fault
	}{
		"of the creation":              {"POST /repos/acme/app/check-runs", githubtest.Fault{Lost: true}},
		"of the creation, three times": {"POST /repos/acme/app/check-runs", githubtest.Fault{Lost: true, Times: 3}},
		"of the creation by a proxy":   {"POST /repos/acme/app/check-runs", githubtest.Fault{Status: 502}},
		"of a look-up":                 {"GET /repos/acme/app/commits", githubtest.Fault{Lost: true}},
		"of an update":                 {"PATCH /repos/acme/app/check-runs", githubtest.Fault{Lost: true}},
		"for a token":                  {"POST /app/installations", githubtest.Fault{Lost: true}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			// Others have check runs of the same name on the commit, more than a page of them.
			other := w.replica()
			for i := range 120 {
				m := note(TargetCheck, bridge.Queued)
				m.Subject, m.Key = m.Subject+fmt.Sprint(i), fmt.Sprint(i)
				until(t, w, []*Notifier{other}, m)
			}
			w.Fail(tt.line, tt.fault)
			for _, outcome := range []bridge.Outcome{bridge.Started, bridge.Succeeded} {
				until(t, w, []*Notifier{w.replica()}, note(TargetCheck, outcome))
			}
			own := slices.DeleteFunc(w.CheckRuns(repository), func(c githubtest.CheckRun) bool {
				return c.ExternalID != note(TargetCheck, bridge.Started).Subject
			})
			if len(own) != 1 || own[0].Conclusion != "success" {
				t.Errorf("%d check runs: %+v", len(own), own)
			}
		})
	}
}

func TestACrashMakesNoSecondCheckRunAndLeavesNothingOld(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	// The process dies after GitHub has created the check run and before that is recorded.
	dying := w.replica()
	dying.Register = &mortal{register: w.register, stores: 1}
	if err := dying.Notify(t.Context(), note(TargetCheck, bridge.Queued)); err == nil {
		t.Fatal("no error")
	}
	only(t, w)
	// Another replica waits until it is sure that nobody is at work.
	n := w.replica()
	if err := n.Notify(t.Context(), note(TargetCheck, bridge.Started)); err == nil || bridge.IsPermanent(err) {
		t.Fatalf("got %v, want a transient error", err)
	}
	w.pass(claimLife)
	send1(t, n, note(TargetCheck, bridge.Started))
	send1(t, n, note(TargetCheck, bridge.Queued)) // is delivered again
	if c := only(t, w); c.Status != "in_progress" {
		t.Errorf("%+v", c)
	}
}

// mortal is the register of a process that dies after some stores.
type mortal struct {
	*register
	stores int
}

func (m *mortal) Store(ctx ctx, key string, state []byte, revision uint64) error {
	if m.stores--; m.stores < 0 {
		return errDown
	}
	return m.register.Store(ctx, key, state, revision)
}

// TestAZombieIsRepaired: a process stops in the middle of a request, others take it for dead and go on, and the request
// arrives after all.
func TestAZombieIsRepaired(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	n := w.replica()
	send1(t, n, note(TargetCheck, bridge.Queued))
	zombie := w.replica()
	d, err := zombie.checkDelivery(note(TargetCheck, bridge.Started), addressIn(t))
	if err != nil {
		t.Fatal(err)
	}
	client, _ := w.Client(t.Context(), installation, repository)
	d.at = place{client, addressIn(t), "acme", "app"}
	put := d.put
	d.put = func(ctx ctx, at place, e *entry, doubt bool) (int64, error) {
		if e.Order.Stage == stageRunning {
			w.pass(2 * claimLife)
			send1(t, n, note(TargetCheck, bridge.Succeeded))
		}
		return put(ctx, at, e, doubt)
	}
	if err := zombie.deliver(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	if c := only(t, w); c.Conclusion != "success" {
		t.Errorf("%+v\n%s", c.History, w.register.pretty())
	}
	// Had it died before the repair, the next delivery of its notification would have made it good.
	e := entryOf(t, w, "check.")
	if len(e.Flights) != 0 || e.Writer != nil {
		t.Errorf("left behind: %+v", e)
	}
}

func TestADeliveryThatNeverCameBackIsRepeated(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	n := w.replica()
	send1(t, n, note(TargetCheck, bridge.Started))
	send1(t, n, note(TargetCheck, bridge.Succeeded))
	asked := len(w.Requests())
	send1(t, n, note(TargetCheck, bridge.Started)) // late: nothing to do
	if got := len(w.Requests()); got != asked {
		t.Errorf("%d requests more", got-asked)
	}
	key := entryKey(t, w, "check.")
	err := n.change(t.Context(), key, func(e *entry) bool {
		e.board("key-started", w.clock())
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
	send1(t, n, note(TargetCheck, bridge.Started))
	if got := only(t, w).History; !slices.Equal(got, []string{"in_progress", "completed/success", "completed/success"}) {
		t.Errorf("history: %v", got)
	}
}

func TestWritesAreSpacedPerInstallation(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Install(githubtest.Installation{ID: 8, Account: "other", Repositories: []string{"other/app"}})
	n := w.replica()
	waits := 0
	for i := range writesAtOnce + 5 {
		m := note(TargetCheck, bridge.Queued)
		m.Subject, m.Key = m.Subject+fmt.Sprint(i), fmt.Sprint(i)
		if wait, ok := bridge.Wait(n.Notify(t.Context(), m)); ok {
			waits++
			if wait <= 0 || wait > time.Second {
				t.Errorf("waits %v", wait)
			}
		}
	}
	if waits != 5 || len(w.CheckRuns(repository)) != writesAtOnce {
		t.Errorf("%d wait, %d check runs", waits, len(w.CheckRuns(repository)))
	}
	m := note(TargetCheck, bridge.Queued)
	m.Address = strings.NewReplacer("acme", "other", "=7", "=8").Replace(m.Address)
	send1(t, n, m)
	if a, b := n.Lane(m), n.Lane(note(TargetCheck, bridge.Queued)); a == b {
		t.Errorf("both in lane %q", a)
	}
	// What came while there was no room is shown in one step.
	for _, outcome := range []bridge.Outcome{bridge.Started, bridge.Succeeded} {
		late := note(TargetCheck, outcome)
		late.Subject += "0"
		if _, ok := bridge.Wait(n.Notify(t.Context(), late)); !ok {
			t.Errorf("%s was not made to wait", outcome)
		}
	}
	w.pass(10 * time.Second)
	for _, outcome := range []bridge.Outcome{bridge.Started, bridge.Succeeded} {
		late := note(TargetCheck, outcome)
		late.Subject += "0"
		send1(t, n, late)
	}
	if got := w.CheckRuns(repository)[0].History; !slices.Equal(got, []string{"queued", "completed/success"}) {
		t.Errorf("history: %v", got)
	}
}
