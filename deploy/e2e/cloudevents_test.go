package e2e

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	nats_jetstream "github.com/cloudevents/sdk-go/protocol/nats_jetstream/v2"
	cloudevents "github.com/cloudevents/sdk-go/v2"
	cehttp "github.com/cloudevents/sdk-go/v2/protocol/http"
	"github.com/nats-io/nats.go"
)

// cloudEventsPage returns the blocks of docs/cloudevents.md in one language, without the spaces before them.
func cloudEventsPage(t *testing.T, language string) []string {
	t.Helper()
	page, err := os.ReadFile("../../docs/cloudevents.md")
	if err != nil {
		t.Fatal(err)
	}
	var blocks []string
	for _, block := range regexp.MustCompile("(?ms)^( *)```"+language+"\n(.*?)^ *```").FindAllStringSubmatch(string(page), -1) {
		var text strings.Builder
		for line := range strings.Lines(block[2]) {
			text.WriteString(strings.TrimPrefix(line, block[1]))
		}
		blocks = append(blocks, text.String())
	}
	return blocks
}

// A shop is a bridge that is set up as docs/cloudevents.md says.
type shop struct {
	*proc
	bus string // the address of its NATS server
}

func newShop(t *testing.T, c *cluster, ns string) shop {
	t.Helper()
	yaml := cloudEventsPage(t, "yaml")
	c.apply(t, ns, strings.ReplaceAll(yaml[0], "namespace: shop", "namespace: "+ns))
	secrets := t.TempDir()
	write(t, secrets, "orders-token", "orders")
	write(t, secrets, "shop-password", "shop")
	bus := freeAddress(t)
	_, port, err := net.SplitHostPort(bus)
	if err != nil {
		t.Fatal(err)
	}
	config := strings.NewReplacer("/secrets", secrets, `":4222"`, fmt.Sprintf("%q", "127.0.0.1:"+port)).Replace(yaml[1] + yaml[2])
	s := shop{newBridge(t, setup{cluster: c, namespace: ns, config: config}), "nats://" + bus}
	s.startReady()
	return s
}

func TestTheCommandsOfThePageStartTheTemplateOfThePage(t *testing.T) {
	t.Parallel()
	c := shared(t)
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("needs curl")
	}
	ns := c.newNamespace(t)
	s := newShop(t, c, ns)
	script := strings.ReplaceAll(cloudEventsPage(t, "sh")[0], "https://bridge.example.com", "http://"+s.address)
	for range 2 { // the second time it is known
		cmd := exec.Command("sh", "-c", script)
		cmd.Env = append(os.Environ(), "TOKEN=orders")
		out, err := cmd.CombinedOutput()
		if err != nil || !strings.Contains(string(out), "204 No Content") {
			t.Fatalf("%v: %s", err, out)
		}
	}
	c.invoices(t, ns, "order-7: 7")
}

// invoices waits for one Workflow of each order.
func (c *cluster) invoices(t *testing.T, ns string, want ...string) {
	t.Helper()
	eventually(t, "each order has its Workflow", func() error {
		items, err := c.workflows(ns)
		if err != nil {
			return err
		}
		got := map[string]int{}
		for _, wf := range items {
			got[parameter(wf, "order")+": "+parameter(wf, "total")]++
		}
		return exactly(got, want)
	})
}

// order is an event of the page's type.
func order(t *testing.T, id string) cloudevents.Event {
	t.Helper()
	event := cloudevents.NewEvent()
	event.SetID(id)
	event.SetSource("https://shop.example.com")
	event.SetType("com.example.order.placed")
	event.SetSubject("order-" + id)
	event.SetExtension("tenant", "north")
	if err := event.SetData(cloudevents.ApplicationJSON, map[string]any{"total": 7}); err != nil {
		t.Fatal(err)
	}
	return event
}

func TestTheSDKStartsATemplateOverHTTPAndOverTheBus(t *testing.T) {
	t.Parallel()
	c := shared(t)
	ns := c.newNamespace(t)
	s := newShop(t, c, ns)
	url, token, ctx := "http://"+s.address+"/webhooks/cloudevents/orders", "orders", t.Context()
	{
		event := order(t, "http")
		client, err := cloudevents.NewClientHTTP(cloudevents.WithTarget(url), cehttp.WithHeader("Authorization", "Bearer "+token))
		if err != nil {
			t.Fatal(err)
		}
		result := client.Send(ctx, event)
		if !cloudevents.IsACK(result) {
			t.Fatal(result)
		}
	}
	conn, err := nats.Connect(s.bus, nats.UserInfo("shop", "shop"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	{
		event := order(t, "bus")
		js, err := conn.JetStream()
		if err != nil {
			t.Fatal(err)
		}
		client, err := cloudevents.NewClient(&nats_jetstream.Sender{Conn: conn, Jsm: js, Subject: "bridge.events.com.example.order.placed"})
		if err != nil {
			t.Fatal(err)
		}
		result := client.Send(ctx, event)
		if cloudevents.IsUndelivered(result) {
			t.Fatal(result)
		}
	}
	c.invoices(t, ns, "order-http: 7", "order-bus: 7")
}

func TestOnTheBusNobodyMakesWhatIsNotHis(t *testing.T) {
	t.Parallel()
	c := shared(t)
	ns := c.newNamespace(t)
	c.apply(t, ns, pushTemplate) // before the bridge is ready: it shall know the rule when the push comes
	s := newShop(t, c, ns)
	if conn, err := nats.Connect(s.bus); err == nil {
		conn.Close()
		t.Error("somebody without a name is connected")
	}
	refused := make(chan error, 10)
	conn, err := nats.Connect(s.bus, nats.UserInfo("shop", "shop"), nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { refused <- err }))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	forged := nats.NewMsg("bridge.events.com.github.push")
	forged.Header = nats.Header{
		"ce-specversion": {"1.0"}, "ce-id": {"forged"}, "ce-source": {"https://github.com/acme/app"}, "ce-type": {"com.github.push"},
	}
	forged.Data = push(t, 1, 0)
	if err := conn.PublishMsg(forged); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-refused:
		if !strings.Contains(err.Error(), "Permissions Violation for Publish") {
			t.Error(err)
		}
	case <-time.After(time.Minute):
		t.Error("a push by the shop is not refused")
	}
	// Under a subject that is its own, it is no push either.
	forged.Subject = "bridge.events.com.example.order.placed"
	js, err := conn.JetStream()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := js.PublishMsg(forged); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is rejected", func() error {
		if n := s.metric(`argo_bridge_decisions_total{decision="rejected",reason="payload"}`); n != "1" {
			return fmt.Errorf("%s rejections", n)
		}
		return nil
	})
	// The real push is not taken for known.
	if status, answer := s.github("push", "forged", push(t, 1, 0)); status != 202 {
		t.Fatalf("push: %d %s", status, answer)
	}
	eventually(t, "the real push has its Workflow", func() error {
		got, err := c.byParameter(ns)
		if err != nil {
			return err
		}
		return exactly(got, []string{"on-push " + sha(1)})
	})
}

func TestThePagesGoIsWhatTheseTestsRun(t *testing.T) {
	t.Parallel()
	own, err := os.ReadFile("cloudevents_test.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, block := range cloudEventsPage(t, "go") {
		for line := range strings.Lines(block) {
			if !strings.Contains(string(own), strings.TrimSpace(line)+"\n") {
				t.Errorf("no test runs %s", line)
			}
		}
	}
}
