package slack

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/google/go-cmp/cmp"
)

func translate(name string, body []byte) (bridge.Event, error) {
	switch {
	case strings.HasSuffix(name, ".json"):
		return TranslateEvent(body)
	case strings.HasPrefix(name, "command"):
		return TranslateCommand(body, sentAt)
	default:
		return TranslateInteraction(body, sentAt)
	}
}

func TestEveryRequestHasItsEventAndFacts(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/requests/*")
	if err != nil || len(files) == 0 {
		t.Fatal("no requests", err)
	}
	for _, f := range files {
		name := filepath.Base(f)
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, err := translate(name, fixture(t, name))
			if strings.HasPrefix(name, "view_closed") {
				if !errors.Is(err, errUnsupported) {
					t.Fatalf("got %v, want %v", err, errUnsupported)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if bytes.Contains(e.Data, []byte("verification-token")) {
				t.Errorf("the verification token is in the event's data: %s", e.Data)
			}
			facts, ok, err := FactFinder{}.Facts(e)
			if !ok || err != nil {
				t.Fatalf("facts: %v, %v", ok, err)
			}
			variables, err := facts.Variables()
			if err != nil {
				t.Fatal(err)
			}
			if variables["data"] == nil {
				t.Error("the variable data is missing")
			}
			all := map[string]any{
				"id": e.ID, "source": e.Source, "type": e.Type, "subject": e.Subject, "time": e.Time,
				"name": facts.Name, "values": facts.Values, "variables": variables["slack"], "url": facts.URL,
				"actor": facts.Actor, "replyTo": facts.ReplyTo, "title": facts.Title,
			}
			if facts.Order != nil {
				all["order"] = facts.Order
			}
			golden(t, filepath.Join("facts", name+".json"), indent(t, all))
		})
	}
}

func TestVariablesHaveTheShapeOfTheDialect(t *testing.T) {
	t.Parallel()
	known := Dialect().Variables("slack.command")["slack"].Fields
	for _, name := range []string{"command.form", "block_actions.form", "app_mention.json", "reaction_added.json", "message_action.form"} {
		e, err := translate(name, fixture(t, name))
		if err != nil {
			t.Fatal(err)
		}
		f, _, _ := FactFinder{}.Facts(e)
		v, err := f.Variables()
		if err != nil {
			t.Fatal(err)
		}
		for k := range v["slack"].(map[string]any) {
			if _, ok := known[k]; !ok {
				t.Errorf("slack.%s is not in the dialect", k)
			}
		}
	}
}

func TestMalformedRequestsMakeNoEvent(t *testing.T) {
	t.Parallel()
	interaction := func(s string) []byte { return []byte(url.Values{"payload": {s}}.Encode()) }
	tests := map[string]struct {
		name string
		body []byte
	}{
		"an event without an id":            {"x.json", []byte(`{"type":"event_callback","team_id":"T1","event":{"type":"message"}}`)},
		"an event without a team":           {"x.json", []byte(`{"type":"event_callback","event_id":"E1","event":{"type":"message"}}`)},
		"an event without a type":           {"x.json", []byte(`{"type":"event_callback","event_id":"E1","team_id":"T1"}`)},
		"a type that breaks a subject":      {"x.json", []byte(`{"type":"event_callback","event_id":"E1","team_id":"T1","event":{"type":"a.*"}}`)},
		"an envelope of another kind":       {"x.json", []byte(`{"type":"other"}`)},
		"an id with a line break":           {"x.json", []byte(`{"type":"event_callback","event_id":"E\n1","team_id":"T1","event":{"type":"message"}}`)},
		"null":                              {"x.json", []byte(`null`)},
		"a list":                            {"x.json", []byte(`[]`)},
		"two objects":                       {"x.json", []byte(`{}{}`)},
		"nothing":                           {"x.json", nil},
		"a command without a trigger":       {"command", []byte("command=%2Fx&team_id=T1")},
		"a command without a team":          {"command", []byte("command=%2Fx&trigger_id=1")},
		"a command without a name":          {"command", []byte("team_id=T1&trigger_id=1")},
		"a form with a bad escape":          {"command", []byte("command=%zz")},
		"an interaction without a body":     {"x.form", []byte("")},
		"an interaction without an id":      {"x.form", interaction(`{"type":"block_actions","team":{"id":"T1"}}`)},
		"an interaction of an unknown kind": {"x.form", interaction(`{"type":"dialog_cancellation","trigger_id":"1","team":{"id":"T1"}}`)},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if e, err := translate(tt.name, tt.body); err == nil {
				t.Errorf("got %+v, want an error", e)
			}
		})
	}
}

func TestArgs(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		text string
		want []any
	}{
		"nothing":                      {"", []any{}},
		"words":                        {"  deploy   prod\tnow ", []any{"deploy", "prod", "now"}},
		"straight quotes":              {`a "b c" 'd e'`, []any{"a", "b c", "d e"}},
		"typographic quotes":           {"a \u201cb c\u201d \u2018d e\u2019", []any{"a", "b c", "d e"}},
		"an apostrophe":                {"don't stop", []any{"don't", "stop"}},
		"a typographic apostrophe":     {"don\u2019t stop", []any{"don\u2019t", "stop"}},
		"an empty argument":            {`a "" b`, []any{"a", "", "b"}},
		"a quote in a word":            {`key="a b"`, []any{"key=a b"}},
		"a quote that is never closed": {`a "b c`, []any{"a", `"b`, "c"}},
		"a backslash":                  {`a\ b \"c`, []any{"a b", `"c`}},
		"a backslash at the end":       {`a\`, []any{`a\`}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.want, Args(tt.text)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestFactsOfOthersEvents(t *testing.T) {
	t.Parallel()
	if _, ok, _ := (FactFinder{}).Facts(bridge.Event{Type: "com.github.push"}); ok {
		t.Error("took GitHub's event for Slack's")
	}
	if _, ok, err := (FactFinder{}).Facts(bridge.Event{Type: "com.slack.message", Data: json.RawMessage(`[]`)}); !ok || err == nil {
		t.Errorf("got %v, %v; want an error", ok, err)
	}
}

// check holds what must hold of every event that a translation makes.
func check(t *testing.T, e bridge.Event) {
	t.Helper()
	if e.ID == "" || e.Source == sourcePrefix || !strings.HasPrefix(e.Type, typePrefix) || !json.Valid(e.Data) {
		t.Errorf("not a valid event: %+v", e)
	}
	f, ok, err := FactFinder{}.Facts(e)
	if !ok || err != nil {
		t.Fatalf("no facts of an event that was translated: %v", err)
	}
	if _, err := f.Variables(); err != nil {
		t.Errorf("no variables: %v", err)
	}
	if strings.ContainsAny(f.Title, "\r\n") {
		t.Errorf("a title of several lines: %q", f.Title)
	}
}

func FuzzTranslate(f *testing.F) {
	files, _ := filepath.Glob("testdata/requests/*")
	for _, name := range files {
		f.Add(fixture(f, filepath.Base(name)))
	}
	f.Add([]byte(`payload={"type":"block_actions","trigger_id":"1","team":{"id":"T1"},"actions":[null,1,{}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, name := range []string{"x.json", "command", "x.form"} {
			if e, err := translate(name, body); err == nil {
				check(t, e)
			}
		}
	})
}

func FuzzArgs(f *testing.F) {
	f.Add(`a "b c" 'd`)
	f.Add("\u201ca\u201d \\")
	f.Fuzz(func(t *testing.T, s string) {
		for _, a := range Args(s) {
			if len(a.(string)) > len(s)*3 { // a byte that is no UTF-8 becomes three
				t.Errorf("%q grew out of %q", a, s)
			}
		}
	})
}
