package e2e

import (
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/nats-io/nats-server/v2/server"
)

const adminToken = "0123456789abcdef0123456789abcdef"

// events runs `argo-bridge events` against the bridge and returns what it prints, and its exit code.
func (p *proc) events(args ...string) (out string, code int) {
	p.t.Helper()
	return eventsCommand(p.t, append(args, "--server", "http://"+p.address, "--token", adminToken)...)
}

func eventsCommand(t testing.TB, args ...string) (out string, code int) {
	t.Helper()
	binary, err := program()
	if err != nil {
		t.Fatal(err)
	}
	text, err := exec.Command(binary, append([]string{"events"}, args...)...).CombinedOutput()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return string(text), exit.ExitCode()
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(text), 0
}

// withAdmin is the config of a bridge that asks a token file who may use its API.
func withAdmin(t testing.TB, config string) string {
	t.Helper()
	dir := t.TempDir()
	write(t, dir, "tokens", adminToken+"\n")
	return fmt.Sprintf("admin: {kubernetes: false, tokenFile: %s}\n", filepath.Join(dir, "tokens")) + config
}

func want(t testing.TB, out string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(out, part) {
			t.Errorf("%q is not in\n%s", part, out)
		}
	}
}

// strictTemplate needs a parameter that no push has.
const strictTemplate = `
metadata:
  name: strict
  annotations:
    bridge.argoproj.io/on: "github.push: {repositories: [acme/app]}"
    bridge.argoproj.io/parameters: |
      id: data.ticket
    bridge.argoproj.io/notify: |
      rejected: slack:#data-alerts
` + body

func TestWhatWasRejectedIsToldAndReplayedOnceItsTemplateIsMended(t *testing.T) {
	t.Parallel()
	c := shared(t)
	ns := c.newNamespace(t)
	c.apply(t, ns, pushTemplate, strictTemplate)
	p := newBridge(t, setup{cluster: c, namespace: ns, config: withAdmin(t, "")})
	p.slack.AddChannel("data-alerts")
	p.startReady()
	p.github("push", "delivery-1", push(t, 1, 1))
	eventually(t, "the rejection and the failure are told", func() error {
		if n := len(tops(p.slack.Messages())); n != 2 {
			return fmt.Errorf("%d messages", n)
		}
		return nil
	})

	out, _ := p.events("list", "--outcome", "rejected")
	want(t, out, "delivery-1", "matched 1", "rejected 1")
	eventually(t, "the story is whole", func() error {
		out, code := p.events("show", "delivery-1")
		if code != 0 {
			return errors.New(out)
		}
		for _, part := range []string{"strict, rule default: rejected", `"id"`, "on-push, rule default: matched", "Failed", "rejected → slack:#data-alerts: sent", "failed → slack:#data-alerts: sent"} {
			if !strings.Contains(out, part) {
				return fmt.Errorf("%q is not in\n%s", part, out)
			}
		}
		return nil
	})

	if out, code := p.events("replay", "--outcome", "rejected", "--since", "1h"); code != 1 {
		t.Errorf("before the template is mended: %d\n%s", code, out)
	}
	c.apply(t, ns, strings.Replace(strictTemplate, "id: data.ticket", `id: '"mended " + github.sha'`, 1))
	sha := fmt.Sprintf("%040d", 1)
	eventually(t, "the mended template is known, and a dry run makes nothing", func() error {
		out, code := p.events("replay", "--outcome", "rejected", "--since", "1h", "--dry-run")
		if code != 0 || !strings.Contains(out, "mended "+sha) || !strings.Contains(out, "kind: Workflow") {
			return fmt.Errorf("%d\n%s", code, out)
		}
		return nil
	})
	for i, code := range []int{0, 1} { // the second time nothing is left
		if out, got := p.events("replay", "--outcome", "rejected", "--since", "1h"); got != code {
			t.Errorf("replay %d: %d\n%s", i, got, out)
		}
	}
	c.eventuallyRuns(t, ns, "on-push "+sha, "strict mended "+sha)
}

// eventuallyRuns waits until there is one Workflow of each template and id, and no other.
func (c *cluster) eventuallyRuns(t testing.TB, ns string, runs ...string) {
	t.Helper()
	eventually(t, "the Workflows are there", func() error {
		got, err := c.byParameter(ns)
		if err != nil {
			return err
		}
		return exactly(got, runs)
	})
}

func TestAnEventIsReplayedUnderANewNameAndTheSameRequestOnce(t *testing.T) {
	t.Parallel()
	c := shared(t)
	ns := c.newNamespace(t)
	c.apply(t, ns, pushTemplate)
	p := newBridge(t, setup{cluster: c, namespace: ns, config: withAdmin(t, "")})
	p.startReady()
	p.github("push", "delivery-1", push(t, 1, 0))
	sha := "on-push " + fmt.Sprintf("%040d", 1)
	c.eventuallyRuns(t, ns, sha)
	for range 2 {
		if out, code := p.events("replay", "delivery-1", "--id", "again"); code > 1 {
			t.Errorf("%d\n%s", code, out)
		}
	}
	two := func() error {
		got, err := c.byParameter(ns)
		if err == nil && got[sha] != 2 {
			err = fmt.Errorf("%v", got)
		}
		return err
	}
	eventually(t, "the second attempt is there", two)
	// A redelivery starts nothing, before and after a restart.
	p.github("push", "delivery-1", push(t, 1, 0))
	p.kill()
	p.startReady()
	p.github("push", "delivery-1", push(t, 1, 0))
	p.github("push", "delivery-2", push(t, 2, 0))
	eventually(t, "the next event is handled", func() error {
		got, err := c.byParameter(ns)
		if err == nil && got["on-push "+fmt.Sprintf("%040d", 2)] != 1 {
			err = fmt.Errorf("%v", got)
		}
		return err
	})
	if err := two(); err != nil {
		t.Errorf("after the redeliveries: %v", err)
	}
	if out, code := p.events("replay", "delivery-9"); code != 1 || !strings.Contains(out, "no such event") {
		t.Errorf("an unknown event: %d\n%s", code, out)
	}
	if out, code := eventsCommand(t, "list", "--server", "http://"+p.address, "--token", "wrong-wrong-wrong-wrong"); code != 1 || strings.Contains(out, "delivery") {
		t.Errorf("a wrong token: %d\n%s", code, out)
	}
}

func TestANewTemplateAsksForThePast(t *testing.T) {
	t.Parallel()
	c := shared(t)
	ns := c.newNamespace(t)
	p := newBridge(t, setup{cluster: c, namespace: ns, config: withAdmin(t, "")})
	p.startReady()
	var wanted []string
	for i := 1; i <= 3; i++ {
		p.github("push", fmt.Sprint("delivery-", i), push(t, i, 0))
		wanted = append(wanted, "on-push "+fmt.Sprintf("%040d", i))
	}
	eventually(t, "the events are handled", func() error {
		if out, _ := p.events("list"); strings.Count(out, "no rule") != 3 {
			return errors.New(out)
		}
		return nil
	})
	c.apply(t, ns, pushTemplate)
	eventually(t, "the replay starts all three", func() error {
		if out, code := p.events("replay", "--template", "on-push", "--since", "1h"); code != 0 {
			return errors.New(out)
		}
		return nil
	})
	c.eventuallyRuns(t, ns, wanted...)
	if out, code := p.events("replay", "--template", "on-push", "--since", "1h"); code != 1 {
		t.Errorf("a second time: %d\n%s", code, out)
	}
	c.eventuallyRuns(t, ns, wanted...)
}

// sleeper runs until somebody resumes it.
const sleeper = `
metadata:
  name: sleeper
  annotations:
    bridge.argoproj.io/on: "github.push: {repositories: [acme/app]}"
    bridge.argoproj.io/parameters: "id: github.sha"
spec:
  entrypoint: main
  arguments: {parameters: [{name: id}]}
  templates:
  - name: main
    suspend: {}
`

func TestATemplateAtItsLimitWaitsOnTheBusAndHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	c := shared(t)
	ns := c.newNamespace(t)
	c.apply(t, ns, sleeper, strings.Replace(pushTemplate, "name: on-push", "name: other", 1))
	p := newBridge(t, setup{cluster: c, namespace: ns, config: withAdmin(t, "limits: {workflowsPerTemplate: 2}\n")})
	p.startReady()
	var others []string
	for i := 1; i <= 5; i++ {
		p.github("push", fmt.Sprint("delivery-", i), push(t, i, 0))
		id := fmt.Sprintf("%040d", i)
		others = append(others, "other "+id)
		if i > 2 {
			continue // and end the other's runs, which have the same limit
		}
		c.eventuallyRuns(t, ns, append([]string{}, sleepers(i, others)...)...)
	}
	c.eventuallyRuns(t, ns, append(sleepers(2, nil), others...)...)
	out, _ := p.events("list", "--outcome", "waiting")
	if n := strings.Count(out, "waiting 1"); n != 3 {
		t.Errorf("%d events wait, want 3\n%s", n, out)
	}
	eventually(t, "the first that waits says for what", func() error {
		if out, _ := p.events("show", "delivery-3"); !strings.Contains(out, "limits.workflowsPerTemplate") {
			return errors.New(out)
		}
		return nil
	})
	if got := p.metric("argo_bridge_waiting_rules"); got != "3" {
		t.Errorf("the metric says that %s wait", got)
	}
	// A restart forgets nobody, and does not let more in.
	p.kill()
	p.startReady()
	c.eventuallyRuns(t, ns, append(sleepers(2, nil), others...)...)
	c.wake(t, ns, "sleeper "+fmt.Sprintf("%040d", 1))
	c.eventuallyRuns(t, ns, append(sleepers(3, nil), others...)...)
	for i := 2; i <= 5; i++ {
		c.wake(t, ns, "sleeper "+fmt.Sprintf("%040d", i))
	}
	c.eventuallyRuns(t, ns, append(sleepers(5, nil), others...)...)
}

func sleepers(n int, others []string) []string {
	all := others
	for i := 1; i <= n; i++ {
		all = append(all, "sleeper "+fmt.Sprintf("%040d", i))
	}
	return all
}

// wake ends a sleeping run, by its template and id, once it is there.
func (c *cluster) wake(t testing.TB, ns, run string) {
	t.Helper()
	eventually(t, run+" is there to be ended", func() error {
		items, err := c.workflows(ns)
		if err != nil {
			return err
		}
		for _, wf := range items {
			if "sleeper "+parameter(wf, "id") == run && strings.HasPrefix(wf.GetName(), "sleeper") {
				_, err := c.workflowsOf(ns).Patch(t.Context(), wf.GetName(), types.MergePatchType,
					[]byte(`{"spec":{"shutdown":"Terminate"}}`), metav1.PatchOptions{})
				return err
			}
		}
		return errors.New("not yet")
	})
}

func TestTheBusItselfTellsWhatBecameOfEventsAndTakesReplays(t *testing.T) {
	t.Parallel()
	c := shared(t)
	ns, store := c.newNamespace(t), t.TempDir()
	c.apply(t, ns, pushTemplate)
	bus := startNATS(t, server.RANDOM_PORT, store)
	t.Cleanup(bus.Shutdown)
	p := newBridge(t, setup{cluster: c, namespace: ns, config: fmt.Sprintf("bus: {url: %q}\n", bus.ClientURL())})
	p.startReady()
	p.github("push", "delivery-1", push(t, 1, 0))
	sha := "on-push " + fmt.Sprintf("%040d", 1)
	c.eventuallyRuns(t, ns, sha)
	eventually(t, "the event is listed", func() error {
		if out, code := eventsCommand(t, "list", "--bus", bus.ClientURL()); code != 0 || !strings.Contains(out, "delivery-1") {
			return errors.New(out)
		}
		return nil
	})
	if out, code := eventsCommand(t, "replay", "delivery-1", "--bus", bus.ClientURL(), "--dry-run"); code == 0 || !strings.Contains(out, "dry run") {
		t.Errorf("a dry run without a bridge: %d\n%s", code, out)
	}
	out, _ := eventsCommand(t, "replay", "delivery-1", "--bus", bus.ClientURL())
	eventually(t, "the bridge has carried the replay out", func() error {
		got, err := c.byParameter(ns)
		if err == nil && got[sha] != 2 {
			err = fmt.Errorf("%v\n%s", got, out)
		}
		return err
	})
}
