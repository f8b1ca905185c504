package alerts

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/argo-bridge/argo-bridge/adapters/slack/message"
	"github.com/argo-bridge/argo-bridge/adapters/slack/slacktest"
	"github.com/argo-bridge/argo-bridge/bridge"
)

// TestWhateverHappensEachFailureIsCountedOnce lets runs of some templates go as they like, and has what is to be told of them
// told in any order, more than once, to processes that come and go, with a bus and a Slack that fail. At rest every alert is
// right. SEED repeats one schedule, CHAOS says how many there are.
func TestWhateverHappensEachFailureIsCountedOnce(t *testing.T) {
	t.Parallel()
	first, schedules := uint64(1), 200
	if testing.Short() {
		schedules = 15
	}
	if n, err := strconv.Atoi(os.Getenv("CHAOS")); err == nil {
		schedules = n
	}
	if seed, err := strconv.ParseUint(os.Getenv("SEED"), 10, 64); err == nil {
		first = seed
		if os.Getenv("CHAOS") == "" {
			schedules = 1
		}
	}
	for seed := first; seed < first+uint64(schedules); seed++ {
		s := slacktest.NewServer(botToken)
		c := newChaos(seed, s)
		synctest.Test(t, c.run)
		s.Close()
	}
}

// A chaos is one schedule.
type chaos struct {
	seed   uint64
	slack  *slacktest.Server
	shelf  *shelf
	silent *quiet
	set    Settings
	// channels are #one and #two.
	channels []*slacktest.Channel
	// What may happen in it.
	crashes, restarts, two, archives, deletes, limits, breaks bool

	mu      sync.Mutex
	rnd     *rand.Rand
	alive   []*process
	told    []bridge.Notification // what was to be told
	answers []bridge.Notification // that were given in an alert
	fails   []string
}

func newChaos(seed uint64, s *slacktest.Server) *chaos {
	rnd := rand.New(rand.NewPCG(seed, 0))
	half := func() bool { return rnd.IntN(2) == 0 }
	c := &chaos{
		seed: seed, slack: s, shelf: newShelf(), silent: &quiet{}, rnd: rnd,
		crashes: half(), restarts: half(), two: half(), archives: rnd.IntN(4) == 0, deletes: rnd.IntN(4) == 0, limits: half(), breaks: half(),
	}
	c.set = Settings{Window: pick(rnd, 0, 0, 30*time.Second, -1), Burst: pick(rnd, 0, 1, 3), Repeat: pick(rnd, 0, 0, time.Hour)}
	if rnd.IntN(5) == 0 {
		c.set.Quiet = "00:10-00:40"
	}
	c.channels = []*slacktest.Channel{s.AddChannel("one"), s.AddChannel("two")}
	s.AddUser("ann")
	return c
}

func pick[T any](rnd *rand.Rand, all ...T) T { return all[rnd.IntN(len(all))] }

func (c *chaos) kind() string {
	return fmt.Sprintf("crashes %t, restarts %t, two processes %t, archives %t, deletes %t, limits %t, breaks %t, %+v",
		c.crashes, c.restarts, c.two, c.archives, c.deletes, c.limits, c.breaks, c.set)
}

// n is a number below most; roll is true one time in.
func (c *chaos) n(most int) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.rnd.IntN(most)
}
func (c *chaos) roll(in int) bool { return c.n(in) == 0 }

// within is a time of up to most, mostly a short one.
func (c *chaos) within(most time.Duration) time.Duration {
	return time.Duration(c.n(int(most)) >> c.n(8))
}

func (c *chaos) wrong(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fails = append(c.fails, fmt.Sprintf(format, args...))
}

const chaosFor = 30 * time.Minute // of the bubble's time

func (c *chaos) run(t *testing.T) {
	c.start()
	if c.two {
		c.start()
	}
	over := make(chan struct{})
	var happens, delivery sync.WaitGroup
	happens.Go(func() { c.mischief(over) })
	for _, what := range c.story() {
		for range 1 + c.n(2) {
			delivery.Go(func() {
				time.Sleep(what.at + c.within(10*time.Minute))
				c.deliver(what.n)
			})
		}
	}
	for range c.n(6) {
		delivery.Go(func() {
			time.Sleep(c.within(chaosFor))
			c.press()
		})
	}
	delivery.Wait()
	close(over)
	happens.Wait()
	for range 200 { // until all is told
		time.Sleep(time.Minute)
		if !c.behind() {
			break
		}
	}
	c.check()
	for len(c.alive) > 0 {
		c.end(c.alive[0], false)
	}
	for _, fault := range c.fails {
		t.Errorf("SEED=%d: %s", c.seed, fault)
	}
	if t.Failed() {
		t.Log(c.kind())
	}
}

// deliver has one process after the other tell of n, until one has.
func (c *chaos) deliver(n bridge.Notification) {
	for try := range 2000 {
		p := c.any()
		if p == nil {
			time.Sleep(time.Second)
			continue
		}
		err := p.Notify(p.ctx, n)
		if err != nil && strings.Contains(err.Error(), botToken) {
			c.wrong("a token is in an error: %v", err)
		}
		if c.died(p) { // with what it was told
			continue
		}
		if err == nil || bridge.IsPermanent(err) && c.archives {
			return
		}
		if bridge.IsPermanent(err) {
			c.wrong("%s is refused: %v", n.Key, err)
			return
		}
		wait, named := bridge.Wait(err)
		if !named {
			wait = 2*time.Second + c.within(10*time.Second)
		}
		time.Sleep(wait + min(time.Duration(try)*2*time.Second, time.Minute)) // not to busy the machine
	}
	c.wrong("%s is never told", n.Key)
}

// press answers a button of some alert.
func (c *chaos) press() {
	var tops []slacktest.Message
	for _, m := range c.slack.Messages() {
		if m.ThreadTS == "" && !m.Deleted {
			tops = append(tops, m)
		}
	}
	if len(tops) == 0 {
		return
	}
	m := tops[c.n(len(tops))]
	answer := bridge.Notification{
		Key: fmt.Sprintf("answer-%d", c.n(1e9)), Outcome: bridge.Answered, To: bridge.Destination{Scheme: "slack", Target: bridge.TargetAnswer},
		Address: m.Channel + "/" + m.TS, Text: "retried", Options: map[string]string{OptionDone: "true"}, Created: time.Now(),
	}
	c.mu.Lock()
	c.answers = append(c.answers, answer)
	c.mu.Unlock()
	c.deliver(answer)
}

// mischief makes things go wrong until it is over, and then mends them.
func (c *chaos) mischief(over chan struct{}) {
	methods := []string{"chat.postMessage", "chat.postMessage", "chat.update", "conversations.history", "conversations.replies", "conversations.list"}
	for {
		select {
		case <-over:
			for _, name := range []string{"one", "two"} {
				c.archive(name, false)
			}
			return
		case <-time.After(c.within(5 * time.Minute)):
		}
		switch c.n(8) {
		case 0, 1:
			if c.breaks {
				c.slack.Fail(methods[c.n(len(methods))], pick(c.rnd2(), slacktest.Fault{Lost: true}, slacktest.Fault{Status: 500}, slacktest.Fault{Status: 502, Body: "<html>"},
					slacktest.Fault{Error: "internal_error"}))
			}
		case 2, 3:
			if c.limits {
				c.slack.Fail(methods[c.n(len(methods))], slacktest.Fault{Status: 429, RetryAfter: 1 + c.n(90)})
			}
		case 4:
			c.turnover()
		case 5:
			if c.archives {
				name := pick(c.rnd2(), "one", "two")
				c.archive(name, true)
				time.Sleep(c.within(5 * time.Minute))
				c.archive(name, false)
			}
		case 6:
			if c.deletes {
				c.remove()
			}
		case 7:
			if c.roll(4) {
				_ = c.silent.Add(context.Background(), bridge.Silence{ID: "s", Template: "team/a", Until: time.Now().Add(c.within(20 * time.Minute))})
			}
		}
	}
}

func (c *chaos) rnd2() *rand.Rand { return rand.New(rand.NewPCG(uint64(c.n(1e9)), 1)) }

// turnover ends a process, and starts another.
func (c *chaos) turnover() {
	if !c.crashes && !c.restarts {
		return
	}
	if p := c.any(); p != nil {
		c.end(p, c.crashes && (!c.restarts || c.roll(2)))
		time.Sleep(c.within(30 * time.Second))
		c.start()
	}
}

func (c *chaos) archive(name string, is bool) {
	for _, ch := range c.channels {
		if ch.Name == name {
			c.slack.Change(ch, func(ch *slacktest.Channel) { ch.Archived = is })
		}
	}
}

// remove deletes a message, as somebody in Slack may.
func (c *chaos) remove() {
	all := c.slack.Messages()
	if len(all) == 0 {
		return
	}
	m := all[c.n(len(all))]
	_, _, _ = c.client().DeleteMessage(m.Channel, m.TS)
}

// states are the alerts that the table keeps.
func (c *chaos) states() (all []*entry) {
	data, _ := c.shelf.List(context.Background(), keyAlert)
	for _, one := range data {
		e := new(entry)
		if err := decode(one, e); err != nil {
			c.wrong("%v", err)
		}
		all = append(all, e)
	}
	return all
}

func (c *chaos) behind() bool {
	for _, e := range c.states() {
		if e.dirty() {
			return true
		}
	}
	return false
}

// check holds that all is right.
func (c *chaos) check() {
	all := c.states()
	c.checkCounts(all)
	for _, e := range all {
		c.checkAlert(e)
	}
	c.checkMessages()
	// A pause that could not be written down is not known to the next process.
	unknown := c.two || c.crashes || c.restarts && c.breaks
	if n := c.slack.Unheeded(); n > 0 && !unknown {
		c.wrong("%d calls came before Slack's Retry-After was over", n)
	}
}

// checkCounts holds that each run that has failed is counted once in its channel.
func (c *chaos) checkCounts(all []*entry) {
	counted := map[string]int{}
	for _, e := range all {
		for run := range e.Seen {
			counted[e.To.String()+" "+run]++
		}
	}
	want := map[string]string{}
	for _, n := range c.told {
		if fails(n) && !n.Follow {
			want[n.To.String()+" "+runKey(n)] = n.Run.Name
		}
	}
	for run, name := range want {
		if counted[run] != 1 {
			c.wrong("the failure of %s is counted %d times", name, counted[run])
		}
	}
}

// checkMessages holds that no message was posted twice, and that replies stand where they belong.
func (c *chaos) checkMessages() {
	posted, tops := map[string]int{}, map[string]string{}
	for _, m := range c.slack.Messages() {
		key, _ := m.Metadata.Payload["key"].(string)
		if !m.Deleted {
			posted[key]++
		}
		if m.ThreadTS == "" {
			tops[m.Channel+" "+m.TS] = key
		}
	}
	for key, n := range posted {
		if n > 1 && !c.deletes {
			c.wrong("%s is posted %d times", key, n)
		}
	}
	for _, m := range c.slack.Messages() {
		key, _ := m.Metadata.Payload["key"].(string)
		id, _, _ := strings.Cut(key, ".")
		if m.ThreadTS != "" && !strings.HasPrefix(key, "answer-") && tops[m.Channel+" "+m.ThreadTS] != id {
			c.wrong("a reply of %s stands below %s", key, tops[m.Channel+" "+m.ThreadTS])
		}
	}
}

// checkAlert holds that an alert is shown, and shows how it stands.
func (c *chaos) checkAlert(e *entry) {
	who := fmt.Sprintf("%s of %s in %s (%s, %d failures)", e.ID, e.Newest.Run.Name, e.To, e.State, len(e.Seen))
	if e.dirty() {
		c.wrong("%s is not shown as it should be: version %d of %d, %+v", who, e.Shown, e.Version, e.Parts)
	}
	if want := c.stateOf(e); !strings.Contains(want, string(e.State)) {
		c.wrong("%s should be %s; firing %v", who, want, e.Firing)
	}
	if e.Gone || e.Failed != "" {
		if e.Failed != "" && !c.archives {
			c.wrong("%s is refused: %s", who, e.Failed)
		}
		return
	}
	m, ok := c.slack.Message(e.Channel, e.TS)
	if !ok {
		if !c.deletes {
			c.wrong("%s is not in Slack", who)
		}
		return
	}
	a := c.alive[0].alert(c.alive[0].ctx, e)
	a.Silenced = time.Time{}
	if want := message.Message(a).Text; m.Text != want {
		c.wrong("%s shows %q, not %q", who, m.Text, want)
	}
}

// stateOf are the states that an alert may have by what was told.
func (c *chaos) stateOf(e *entry) string {
	last, mine := map[string]time.Time{}, map[string]bool{}
	var newest bridge.Notification
	rejected := false
	for _, n := range c.told {
		if n.To != e.To {
			continue
		}
		_, counted := e.Seen[runKey(n)]
		if own := runKey(n) == runKey(e.Newest) || counted; own && (newest.Key == "" || orderOf(n).after(orderOf(newest))) {
			newest = n
		}
		if !fails(n) || !counted {
			continue
		}
		if n.Outcome == bridge.EventRejected {
			rejected = true
			continue
		}
		mine[seriesOf(n)] = true
		if n.Run.Finished.After(last[seriesOf(n)]) {
			last[seriesOf(n)] = n.Run.Finished
		}
	}
	if len(e.Seen) == 0 {
		return string(message.StateOf(newest))
	}
	for _, n := range c.told {
		if n.To == e.To && n.Pause == nil && message.StateOf(n) == message.Good && mine[seriesOf(n)] && !n.Run.Finished.Before(last[seriesOf(n)]) {
			delete(mine, seriesOf(n))
		}
	}
	single := len(e.Seen) == 1
	switch {
	case single && newest.Run.Stopped():
		return "ended closed"
	case single && message.StateOf(newest) == message.Good:
		return "closed"
	case len(mine) > 0:
		return "firing"
	case rejected:
		return "ended closed"
	}
	return "closed"
}
