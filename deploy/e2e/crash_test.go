package e2e

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"regexp"
	"strconv"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/argo-bridge/argo-bridge/adapters/slack/slacktest"
)

var listAll = metav1.ListOptions{}

// A burst is a number of mixed events, of which each tenth makes a run that fails.
type burst struct {
	want   []string // template and id of each Workflow
	failed int
}

// send sends n events of all sources, a few at once, each until it is taken.
func (b *burst) send(t *testing.T, p *proc, gcs *topic, n int) {
	t.Helper()
	var senders sync.WaitGroup
	slots := make(chan struct{}, 8)
	for i := 1; i <= n; i++ { // a push to commit 0 is the deletion of a branch
		code := 0
		if i%10 == 0 {
			code = 1
			b.failed++
		}
		slots <- struct{}{}
		switch i % 5 {
		case 0, 1, 2:
			b.want = append(b.want, "on-push "+fmt.Sprintf("%040d", i))
			senders.Go(func() {
				defer func() { <-slots }()
				body := push(t, i, code)
				delivered(t, "push", func() (int, string) { return p.github("push", fmt.Sprint("delivery-", i), body) })
			})
		case 3:
			b.want = append(b.want, fmt.Sprintf("on-command c%d", i))
			senders.Go(func() {
				defer func() { <-slots }()
				delivered(t, "command", func() (int, string) {
					return p.command(fmt.Sprint("trigger-", i), "/run", fmt.Sprintf("c%d %d", i, code))
				})
			})
		case 4:
			name := fmt.Sprintf("exports/ok-%d.json", i)
			b.want = append(b.want, "on-object "+name)
			gcs.object(t, name, i)
			<-slots
		}
	}
	senders.Wait()
}

// settled waits until every Workflow has ended and every failure was told, then looks again for doubles.
func (b *burst) settled(t *testing.T, c *cluster, ns string, p *proc, gcs *topic) {
	t.Helper()
	within(t, 5*time.Minute, "each event has its Workflow", func() error {
		got, err := c.byParameter(ns)
		if err != nil {
			return err
		}
		return exactly(got, b.want)
	})
	within(t, 2*time.Minute, "Pub/Sub is acknowledged", gcs.acknowledged)
	failed := map[string]bool{}
	within(t, 5*time.Minute, "every Workflow has ended", func() error {
		items, err := c.workflows(ns)
		if err != nil {
			return err
		}
		ended := 0
		for _, wf := range items {
			switch phase(wf) {
			case "Failed", "Error":
				failed[wf.GetName()] = true
				ended++
			case "Succeeded":
				ended++
			}
		}
		if ended < len(b.want) {
			return fmt.Errorf("%d of %d have ended", ended, len(b.want))
		}
		return nil
	})
	if len(failed) != b.failed {
		t.Errorf("%d runs have failed, want %d", len(failed), b.failed)
	}
	within(t, 3*time.Minute, "every failure is told", func() error { return toldOnce(p.slack.Messages(), b.failed) })
	got, err := c.byParameter(ns)
	if err != nil {
		t.Fatal(err)
	}
	if err := exactly(got, b.want); err != nil {
		t.Errorf("at the end: %v", err)
	}
}

// toldOnce says whether the messages stand for all failures, and none was posted twice.
func toldOnce(messages []slacktest.Message, want int) error {
	keys, counted := map[string]int{}, 0
	for _, m := range messages {
		key := fmt.Sprint(m.Metadata.Payload["key"])
		if keys[key]++; keys[key] > 1 {
			return fmt.Errorf("%s was told %d times", key, keys[key])
		}
		if m.ThreadTS == "" {
			counted += failuresIn(m.Text)
		}
	}
	if counted != want {
		return fmt.Errorf("%d failures are told, want %d", counted, want)
	}
	return nil
}

var severalFailures = regexp.MustCompile(`([0-9]+) (?:failures|runs|times)`)

// failuresIn is how many failures a message stands for, by its sentence.
func failuresIn(text string) int {
	if m := severalFailures.FindStringSubmatch(text); m != nil {
		n, _ := strconv.Atoi(m[1])
		return n
	}
	return 1
}

func TestKilledAtAnyMomentOfABurstNothingIsLostOrDoubled(t *testing.T) {
	t.Parallel()
	c := shared(t)
	ns, gcs := c.newNamespace(t), newTopic(t)
	c.apply(t, ns, pushTemplate, objectTemplate, commandTemplate)
	p := newBridge(t, setup{cluster: c, namespace: ns, subscription: gcs.subscription, env: gcs.env()})
	p.slack.AddChannel("data-alerts")
	p.startReady()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))

	over := make(chan struct{})
	var killer sync.WaitGroup
	killer.Go(func() {
		for {
			select {
			case <-over:
				return
			case <-time.After(time.Duration(100+random.IntN(1500)) * time.Millisecond):
			}
			p.kill()
			p.start()
		}
	})
	b := &burst{}
	b.send(t, p, gcs, 500)
	// Some more deaths while the runs end and the alerts go out.
	time.Sleep(5 * time.Second) // not a wait for anything: the killer is at work
	close(over)
	killer.Wait()
	p.waitReady()
	b.settled(t, c, ns, p, gcs)
}

func TestAnAPIServerThatIsAwayForHalfAMinuteLosesNothing(t *testing.T) {
	t.Parallel()
	c := own(t)
	ns, gcs := c.newNamespace(t), newTopic(t)
	c.apply(t, ns, pushTemplate, objectTemplate, commandTemplate)
	p := newBridge(t, setup{cluster: c, namespace: ns, subscription: gcs.subscription, env: gcs.env()})
	p.slack.AddChannel("data-alerts")
	p.startReady()
	b := &burst{}
	var sender sync.WaitGroup
	sender.Go(func() { b.send(t, p, gcs, 200) })
	c.component(t, "stop", "apiserver")
	if status, answer := p.github("push", "while-away", push(t, 1000, 0)); status != http.StatusAccepted {
		t.Errorf("a push while the API server is away: %d %s", status, answer)
	}
	time.Sleep(30 * time.Second) // the outage
	c.component(t, "start", "apiserver")
	sender.Wait()
	b.want = append(b.want, "on-push "+fmt.Sprintf("%040d", 1000))
	b.settled(t, c, ns, p, gcs)
}
