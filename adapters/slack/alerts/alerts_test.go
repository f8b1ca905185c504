package alerts

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/argo-bridge/argo-bridge/adapters/slack/slacktest"
	"github.com/argo-bridge/argo-bridge/bridge"
)

func TestARunIsOneMessageThatIsBroughtUpToDate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	n := failure("nightly", 1)
	w.told(t, goes(n, 0))
	if top := w.tops(); len(top) != 1 || strings.Contains(top[0].Text, "failed") {
		t.Fatalf("at the start: %+v", top)
	}
	w.told(t, n)
	w.told(t, n) // delivered again
	eventually(t, "the details in the thread", func() bool { return len(w.replies()) == 1 })
	top, reply := w.tops(), w.replies()[0]
	if len(top) != 1 || !strings.Contains(top[0].Text, "failed") || reply.ThreadTS != top[0].TS || !strings.Contains(shown(reply), "no such file") {
		t.Errorf("after the failure: %+v, %+v", top, reply)
	}
	if !reply.Broadcast {
		t.Error("the update of a message calls nobody; the reply has to")
	}
}

func TestARetryThatSucceedsClosesTheAlert(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	n := failure("nightly", 1)
	w.told(t, n)
	again := goes(n, time.Hour)
	again.Follow = true
	w.told(t, again)
	if top := w.tops(); len(top) != 1 || strings.Contains(top[0].Text, "failed") {
		t.Fatalf("while it is retried: %+v", top)
	}
	second := n
	second.Run.Started, second.Run.Finished = again.Run.Started, again.Run.Started.Add(time.Minute)
	w.told(t, second)
	end := good(second, bridge.Recovered)
	end.Run.Started, end.Run.Finished = second.Run.Started.Add(time.Hour), second.Run.Finished.Add(time.Hour)
	w.told(t, end)
	w.told(t, end)
	eventually(t, "the recovery in the thread", func() bool {
		r := w.replies()
		return len(r) > 0 && strings.Contains(shown(r[len(r)-1]), "succe")
	})
	if top := w.tops(); len(top) != 1 || !strings.Contains(shown(top[0]), "recovered") {
		t.Errorf("at the end: %s", shown(top[0]))
	}
}

func TestALaterRunClosesTheAlertOfTheOneThatFailed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.told(t, failure("nightly", 1))
	w.told(t, good(failure("nightly", 2), bridge.Recovered))
	if top := w.tops(); len(top) != 1 || !strings.Contains(shown(top[0]), "nightly-2") {
		t.Errorf("%d messages, %s", len(top), shown(top[0]))
	}
	// Told late, it is known to be good already.
	late := failure("hourly", 1)
	w.told(t, good(failure("hourly", 2), bridge.Recovered))
	w.told(t, late)
	top := w.tops()
	if last := top[len(top)-1]; strings.Contains(last.Text, ":x:") || !strings.Contains(shown(last), "hourly-2") {
		t.Errorf("a failure that is made good before it is told: %s", shown(last))
	}
}

func TestFromTheMatchToTheEndIsOneMessage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	n := failure("nightly", 1)
	n.Run.Labels = map[string]string{bridge.LabelEvent: bridge.Event{ID: "1"}.Hash()}
	n.Subject = "subject"
	queued := n
	queued.Outcome, queued.Key, queued.Run.UID, queued.Run.Phase, queued.Run.Failures = bridge.Queued, "queued", "", "Pending", nil
	queued.Run.Started, queued.Run.Finished = time.Time{}, time.Time{}
	w.told(t, queued)
	w.told(t, n)
	if top := w.tops(); len(top) != 1 || !strings.Contains(top[0].Text, "failed") {
		t.Fatalf("%d messages: %s", len(top), shown(top[0]))
	}
	w.told(t, good(failure("nightly", 9), bridge.Recovered))
	if s := shown(w.tops()[0]); len(w.tops()) != 1 || !strings.Contains(s, "nightly-9") {
		t.Errorf("a later run does not close it: %s", s)
	}
	// A run that was made like it bears its labels.
	like := failure("nightly", 20)
	like.Run.Labels, like.Subject = n.Run.Labels, n.Subject
	w.told(t, like)
	if top := w.tops(); len(top) != 1 || !strings.Contains(top[0].Text, "2 ") {
		t.Errorf("%d messages: %s", len(top), shown(top[0]))
	}
}

func TestWhatOnlyFollowsTellsNothingNew(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, n := range []bridge.Notification{good(failure("nightly", 1), bridge.Recovered), goes(failure("nightly", 1), 0)} {
		n.Follow = true
		w.told(t, n)
	}
	if all := w.slack.Messages(); len(all) != 0 {
		t.Errorf("%+v", all)
	}
}

func TestFailuresOfOneTemplateBecomeOneMessage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.settle = time.Second
	for i := range 12 {
		w.told(t, failure("nightly", i))
	}
	top := w.tops()
	if len(top) != 1 || !strings.Contains(top[0].Text, "12") || !strings.Contains(shown(top[0]), "nightly-11") {
		t.Errorf("%d messages: %s", len(top), shown(top[0]))
	}
	if r := w.replies(); len(r) != 0 {
		t.Errorf("a group has its list: %+v", r)
	}
}

func TestFailuresOfOneCauseBecomeOneMessage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for i, template := range []string{"a", "b", "c"} {
		n := failure(template, i)
		n.Run.Failures[0].Message = "OOMKilled on node-1" + template
		n.Run.Failures[0].Message = strings.ReplaceAll(n.Run.Failures[0].Message, template, "")
		w.told(t, n)
	}
	if top := w.tops(); len(top) != 1 || !strings.Contains(shown(top[0]), "OOMKilled") {
		t.Fatalf("%d messages", len(top))
	}
	w.told(t, failure("d", 9)) // exit code 1 is no cause
	w.told(t, failure("e", 9))
	if top := w.tops(); len(top) != 3 {
		t.Errorf("%d messages, want 3", len(top))
	}
	// Each has to be good again before the message is.
	w.told(t, good(failure("a", 20), bridge.Recovered))
	if s := shown(w.tops()[0]); !strings.Contains(s, "team/a has recovered") || !strings.Contains(s, "#e01e5a") {
		t.Errorf("one of three is good: %s", s)
	}
	w.told(t, good(failure("b", 20), bridge.Recovered))
	w.told(t, good(failure("c", 20), bridge.Recovered))
	if s := shown(w.tops()[0]); !strings.Contains(s, "#2eb67d") {
		t.Errorf("all are good: %s", s)
	}
}

func TestAChannelGetsSoManyMessagesAndOneForTheRest(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *Options) { o.Settings.Burst = 2 })
	for i, template := range []string{"a", "b", "c", "d", "e"} {
		w.told(t, failure(template, i))
	}
	top := w.tops()
	if len(top) != 3 {
		t.Fatalf("%d messages, want 3", len(top))
	}
	for _, template := range []string{"c-2", "d-3", "e-4"} {
		if !strings.Contains(shown(top[2]), template) {
			t.Errorf("%s is missing in %s", template, shown(top[2]))
		}
	}
}

func TestASilenceHoldsAlertsBackUntilItEnds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_ = w.silences.Add(t.Context(), bridge.Silence{ID: "a", Template: "team/nightly", Until: time.Now().Add(2 * time.Second)})
	for i := range 3 {
		w.told(t, failure("nightly", i))
	}
	made := failure("nightly", 9)
	made.To.Target = w.channel.ID // another place, where it is made good meanwhile
	w.told(t, made)
	end := good(failure("nightly", 10), bridge.Recovered)
	end.To = made.To
	end.Follow = true
	w.told(t, end)
	w.told(t, failure("hourly", 1))
	if top := w.tops(); len(top) != 1 || !strings.Contains(top[0].Text, "hourly") {
		t.Fatalf("%d messages while it is silent", len(top))
	}
	eventually(t, "the failures are told at the end", func() bool { return len(w.tops()) == 2 })
	if s := w.tops()[1].Text; !strings.Contains(s, "3") {
		t.Errorf("%s", s)
	}
}

func TestQuietHoursHoldAlertsBackAndNoApproval(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *Options) { o.Settings.Quiet = "00:00-24:00" })
	w.told(t, failure("nightly", 1))
	n := goes(failure("release", 1), 0)
	n.Outcome, n.Pause = bridge.Suspended, &bridge.Pause{Node: "n1", Path: "approve", Phase: "Running"}
	w.told(t, n)
	loud := failure("loud", 1)
	loud.Options = map[string]string{bridge.OptionQuiet: "Mon 00:00-00:01"}
	if time.Now().UTC().Weekday() != time.Monday {
		w.told(t, loud)
	}
	for _, m := range w.tops() {
		if strings.Contains(m.Text, "nightly") {
			t.Errorf("in quiet hours: %s", m.Text)
		}
	}
	if len(w.tops()) < 1 {
		t.Error("the approval is not asked for")
	}
}

func TestAChannelThatIsGoneIsToldAndHoldsUpNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	n := failure("nightly", 1)
	n.To.Target = "#gone"
	if err := w.Notify(t.Context(), n); !bridge.IsPermanent(err) || !strings.Contains(err.Error(), "channel_not_found") || !strings.Contains(err.Error(), "invite") {
		t.Errorf("got %v", err)
	}
	w.told(t, failure("nightly", 1))
	w.mu.Lock()
	refused := len(w.refused)
	w.mu.Unlock()
	if refused != 1 {
		t.Errorf("%d are told that it is refused, want 1", refused)
	}
	// Once it is there, the next failure tells of both.
	w.slack.AddChannel("gone")
	n = failure("nightly", 2)
	n.To.Target = "#gone"
	w.told(t, n)
	top := w.tops()
	if last := top[len(top)-1]; !strings.Contains(last.Text, "2") {
		t.Errorf("%s", last.Text)
	}
}

func TestNoTokenLeavesInAnError(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	err := w.fault("slack:#a", errors.New("post https://slack.example/"+botToken+": refused"))
	if strings.Contains(err.Error(), botToken) || !strings.Contains(err.Error(), "[token]") {
		t.Errorf("got %v", err)
	}
}

func TestAnAlertIsNotTwiceWhateverIsCutOff(t *testing.T) {
	t.Parallel()
	cut := errors.New("the process dies")
	tests := map[string]func(op, key string) error{
		"before the template's pointer is written": func(op, key string) error { return when(op == "store" && strings.HasPrefix(key, keySeries), cut) },
		"before the run is assigned":               func(op, key string) error { return when(op == "store" && strings.HasPrefix(key, keyRun), cut) },
		"before the alert is written":              func(op, key string) error { return when(op == "store" && strings.HasPrefix(key, keyAlert), cut) },
	}
	for name, fail := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.shelf.fail = fail
			if err := w.Notify(t.Context(), failure("nightly", 1)); err == nil {
				t.Fatal("it was not cut off")
			}
			w.shelf.mu.Lock()
			w.shelf.fail = nil
			w.shelf.mu.Unlock()
			w.stop()
			w.start(t)
			w.told(t, failure("nightly", 2)) // another one comes first
			w.told(t, failure("nightly", 1))
			if top := w.tops(); len(top) != 1 || !strings.Contains(top[0].Text, "2") {
				t.Errorf("%d messages: %s", len(top), shown(top[0]))
			}
		})
	}
}

func when(is bool, err error) error {
	if is {
		return err
	}
	return nil
}

func TestAMessageWhoseAnswerIsLostIsFoundAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.slack.Fail("chat.postMessage", slacktest.Fault{Lost: true})
	w.told(t, failure("nightly", 1))
	eventually(t, "the details", func() bool { return len(w.replies()) == 1 })
	if top := w.tops(); len(top) != 1 {
		t.Errorf("%d messages, want 1", len(top))
	}
	w.slack.Fail("chat.postMessage", slacktest.Fault{Status: 503}, slacktest.Fault{Body: "<html>", Status: 502})
	w.told(t, failure("hourly", 1))
	if top := w.tops(); len(top) != 2 {
		t.Errorf("%d messages, want 2", len(top))
	}
}

func TestThreadsAreKeptAcrossRestarts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.told(t, failure("nightly", 1))
	eventually(t, "the details", func() bool { return len(w.replies()) == 1 })
	w.stop()
	w.start(t)
	w.told(t, good(failure("nightly", 2), bridge.Recovered))
	eventually(t, "the recovery", func() bool { return len(w.replies()) == 2 })
	if r := w.replies(); r[0].ThreadTS != r[1].ThreadTS || len(w.tops()) != 1 {
		t.Errorf("%+v", r)
	}
}

func TestAnAnswerToAButtonStandsInTheAlertAndItsThread(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ann := w.slack.AddUser("ann")
	w.told(t, failure("nightly", 1))
	top := w.tops()[0]
	answer := bridge.Notification{
		Key: "k1", Outcome: bridge.Answered, To: bridge.Destination{Scheme: "slack", Target: bridge.TargetAnswer}, Address: top.Channel + "/" + top.TS,
		Text: "retried nightly-1 <!channel>", Options: map[string]string{OptionDone: "true", OptionUser: ann},
	}
	w.told(t, answer)
	w.told(t, answer)
	eventually(t, "the note in the thread", func() bool { return strings.Contains(shown(w.replies()[len(w.replies())-1]), "retried nightly-1") })
	s := shown(w.tops()[0])
	if strings.Count(s, "retried nightly-1") != 1 || strings.Contains(s, "<!channel>") {
		t.Errorf("%s", s)
	}
	answer.Key, answer.Text, answer.Options = "k2", "only @oncall may do that", map[string]string{OptionDone: "false", OptionUser: ann}
	w.told(t, answer)
	if e := w.slack.Ephemerals(); len(e) != 1 || e[0].User != ann {
		t.Errorf("%+v", e)
	}
}

func TestMentions(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *Options) { o.People = map[string]string{"octocat": "U0OCTOCAT"} })
	w.slack.AddUser("ann")
	n := failure("nightly", 1)
	n.Mentions = []string{"@here", "@ann", "S0614TZR7"}
	n.Options = map[string]string{bridge.OptionMention: "octocat, @here <!channel>"}
	w.told(t, n)
	s := shown(w.tops()[0])
	for _, want := range []string{"!here", "@U", "subteam^S0614TZR7", "@U0OCTOCAT"} {
		if !strings.Contains(s, want) {
			t.Errorf("%s is missing in %s", want, s)
		}
	}
	if strings.Contains(s, "<!channel>") || strings.Contains(s, `\u003c!channel`) || strings.Count(s, "!here") != 1 {
		t.Errorf("an expression calls everybody: %s", s)
	}
}

func TestBlocksThatSlackRefusesCostTheirLookNotTheAlert(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	n := failure("nightly", 1)
	n.Options = map[string]string{bridge.OptionBlocks: `[{"type": "hologram", "text": "from tomorrow"}]`}
	w.told(t, n)
	if s := shown(w.tops()[0]); strings.Contains(s, "hologram\",") || !strings.Contains(s, "extract") || !strings.Contains(s, "invalid_blocks") {
		t.Errorf("%s", s)
	}
}
