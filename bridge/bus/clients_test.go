package bus

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	cenats "github.com/cloudevents/sdk-go/protocol/nats/v2"
	cejetstream "github.com/cloudevents/sdk-go/protocol/nats_jetstream/v2"
	cloudevents "github.com/cloudevents/sdk-go/v2"
	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"

	"github.com/argo-bridge/argo-bridge/bridge"
)

const shopPassword = "shop's password"

// openToClients opens a bus on which shop may publish com.example.*, and the holder of seed com.* .
func openToClients(t *testing.T, dir string) (b *Bus, seed []byte) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(file, []byte(shopPassword+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	pair, err := nkeys.CreateUser()
	if err != nil {
		t.Fatal(err)
	}
	key, err1 := pair.PublicKey()
	seed, err2 := pair.Seed()
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	c := Config{
		DataDir: dir, Listen: "127.0.0.1:0", Reserved: []string{"com.github."},
		Clients: []Client{
			{User: "shop", PasswordFile: file, Publish: []string{"com.example.*", "com.other"}},
			{User: "wide", Nkey: key, Publish: []string{"com.*"}},
		},
	}
	if err := c.Defaults().Validate(); err != nil {
		t.Fatal(err)
	}
	return open(t, c), seed
}

// A client is a connection of somebody else, and what the server has said against it.
type client struct {
	*nats.Conn
	mu   sync.Mutex
	errs []string
}

func dial(t *testing.T, b *Bus, options ...nats.Option) *client {
	t.Helper()
	c := &client{}
	conn, err := nats.Connect(b.server.ClientURL(), append(options, nats.Timeout(time.Minute), nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.errs = append(c.errs, err.Error())
	}))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	c.Conn = conn
	return c
}

// shop connects as the client with the password.
func shop(t *testing.T, b *Bus) *client { return dial(t, b, nats.UserInfo("shop", shopPassword)) }

// refused waits for the server to say no, in words with a part.
func (c *client) refused(t *testing.T, part string) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for time.Now().Before(deadline) {
		c.mu.Lock()
		all := strings.Join(c.errs, "\n")
		c.mu.Unlock()
		if strings.Contains(all, part) {
			return
		}
		if err := c.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	t.Errorf("the server has not refused %s: %v", part, c.errs)
}

func order(t *testing.T, id, eventType string) cloudevents.Event {
	t.Helper()
	e := cloudevents.NewEvent()
	e.SetID(id)
	e.SetSource("https://shop.example.com")
	e.SetType(eventType)
	e.SetSubject("order 7")
	e.SetExtension("tenant", "a")
	if err := e.SetData(cloudevents.ApplicationJSON, map[string]any{"total": 7}); err != nil {
		t.Fatal(err)
	}
	return e
}

func TestTheCloudEventsSDKPublishesOnTheBus(t *testing.T) {
	t.Parallel()
	b, _ := openToClients(t, t.TempDir())
	conn := shop(t, b)
	js, err := conn.JetStream()
	if err != nil {
		t.Fatal(err)
	}
	const subject = "bridge.events.com.example.order.placed"
	withAnswer, err := cloudevents.NewClient(&cejetstream.Sender{Conn: conn.Conn, Jsm: js, Subject: subject})
	if err != nil {
		t.Fatal(err)
	}
	sender, err := cenats.NewSenderFromConn(conn.Conn, subject)
	if err != nil {
		t.Fatal(err)
	}
	without, err := cloudevents.NewClient(sender)
	if err != nil {
		t.Fatal(err)
	}
	// The first answers when the event is stored, the second is NATS without JetStream, in structured mode.
	for id, c := range map[string]cloudevents.Client{"1": withAnswer, "2": without} {
		if result := c.Send(t.Context(), order(t, id, "com.example.order.placed")); cloudevents.IsUndelivered(result) {
			t.Fatalf("send %s: %v", id, result)
		}
	}
	got := map[string]bridge.Event{}
	for _, e := range collect(t, b, 2, nil) {
		got[e.ID] = e
	}
	want := map[string]bridge.Event{}
	for _, id := range []string{"1", "2"} {
		want[id] = bridge.Event{
			ID: id, Source: "https://shop.example.com", Type: "com.example.order.placed", Subject: "order 7",
			Extensions: map[string]string{"tenant": "a"}, Data: []byte(`{"total":7}`),
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestAClientMayPublishItsTypesAndNothingElse(t *testing.T) {
	t.Parallel()
	b, seed := openToClients(t, t.TempDir())
	byKey := dial(t, b, nats.Nkey(publicKey(t, seed), func(nonce []byte) ([]byte, error) {
		pair, err := nkeys.FromSeed(seed)
		if err != nil {
			return nil, err
		}
		return pair.Sign(nonce)
	}))
	for name, test := range map[string]struct {
		client  *client
		subject string
		ok      bool
	}{
		"a type below":                  {shop(t, b), "bridge.events.com.example.a", true},
		"a type in full":                {shop(t, b), "bridge.events.com.other", true},
		"by a key":                      {byKey, "bridge.events.com.any.thing", true},
		"a reserved type below com":     {byKey, "bridge.events.com.github.push", false},
		"another's type":                {shop(t, b), "bridge.events.com.github.push", false},
		"the type above":                {shop(t, b), "bridge.events.com.example", false},
		"a notification":                {shop(t, b), "bridge.notifications", false},
		"an entry of the ledger":        {shop(t, b), "$KV.ARGO_BRIDGE_LEDGER.x", false},
		"the API that deletes a stream": {shop(t, b), "$JS.API.STREAM.DELETE.ARGO_BRIDGE_EVENTS", false},
		"the API that reads a message":  {shop(t, b), "$JS.API.STREAM.MSG.GET.ARGO_BRIDGE_EVENTS", false},
		"somebody's inbox":              {shop(t, b), "_INBOX.x", false},
	} {
		t.Run(name, func(t *testing.T) {
			m := &nats.Msg{Subject: test.subject, Header: nats.Header{
				"ce-specversion": {"1.0"}, "ce-id": {name}, "ce-source": {"s"}, "ce-type": {strings.TrimPrefix(test.subject, eventSubjects)},
			}}
			if !test.ok {
				m.Reply = nats.NewInbox()
				if err := test.client.PublishMsg(m); err != nil {
					t.Fatal(err)
				}
				test.client.refused(t, test.subject)
				return
			}
			js, err := test.client.JetStream()
			if err != nil {
				t.Fatal(err)
			}
			if ack, err := js.PublishMsg(m); err != nil || ack.Stream != eventStream {
				t.Errorf("got %+v, %v", ack, err)
			}
		})
	}
	for _, subject := range []string{"bridge.events.>", ">", "$KV.>", "$SYS.>"} {
		c := shop(t, b)
		if _, err := c.SubscribeSync(subject); err != nil {
			t.Fatal(err)
		}
		c.refused(t, fmt.Sprintf("Subscription to %q", subject))
	}
}

func publicKey(t *testing.T, seed []byte) string {
	t.Helper()
	pair, err := nkeys.FromSeed(seed)
	if err != nil {
		t.Fatal(err)
	}
	key, err := pair.PublicKey()
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestAClientHearsNothingOfTheBridgesOwnAnswers(t *testing.T) {
	t.Parallel()
	b, _ := openToClients(t, t.TempDir())
	c := shop(t, b)
	inboxes, err := c.SubscribeSync(nats.InboxPrefix + ">")
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Flush(); err != nil {
		t.Fatal(err)
	}
	bucket, err := b.Bucket(t.Context(), "LEDGER", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if err := bucket.Put(t.Context(), "secret", []byte("secret")); err != nil {
		t.Fatal(err)
	}
	if _, _, err := bucket.Get(t.Context(), "secret"); err != nil {
		t.Fatal(err)
	}
	if err := c.Flush(); err != nil {
		t.Fatal(err)
	}
	if m, err := inboxes.NextMsg(50 * time.Millisecond); err == nil {
		t.Errorf("it heard %s: %s", m.Subject, m.Data)
	}
}

func TestWithoutAUserNobodyComesIn(t *testing.T) {
	t.Parallel()
	b, _ := openToClients(t, t.TempDir())
	for name, options := range map[string][]nats.Option{
		"no user":          nil,
		"a wrong password": {nats.UserInfo("shop", "x")},
		"no password":      {nats.UserInfo("shop", "")},
		"an unknown user":  {nats.UserInfo("argo-bridge", "")},
		"a user of a key":  {nats.UserInfo("wide", "")},
	} {
		if conn, err := nats.Connect(b.server.ClientURL(), append(options, nats.Timeout(time.Minute))...); err == nil {
			conn.Close()
			t.Errorf("%s: connected", name)
		}
	}
}

func TestTheEventsOfABusStayWhenItIsOpenedToClients(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b := open(t, Config{DataDir: dir})
	if err := b.Publish(t.Context(), event("before")); err != nil {
		t.Fatal(err)
	}
	b.Close()
	b, _ = openToClients(t, dir)
	if got := collect(t, b, 1, nil); got[0].ID != "before" {
		t.Errorf("got %v", got)
	}
	b.Close()
	b = open(t, Config{DataDir: dir})
	if err := b.Publish(t.Context(), event("after")); err != nil {
		t.Fatal(err)
	}
	if got := collect(t, b, 1, nil); got[0].ID != "after" {
		t.Errorf("got %v", got)
	}
}

func TestAnEventUnderTheSubjectOfAnotherTypeHasNoIdentity(t *testing.T) {
	t.Parallel()
	b, _ := openToClients(t, t.TempDir())
	js, err := shop(t, b).JetStream()
	if err != nil {
		t.Fatal(err)
	}
	forged := encode(event("1"))
	forged.Subject = "bridge.events.com.example.a"
	if _, err := js.PublishMsg(forged); err != nil {
		t.Fatal(err)
	}
	structured := &nats.Msg{Subject: forged.Subject, Header: nats.Header{"content-type": {structuredType}},
		Data: []byte(`{"specversion":"1.0","id":"2","source":"s","type":"com.github.push","data":{}}`)}
	if _, err := js.PublishMsg(structured); err != nil {
		t.Fatal(err)
	}
	var unread []error
	var mu sync.Mutex
	got := collect(t, b, 2, func(_ context.Context, _ bridge.Event, d Delivery) error {
		mu.Lock()
		defer mu.Unlock()
		unread = append(unread, d.Unread)
		return nil
	})
	for i, e := range got {
		if unread[i] == nil || !strings.Contains(unread[i].Error(), "belongs to the subject") || !strings.HasPrefix(e.ID, "message-") || e.Type != "com.example.a" {
			t.Errorf("got %+v, %v", e, unread[i])
		}
	}
}

func TestTheConfigOfClientsNamesEveryBadField(t *testing.T) {
	t.Parallel()
	good := Client{User: "shop", PasswordFile: "f", Publish: []string{"com.example.*"}}
	for name, test := range map[string]struct {
		config Config
		want   []string
	}{
		"no listener":                    {Config{}, nil},
		"a listener for this machine":    {Config{Listen: "127.0.0.1:4222"}, nil},
		"by its name":                    {Config{Listen: "localhost:4222"}, nil},
		"a listener for all, with users": {Config{Listen: ":4222", Clients: []Client{good}}, nil},
		"a listener for all":             {Config{Listen: ":4222"}, []string{"bus.listen: \":4222\" lets anybody"}},
		"an address of the network":      {Config{Listen: "10.0.0.7:4222"}, []string{"bus.listen"}},
		"users without a listener":       {Config{Clients: []Client{good}}, []string{"bus.clients: nobody can connect: set bus.listen"}},
		"users of an external cluster":   {Config{URL: "nats://a", Clients: []Client{good}}, []string{"bus.clients: are for the embedded server"}},
		"the same user twice":            {Config{Listen: ":1", Clients: []Client{good, good}}, []string{`bus.clients[1].user: "shop" is given twice`}},
		"nothing is given":               {Config{Listen: ":1", Clients: []Client{{}}}, []string{"bus.clients[0].user", "bus.clients[0].passwordFile", "bus.clients[0].publish"}},
		"a key that is a seed":           {Config{Listen: ":1", Clients: []Client{{User: "a", Nkey: "SUAA", Publish: good.Publish}}}, []string{"bus.clients[0].nkey"}},
		"patterns that are none":         {Config{Listen: ":1", Clients: []Client{{User: "a", PasswordFile: "f", Publish: []string{"*", "com.*.x", "com.>", ""}}}}, []string{"publish[0]", "publish[1]", "publish[2]", "publish[3]"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := test.config.Defaults().Validate()
			if (err == nil) != (test.want == nil) {
				t.Fatalf("got %v", err)
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("got %v, want %q", err, want)
				}
			}
		})
	}
}

func TestAPasswordThatCannotBeReadIsNamed(t *testing.T) {
	t.Parallel()
	c := Config{DataDir: t.TempDir(), Listen: "127.0.0.1:0", Clients: []Client{{User: "a", PasswordFile: "/nowhere", Publish: []string{"a.b"}}}}
	if _, err := startServer(c.Defaults(), nil, nil); err == nil || !strings.Contains(err.Error(), "bus.clients[0].passwordFile: read the password") {
		t.Errorf("got %v", err)
	}
}
