package slack

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// notebook is a Book that remembers.
type notebook struct {
	mu      sync.Mutex
	fail    error
	opened  []string
	answers []string
	stored  func() int
	early   bool // every command was noted before it was stored
}

func (n *notebook) Open(_ context.Context, e bridge.Event) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.opened = append(n.opened, e.Type)
	n.early = n.stored() == 0
	return n.fail
}

func (n *notebook) Answer(_ context.Context, _ bridge.Event, text string) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.answers = append(n.answers, text)
	return n.fail
}

func TestACommandIsNotedBeforeItIsStored(t *testing.T) {
	t.Parallel()
	for _, fail := range []error{nil, errors.New("no bus")} {
		b := &bus{}
		n := &notebook{fail: fail, stored: func() int { return len(b.stored()) }}
		known := make(chan struct{})
		h := webhooks(b, &counts{}, InboxOptions{
			Book: n, AnswerWithin: 1020 * time.Millisecond, // of which a second is over
			Answers: answers(func(context.Context, bridge.Event) (bridge.Record, error) {
				<-known
				return bridge.Record{Done: true}, nil
			}),
		})
		if got := commandText(t, send(h.Commands(), fixture(t, "command.form")).Body.String()); !strings.HasPrefix(got, "Accepted `/deploy`") {
			t.Errorf("first answer: %s", got)
		}
		close(known)
		h.inbox.waiting.Wait()
		if !n.early || len(n.answers) != 1 || !strings.HasPrefix(n.answers[0], "No template has a rule") || len(b.stored()) != 1 {
			t.Errorf("%+v, %d events", n, len(b.stored()))
		}
		h.inbox.Close()
	}
}

func TestWhoFillsInAFormIsAnswered(t *testing.T) {
	t.Parallel()
	for name, answered := range map[string]bool{"view-run.form": true, "view_submission.form": false, "button-retry.form": false} {
		b := &bus{}
		n := &notebook{stored: func() int { return len(b.stored()) }}
		h := webhooks(b, &counts{}, InboxOptions{
			Book: n, Link: func(w string) string { return "https://argo.example/" + w },
			Answers: answers(func(context.Context, bridge.Event) (bridge.Record, error) {
				return bridge.Record{Done: true, Results: []bridge.Result{
					{Template: bridge.OrderTemplate, Rule: "/argo run team/etl", Verdict: bridge.Matched, Detail: "etl is started as etl-1"},
					{Template: "team/etl", Verdict: bridge.Matched, Workflow: "team/etl-1"},
				}}, nil
			}),
		})
		if w := send(h.Interactions(), fixture(t, name)); w.Code != 200 || w.Body.Len() != 0 {
			t.Errorf("%s: got %d %q", name, w.Code, w.Body)
		}
		h.inbox.waiting.Wait()
		want := []string(nil)
		if answered {
			want = []string{":rocket: `team/etl` started: <https://argo.example/team/etl-1|team/etl-1>"}
		}
		if !slices.Equal(n.answers, want) {
			t.Errorf("%s: answered %q", name, n.answers)
		}
		h.inbox.Close()
	}
}

func TestWhatBecameOfAnOrder(t *testing.T) {
	t.Parallel()
	command := func(text string) bridge.Event {
		e, err := TranslateCommand([]byte("team_id=T0AAA&trigger_id=1&channel_id=C0OPS&user_id=U0ANN&command=%2Fargo&text="+text), sentAt)
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	order := func(v bridge.Verdict, detail string) bridge.Result {
		return bridge.Result{Template: bridge.OrderTemplate, Rule: "/argo retry x", Verdict: v, Detail: detail}
	}
	h := NewInbox(&bus{}, InboxOptions{Link: func(w string) string { return "https://argo.example/" + w }})
	defer h.Close()
	for name, tt := range map[string]struct {
		text    string
		results []bridge.Result
		want    string
	}{
		"done": {"retry+x", []bridge.Result{order(bridge.Matched, "x tries its failed steps again")}, ":white_check_mark: x tries its failed steps again"},
		"done to a run that was named in full": {"retry+team%2Fx", []bridge.Result{order(bridge.Matched, "x tries its failed steps again")},
			":white_check_mark: x tries its failed steps again: <https://argo.example/team/x|team/x>"},
		"refused":            {"retry+x", []bridge.Result{order(bridge.Rejected, "only <!channel> may")}, ":no_entry: `/argo retry x`: only &lt;!channel&gt; may"},
		"written wrongly":    {"retry+x", []bridge.Result{order(bridge.Rejected, "/argo retry x: no")}, ":no_entry: /argo retry x: no"},
		"and a rule started": {"retry+x", []bridge.Result{order(bridge.Rejected, "no"), {Template: "team/y", Workflow: "team/y-1"}}, ":rocket: `team/y` started: <https://argo.example/team/y-1|team/y-1>\n:no_entry: `/argo retry x`: no"},
	} {
		if got, ok := h.ordered(bridge.Record{Results: tt.results}, command(tt.text)); !ok || got != tt.want {
			t.Errorf("%s: got %q, want %q", name, got, tt.want)
		}
	}
	if _, ok := h.ordered(bridge.Record{Results: []bridge.Result{{Template: "team/y"}}}, command("retry+x")); ok {
		t.Error("a rule's result is taken for an order's")
	}
}

func TestWhoAsks(t *testing.T) {
	t.Parallel()
	want := Asker{Team: "T0AAA", Channel: "C0OPS", User: "U0ANN", ResponseURL: "https://hooks.slack.com/commands/T0AAA/1/abc", At: sentAt}
	for name, ok := range map[string]bool{"command.form": true, "view-run.form": true, "view_submission.form": false, "button-retry.form": false, "app_mention.json": false} {
		e, err := translate(name, fixture(t, name))
		if err != nil {
			t.Fatal(err)
		}
		if got, is := AskerOf(e); is != ok || ok && got != want {
			t.Errorf("%s: got %+v, %v", name, got, is)
		}
	}
}
