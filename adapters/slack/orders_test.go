package slack

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// press is the event of a button with an action_id and a value.
func press(t *testing.T, id, value string) bridge.Event {
	t.Helper()
	data, err := json.Marshal(map[string]any{
		"type": "block_actions", "team": map[string]any{"id": "T0AAA"}, "user": map[string]any{"id": "U0ANN", "team_id": "T0AAA"},
		"actions": []any{map[string]any{"action_id": id, "value": value}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return bridge.Event{ID: "1", Source: "//slack.com/T0AAA", Type: typeAction, Data: data}
}

func TestAButtonIsAnOrderOnlyAsTheBridgeHasMadeIt(t *testing.T) {
	t.Parallel()
	const run = `{"run":{"namespace":"team","name":"etl-abc","uid":"u1"}}`
	tests := map[string]struct {
		id, value string
		order     bool
		fault     string
	}{
		"retry":                         {"argo_bridge.retry", run, true, ""},
		"another app's button":          {"retry", run, false, ""},
		"a link":                        {"argo_bridge.open", run, false, ""},
		"an input":                      {"argo_bridge.value", run, false, ""},
		"an act that has no button":     {"argo_bridge.approve", run, false, ""},
		"a run of a template":           {"argo_bridge.run", `{"template":"team/etl"}`, false, ""},
		"a value that is no JSON":       {"argo_bridge.retry", "x", true, "names no run"},
		"a value that is empty":         {"argo_bridge.stop", "", true, "names no run"},
		"a run without a name":          {"argo_bridge.stop", `{"run":{"namespace":"team"}}`, true, "names no run"},
		"a run without a namespace":     {"argo_bridge.stop", `{"run":{"name":"etl"}}`, true, "names no run"},
		"a name that is a path":         {"argo_bridge.stop", `{"run":{"namespace":"team","name":"../x"}}`, true, "names no run"},
		"two values":                    {"argo_bridge.stop", run + run, true, "not what it is for"},
		"a silence of all templates":    {"argo_bridge.silence", `{"for":"1h"}`, true, "names no template"},
		"a silence":                     {"argo_bridge.silence", `{"template":"team/etl","for":"1h"}`, true, ""},
		"a silence for ever":            {"argo_bridge.silence", `{"template":"team/etl","for":"9000h"}`, true, "1m to 30d"},
		"a template that is markup":     {"argo_bridge.silence", `{"template":"<!channel>","for":"1h"}`, true, "names no template"},
		"an approval of no step":        {"argo_bridge.resume", run, true, "names no step"},
		"an approval of a step":         {"argo_bridge.resume", `{"run":{"namespace":"team","name":"etl-abc"},"node":"etl-abc-1"}`, true, ""},
		"an approval of what is markup": {"argo_bridge.reject", `{"run":{"namespace":"team","name":"etl-abc"},"node":"<!channel>"}`, true, "names no step"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, ok, err := FactFinder{}.Facts(press(t, tt.id, tt.value))
			if !ok || err != nil {
				t.Fatal(ok, err)
			}
			if (f.Order != nil) != tt.order {
				t.Fatalf("order %+v, want one: %v", f.Order, tt.order)
			}
			if f.Order != nil && (!strings.Contains(f.Order.Fault, tt.fault) || (tt.fault == "") != (f.Order.Fault == "")) {
				t.Errorf("fault %q, want %q", f.Order.Fault, tt.fault)
			}
			if f.Awaited {
				t.Error("nobody waits for a button's record")
			}
		})
	}
}

func TestTheCommandHasTheNameOfTheConfig(t *testing.T) {
	t.Parallel()
	e, err := TranslateCommand([]byte("team_id=T0AAA&trigger_id=1&channel_id=C0OPS&user_id=U0ANN&command=%2Fflows&text=retry+team%2Fx"), sentAt)
	if err != nil {
		t.Fatal(err)
	}
	if f, _, _ := (FactFinder{}).Facts(e); f.Order != nil || !f.Awaited {
		t.Errorf("got %+v of another command", f.Order)
	}
	f, _, _ := FactFinder{Command: "/flows"}.Facts(e)
	if f.Order == nil || f.Order.Run.Name != "x" || f.Order.Word != "/flows retry team/x" {
		t.Errorf("got %+v", f.Order)
	}
}

func TestAFormThatTheBridgeHasNotMadeIsNone(t *testing.T) {
	t.Parallel()
	for name, metadata := range map[string]string{
		"nothing": "", "no JSON": "x", "no template": `{"channel":"C0OPS"}`, "no channel": `{"template":"team/etl"}`,
		"a template that is no name": `{"template":"a b","channel":"C0OPS"}`,
	} {
		data, err := json.Marshal(map[string]any{
			"team": map[string]any{"id": "T0AAA"}, "user": map[string]any{"id": "U0ANN"},
			"view": map[string]any{"callback_id": FormID, "private_metadata": metadata},
		})
		if err != nil {
			t.Fatal(err)
		}
		f, _, err := FactFinder{}.Facts(bridge.Event{ID: "1", Source: "//slack.com/T0AAA", Type: typeView, Data: data})
		if err != nil || f.Order == nil || f.Order.Fault == "" {
			t.Errorf("%s: got %+v, %v", name, f.Order, err)
		}
	}
}

func FuzzButton(f *testing.F) {
	f.Add("argo_bridge.retry", `{"run":{"namespace":"team","name":"etl-abc","uid":"u1"}}`)
	f.Add("argo_bridge.silence", `{"template":"team/etl","for":"1h"}`)
	f.Fuzz(func(t *testing.T, id, value string) {
		facts, _, err := FactFinder{}.Facts(press(t, id, value))
		if err != nil || facts.Order == nil || facts.Order.Fault != "" {
			return
		}
		switch o := facts.Order; o.Act {
		case bridge.Mute, bridge.Unmute:
			if o.Template == "" {
				t.Errorf("%s %s: silences all", id, value)
			}
		default:
			if o.Run.Name == "" || o.Run.Namespace == "" {
				t.Errorf("%s %s: is about no run", id, value)
			}
		}
	})
}
