package desk_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/argo-bridge/argo-bridge/adapters/slack"
	"github.com/argo-bridge/argo-bridge/adapters/slack/message"
	"github.com/argo-bridge/argo-bridge/adapters/slack/slacktest"
	"github.com/argo-bridge/argo-bridge/bridge"
)

func TestWhatActsIsStoredCarriedOutAndAnswered(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ line, did, answer string }{
		"run":                   {"run etl date=2026-03-01", "run team/etl [{date 2026-03-01}]", ":rocket: `team/etl` started: <https://argo.example/team/etl-"},
		"run without any":       {"run nightly", "run team/nightly []", ":rocket: `team/nightly` started: "},
		"retry":                 {"retry etl-2", "retry team/etl-2", ":white_check_mark: etl-2 tries its failed steps again"},
		"retry with its place":  {"retry team/etl-2", "retry team/etl-2", "again: <https://argo.example/team/etl-2|team/etl-2>"},
		"stop":                  {"stop etl-3", "stop team/etl-3", ":white_check_mark: etl-3 is being stopped"},
		"resubmit":              {"resubmit etl-2", "resubmit team/etl-2", ":rocket: `team/etl` started: <https://argo.example/team/etl-2-"},
		"approve":               {"approve gate-1 v=1", "resume n1 ann [{v 1}] team/gate-1", ":white_check_mark: approved: gate-1 goes on"},
		"reject":                {"reject gate-1 gate", "reject n1 ann team/gate-1", ":white_check_mark: rejected"},
		"silence":               {"silence etl for 2h it burns", "", ":white_check_mark: alerts of etl are silent until 02:00 UTC"},
		"unsilence":             {"unsilence order-1", "", ":white_check_mark: alerts of etl are not silent any more"},
		"of what is not there":  {"retry etl-4", "", ":no_entry: `/argo retry etl-4`: there is no workflow etl-4 here; is etl-1 meant?"},
		"of another's silence":  {"unsilence order-2", "", ":no_entry: `/argo unsilence order-2`: nobody may silence all templates from Slack"},
		"silence all":           {"silence all", "", ":no_entry: `/argo silence all`: nobody may silence all templates from Slack"},
		"of what nobody may do": {"retry secret-1", "", ":no_entry: `/argo retry secret-1`: nobody may retry team/secret from Slack"},
		"a hostile reason":      {"silence etl for 2h <!channel>", "", "alerts of etl are silent"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.furnish()
			got := w.types(t, w.ann, w.ops, tt.line)
			if !strings.Contains(got, tt.answer) {
				t.Errorf("answered %q, want %q", got, tt.answer)
			}
			if did := strings.Join(w.deeds(), "; "); did != tt.did {
				t.Errorf("did %q, want %q", did, tt.did)
			}
			if w.stored() != 1 {
				t.Errorf("%d events", w.stored())
			}
		})
	}
}

// buttons posts a message of the bridge with a button for each act, as the alert of a run has them.
func (w *world) buttons(t *testing.T, c *slacktest.Channel, values map[bridge.Act]string) slacktest.Message {
	t.Helper()
	elements := []any{}
	for _, act := range []bridge.Act{bridge.Retry, bridge.Stop, bridge.Resume, bridge.Mute, bridge.Unmute, bridge.Start} {
		if value, ok := values[act]; ok {
			elements = append(elements, map[string]any{
				"type": "button", "action_id": message.ActionPrefix + string(act), "value": value, "text": map[string]any{"type": "plain_text", "text": string(act)},
			})
		}
	}
	blocks, err := json.Marshal([]any{map[string]any{"type": "actions", "block_id": "b", "elements": elements}})
	if err != nil {
		t.Fatal(err)
	}
	return slacktest.Message{Channel: c.ID, TS: "1700000000.000100", Blocks: blocks}
}

func TestAttacks(t *testing.T) {
	t.Parallel()
	retry := map[bridge.Act]string{bridge.Retry: message.Value{Run: bridge.RunID{Namespace: "team", Name: "etl-2", UID: "u2"}}.String()}
	press := func(user func(*world) string, c func(*world) *slacktest.Channel, act bridge.Act, values map[bridge.Act]string) func(*testing.T, *world) {
		return func(t *testing.T, w *world) {
			w.slack.Press(user(w), w.buttons(t, c(w), values), message.ActionPrefix+string(act), nil)
		}
	}
	ann, bob, eve := func(w *world) string { return w.ann }, func(w *world) string { return w.bob }, func(w *world) string { return w.eve }
	ops, lounge := func(w *world) *slacktest.Channel { return w.ops }, func(w *world) *slacktest.Channel { return w.lounge }
	elsewhere := func(w *world) *slacktest.Channel { return w.elsewhere }
	one := func(act bridge.Act, v message.Value) map[bridge.Act]string {
		return map[bridge.Act]string{act: v.String()}
	}
	tests := map[string]struct {
		attack func(*testing.T, *world)
		did    string // empty: nothing may be done
		detail string // of the record; empty: nothing is stored
	}{
		"who may":                           {press(ann, ops, bridge.Retry, retry), "retry team/etl-2", "tries its failed steps again"},
		"without the right":                 {press(bob, ops, bridge.Retry, retry), "", "only " /* U… */},
		"a message passed on to a channel":  {press(ann, lounge, bridge.Retry, retry), "", "only in #ops one may retry team/etl"},
		"a stranger in a shared channel":    {press(func(w *world) string { return w.guest }, ops, bridge.Retry, retry), "", "who is of another workspace may retry team/etl only when named by user id"},
		"another workspace":                 {press(eve, elsewhere, bridge.Retry, retry), "", ""},
		"another run's UID":                 {press(ann, ops, bridge.Retry, one(bridge.Retry, message.Value{Run: bridge.RunID{Namespace: "team", Name: "etl-2", UID: "u9"}})), "", "another one has its name now"},
		"a run of another template":         {press(ann, ops, bridge.Retry, one(bridge.Retry, message.Value{Run: bridge.RunID{Namespace: "team", Name: "secret-1", UID: "u5"}, Template: "team/etl"})), "", "nobody may retry team/secret"},
		"a run of another namespace":        {press(ann, ops, bridge.Retry, one(bridge.Retry, message.Value{Run: bridge.RunID{Namespace: "vault", Name: "etl-9", UID: "u9"}})), "", "from here nobody may do that with vault/etl"},
		"a value that is no JSON":           {press(ann, ops, bridge.Retry, map[bridge.Act]string{bridge.Retry: "rm -rf"}), "", "the button says not what it is for"},
		"a silence of all by a button":      {press(ann, ops, bridge.Mute, map[bridge.Act]string{bridge.Mute: `{"for":"1h"}`}), "", "it names no template"},
		"a silence of another's template":   {press(ann, ops, bridge.Mute, one(bridge.Mute, message.Value{Template: "vault/etl", For: "1h"})), "", "from here nobody may do that with vault/etl"},
		"a run by a button":                 {press(ann, ops, bridge.Start, one(bridge.Start, message.Value{Template: "team/etl"})), "", "-"},
		"an approval of what does not wait": {press(ann, ops, bridge.Resume, one(bridge.Resume, message.Value{Run: bridge.RunID{Namespace: "team", Name: "etl-2", UID: "u2"}, Node: "<@U0EVIL>"})), "", "it names no step"},
		"a command from another workspace":  {func(_ *testing.T, w *world) { w.slack.Command(w.eve, w.elsewhere, "/argo", "retry team/etl-2") }, "", ""},
		"a command from another channel":    {func(_ *testing.T, w *world) { w.slack.Command(w.ann, w.lounge, "/argo", "run nightly") }, "", "only in #ops one may run team/nightly"},
		"a run with a hidden template":      {func(_ *testing.T, w *world) { w.slack.Command(w.ann, w.ops, "/argo", "run vault/etl date=x") }, "", ""},
		"a parameter that is a mention":     {func(_ *testing.T, w *world) { w.slack.Command(w.ann, w.ops, "/argo", "run etl date=<!channel>") }, "run team/etl [{date <!channel>}]", "etl is started as"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.furnish()
			tt.attack(t, w)
			if did := strings.Join(w.deeds(), "; "); did != tt.did {
				t.Errorf("did %q, want %q", did, tt.did)
			}
			var details []string
			for _, r := range w.records {
				for _, res := range r.Results {
					details = append(details, res.Detail)
				}
			}
			switch said := strings.Join(details, "\n"); tt.detail {
			case "":
				if w.stored() != 0 {
					t.Errorf("stored: %q", said)
				}
			case "-":
				if said != "" {
					t.Errorf("recorded: %q", said)
				}
			default:
				if !strings.Contains(said, tt.detail) {
					t.Errorf("recorded %q, want %q", said, tt.detail)
				}
			}
			if len(w.silenced) != 4 {
				t.Error("something is silent")
			}
		})
	}
}

func TestAFormIsOpenedFilledInAndRun(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if got := w.types(t, w.ann, w.ops, "run etl mode=slow"); got != "" {
		t.Errorf("answered %q", got)
	}
	views := w.slack.Views()
	if len(views) != 1 || views[0].CallbackID != slack.FormID || views[0].User != w.ann || w.stored() != 0 {
		t.Fatalf("%+v, %d events", views, w.stored())
	}
	input := func(name string) string { return message.InputPrefix + name }
	if out := w.slack.Submit(views[0], map[string]string{}); out.OK() {
		t.Error("a form without what it needs is sent")
	}
	out := w.slack.Submit(views[0], map[string]string{input("date"): "2026-03-01", input("query"): ""})
	if !out.OK() || !out.Closed {
		t.Fatalf("%+v", out)
	}
	if did := strings.Join(w.deeds(), "; "); did != "run team/etl [{date 2026-03-01} {mode slow}]" {
		t.Errorf("did %q", did)
	}
	if !w.slack.Until(10*time.Second, func() bool { return len(w.slack.Responses()) == 1 }) {
		t.Fatalf("nobody is answered: %+v", w.slack.Ephemerals())
	}
	if r := w.slack.Responses()[0]; !strings.HasPrefix(r.Text, ":rocket: `team/etl` started: ") || r.User != w.ann {
		t.Errorf("answered %+v", r)
	}
}

func TestAFormIsForWhoMayRunTheTemplate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	got := w.types(t, w.bob, w.ops, "run etl")
	if !strings.Contains(got, ":no_entry: `/argo run etl`: only "+w.ann+" may run team/etl") || len(w.slack.Views()) != 0 || w.stored() != 1 {
		t.Errorf("got %q, %d views, %d events", got, len(w.slack.Views()), w.stored())
	}
	// The right is asked for again when the form comes back.
	w.types(t, w.ann, w.ops, "run etl")
	w.templates[0].Allow = bridge.Allowances{bridge.RightRun: {Users: []string{w.bob}}}
	w.slack.Submit(w.slack.Views()[0], map[string]string{message.InputPrefix + "date": "x"})
	if did := w.deeds(); len(did) != 0 {
		t.Errorf("did %q", did)
	}
	if !w.slack.Until(10*time.Second, func() bool { return len(w.slack.Responses()) == 1 }) || !strings.Contains(w.slack.Responses()[0].Text, ":no_entry:") {
		t.Errorf("answered %+v", w.slack.Responses())
	}
}

func TestAFormThatSlackDoesNotOpenIsTyped(t *testing.T) {
	t.Parallel()
	for fault, want := range map[slacktest.Fault]string{
		{Error: "expired_trigger_id"}:   "The form came too late for Slack to open it.",
		{Error: "exchanged_trigger_id"}: "The form came too late for Slack to open it.",
		{Error: "fatal_error"}:          "Slack does not open the form.",
		{Status: 500, Body: "x"}:        "Slack does not open the form.",
	} {
		w := newWorld(t)
		w.slack.Fail("views.open", fault)
		got := w.types(t, w.ann, w.ops, "run etl")
		if !strings.Contains(got, want) || !strings.Contains(got, "Write what it needs: `/argo run team/etl date=…`") {
			t.Errorf("%v: got %q", fault, got)
		}
	}
}

func TestATriggerThatIsUsedAgainOpensNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.types(t, w.ann, w.ops, "run etl")
	w.slack.Submit(w.slack.Views()[0], map[string]string{message.InputPrefix + "date": "x"})
	w.slack.Submit(w.slack.Views()[0], map[string]string{message.InputPrefix + "date": "x"})
	if did := w.deeds(); len(did) != 2 || !slices.Equal(did[:1], did[1:]) {
		t.Errorf("did %q", did) // two forms that were sent are two runs: each has a trigger of its own
	}
	clicks := w.stored()
	_ = w.Publish(t.Context(), w.events[0]) // Slack, or somebody who has the bus, delivers the first one again
	if w.stored() != clicks || len(w.deeds()) != 2 {
		t.Error("a delivery that came again has run something")
	}
}
