package slacktest

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/slack-go/slack"
)

func modal(blocks ...slack.Block) slack.ModalViewRequest {
	plain := slack.NewTextBlockObject(slack.PlainTextType, "Run", false, false)
	return slack.ModalViewRequest{
		Type: slack.VTModal, Title: plain, Submit: plain, CallbackID: "run", PrivateMetadata: "secret", Blocks: slack.Blocks{BlockSet: blocks},
	}
}

func required(id string) slack.Block {
	plain := slack.NewTextBlockObject(slack.PlainTextType, "Name", false, false)
	return slack.NewInputBlock(id, plain, nil, slack.NewPlainTextInputBlockElement(nil, "value"))
}

func TestATriggerOpensOneModalWithinThreeSeconds(t *testing.T) {
	t.Parallel()
	s, clock, api := start(t)
	s.AddTeam("T2", "xoxb-2")
	ann := s.AddUser("ann")
	open := func(trigger string) string {
		_, err := api.OpenView(trigger, modal(required("name")))
		return word(t, err)
	}
	used, late, foreign := s.Trigger(ann), s.Trigger(ann), s.Trigger(ann)
	if got := open(used); got != "" {
		t.Errorf("got %q", got)
	}
	if got := open(used); got != "exchanged_trigger_id" {
		t.Errorf("twice: %q", got)
	}
	if got := open("1.2.3"); got != "invalid_trigger_id" {
		t.Errorf("made up: %q", got)
	}
	if _, err := s.clientOf("xoxb-2").OpenView(foreign, modal(required("name"))); word(t, err) != "invalid_trigger_id" {
		t.Errorf("of another workspace: %v", err)
	}
	clock.Advance(triggerExpires + time.Millisecond)
	if got := open(late); got != "expired_trigger_id" {
		t.Errorf("late: %q", got)
	}
	if v := s.Views(); len(v) != 1 || v[0].User != ann || v[0].CallbackID != "run" || v[0].Private != "secret" {
		t.Errorf("got %+v", v)
	}
}

func TestAModalHoldsToItsLimits(t *testing.T) {
	t.Parallel()
	const good = `{"type": "modal", "title": {"type": "plain_text", "text": "T"}, "blocks": []`
	for name, tt := range map[string]struct{ view, want string }{
		"a good one":              {good + `}`, ""},
		"no JSON":                 {`{`, "invalid_arguments"},
		"a home tab":              {`{"type": "home", "blocks": []}`, "invalid_arguments"},
		"a long title":            {strings.Replace(good, `"T"`, `"`+strings.Repeat("x", 25)+`"`, 1) + `}`, "invalid_arguments"},
		"no blocks":               {`{"type": "modal", "title": {"type": "plain_text", "text": "T"}}`, "invalid_arguments"},
		"a long private_metadata": {good + `, "private_metadata": "` + strings.Repeat("x", 3001) + `"}`, "invalid_arguments"},
		"a long callback_id":      {good + `, "callback_id": "` + strings.Repeat("x", 256) + `"}`, "invalid_arguments"},
		"an input without submit": {`{"type": "modal", "title": {"type": "plain_text", "text": "T"}, "blocks": [` +
			`{"type": "input", "label": {"type": "plain_text", "text": "L"}, "element": {"type": "plain_text_input"}}]}`, "invalid_arguments"},
	} {
		if got, detail := CheckView([]byte(tt.view)); got != tt.want {
			t.Errorf("%s: got %q (%s), want %q", name, got, detail, tt.want)
		}
	}
}

func TestASubmittedModalDoesWhatTheAnswerSays(t *testing.T) {
	t.Parallel()
	s, _, api := start(t)
	ann := s.AddUser("ann")
	answers := []string{`{"response_action": "errors", "errors": {"name": "no such"}}`, ""}
	a := s.install(t, &app{answer: func(n int, w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, answers[n-1]) }})
	if _, err := api.OpenView(s.Trigger(ann), modal(required("name"))); err != nil {
		t.Fatal(err)
	}
	v := s.Views()[0]
	if out := s.Submit(v, nil); out.OK() || len(a.bodies) != 0 {
		t.Errorf("without what is required: %+v", out)
	}
	if out := s.Submit(v, map[string]string{"name": "x"}); !out.OK() || out.Closed || out.Errors["name"] != "no such" {
		t.Errorf("errors: %+v", out)
	}
	if out := s.Submit(v, map[string]string{"name": "y"}); !out.OK() || !out.Closed || !s.Views()[0].Closed {
		t.Errorf("good: %+v", out)
	}
	p := a.payload(t, 1)
	view := p["view"].(map[string]any)
	state := view["state"].(map[string]any)["values"].(map[string]any)["name"].(map[string]any)["value"].(map[string]any)
	if p["type"] != "view_submission" || state["value"] != "y" || view["private_metadata"] != "secret" || view["callback_id"] != "run" {
		t.Errorf("got %v", p)
	}
}

func TestModalsStackThreeHigh(t *testing.T) {
	t.Parallel()
	s, _, api := start(t)
	ann := s.AddUser("ann")
	if _, err := api.PushView(s.Trigger(ann), modal(required("a"))); word(t, err) != "not_found" {
		t.Errorf("on nothing: %v", err)
	}
	first, err := api.OpenView(s.Trigger(ann), modal(required("a")))
	if err != nil {
		t.Fatal(err)
	}
	for i := range maxViewStack {
		_, err := api.PushView(s.Trigger(ann), modal(required("b")))
		if got := word(t, err); (got == "") != (i < maxViewStack-1) {
			t.Errorf("push %d: %q", i, got)
		}
	}
	if _, err := api.UpdateView(modal(required("c")), "", "stale", first.ID); word(t, err) != "hash_conflict" {
		t.Errorf("got %v", err)
	}
	if _, err := api.UpdateView(modal(required("c")), "", first.Hash, first.ID); err != nil || !strings.Contains(string(s.Views()[0].Raw), `"c"`) {
		t.Errorf("got %v", err)
	}
}
