package slack

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/argo-bridge/argo-bridge/adapters/slack/slacktest"
	"github.com/argo-bridge/argo-bridge/bridge"
)

// run is a run of gcs-to-bigquery.
func run(phase string) bridge.Run {
	started := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	return bridge.Run{
		Namespace: "data", Name: "gcs-to-bigquery-7f3a", Template: bridge.Template{Namespace: "data", Name: "gcs-to-bigquery"},
		Rule: "nightly", Phase: phase, Started: started, Finished: started.Add(3*time.Minute + 5*time.Second),
		Parameters: []bridge.Parameter{{Name: "path", Value: "exports/a.json"}, {Name: "bucket", Value: "landing-prod"}},
		Annotations: map[string]string{
			bridge.AnnotationEventURL:   "https://github.com/acme/app/compare/a...b",
			bridge.AnnotationEventTitle: "push to acme/app main: fix <the> build & more",
			bridge.AnnotationActor:      "ann",
		},
	}
}

func notification(o bridge.Outcome, phase string) bridge.Notification {
	return bridge.Notification{
		Key: "key-1", Outcome: o, To: bridge.Destination{Scheme: "slack", Target: "#data-alerts"}, Run: run(phase),
		Link: "https://argo.example/workflows/data/gcs-to-bigquery-7f3a", Created: time.Now(),
	}
}

func failed() bridge.Notification {
	n := notification(bridge.Failed, "Failed")
	n.Run.Message = "child failed"
	n.Run.Failures = []bridge.Failure{{Path: "load / extract(0)", Template: "extract", Phase: "Failed", Message: "main: Error (exit code 3)\nno such table", ExitCode: "3"}}
	return n
}

func refusedEvent() bridge.Notification {
	n := notification(bridge.EventRejected, "")
	n.Run.Name, n.Run.Parameters = "", nil
	n.Reason = `parameter "sha": github.sha is null`
	return n
}

func TestRender(t *testing.T) {
	t.Parallel()
	own := failed()
	own.Text = "*Load failed* for `a.json`, see https://runbooks.example/load?a=1&b=2.\n<!channel> <https://evil.example|click>"
	bare := bridge.Notification{Outcome: bridge.Completed, Run: bridge.Run{Namespace: "data", Name: "by-hand", Phase: "Error", Message: "no pod"}}
	for name, n := range map[string]bridge.Notification{
		"started": notification(bridge.Started, "Running"), "succeeded": notification(bridge.Succeeded, "Succeeded"),
		"failed": failed(), "recovered": notification(bridge.Recovered, "Succeeded"), "completed": notification(bridge.Completed, "Succeeded"),
		"rejected": refusedEvent(), "own-text": own, "without-a-template": bare,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text, blocks := Render(n)
			golden(t, "render/"+name+".json", indent(t, map[string]any{"text": text, "blocks": blocks}))
			held(t, text, blocks)
		})
	}
}

// mark finds what Slack would act upon: anything in angle brackets that is not a link of ours.
var mark = regexp.MustCompile(`<[^>]*>`)

// held holds what must hold of every message.
func held(t *testing.T, text string, blocks any) {
	t.Helper()
	raw, err := json.Marshal(blocks)
	if err != nil {
		t.Fatal(err)
	}
	if word, detail := slacktest.CheckBlocks(raw); word != "" {
		t.Errorf("Slack refuses it: %s: %s", word, detail)
	}
	if text == "" || len([]rune(text)) > 4000 {
		t.Errorf("the sentence has %d characters", len([]rune(text)))
	}
	if mark.MatchString(text) {
		t.Errorf("markup in the sentence: %q", text)
	}
	var all []struct {
		Text             struct{ Type, Text string }
		Fields, Elements []struct{ Type, Text string }
	}
	if err := json.Unmarshal(raw, &all); err != nil {
		t.Fatal(err)
	}
	for _, b := range all {
		for _, o := range append(append(b.Fields, b.Elements...), b.Text) {
			for _, m := range mark.FindAllString(o.Text, -1) {
				if o.Type == "mrkdwn" && !strings.HasPrefix(m, "<http://") && !strings.HasPrefix(m, "<https://") {
					t.Errorf("a mention or command got through: %q", m)
				}
			}
		}
	}
}

// hostile is a notification all of whose texts are s.
func hostile(o bridge.Outcome, s, text string) bridge.Notification {
	n := notification(o, "Failed")
	n.Text, n.Reason, n.Link = text, s, "https://argo.example/"+s
	r := &n.Run
	r.Name, r.Rule, r.Message, r.Phase, r.Template.Name = s, s, s, s, s
	for range 60 {
		r.Parameters = append(r.Parameters, bridge.Parameter{Name: s, Value: s})
	}
	for range 20 {
		r.Failures = append(r.Failures, bridge.Failure{Path: s, Message: s, ExitCode: s})
	}
	r.Annotations = map[string]string{bridge.AnnotationEventTitle: s, bridge.AnnotationActor: s, bridge.AnnotationEventURL: "https://x.example/" + s}
	return n
}

func TestNoTextBreaksAMessage(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]string{
		"a mention":         "<!channel> <@U1> <#C1|x> @here",
		"a masked link":     "<https://evil.example|https://good.example>",
		"a code fence":      "``` <!here> ``` `<!here>`",
		"very long":         strings.Repeat("long ", 20000),
		"much to escape":    strings.Repeat("<&>", 20000),
		"many addresses":    strings.Repeat("https://a.b ", 5000),
		"wide characters":   strings.Repeat("🧨", 20000),
		"nothing":           "",
		"white space":       " \n\t ",
		"broken characters": "\xff\xfe",
		"a broken address":  "%zz|>\n<!channel>",
	} {
		for _, o := range bridge.Outcomes {
			for kind, text := range map[string]string{"": "", " with own text": s} {
				t.Run(name+" "+string(o)+kind, func(t *testing.T) {
					t.Parallel()
					text, blocks := Render(hostile(o, s, text))
					held(t, text, blocks)
				})
			}
		}
	}
}

func FuzzRender(f *testing.F) {
	f.Add("<!channel>", "text", uint8(2))
	f.Add(strings.Repeat("&", 5000), "", uint8(5))
	f.Fuzz(func(t *testing.T, s, own string, o uint8) {
		text, blocks := Render(hostile(bridge.Outcomes[int(o)%len(bridge.Outcomes)], s, own))
		held(t, text, blocks)
	})
}
