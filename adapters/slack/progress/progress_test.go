package progress

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	own "github.com/argo-bridge/argo-bridge/adapters/slack"
	"github.com/argo-bridge/argo-bridge/adapters/slack/slacktest"
	"github.com/argo-bridge/argo-bridge/bridge"
)

var midnight = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

// A table is a register, which can fail.
type table struct {
	mu     sync.Mutex
	states map[string]state
	fail   func(op string) error
}

type state struct {
	data     []byte
	revision uint64
}

func (t *table) Load(_ context.Context, key string) ([]byte, uint64, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.fail != nil {
		if err := t.fail("load"); err != nil {
			return nil, 0, err
		}
	}
	return t.states[key].data, t.states[key].revision, nil
}

func (t *table) Store(_ context.Context, key string, data []byte, revision uint64) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.fail != nil {
		if err := t.fail("store"); err != nil {
			return err
		}
	}
	if t.states[key].revision != revision {
		return bridge.ErrStale
	}
	t.states[key] = state{slices.Clone(data), revision + 1}
	return nil
}

type world struct {
	slack    *slacktest.Server
	clock    *slacktest.Clock
	ann      string
	ops      *slacktest.Channel
	register *table
	progress *Progress
	event    bridge.Event
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{clock: slacktest.NewClock(midnight), register: &table{states: map[string]state{}}}
	var err error
	if w.slack, err = slacktest.New(slacktest.Options{Token: "xoxb-home", Now: w.clock.Now}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.slack.Close)
	w.ann, w.ops = w.slack.AddUser("ann"), w.slack.AddChannel("ops")
	w.restart()
	w.event, err = own.TranslateCommand([]byte(url.Values{
		"team_id": {slacktest.TeamID}, "channel_id": {w.ops.ID}, "user_id": {w.ann}, "command": {"/argo"}, "text": {"run etl"},
		"trigger_id": {"1.2.3"}, "response_url": {w.slack.ResponseURL("cmd")},
	}.Encode()), midnight)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.progress.Open(t.Context(), w.event); err != nil {
		t.Fatal(err)
	}
	return w
}

// restart is another process with the same bus.
func (w *world) restart() {
	clients := own.NewWorkspaces(own.Secrets{Token: "xoxb-home"}, own.WorkspaceOptions{APIURL: w.slack.APIURL(), Now: w.clock.Now})
	w.progress = New(Options{Clients: clients, Register: w.register, Now: w.clock.Now})
}

// news is a notification of a run of the command.
func (w *world) news(name, phase string) bridge.Notification {
	outcome := map[string]bridge.Outcome{"Running": bridge.Started, "Succeeded": bridge.Succeeded, "Failed": bridge.Failed}[phase]
	n := bridge.Notification{
		Key: name + phase, Outcome: outcome, To: bridge.Destination{Scheme: "slack", Target: bridge.TargetProgress}, Created: w.clock.Now(),
		Address: slacktest.TeamID + ":" + w.ops.ID, Link: "https://argo.example/team/" + name,
		Run: bridge.Run{
			Namespace: "team", Name: name, UID: name, Template: bridge.Template{Namespace: "team", Name: "etl"}, Phase: phase,
			Labels: map[string]string{bridge.LabelEvent: w.event.Hash()}, Started: midnight,
		},
	}
	if n.Run.Completed() {
		n.Run.Finished = w.clock.Now()
	}
	if phase == "Failed" {
		n.Run.Failures = []bridge.Failure{{Path: "load", Message: "<!channel> no such file", ExitCode: "1"}}
	}
	w.clock.Advance(time.Second)
	return n
}

func (w *world) tell(t *testing.T, n bridge.Notification) {
	t.Helper()
	if err := w.progress.Notify(t.Context(), n); err != nil {
		t.Fatalf("%s: %v", n.Key, err)
	}
}

func (w *world) responses() (texts []string) {
	for _, r := range w.slack.Responses() {
		texts = append(texts, r.Text)
	}
	return texts
}

func TestARunIsFollowedWhereItsCommandWas(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	started := w.news("etl-1", "Running")
	w.tell(t, started)
	w.tell(t, started) // delivered again
	w.restart()
	w.tell(t, started)
	failed := w.news("etl-1", "Failed")
	w.tell(t, failed)
	w.tell(t, started) // late
	got := w.responses()
	if len(got) != 2 || !strings.Contains(got[0], ":arrow_forward: ") || !strings.Contains(got[0], "<https://argo.example/team/etl-1|Open in Argo>") ||
		!strings.HasPrefix(got[1], ":x: team/etl failed") || !strings.Contains(got[1], "no such file") || strings.Contains(got[1], "<!channel>") {
		t.Errorf("%q", got)
	}
	for _, r := range w.slack.Responses() {
		if !r.Replace || r.Type != "ephemeral" {
			t.Errorf("%+v", r)
		}
	}
	if len(w.slack.Messages()) != 0 {
		t.Error("the channel is told")
	}
}

func TestAfterFiveUsesTheChannelIsToldOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	names := []string{"a", "b", "c", "d", "e", "f"}
	for _, name := range names { // six starts: four are told, the fifth use is kept for the end
		w.tell(t, w.news(name, "Running"))
	}
	if got := w.responses(); len(got) != 4 || strings.Count(got[3], "\n") != 3 {
		t.Fatalf("%d: %q", len(got), got)
	}
	for _, name := range names {
		w.tell(t, w.news(name, "Succeeded"))
	}
	got := w.responses()
	if len(got) != 5 || strings.Count(got[4], ":white_check_mark:") != 6 {
		t.Fatalf("%d: %q", len(got), got)
	}
	w.tell(t, w.news("g", "Running"))
	w.tell(t, w.news("g", "Failed"))
	messages := w.slack.Messages()
	if len(messages) != 1 || len(messages[0].Edits) != 1 || !strings.HasPrefix(messages[0].Text, "<@"+w.ann+"> ") || !strings.Contains(messages[0].Text, ":x: ") {
		t.Errorf("%+v", messages)
	}
	if n := w.slack.Calls("response_url"); n != 5 {
		t.Errorf("%d uses", n)
	}
}

func TestAfterThirtyMinutesTheChannelIsTold(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.tell(t, w.news("etl-1", "Running"))
	w.clock.Advance(31 * time.Minute)
	w.tell(t, w.news("etl-1", "Succeeded"))
	if got := w.slack.Messages(); len(got) != 1 || got[0].Channel != w.ops.ID || !strings.Contains(got[0].Text, "succeeded") || w.slack.Calls("response_url") != 1 {
		t.Errorf("%+v", got)
	}
}

func TestWhereTheAppIsNotOnlyThePersonIsTold(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.slack.Change(w.ops, func(c *slacktest.Channel) { c.Member = false })
	w.clock.Advance(time.Hour)
	w.tell(t, w.news("etl-1", "Running"))
	end := w.news("etl-1", "Failed")
	w.tell(t, end)
	w.tell(t, end)
	told := len(w.slack.Ephemerals()) + len(w.slack.Messages())
	if told == 0 || told > 2 {
		t.Errorf("%d: %+v %+v", told, w.slack.Ephemerals(), w.slack.Messages())
	}
	for _, m := range w.slack.Messages() {
		if m.Channel == w.ops.ID {
			t.Error("the channel is told")
		}
	}
}

func TestAURLThatEndsEarlyIsGivenUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.slack.Fail("response_url", slacktest.Fault{Status: 404})
	w.tell(t, w.news("etl-1", "Running"))
	w.tell(t, w.news("etl-1", "Succeeded"))
	if got := w.slack.Messages(); len(got) != 1 || len(got[0].Edits) != 1 || w.slack.Calls("response_url") != 1 {
		t.Errorf("%+v, %d uses", got, w.slack.Calls("response_url"))
	}
}

func TestAUseIsCountedBeforeItIsMade(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	n := w.news("etl-1", "Succeeded")
	for range 5 { // the answer is lost each time
		w.slack.Fail("response_url", slacktest.Fault{Status: 502})
		err := w.progress.Notify(t.Context(), n)
		if err == nil || bridge.IsPermanent(err) || strings.Contains(err.Error(), "/response/") {
			t.Fatalf("got %v", err)
		}
		w.restart()
	}
	w.tell(t, n)
	if w.slack.Calls("response_url") != 5 || len(w.slack.Messages()) != 1 {
		t.Errorf("%d uses, %d messages", w.slack.Calls("response_url"), len(w.slack.Messages()))
	}
}

func TestSlacksHasteIsHeeded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	n := w.news("etl-1", "Succeeded")
	w.slack.Fail("response_url", slacktest.Fault{Status: 429, RetryAfter: 7})
	err := w.progress.Notify(t.Context(), n)
	if wait, ok := bridge.Wait(err); !ok || wait == 0 {
		t.Errorf("got %v", err)
	}
	w.clock.Advance(time.Hour)
	w.slack.Fail("chat.postMessage", slacktest.Fault{Status: 429, RetryAfter: 9})
	err = w.progress.Notify(t.Context(), n)
	if wait, _ := bridge.Wait(err); wait != 9*time.Second {
		t.Errorf("got %v", err)
	}
	w.slack.Fail("chat.postMessage", slacktest.Fault{Error: "token_revoked"})
	if err = w.progress.Notify(t.Context(), n); !bridge.IsPermanent(err) || strings.Contains(err.Error(), "xoxb") {
		t.Errorf("got %v", err)
	}
}

func TestTheBusMayFailAtAnyPoint(t *testing.T) {
	t.Parallel()
	for at := range 8 {
		w := newWorld(t)
		n := w.news("etl-1", "Succeeded")
		calls := 0
		w.register.fail = func(string) error {
			if calls++; calls == at+1 {
				return errors.New("no bus")
			}
			return nil
		}
		if err := w.progress.Notify(t.Context(), n); err != nil {
			w.restart()
			w.tell(t, n)
		}
		if got := w.responses(); len(got) == 0 || len(got) > 2 {
			t.Errorf("a failure at call %d: told %d times", at+1, len(got))
		}
	}
}

func TestACommandThatIsNotKnownIsToldOfInItsChannel(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	n := w.news("etl-1", "Succeeded")
	n.Run.Labels = map[string]string{bridge.LabelEvent: strings.Repeat("ab", 16)}
	w.tell(t, n)
	if got := w.slack.Messages(); len(got) != 1 || !strings.HasPrefix(got[0].Text, ":white_check_mark:") {
		t.Errorf("%+v", got)
	}
	n.Address, n.Run.Labels = "", map[string]string{bridge.LabelEvent: strings.Repeat("cd", 16)}
	w.tell(t, n)
	n.Run.Labels = nil
	w.tell(t, n)
	if got := w.slack.Messages(); len(got) != 1 {
		t.Errorf("%+v", got)
	}
}

func TestALateAnswerIsAUseToo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for range 6 {
		if err := w.progress.Answer(t.Context(), w.event, "started"); err != nil {
			t.Fatal(err)
		}
	}
	if got := w.responses(); len(got) != 5 || len(w.slack.Ephemerals()) != 1 {
		t.Errorf("%q, %+v", got, w.slack.Ephemerals())
	}
	if err := w.progress.Open(t.Context(), w.event); err != nil { // delivered again: the uses stay counted
		t.Fatal(err)
	}
	w.tell(t, w.news("etl-1", "Succeeded"))
	if n := w.slack.Calls("response_url"); n != 5 {
		t.Errorf("%d uses", n)
	}
}

func TestTwoReplicasCountTheSameUses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var all sync.WaitGroup
	for i := range 12 {
		n := w.news(string(rune('a'+i)), "Succeeded")
		all.Go(func() {
			err := w.progress.Notify(context.Background(), n)
			if _, again := bridge.Wait(err); err != nil && !again {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if n := w.slack.Calls("response_url"); n > 5 {
		t.Errorf("%d uses", n)
	}
}
