package api

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/argo-bridge/argo-bridge/adapters/github"
	"github.com/argo-bridge/argo-bridge/adapters/github/githubtest"
	"github.com/argo-bridge/argo-bridge/bridge"
	gh "github.com/google/go-github/v60/github"
)

// get reads the first pull request of a repository as the installation.
func (w *world) get(installation int64, repository string) error {
	c, err := w.app.Client(context.Background(), installation, repository)
	if err != nil {
		return err
	}
	owner, name, _ := strings.Cut(repository, "/")
	_, _, err = c.PullRequests.Get(context.Background(), owner, name, 1)
	return github.Classify(err)
}

func TestEachRepositoryHasATokenOfItsOwn(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), context.Background()
	for range 3 {
		for _, repository := range []string{"acme/app", "acme/web"} {
			if err := w.get(7, repository); err != nil {
				t.Fatal(err)
			}
		}
	}
	if w.tokens() != 2 {
		t.Errorf("%d tokens for two repositories", w.tokens())
	}
	c, err := w.app.Client(ctx, 7, "acme/app")
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := c.PullRequests.Get(ctx, "acme", "web", 1); !notFound(err) {
		t.Errorf("the token of one repository is good for the other: %v", err)
	}
	for _, r := range w.Requests() {
		if !r.Enterprise || r.Header.Get("User-Agent") != userAgent {
			t.Errorf("%s: under /api/v3 %v, as %q", r.Line(), r.Enterprise, r.Header.Get("User-Agent"))
		}
	}
	if err := w.get(8, "acme/app"); !bridge.IsPermanent(err) || !strings.Contains(err.Error(), "does not cover") {
		t.Errorf("a repository of another installation: %v", err)
	}
	if err := w.get(8, "other/app"); err != nil {
		t.Errorf("the installation's own repository: %v", err)
	}
}

func TestATokenThatGitHubNoLongerTakesIsReplaced(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), context.Background()
	c, err := w.app.Client(ctx, 7, "acme/app")
	if err != nil {
		t.Fatal(err)
	}
	w.clock.move(61 * time.Minute) // GitHub's; ghinstallation takes the token for good still
	if err := w.get(7, "acme/app"); err != nil || w.tokens() != 2 {
		t.Errorf("%d tokens: %v", w.tokens(), err)
	}
	w.RevokeTokens()
	if _, _, err := c.PullRequests.Get(ctx, "acme", "app", 1); err != nil || w.tokens() != 3 {
		t.Errorf("%d tokens: %v", w.tokens(), err)
	}
	w.RevokeTokens()
	body := map[string]string{"text": "again"}
	request, err := c.NewRequest(http.MethodPost, "repos/acme/app/nothing", body)
	if err != nil {
		t.Fatal(err)
	}
	if _, err = c.Do(ctx, request, nil); !notFound(err) {
		t.Error(err)
	}
	all := w.Requests()
	for i, status := range map[int]int{len(all) - 3: http.StatusUnauthorized, len(all) - 1: http.StatusNotFound} {
		if r := all[i]; r.Method != http.MethodPost || r.Status != status || !strings.Contains(string(r.Body), "again") {
			t.Errorf("%s: %d %s", r.Line(), r.Status, r.Body)
		}
	}
}

func TestAnInstallationThatIsGoneIsAskedForOnceAMinute(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		lose, back func(*world)
		text       string
	}{
		"uninstalled": {func(w *world) { w.Uninstall(7) }, func(w *world) {
			w.Install(githubtest.Installation{ID: 7, Account: "acme", Repositories: []string{"acme/app", "acme/web"}})
		}, "install it again"},
		"suspended": {func(w *world) { w.Suspend(7, true) }, func(w *world) { w.Suspend(7, false) }, "suspended"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			c.lose(w)
			for range 3 {
				for _, repository := range []string{"acme/app", "acme/web"} {
					if err := w.get(7, repository); !bridge.IsPermanent(err) || !strings.Contains(err.Error(), c.text) {
						t.Fatal(err)
					}
				}
			}
			if w.tokens() != 1 {
				t.Errorf("%d requests for a token", w.tokens())
			}
			c.back(w)
			if err := w.get(8, "other/app"); err != nil {
				t.Errorf("another installation: %v", err)
			}
			if err := w.get(7, "acme/app"); err == nil {
				t.Error("the refusal was not remembered")
			}
			w.clock.move(time.Minute)
			if err := w.get(7, "acme/app"); err != nil {
				t.Errorf("after a minute: %v", err)
			}
			w.app.Suspend(7)
			if err := w.get(7, "acme/app"); !bridge.IsPermanent(err) {
				t.Errorf("after the event: %v", err)
			}
			w.app.Forget(7)
			if err := w.get(7, "acme/app"); err != nil {
				t.Errorf("after it works again: %v", err)
			}
		})
	}
}

func TestABudgetThatIsUsedUpStopsAllOfTheInstallation(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, repository := range []string{"acme/app", "acme/web"} {
		if err := w.get(7, repository); err != nil {
			t.Fatal(err)
		}
	}
	w.SetRemaining(7, 1, 10*time.Minute)
	if err := w.get(7, "acme/app"); err != nil {
		t.Fatal(err)
	}
	if left, ok := w.seen.rate(7); left != 0 || !ok {
		t.Error("the observer saw", left, ok)
	}
	before := len(w.Requests())
	for _, repository := range []string{"acme/app", "acme/web"} {
		err := w.get(7, repository)
		if wait, named := bridge.Wait(err); !named || wait < 9*time.Minute || wait > 11*time.Minute {
			t.Errorf("%s: %v %v", repository, wait, err)
		}
	}
	if n := len(w.Requests()); n != before {
		t.Errorf("%d requests were made in vain", n-before)
	}
	if err := w.get(8, "other/app"); err != nil {
		t.Errorf("another installation: %v", err)
	}
	w.clock.move(11 * time.Minute)
	if err := w.get(7, "acme/web"); err != nil {
		t.Errorf("when the budget is full again: %v", err)
	}
}

func TestFailuresOfGitHubAreClassified(t *testing.T) {
	t.Parallel()
	const call, token = "GET /repos/acme/app/pulls/1", "POST /app/installations/7/"
	for name, c := range map[string]struct {
		prefix    string
		fault     githubtest.Fault
		permanent bool
		wait      time.Duration
	}{
		"a failure":                     {call, githubtest.Fault{Status: 502}, false, 0},
		"a failure at the token":        {token, githubtest.Fault{Status: 500}, false, 0},
		"a broken connection":           {call, githubtest.Fault{Lost: true, Times: 10}, false, 0},
		"a broken connection, at first": {token, githubtest.Fault{Lost: true}, false, 0},
		"the primary limit":             {call, githubtest.Fault{Primary: 5 * time.Minute}, false, 5 * time.Minute},
		"the primary limit by 429":      {call, githubtest.Fault{Primary: 5 * time.Minute, Status: 429}, false, 5 * time.Minute},
		"the primary limit at a token":  {token, githubtest.Fault{Primary: 5 * time.Minute}, false, 5 * time.Minute},
		"a secondary limit":             {call, githubtest.Fault{Secondary: true, RetryAfter: 90}, false, 90 * time.Second},
		"a secondary limit by 429":      {call, githubtest.Fault{Secondary: true, RetryAfter: 90, Status: 429}, false, 90 * time.Second},
		"one that names no time":        {call, githubtest.Fault{Secondary: true}, false, time.Minute},
		"a refusal":                     {call, githubtest.Fault{Status: 403, Message: "Resource not accessible by integration"}, true, 0},
		"a refusal of the App":          {token, githubtest.Fault{Status: 401, Message: "Bad credentials"}, true, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.Fail(c.prefix, c.fault)
			err := w.get(7, "acme/app")
			wait, named := bridge.Wait(err)
			if err == nil || bridge.IsPermanent(err) != c.permanent || named != (c.wait > 0) || wait < c.wait-3*time.Second || wait > c.wait+3*time.Second {
				t.Errorf("permanent %v, wait %v: %v", bridge.IsPermanent(err), wait, err)
			}
			if err != nil && strings.Contains(err.Error(), "ghs_") {
				t.Errorf("the token is in %v", err)
			}
			if !c.permanent && c.wait == 0 {
				for range 11 {
					if err = w.get(7, "acme/app"); err == nil {
						break
					}
				}
				if err != nil {
					t.Errorf("tried again: %v", err)
				}
			}
		})
	}
}

func TestManyAskAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var all sync.WaitGroup
	for i := range 40 {
		all.Go(func() {
			repository := []string{"acme/app", "acme/web"}[i%2]
			if err := w.get(7, repository); err != nil {
				t.Error(err)
			}
			if i%10 == 0 {
				w.app.Forget(8)
			}
		})
	}
	all.Wait()
	if n := w.tokens(); n != 2 {
		t.Errorf("%d tokens for two repositories", n)
	}
}

func TestTheAppItselfSpeaksWithItsKey(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), context.Background()
	if _, _, err := w.app.JWT().Apps.CreateInstallationToken(ctx, 7, nil); err != nil {
		t.Error(err)
	}
	_, _, err := w.newApp(t, 43).JWT().Apps.CreateInstallationToken(ctx, 7, &gh.InstallationTokenOptions{})
	if err = github.Classify(err); !bridge.IsPermanent(err) || !strings.Contains(err.Error(), "github.app.id") {
		t.Error(err)
	}
	for name, c := range map[string]struct {
		installation int64
		repository   string
	}{
		"no installation": {0, "acme/app"}, "no repository": {7, "acme"}, "a way out": {7, "acme/../app"}, "a query": {7, "acme/app?x="},
	} {
		if err := w.get(c.installation, c.repository); !bridge.IsPermanent(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, o := range map[string]Options{
		"no key": {AppID: 1}, "no id": {Key: githubtest.KeyPEM()}, "no address": {AppID: 1, Key: githubtest.KeyPEM(), BaseURL: "ftp://x"},
	} {
		if _, err := New(o); err == nil {
			t.Errorf("%s is enough", name)
		}
	}
}

func TestACacheKeepsWhatWasUsedLast(t *testing.T) {
	t.Parallel()
	clock := newClock()
	c := newCache[int, string](3, clock.now)
	for i := range 3 {
		c.put(i, fmt.Sprint(i), time.Minute)
	}
	c.get(0)
	c.put(3, "3", 0)
	if _, ok := c.get(1); ok {
		t.Error("what was not used for longest is there")
	}
	if v, ok := c.get(0); !ok || v != "0" {
		t.Error("what was used is gone")
	}
	clock.move(time.Minute)
	if _, ok := c.get(0); ok {
		t.Error("what has expired is there")
	}
	if _, ok := c.get(3); !ok {
		t.Error("what never expires is gone")
	}
	c.drop(func(k int) bool { return k == 3 })
	if _, ok := c.get(3); ok {
		t.Error("what was dropped is there")
	}
}
