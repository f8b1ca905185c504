package e2e

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/argo-bridge/argo-bridge/adapters/slack/slacktest"
	"github.com/argo-bridge/argo-bridge/bridge"
)

// alerted tells of its failures, and lets people on call retry its runs.
const alerted = `
  annotations:
    bridge.argoproj.io/notify: |
      failed: slack:#data-alerts @oncall
      recovered: slack:#data-alerts
    bridge.argoproj.io/slack: |
      allow:
        retry: {groups: ["@oncall"], channels: ["#data-alerts"]}
        silence: {groups: ["@oncall"]}
`

// gated asks in a channel whether it may go on.
const gated = `
  annotations:
    bridge.argoproj.io/notify: |
      waiting: slack:#releases
    bridge.argoproj.io/slack: |
      allow:
        approve: {groups: ["@leads"]}
`

// formTemplate is started from Slack.
const formTemplate = `
metadata:
  name: deploy
  annotations:
    workflows.argoproj.io/description: Deploys the shop.
    bridge.argoproj.io/slack: |
      allow:
        run: {channels: ["#deploys"]}
spec:
  entrypoint: main
  arguments:
    parameters:
    - {name: env, enum: [staging, production], description: "Where to?"}
    - {name: replicas, default: "3"}
  templates:
  - name: main
    inputs: {parameters: [{name: env, value: "{{workflow.parameters.env}}"}]}
    container: {image: busybox, command: ["true"]}
`

// annotate puts annotations into a template's metadata.
func annotate(template, name, annotations string) string {
	return strings.Replace(template, "metadata: {name: "+name+"}", "metadata:\n  name: "+name+annotations, 1)
}

// A team is a Slack workspace with people, a bridge, and the runs of a namespace.
type team struct {
	*office
	*proc
	t         *testing.T
	ann, eve  string // ann is on call and leads; eve is neither
	channel   *slacktest.Channel
	elsewhere *slacktest.Channel
}

func newTeam(t *testing.T, channel string, socket bool, templates ...string) *team {
	t.Helper()
	c := shared(t)
	w := &team{t: t, office: newOffice(t, c, templates...)}
	s, err := slacktest.New(slacktest.Options{Token: slackToken, AppToken: "xapp-test", Team: "T1", SigningSecret: slackSecret})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	w.ann, w.eve = s.AddUser("ann"), s.AddUser("eve")
	s.AddGroup("oncall", w.ann)
	s.AddGroup("leads", w.ann)
	w.channel, w.elsewhere = s.AddChannel(channel), s.AddChannel("random")
	mode := ""
	if socket {
		mode = fmt.Sprintf(", appTokenFile: %s", filepath.Join(t.TempDir(), "app-token"))
		if err := os.WriteFile(strings.TrimPrefix(mode, ", appTokenFile: "), []byte("xapp-test"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	w.proc = newBridge(t, setup{cluster: c, namespace: w.ns, workspace: s, slack: mode})
	if !socket {
		s.DeliverTo("http://" + w.address)
	}
	w.startReady()
	if socket {
		eventually(t, "the bridge is connected", func() error { return whether(s.Sockets() > 0, "no connection") })
	}
	return w
}

func whether(ok bool, otherwise string) error {
	if ok {
		return nil
	}
	return errors.New(otherwise)
}

// tops are the messages in channels themselves, not those in threads.
func tops(messages []slacktest.Message) (all []slacktest.Message) {
	for _, m := range messages {
		if m.ThreadTS == "" {
			all = append(all, m)
		}
	}
	return all
}

func shownOf(m slacktest.Message) string {
	return strings.NewReplacer(`\u003c`, "<", `\u003e`, ">", `\u0026`, "&").Replace(m.Text + string(m.Blocks) + string(m.Attachments))
}

// alert waits until there is one message, which shows some texts.
func (w *team) alert(what string, texts ...string) slacktest.Message {
	w.t.Helper()
	var m slacktest.Message
	eventually(w.t, what, func() error {
		all := tops(w.slack.Messages())
		if len(all) != 1 {
			return fmt.Errorf("%d messages", len(all))
		}
		m = all[0]
		for _, text := range texts {
			if !strings.Contains(shownOf(m), text) {
				return fmt.Errorf("no %q in %s", text, shownOf(m))
			}
		}
		return nil
	})
	return m
}

// press presses a button, which the bridge has to take.
func (w *team) press(user string, m slacktest.Message, act bridge.Act, filled map[string]string) {
	w.t.Helper()
	if sent := w.slack.Press(user, m, "argo_bridge."+string(act), filled); !sent.OK() {
		w.t.Fatalf("press %s: %+v", act, sent)
	}
}

// refused waits until somebody hears, alone, that they may not.
func (w *team) refused(user, text string) {
	w.t.Helper()
	eventually(w.t, "the refusal", func() error {
		for _, e := range w.slack.Ephemerals() {
			if e.User == user && strings.Contains(e.Text, text) {
				return nil
			}
		}
		return fmt.Errorf("%+v", w.slack.Ephemerals())
	})
}

func TestAFailureIsRetriedFromItsAlertAndRecovers(t *testing.T) {
	t.Parallel()
	w := newTeam(t, "data-alerts", false, annotate(flakyTemplate, "flaky", alerted))
	w.codes("3")
	id := w.office.start("flaky-1", "flaky")
	m := w.alert("the alert", "failed", "second", "exit code 3", "!subteam^")
	eventually(t, "the details in the thread", func() error {
		return whether(len(w.slack.Messages()) == 2 && w.slack.Messages()[1].ThreadTS == m.TS, "none yet")
	})
	w.press(w.eve, m, bridge.Retry, nil)
	w.refused(w.eve, "flaky")
	forwarded := m
	forwarded.Channel = w.elsewhere.ID
	w.press(w.ann, forwarded, bridge.Retry, nil)
	w.refused(w.ann, "flaky")
	if run := w.find(id, "is left alone", in("Failed")); run.Annotations[bridge.AnnotationRetried] != "" {
		t.Fatalf("somebody without the right has retried it: %v", run.Annotations)
	}
	w.kill() // the thread has to outlive it
	w.startReady()
	w.codes("0")
	w.press(w.ann, m, bridge.Retry, nil)
	w.find(id, "succeeds", in("Succeeded"))
	w.alert("the alert is closed", "recovered", "#2eb67d", "<@"+w.ann+">")
	eventually(t, "the thread has the details, who has retried it, and how it went", func() error {
		thread := 0
		for _, r := range w.slack.Messages() {
			if r.ThreadTS == m.TS {
				thread++
			}
		}
		return whether(thread == 3, fmt.Sprintf("%d replies", thread))
	})
	if n := w.slack.Unheeded(); n != 0 {
		t.Errorf("%d calls came too early for Slack", n)
	}
}

func TestATemplateIsRunFromAForm(t *testing.T) {
	t.Parallel()
	for name, socket := range map[string]bool{"over HTTP": false, "by Socket Mode": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newTeam(t, "deploys", socket, formTemplate)
			if sent := w.slack.Command(w.ann, w.elsewhere, "/argo", "run deploy env=staging"); !sent.OK() || !strings.Contains(string(sent.Body), "deploy") {
				t.Fatalf("%+v %s", sent, sent.Body)
			}
			if sent := w.slack.Command(w.ann, w.channel, "/argo", "list"); !sent.OK() || !strings.Contains(string(sent.Body), "Deploys the shop.") {
				t.Fatalf("%+v %s", sent, sent.Body)
			}
			if sent := w.slack.Command(w.ann, w.channel, "/argo", "run deploy"); !sent.OK() || len(w.slack.Views()) != 1 {
				t.Fatalf("no form is opened: %+v %s", sent, sent.Body)
			}
			v := w.slack.Views()[0]
			filled := map[string]string{}
			for _, name := range []string{"env", "replicas"} {
				if !strings.Contains(string(v.Raw), "argo_bridge.input."+name) {
					t.Fatalf("the form does not ask for %s: %s", name, v.Raw)
				}
			}
			filled["argo_bridge.input.env"] = "production"
			if sent := w.slack.Submit(v, filled); !sent.OK() || !sent.Closed {
				t.Fatalf("%+v", sent)
			}
			eventually(t, "the run", func() error {
				runs, err := w.List(t.Context(), w.ns, "deploy", 10)
				if err == nil && (len(runs) != 1 || runs[0].Phase != "Succeeded") {
					err = fmt.Errorf("%+v", runs)
				}
				if err == nil && !strings.Contains(fmt.Sprint(runs[0].Parameters), "production") {
					t.Fatalf("%+v", runs[0].Parameters)
				}
				return err
			})
			eventually(t, "how it ended is told", func() error {
				for _, r := range w.slack.Responses() {
					if strings.Contains(r.Text+string(r.Blocks), "succeeded") {
						return nil
					}
				}
				return fmt.Errorf("%+v %+v", w.slack.Responses(), w.slack.Messages())
			})
		})
	}
}

func TestAnApproval(t *testing.T) {
	t.Parallel()
	w := newTeam(t, "releases", false, annotate(gateTemplate, "gate", gated))
	id := w.office.start("gate-1", "gate")
	m := w.alert("the question", "approve", "argo_bridge.input.target", "argo_bridge.resume")
	filled := map[string]string{"argo_bridge.input.target": "production", "argo_bridge.input.size": "5", "argo_bridge.input.reason": "it is <!channel> time"}
	w.press(w.eve, m, bridge.Resume, filled)
	w.refused(w.eve, "gate")
	w.press(w.ann, m, bridge.Resume, filled)
	run := w.find(id, "succeeds", in("Succeeded"))
	if p := run.Pauses[0]; p.Message != "approved by ann" {
		t.Errorf("the step is stamped %q", p.Message)
	}
	closed := w.alert("the question is closed", "approved by", "<@"+w.ann+">")
	if strings.Contains(string(closed.Blocks), "argo_bridge.resume") || strings.Contains(shownOf(closed), "<!channel>") {
		t.Errorf("%s", shownOf(closed))
	}
	second := w.office.start("gate-2", "gate")
	eventually(t, "the second question", func() error { return whether(len(tops(w.slack.Messages())) == 2, "one message") })
	w.press(w.ann, tops(w.slack.Messages())[1], bridge.Reject, nil)
	if p := w.find(second, "fails", in("Failed")).Pauses[0]; p.Message != "rejected by ann" {
		t.Errorf("the step is stamped %q", p.Message)
	}
}

func TestASilenceByButton(t *testing.T) {
	t.Parallel()
	w := newTeam(t, "data-alerts", false, annotate(flakyTemplate, "flaky", alerted))
	w.codes("3")
	w.office.start("flaky-1", "flaky")
	m := w.alert("the alert", "failed")
	w.press(w.ann, m, bridge.Mute, nil)
	eventually(t, "the silence is listed", func() error {
		sent := w.slack.Command(w.eve, w.channel, "/argo", "silences")
		return whether(strings.Contains(string(sent.Body), "flaky"), string(sent.Body))
	})
	w.alert("the silence is noted", "<@"+w.ann+">")
	w.office.start("flaky-2", "flaky")
	w.find(bridge.RunID{Namespace: w.ns, Name: "flaky-2"}, "fails", in("Failed"))
	w.alert("the second failure joins the message that is there", "2 failures")
}

// TestAChannelThatIsNotThereIsReportedOnTheTemplate: as a Kubernetes Event, with what to do.
func TestAChannelThatIsNotThereIsReportedOnTheTemplate(t *testing.T) {
	t.Parallel()
	w := newTeam(t, "other", false, annotate(flakyTemplate, "flaky", alerted))
	w.codes("3")
	w.office.start("flaky-1", "flaky")
	eventually(t, "the Event", func() error {
		events, err := w.c.client.CoreV1().Events(w.ns).List(t.Context(), metav1.ListOptions{FieldSelector: "reason=BridgeNotificationFailed"})
		if err == nil && (len(events.Items) != 1 || !strings.Contains(events.Items[0].Message, "channel_not_found") || events.Items[0].InvolvedObject.Name != "flaky") {
			err = fmt.Errorf("%+v", events.Items)
		}
		return err
	})
	status, body, err := w.get("/metrics")
	if err != nil || status != http.StatusOK || !strings.Contains(body, `argo_bridge_notifications_total{destination="slack",result="failed"} 1`) {
		t.Errorf("%d %v: the metric is missing", status, err)
	}
}
