package bus

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest"

	"github.com/argo-bridge/argo-bridge/bridge"
)

var (
	noises = sync.Map{}
	listed = sync.Map{}
)

// once makes the data of one size once: several tests use it, and nobody may change it.
func once(made *sync.Map, n int, newData func(n int) json.RawMessage) json.RawMessage {
	f, _ := made.LoadOrStore(n, sync.OnceValue(func() json.RawMessage { return newData(n) }))
	return f.(func() json.RawMessage)()
}

// noise is a JSON text of n bytes that hardly compresses.
func noise(n int) json.RawMessage { return once(&noises, n, newNoise) }

// lines is a JSON list of n bytes that compresses well.
func lines(n int) json.RawMessage { return once(&listed, n, newLines) }

func newNoise(n int) json.RawMessage {
	raw := make([]byte, n*3/4+3)
	rand.New(rand.NewSource(int64(n))).Read(raw)
	return json.RawMessage(`"` + base64.RawStdEncoding.EncodeToString(raw)[:n-2] + `"`)
}

func newLines(n int) json.RawMessage {
	var b bytes.Buffer
	b.WriteString("[0")
	for i := 0; b.Len() < n-100; i++ {
		fmt.Fprintf(&b, `,{"path":"src/package/file_%d.go","sha":"%032x"}`, i, i*i)
	}
	return append(append(b.Bytes(), bytes.Repeat([]byte(" "), n-1-b.Len())...), ']')
}

// external starts a NATS server with default settings, and so a max_payload of 1 MiB.
func external(t *testing.T) Config {
	t.Helper()
	s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: server.RANDOM_PORT, JetStream: true, StoreDir: t.TempDir(), NoSigs: true, NoLog: true})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	if !s.ReadyForConnections(10 * time.Second) {
		t.Fatal("the server is not ready")
	}
	return Config{URL: s.ClientURL(), MaxBytes: 256 << 20}
}

func large(id string, data json.RawMessage) bridge.Event {
	e := event(id)
	e.Data = data
	return e
}

func mustPublish(t *testing.T, b *Bus, e bridge.Event) {
	t.Helper()
	if err := b.Publish(t.Context(), e); err != nil {
		t.Fatal(err)
	}
}

// stored is the message that holds an event.
func stored(t *testing.T, b *Bus, sequence uint64) *jetstream.RawStreamMsg {
	t.Helper()
	s, err := b.js.Stream(t.Context(), eventStream)
	if err != nil {
		t.Fatal(err)
	}
	m, err := s.GetMsg(t.Context(), sequence)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// objects are the names in the object store.
func objects(t *testing.T, b *Bus) []string {
	t.Helper()
	stream, err := b.js.Stream(t.Context(), claimStream)
	if err != nil {
		t.Fatal(err)
	}
	all, err := b.claims(t.Context(), stream)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, o := range all {
		names = append(names, o.Name)
	}
	return names
}

// claimMessages is how many messages the object store's stream holds.
func claimMessages(t *testing.T, b *Bus) int {
	t.Helper()
	stream, err := b.js.Stream(t.Context(), claimStream)
	if err != nil {
		t.Fatal(err)
	}
	return int(stream.CachedInfo().State.Msgs)
}

func TestDataOfEverySizeComesOutAsItWentIn(t *testing.T) {
	t.Parallel()
	type want struct{ compressed, claimed bool }
	events := map[string]struct {
		data json.RawMessage
		want want
	}{
		"none":                       {nil, want{}},
		"up to 64 KiB":               {lines(compressAbove), want{}},
		"above 64 KiB":               {lines(compressAbove + 1), want{compressed: true}},
		"just below the limit":       {noise(inlineMax - headerReserve - 100), want{compressed: true}},
		"1 MiB less one":             {noise(inlineMax - 1), want{compressed: true, claimed: true}},
		"1 MiB and one":              {noise(inlineMax + 1), want{compressed: true, claimed: true}},
		"1 MiB and one, ordinary":    {lines(inlineMax + 1), want{compressed: true}},
		"GitHub's largest, ordinary": {lines(25 << 20), want{compressed: true, claimed: true}},
		"GitHub's largest, random":   {noise(25 << 20), want{compressed: true, claimed: true}},
	}
	for bus, config := range map[string]Config{"embedded": {MaxBytes: 256 << 20}, "external": external(t)} {
		t.Run(bus, func(t *testing.T) {
			t.Parallel()
			b := open(t, config)
			sequence := uint64(0)
			for name, c := range events {
				mustPublish(t, b, large(name, c.data))
				sequence++
				m := stored(t, b, sequence)
				got := want{m.Header.Get("content-encoding") == "zstd", m.Header.Get("ce-dataref") != ""}
				if got != c.want {
					t.Errorf("%s: got %+v, want %+v", name, got, c.want)
				}
				if size := len(m.Data) + len(m.Header); size > 1<<20 || (got.claimed && len(m.Data) > 0) {
					t.Errorf("%s: a message of %d bytes", name, size)
				}
			}
			for _, e := range collect(t, b, len(events), nil) {
				if !bytes.Equal(e.Data, events[e.ID].data) {
					t.Errorf("%s: %d bytes came out as %d", e.ID, len(events[e.ID].data), len(e.Data))
				}
				if len(e.Extensions) != 1 {
					t.Errorf("%s: extensions %v, want those of the publisher", e.ID, e.Extensions)
				}
			}
			for i := range sequence {
				e, ok, err := b.Event(t.Context(), i+1)
				if err != nil || !ok || !bytes.Equal(e.Data, events[e.ID].data) {
					t.Errorf("event %d read again: %v %v, %d bytes", i+1, ok, err, len(e.Data))
				}
			}
		})
	}
}

func TestDataThatNobodyCouldReadAgainIsRefused(t *testing.T) {
	t.Parallel()
	b := open(t, Config{})
	if err := b.Publish(t.Context(), large("1", make(json.RawMessage, maxData+1))); !bridge.IsPermanent(err) {
		t.Errorf("got %v, want a permanent error", err)
	}
}

func TestASmallEventIsPlainForAnyCloudEventsClient(t *testing.T) {
	t.Parallel()
	b := open(t, Config{})
	mustPublish(t, b, event("1"))
	m := stored(t, b, 1)
	for name := range m.Header {
		if !strings.HasPrefix(name, "ce-") && name != "content-type" && !strings.HasPrefix(name, "Nats-") {
			t.Errorf("header %s", name)
		}
	}
	if string(m.Data) != `{"name":"x"}` {
		t.Errorf("data %s", m.Data)
	}
}

func TestARedeliveredLargeEventIsStoredOnce(t *testing.T) {
	t.Parallel()
	b := open(t, Config{})
	for range 3 {
		mustPublish(t, b, large("1", noise(3<<20)))
	}
	before := claimMessages(t, b)
	if names := objects(t, b); len(names) != 1 {
		t.Errorf("objects %v, want one", names)
	}
	mustPublish(t, b, large("1", noise(3<<20)))
	if after := claimMessages(t, b); after != before {
		t.Errorf("%d messages of objects after a redelivery, %d before", after, before)
	}
	collect(t, b, 1, nil)
}

func TestTheSameLargeEventFromManySendersAtOnceIsReadable(t *testing.T) {
	t.Parallel()
	b := open(t, Config{})
	failed := make(chan error, 8)
	for range 8 {
		go func() { failed <- b.Publish(t.Context(), large("1", noise(2<<20))) }()
	}
	for range 8 {
		if err := <-failed; err != nil {
			t.Error(err)
		}
	}
	if got := collect(t, b, 1, nil); !bytes.Equal(got[0].Data, noise(2<<20)) {
		t.Error("the data is another")
	}
	if err := b.sweep(t.Context(), 0, nil); err != nil {
		t.Fatal(err)
	}
	if _, _, err := b.Event(t.Context(), 1); err != nil {
		t.Error(err)
	}
	if got := claimMessages(t, b); got > 12 {
		t.Errorf("the sweep left %d messages of one object of 2 MiB", got)
	}
}

func TestAFullObjectStoreRefusesForAWhile(t *testing.T) {
	t.Parallel()
	b := open(t, Config{MaxBytes: 64 << 20})
	// Most of the store is full of uploads that go on.
	for range 90 {
		if _, err := b.js.Publish(t.Context(), chunkSubject("another"), noise(1<<20-100)); err != nil {
			t.Fatal(err)
		}
	}
	var err error
	n := 0
	for ; n < 20 && err == nil; n++ {
		err = b.Publish(t.Context(), large(fmt.Sprint(n), noise(8<<20)))
	}
	if err == nil || bridge.IsPermanent(err) {
		t.Fatalf("after %d: got %v, want a transient error", n, err)
	}
	if err := b.sweep(t.Context(), sweepAge, nil); err != nil {
		t.Fatal(err)
	}
	if got := len(objects(t, b)); got != n-1 {
		t.Errorf("%d of %d objects are left before anything was consumed", got, n-1)
	}
	collect(t, b, n-1, nil)
	// The first is acknowledged, but it is not its turn yet.
	if err := b.sweep(t.Context(), sweepAge, []uint64{1}); err != nil {
		t.Fatal(err)
	}
	mustPublish(t, b, large("after", noise(8<<20)))
	if _, _, err := b.Event(t.Context(), 1); err != nil {
		t.Errorf("the event that waits: %v", err)
	}
	if _, _, err := b.Event(t.Context(), 2); !bridge.IsPermanent(err) {
		t.Errorf("an event that is finished: got %v, want that its object is gone", err)
	}
}

func TestAMessageOfThePreviousLayoutIsRead(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	// As the version before stored it: the whole payload inline, in a server that takes 32 MB.
	s, err := startServer(Config{DataDir: dir}.Defaults(), zap.NewNop(), func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.ReloadOptions(with(t, Config{DataDir: dir}.Defaults(), 32<<20)); err != nil {
		t.Fatal(err)
	}
	conn, err := nats.Connect("", s.connect...)
	if err != nil {
		t.Fatal(err)
	}
	js, err := jetstream.New(conn, jetstream.WithDefaultTimeout(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: eventStream, Subjects: []string{eventSubjects + ">"}, MaxBytes: 2 << 30, Discard: jetstream.DiscardNew}); err != nil {
		t.Fatal(err)
	}
	for i, size := range []int{20 << 20, 1 << 10} {
		m := encode(event(fmt.Sprint(i)))
		m.Data = noise(size)
		if _, err := js.PublishMsg(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	conn.Close()
	s.stop()

	b := open(t, Config{DataDir: dir})
	sizes := map[string]int{"0": 20 << 20, "1": 1 << 10}
	for _, e := range collect(t, b, 2, nil) {
		if !bytes.Equal(e.Data, noise(sizes[e.ID])) {
			t.Errorf("event %s came out with %d bytes", e.ID, len(e.Data))
		}
	}
	e, ok, err := b.Event(t.Context(), 1)
	for err != nil && !bridge.IsPermanent(err) && t.Context().Err() == nil { // a busy machine, where 5 s are not enough
		e, ok, err = b.Event(t.Context(), 1)
	}
	if err != nil || !ok || len(e.Data) != 20<<20 {
		t.Errorf("read again: %v %v, %d bytes", ok, err, len(e.Data))
	}
}

func with(t *testing.T, c Config, maxPayload int32) *server.Options {
	t.Helper()
	opts, err := serverOptions(c)
	if err != nil {
		t.Fatal(err)
	}
	opts.MaxPayload = maxPayload
	return opts
}

func compressed(t testing.TB, data []byte, o ...zstd.EOption) []byte {
	t.Helper()
	w, err := zstd.NewWriter(nil, o...)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = w.Close() }()
	return w.EncodeAll(data, nil)
}

func TestAForeignMessageIsReadOrRefusedWithAReason(t *testing.T) {
	t.Parallel()
	bomb := compressed(t, bytes.Repeat([]byte(" "), 40<<20))
	gone := claimScheme + claimName(event("gone"))
	cases := map[string]struct {
		header nats.Header
		data   []byte
		want   string // of the data, or of the error
		fails  bool
	}{
		"zstd without a size":             {nats.Header{"Content-Encoding": {"zstd"}}, compressed(t, []byte(`{"a":1}`)), `{"a":1}`, false},
		"identity":                        {nats.Header{"content-encoding": {"identity"}}, []byte(`{"a":1}`), `{"a":1}`, false},
		"a dataref of somebody else":      {nats.Header{"ce-dataref": {"https://example.com/1"}}, nil, "", false},
		"our dataref beside the data":     {nats.Header{"ce-dataref": {gone}}, []byte(`{"a":1}`), `{"a":1}`, false},
		"gzip":                            {nats.Header{"content-encoding": {"gzip"}}, []byte("x"), `content-encoding "gzip" is not understood`, true},
		"no zstd":                         {nats.Header{"content-encoding": {"zstd"}}, []byte(`{"a":1}`), "magic number mismatch", true},
		"a bomb that states its size":     {nats.Header{"content-encoding": {"zstd"}}, bomb, "larger than", true},
		"a bomb that hides its size":      {nats.Header{"content-encoding": {"zstd"}}, hideSize(t, 40<<20), "", true},
		"a bomb that lies":                {nats.Header{"content-encoding": {"zstd"}, headerSize: {"10"}}, compressed(t, noise(100)), errDataSize.Error(), true},
		"less than it states":             {nats.Header{"content-encoding": {"zstd"}, headerSize: {"1000"}}, compressed(t, noise(100)), errDataSize.Error(), true},
		"cut off":                         {nats.Header{"content-encoding": {"zstd"}}, compressed(t, noise(1000))[:500], "unexpected EOF", true},
		"an object that is gone":          {nats.Header{"ce-dataref": {gone}}, nil, ErrGone.Error(), true},
		"an object of a name like a path": {nats.Header{"ce-dataref": {claimScheme + "../*.>"}}, nil, ErrGone.Error(), true},
		"decoded, but no JSON":            {nats.Header{"content-encoding": {"zstd"}}, compressed(t, []byte("{")), "not JSON", true},
	}
	b := open(t, Config{})
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := encode(event("1"))
			for k, v := range c.header {
				m.Header[k] = v
			}
			e, err := b.decode(t.Context(), unseal(m.Header, c.data))
			if c.fails {
				if !bridge.IsPermanent(err) || !strings.Contains(err.Error(), c.want) {
					t.Errorf("got %v, want a permanent error with %q", err, c.want)
				}
				return
			}
			if err != nil || string(e.Data) != c.want {
				t.Errorf("got %s, %v", e.Data, err)
			}
			if ref := m.Header.Get("ce-dataref"); !strings.HasPrefix(ref, claimScheme) && e.Extensions["dataref"] != ref {
				t.Errorf("the publisher's dataref has become %q", e.Extensions["dataref"])
			}
		})
	}
}

// hideSize compresses n spaces without their size.
func hideSize(t testing.TB, n int) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := zstd.NewWriter(&b)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(w, io.LimitReader(spaces{}, int64(n))); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

type spaces struct{}

func (spaces) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

func TestAConnectionThatBreaksWhileAnObjectIsReadIsNoFaultOfTheMessage(t *testing.T) {
	t.Parallel()
	broken := errors.New("connection closed")
	p := newPayloads()
	v := envelope{attributes: map[string]string{dataref: claimScheme + "x"}, encoding: encodingZstd}
	whole := compressed(t, noise(10000))
	_, err := p.restore(v, func(string) (io.Reader, error) {
		return io.MultiReader(bytes.NewReader(whole[:5000]), failing{broken}), nil
	})
	if !errors.Is(err, broken) || bridge.IsPermanent(err) {
		t.Errorf("got %v, want a transient error", err)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func TestABusThatIsAwayLeavesALargeEventForLater(t *testing.T) {
	t.Parallel()
	c := external(t)
	b := open(t, c)
	mustPublish(t, b, large("1", noise(2<<20)))
	v := unseal(stored(t, b, 1).Header, nil)
	b.conn.Close()
	if _, err := b.decode(t.Context(), v); err == nil || bridge.IsPermanent(err) {
		t.Errorf("reading: got %v, want a transient error", err)
	}
	if err := b.Publish(t.Context(), large("2", noise(2<<20))); err == nil || bridge.IsPermanent(err) {
		t.Errorf("publishing: got %v, want a transient error", err)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add("1.0", "id", "/s", "t", "", "", "", "", []byte(`{}`))
	f.Add("", "%zz", "%20", "a b.*", "application/cloudevents+json", "", "", "", []byte(`{"id":"1","source":"s","type":"t","data":{"a":1}}`))
	f.Add("1.0", "id", "/s", "t", "", "zstd", "2", "", compressed(f, []byte(`{}`)))
	f.Add("1.0", "id", "/s", "t", "", "gzip", "-1", "https://example.com/x", []byte(`{}`))
	f.Add("1.0", "id", "/s", "t", "", "zstd", "2", claimScheme+"here", []byte(nil))
	f.Add("1.0", "id", "/s", "t", "application/cloudevents+json", "zstd", "99999999999", claimScheme+"gone", []byte(nil))
	object := compressed(f, []byte(`{"b":2}`))
	p := newPayloads()
	f.Fuzz(func(t *testing.T, version, id, source, typ, contentType, encoding, size, ref string, data []byte) {
		v := unseal(map[string][]string{
			"ce-specversion": {version}, "ce-id": {id}, "CE-source": {source}, "ce-type": {typ}, "content-type": {contentType},
			"Content-Encoding": {encoding}, headerSize: {size}, "ce-dataref": {url.PathEscape(ref)},
		}, data)
		if w := v.weight(); w < int64(len(data)) && encoding == "" || w > max(maxData, int64(len(data))) {
			t.Fatalf("weight %d of %d bytes", w, len(data))
		}
		restored, err := p.restore(v, func(name string) (io.Reader, error) {
			if name == "here" {
				return bytes.NewReader(object), nil
			}
			return nil, bridge.Permanent(ErrGone)
		})
		if err != nil {
			if !bridge.IsPermanent(err) {
				t.Fatalf("a message that can never be read is tried again: %v", err)
			}
			return
		}
		e, err := v.event(restored)
		if err != nil {
			return
		}
		m := encode(e)
		m.Data = e.Data
		again, err := unseal(m.Header, m.Data).event(m.Data)
		if err != nil {
			t.Fatalf("what was decoded does not survive encoding: %v", err)
		}
		if again.Key() != e.Key() || again.Type != e.Type {
			t.Fatalf("got %q %q, want %q %q", again.Key(), again.Type, e.Key(), e.Type)
		}
	})
}

func TestLargeEventsAreHandledFewAtATimeAndSmallOnesGoOn(t *testing.T) {
	t.Parallel()
	b := open(t, Config{})
	const n = 4
	for i := range n {
		mustPublish(t, b, large(fmt.Sprint("large-", i), lines(12<<20)))
	}
	mustPublish(t, b, event("small"))
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	var budget meter
	small := make(chan struct{})
	done := make(chan struct{}, n)
	consumed := make(chan error)
	go func() {
		consumed <- b.ConsumeEvents(ctx, n+2, func(ctx context.Context, e bridge.Event, _ Delivery) error {
			if e.ID == "small" {
				close(small)
				return nil
			}
			budget.add(len(e.Data))
			<-small // every large one waits for the small one, which came last
			budget.add(-len(e.Data))
			done <- struct{}{}
			return nil
		})
	}()
	for range n {
		select {
		case <-done:
		case <-ctx.Done():
			t.Fatal("not all large events were handled")
		}
	}
	cancel()
	if err := <-consumed; err != nil {
		t.Error(err)
	}
	if got := budget.highest(); got > consumeBudget {
		t.Errorf("%d bytes were being handled at once, more than %d", got, consumeBudget)
	}
}

func TestAnEventThatWaitsForMemoryDoesNotHoldUpTheEnd(t *testing.T) {
	t.Parallel()
	b, err := Open(t.Context(), Config{DataDir: t.TempDir()}.Defaults(), zaptest.NewLogger(t, zaptest.Level(zap.ErrorLevel)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	mustPublish(t, b, large("1", lines(2<<20)))
	release, err := b.payloads.reserve(t.Context(), maxData*2)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	err = b.ConsumeEvents(ctx, 2, func(context.Context, bridge.Event, Delivery) error {
		t.Error("the event was handled although there was no memory for it")
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	release()
	collect(t, b, 1, nil)
}
