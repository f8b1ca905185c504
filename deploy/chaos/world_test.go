package chaos

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/argo-bridge/argo-bridge/adapters/slack/slacktest"
)

// worldOptions say how large a world is, and what is wrong with its bridges.
type worldOptions struct {
	nodes, bridges int
	together       bool          // the bridges make the streams at the same time
	window         time.Duration // of the streams' own deduplication
	deleteAfter    int           // seconds after their end, for the runs of on-object
	maxBytes       int64         // of the event stream
	off            string        // the safeguard that is off
	dies           string        // the crash point at which a bridge dies once
}

// A world is everything around the bridges, and the bridges.
type world struct {
	name       string
	options    worldOptions
	ctx        context.Context // ends with the test
	cluster    *cluster
	namespace  string
	nodes      []*node          // none: the one bridge has the bus in itself
	embedded   string           // where that listens
	routes     map[[2]int]*link // from node to node
	busLinks   [][]*link        // from bridge to node
	api        *apiProxy
	slack      *slacktest.Server
	rejections string // the id of the channel #rejections
	topic      *topic
	recorder   *recorder
	bridges    []*replica
	bus        jetstream.JetStream // the test's own way to the bus
}

// newSlack is the workspace of which the events are, without limits of rates.
func newSlack(t testing.TB) *slacktest.Server {
	t.Helper()
	s, err := slacktest.New(slacktest.Options{Token: slackToken, Team: "T1"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	s.Unlimited()
	return s
}

// newWorld starts a world and returns when its bridges are ready.
func newWorld(t testing.TB, name string, o worldOptions) *world {
	t.Helper()
	w := &world{name: name, options: o, ctx: t.Context(), cluster: needCluster(t)}
	if err := os.MkdirAll(filepath.Join(scratch, name), 0o700); err != nil {
		t.Fatal(err)
	}
	w.namespace = w.cluster.newNamespace(t)
	w.apply(t)
	w.recorder = newRecorder(t, w.cluster.dynamic.Resource(workflowsGVR).Namespace(w.namespace))
	w.api = newAPIProxy(t, w)
	w.topic = newTopic(t)
	w.slack = newSlack(t)
	w.slack.AddChannel(channelFailed)
	w.rejections = w.slack.AddChannel(channelRejected).ID
	w.startBus(t)
	w.startBridges(t)
	return w
}

func (w *world) startBus(t testing.TB) {
	t.Helper()
	w.nodes, w.routes = newNodes(t, w.name, w.options.nodes)
	w.embedded = address(freePort(t))
	urls := []string{w.embedded}
	for i, n := range w.nodes {
		n.start()
		urls = append(urls[:i], address(n.settings.Client))
	}
	connection, err := nats.Connect(strings.Join(urls, ","), nats.RetryOnFailedConnect(true), nats.MaxReconnects(-1),
		nats.ReconnectWait(200*time.Millisecond), nats.IgnoreDiscoveredServers())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(connection.Close)
	if w.bus, err = jetstream.New(connection, jetstream.WithDefaultTimeout(3*time.Second)); err != nil {
		t.Fatal(err)
	}
}

func (w *world) startBridges(t testing.TB) {
	t.Helper()
	for i := range w.options.bridges {
		var links []*link
		for j, n := range w.nodes {
			links = append(links, newLink(t, fmt.Sprintf("bridge-%d to nats-%d", i, j), address(n.settings.Client)))
		}
		w.busLinks = append(w.busLinks, links)
		w.bridges = append(w.bridges, newBridge(t, w, i))
		w.bridges[i].start()
		if !w.options.together {
			within(t, 2*time.Minute, "the bridge is ready", w.bridges[i].ready)
		}
	}
	within(t, 2*time.Minute, "the bridges are ready", w.ready)
}

// ready says which bridge is not.
func (w *world) ready() error {
	var errs []error
	for _, b := range w.bridges {
		errs = append(errs, b.ready())
	}
	return errors.Join(errs...)
}

// observe is what is known of the events now.
func (w *world) observe(events []*event) observation {
	o := observation{events: events, runs: w.recorder.all(), messages: map[string]int{}, waiting: w.topic.waiting()}
	o.crowded = w.recorder.crowded()
	for _, m := range w.slack.Messages() {
		o.messages[fmt.Sprint(m.Metadata.Payload["key"])]++
		switch {
		case m.ThreadTS != "":
		case m.Channel == w.rejections:
			o.rejected += failuresIn(m.Text)
		default:
			o.told += failuresIn(m.Text)
		}
	}
	return o
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

// idle says what still goes on: a run, a message on the bus, a message of Pub/Sub.
func (w *world) idle() error {
	if n := w.recorder.going(); n > 0 {
		return fmt.Errorf("%d runs have not ended", n)
	}
	if n := w.topic.waiting(); n > 0 {
		return fmt.Errorf("%d Pub/Sub messages are not acknowledged", n)
	}
	ctx, cancel := context.WithTimeout(w.ctx, 10*time.Second)
	defer cancel()
	if err := w.nothingWaits(ctx); err != nil {
		return err
	}
	streams := w.bus.ListStreams(ctx)
	for stream := range streams.Info() {
		if err := w.handled(ctx, stream.Config.Name); err != nil {
			return err
		}
	}
	return streams.Err()
}

// nothingWaits says what stands in the bridges' waiting room.
func (w *world) nothingWaits(ctx context.Context) error {
	room, err := w.bus.KeyValue(ctx, "ARGO_BRIDGE_WAITING")
	if err != nil {
		return err
	}
	keys, err := room.Keys(ctx)
	if errors.Is(err, jetstream.ErrNoKeysFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return fmt.Errorf("%d rules wait, such as %s", len(keys), keys[0])
}

// handled says which consumer of a stream has work. Consumers without a name are readers of tables.
func (w *world) handled(ctx context.Context, stream string) error {
	s, err := w.bus.Stream(ctx, stream)
	if err != nil {
		return err
	}
	consumers := s.ListConsumers(ctx)
	for c := range consumers.Info() {
		if c.Config.Durable != "" && c.NumPending+uint64(c.NumAckPending) > 0 {
			return fmt.Errorf("%s/%s: %d wait, %d are being handled", stream, c.Name, c.NumPending, c.NumAckPending)
		}
	}
	return consumers.Err()
}

// quiet returns when nothing has gone on for a while: what comes later comes from nowhere.
func (w *world) quiet(t testing.TB, bound, while time.Duration) {
	t.Helper()
	within(t, bound, "all is quiet", w.calm(while))
}

// calm is to be polled: it says what still goes on, until nothing has for a while.
func (w *world) calm(while time.Duration) func() error {
	var since time.Time
	seen := -1
	return func() error {
		err := w.idle()
		if now := len(w.recorder.all()) + len(w.slack.Messages()); err != nil || now != seen {
			since, seen = time.Now(), now
		}
		if err == nil && time.Since(since) < while {
			return errors.New("not for long enough")
		}
		return err
	}
}

// within polls until it holds.
func within(t testing.TB, bound time.Duration, what string, holds func() error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), bound)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		err := holds()
		if err == nil {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("not within %s: %s: %v", bound, what, err)
		case <-tick.C:
		}
	}
}
