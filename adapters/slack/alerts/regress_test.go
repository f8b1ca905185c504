package alerts

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/argo-bridge/argo-bridge/adapters/slack/message"
	"github.com/argo-bridge/argo-bridge/adapters/slack/slacktest"
	"github.com/argo-bridge/argo-bridge/bridge"
)

const (
	red   = "#e01e5a"
	green = "#2eb67d"
)

// follow is a notification that only brings up to date what was told.
func follow(n bridge.Notification) bridge.Notification {
	n.Follow = true
	return n
}

// colors says how many of the channel's messages are of a colour, now that all is told.
func (w *world) colors(t *testing.T, color string) (n int) {
	t.Helper()
	eventually(t, "all is shown", func() bool {
		all, err := w.shelf.List(t.Context(), keyAlert)
		if err != nil {
			return false
		}
		for _, data := range all {
			var e entry
			if err := decode(data, &e); err != nil || e.dirty() {
				return false
			}
		}
		return true
	})
	for _, m := range w.tops() {
		if !m.Deleted && strings.Contains(shown(m), color) {
			n++
		}
	}
	return n
}

func (w *world) expect(t *testing.T, reds, greens int) {
	t.Helper()
	if r, g := w.colors(t, red), w.colors(t, green); r != reds || g != greens {
		t.Errorf("%d messages are red and %d green, want %d and %d", r, g, reds, greens)
	}
}

func TestOrderDoesNotMatter(t *testing.T) {
	t.Parallel()
	withCause := func(template string, number int) bridge.Notification {
		n := failure(template, number)
		n.Run.Failures[0].Message = "OOMKilled"
		return n
	}
	apart := func(n bridge.Notification) bridge.Notification {
		n.Options = map[string]string{bridge.OptionWindow: "0s"}
		return n
	}
	paused := func(phase string, at int) bridge.Notification {
		n := goes(failure("release", 1), 0)
		n.Outcome, n.Pause, n.Key = bridge.Suspended, &bridge.Pause{Node: "n1", Path: "approve", Phase: phase}, "pause-"+phase
		n.Created = begun.Add(time.Duration(at) * time.Second)
		return n
	}
	matched := func(n bridge.Notification) bridge.Notification {
		n.Run.Labels, n.Subject = map[string]string{bridge.LabelEvent: bridge.Event{ID: "1"}.Hash()}, "subject"
		return n
	}
	queued := matched(failure("nightly", 1))
	queued.Outcome, queued.Key, queued.Run.UID, queued.Run.Phase, queued.Run.Failures = bridge.Queued, "queued", "", "Pending", nil
	queued.Run.Started, queued.Run.Finished = time.Time{}, time.Time{}
	rejected := failure("nightly", 3)
	rejected.Outcome, rejected.Run = bridge.EventRejected, bridge.Run{Namespace: "team", Template: rejected.Run.Template, Phase: "Rejected"}
	rejected.Subject, rejected.Reason = "another", "no such parameter"
	again := func(n bridge.Notification) bridge.Notification { // of a run that was retried
		n.Run.Started, n.Run.Finished = n.Run.Started.Add(time.Hour), n.Run.Finished.Add(time.Hour)
		return n
	}
	tests := map[string]struct {
		told                 []bridge.Notification
		reds, greens, others int
	}{
		"a good run closes every message of its template": {
			[]bridge.Notification{apart(failure("nightly", 1)), apart(failure("nightly", 2)), apart(failure("nightly", 3)), good(failure("nightly", 4), bridge.Recovered)}, 0, 3, 0,
		},
		"a run that was told from its start is closed too, though its template has an alert": {
			[]bridge.Notification{goes(failure("nightly", 2), 0), failure("nightly", 1), failure("nightly", 2), follow(good(failure("nightly", 4), bridge.Recovered))}, 0, 2, 0,
		},
		"a success that is told as such closes as well": {
			[]bridge.Notification{failure("nightly", 1), good(failure("nightly", 2), bridge.Succeeded)}, 0, 2, 0,
		},
		"of one cause each template is good by its own time": {
			[]bridge.Notification{withCause("a", 1), withCause("b", 100), good(failure("a", 50), bridge.Recovered), good(failure("b", 200), bridge.Recovered)}, 0, 1, 0,
		},
		"what is good already closes nothing of another template": {
			[]bridge.Notification{good(failure("a", 50), bridge.Recovered), withCause("b", 100), withCause("a", 1)}, 1, 1, 0,
		},
		"a retry that succeeds before its failure is told": {
			[]bridge.Notification{follow(good(again(failure("nightly", 1)), bridge.Recovered)), failure("nightly", 1)}, 0, 1, 0,
		},
		"the failure of the first attempt after that of the second": {
			[]bridge.Notification{again(failure("nightly", 1)), failure("nightly", 1), again(failure("nightly", 1))}, 1, 0, 0,
		},
		"the start after the end": {
			[]bridge.Notification{follow(good(failure("nightly", 1), bridge.Succeeded)), goes(failure("nightly", 1), 0)}, 0, 1, 0,
		},
		"the event after the run that it has become": {
			[]bridge.Notification{matched(failure("nightly", 1)), queued}, 1, 0, 0,
		},
		"the pause after its end": {
			[]bridge.Notification{follow(paused("Succeeded", 5)), paused("Running", 1)}, 0, 0, 1,
		},
		"an event that is rejected is not made good by a run": {
			[]bridge.Notification{good(failure("nightly", 1), bridge.Recovered), rejected}, 0, 1, 1,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(t *testing.T, w *world) {
				for _, n := range test.told {
					w.told(t, n)
				}
				w.expect(t, test.reds, test.greens)
				if n := len(w.tops()); n != test.reds+test.greens+test.others {
					t.Errorf("%d messages", n)
				}
			})
		})
	}
}

// TestADoubtIsKeptUntilItIsResolved: a reply whose answer was lost is looked for, whatever is told in between; and what was
// posted without an answer is looked for again when Slack wants no look now.
func TestADoubtIsKeptUntilItIsResolved(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, w *world) {
		w.updateEvery = func(int) time.Duration { return 0 }
		w.slack.Fail("chat.postMessage", slacktest.Fault{}, slacktest.Fault{Lost: true})
		w.told(t, failure("nightly", 1))
		eventually(t, "the reply is on its way", func() bool { return len(w.replies()) == 1 })
		w.told(t, good(failure("nightly", 2), bridge.Recovered))
		w.expect(t, 0, 1)
		if n := len(w.replies()); n != 2 {
			t.Errorf("%d replies, want the details and the recovery", n)
		}
	})
	inBubble(t, func(t *testing.T, w *world) {
		w.slack.Fail("chat.postMessage", slacktest.Fault{Lost: true})
		w.slack.Fail("conversations.history", slacktest.Fault{Status: 429, RetryAfter: 20})
		w.told(t, failure("nightly", 1))
		w.expect(t, 1, 0)
		if n := len(w.tops()); n != 1 || w.slack.Unheeded() != 0 {
			t.Errorf("%d messages, %d calls unheeded", n, w.slack.Unheeded())
		}
	})
}

func TestAPauseIsHeededAfterARestart(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, w *world) {
		w.told(t, failure("nightly", 1))
		w.slack.Fail("chat.postMessage", slacktest.Fault{Status: 429, RetryAfter: 60})
		_ = w.Notify(t.Context(), failure("hourly", 1))
		w.stop()
		w.start(t)
		n := failure("hourly", 2)
		n.To.Target = w.channel.ID // the same channel
		w.told(t, n)
		w.told(t, failure("hourly", 1))
		if n := w.slack.Unheeded(); n != 0 {
			t.Errorf("%d calls unheeded", n)
		}
	})
}

func TestAFailureWhoseMessageSomebodyHasDeletedIsToldAnew(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, w *world) {
		n := failure("nightly", 1)
		w.told(t, n)
		w.colors(t, red)
		api, _ := w.Clients.Client("")
		if _, _, err := api.DeleteMessage(w.channel.ID, w.tops()[0].TS); err != nil {
			t.Fatal(err)
		}
		n.Run.Started, n.Run.Finished = n.Run.Started.Add(time.Hour), n.Run.Finished.Add(time.Hour) // retried
		w.told(t, n)
		w.expect(t, 1, 0)
	})
}

func TestAnAnswerInAMessageThatSomebodyHasDeletedIsNotTriedForEver(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, w *world) {
		w.told(t, failure("nightly", 1))
		w.colors(t, red)
		top := w.tops()[0]
		api, _ := w.Clients.Client("")
		if _, _, err := api.DeleteMessage(top.Channel, top.TS); err != nil {
			t.Fatal(err)
		}
		w.told(t, bridge.Notification{
			Key: "k1", Outcome: bridge.Answered, To: bridge.Destination{Scheme: "slack", Target: bridge.TargetAnswer}, Address: top.Channel + "/" + top.TS,
			Text: "retried", Options: map[string]string{OptionDone: "true"},
		})
	})
}

// TestWhatNobodyPaintsIsFound: what another process has left behind is found by the next search, and one that fails is
// made again soon.
func TestWhatNobodyPaintsIsFound(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, w *world) {
		w.stop()
		if _, err := w.merge(t.Context(), failure("nightly", 1)); err != nil {
			t.Fatal(err)
		}
		w.shelf.lists = 2
		w.start(t)
		w.expect(t, 1, 0)
		if _, err := w.merge(t.Context(), failure("hourly", 1)); err != nil { // by another one
			t.Fatal(err)
		}
		time.Sleep(scanAlone + time.Minute)
		w.expect(t, 2, 0)
	})
}

func TestAFailureThatJoinsWhatIsLeftOutIsNotLost(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, w *world) {
		_ = w.silences.Add(t.Context(), bridge.Silence{ID: "a", Template: "team/nightly", Until: time.Now().Add(time.Hour)})
		w.told(t, failure("nightly", 1))
		w.told(t, follow(good(failure("nightly", 2), bridge.Recovered)))
		time.Sleep(time.Minute)
		w.told(t, failure("nightly", 3))
		time.Sleep(2 * time.Hour)
		w.expect(t, 1, 0)
	})
}

func TestAChannelThatWasReplacedHearsOfLaterFailures(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, w *world) {
		w.told(t, failure("nightly", 1))
		w.colors(t, red)
		w.slack.Change(w.channel, func(c *slacktest.Channel) { c.Archived, c.Name = true, "old" })
		if err := w.Notify(t.Context(), failure("nightly", 2)); err == nil {
			t.Fatal("it is told in a channel that is archived")
		}
		time.Sleep(time.Minute)
		w.slack.AddChannel("data-alerts")
		w.told(t, failure("nightly", 3))
		if n := len(w.tops()); n != 2 {
			t.Errorf("%d messages, want one in each channel", n)
		}
	})
}

func TestAnAnswerToAnAlertThatIsNotKeptStandsBelowIt(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, w *world) {
		w.told(t, failure("nightly", 1))
		w.colors(t, red)
		top := w.tops()[0]
		w.shelf.mu.Lock()
		for key := range w.shelf.states {
			if strings.HasPrefix(key, keyAlert) {
				delete(w.shelf.states, key)
				delete(w.shelf.revisions, key)
			}
		}
		w.shelf.mu.Unlock()
		answer := bridge.Notification{
			Key: "k1", Outcome: bridge.Answered, To: bridge.Destination{Scheme: "slack", Target: bridge.TargetAnswer}, Address: top.Channel + "/" + top.TS,
			Text: "retried", Options: map[string]string{OptionDone: "true"},
		}
		before := len(w.replies())
		w.told(t, answer)
		w.told(t, answer)
		if n := len(w.replies()) - before; n != 1 {
			t.Errorf("%d answers, want 1", n)
		}
	})
}

// TestNobodyTakesAClaimThatIsNotTheirs: one process that cannot find the place, or that comes late, leaves alone what
// another is posting, or has posted.
func TestNobodyTakesAClaimThatIsNotTheirs(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *Options) { o.Others = true })
	w.stop()
	ctx, m := t.Context(), failure("nightly", 1)
	all, err := w.merge(ctx, m)
	if err != nil || len(all) != 1 {
		t.Fatal(all, err)
	}
	id := all[0].id
	set := func(f func(e *entry)) {
		_ = bridge.Change(ctx, w.Table, keyAlert+id, func(e *entry) bool { f(e); return true })
	}
	set(func(e *entry) { e.Writer = &claim{Owner: "another", At: w.Now(), What: doPost} })
	e, _ := w.load(ctx, id)
	w.ended(ctx, e, step{}, context.DeadlineExceeded)
	if e, _ = w.load(ctx, id); e.Writer == nil || !e.Doubt.IsZero() {
		t.Errorf("the claim is %+v, doubt %s", e.Writer, e.Doubt)
	}
	set(func(e *entry) { e.Writer, e.Channel, e.TS, e.Shown = nil, w.channel.ID, "1.2", e.Version })
	if e, _, err := w.claim(ctx, id, step{what: doPost}); e != nil || err != nil {
		t.Errorf("it claims what is posted: %+v, %v", e, err)
	}
}

func TestOneChannelIsSpacedByWhateverNameItHas(t *testing.T) {
	t.Parallel()
	s, now := newThrottle(), time.Now()
	for _, name := range []string{"#a", "#a"} {
		of, wait := s.post("", name, now)
		if wait > 0 {
			t.Fatal(wait)
		}
		s.done(of)
	}
	s.learn("", "#a", "C0A")
	for _, name := range []string{"#a", "C0A"} {
		if _, wait := s.post("", name, now); wait <= 0 {
			t.Errorf("%s is another channel", name)
		}
	}
	for i := range 3 * maxLimiters {
		of, _ := s.post("", "#"+strings.Repeat("x", i), now.Add(time.Duration(i)*time.Minute))
		s.done(of)
	}
	if n := len(s.limiters); n > maxLimiters+1 {
		t.Errorf("%d channels are kept in mind", n)
	}
}

func TestAStateFitsIntoAMessageOfTheBus(t *testing.T) {
	t.Parallel()
	n := failure("nightly", 1)
	n.Run.Failures[0].Log = []string{strings.Repeat("<", keepLog-1)}
	for range keepFailures {
		n.Run.Failures = append(n.Run.Failures, n.Run.Failures[0])
	}
	n = slim(n)
	e := &entry{ID: "a", Newest: n, State: message.Firing, Seen: map[string]seen{}, Firing: map[string]time.Time{}}
	for i := range maxSeen {
		key := bridge.Digest(time.Duration(i).String())
		e.Seen[key], e.Firing[key] = seen{begun, i}, begun
	}
	for range 20 {
		e.Parts = append(e.Parts, part{Key: "k", Kind: partDetails, Of: &n})
	}
	data, err := json.Marshal(e)
	if err != nil || len(data) > maxState {
		t.Errorf("%d bytes, %v", len(data), err)
	}
	if len(e.Seen) != maxSeen || len(e.Parts) != 20 {
		t.Error("what is counted is left out")
	}
}
