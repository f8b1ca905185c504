package api

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/argo-bridge/argo-bridge/adapters/github"
	"github.com/argo-bridge/argo-bridge/adapters/github/githubtest"
	"github.com/argo-bridge/argo-bridge/bridge"
)

// people puts some into acme.
func people(w *world) {
	for who, permission := range map[string]string{
		"reader": "read", "trier": "triage", "writer": "write", "keeper": "maintain", "boss": "admin", "robot[bot]": "admin",
	} {
		w.SetPermission("acme/app", who, permission)
	}
	w.SetRole("acme/app", "special", "write", "deployer")
	w.SetRole("acme/app", "curious", "read", "auditor")
	w.SetMember("acme", "ops", "member", "active")
	w.SetMember("acme", "ops", "invited", "pending")
	w.SetMember("other", "ops", "stranger", "active")
}

func TestTrusted(t *testing.T) {
	t.Parallel()
	type trust = bridge.Trust
	for name, c := range map[string]struct {
		who    string
		trust  *trust // of the template
		config trust
		want   bool
		detail string
	}{
		"who may write, by default":              {"writer", nil, trust{}, true, "write permission in acme/app"},
		"who may maintain, by default":           {"keeper", nil, trust{}, true, "maintain"},
		"who may administer, by default":         {"boss", nil, trust{}, true, "admin"},
		"who may only read":                      {"reader", nil, trust{}, false, "reader has read permission in acme/app, not write"},
		"who may only triage":                    {"trier", nil, trust{}, false, "triage permission"},
		"nobody":                                 {"stranger", nil, trust{}, false, "stranger has no permission"},
		"without a name":                         {"", nil, trust{}, false, "nobody knows"},
		"a custom role that may write":           {"special", nil, trust{}, true, "deployer"},
		"a custom role that may read":            {"curious", nil, trust{}, false, "auditor permission in acme/app, not write"},
		"a custom role is not maintain":          {"special", &trust{Permission: "maintain"}, trust{}, false, "not maintain"},
		"maintain is asked for":                  {"writer", &trust{Permission: "maintain"}, trust{}, false, "write permission in acme/app, not maintain"},
		"maintain is had":                        {"keeper", &trust{Permission: "maintain"}, trust{}, true, ""},
		"a permission that is none":              {"boss", &trust{Permission: "owner"}, trust{}, false, "not owner"},
		"the config's trust":                     {"writer", nil, trust{Permission: "admin"}, false, "not admin"},
		"the template's trust in its place":      {"writer", &trust{}, trust{Permission: "admin"}, true, ""},
		"anyone":                                 {"stranger", &trust{Anyone: true}, trust{}, true, "anybody"},
		"by name":                                {"Stranger", &trust{Users: []string{"stranger"}}, trust{}, true, "trusted users"},
		"by name only":                           {"boss", &trust{Users: []string{"stranger"}}, trust{}, false, "not one of the trusted users"},
		"by team":                                {"member", &trust{Teams: []string{"acme/ops"}}, trust{}, true, "in the team acme/ops"},
		"by a team without its organization":     {"member", &trust{Teams: []string{"ops"}}, trust{}, true, "in the team ops"},
		"by a team with an @":                    {"member", &trust{Teams: []string{"@acme/ops"}}, trust{}, true, ""},
		"invited to a team":                      {"invited", &trust{Teams: []string{"acme/ops"}}, trust{}, false, "in none of the teams acme/ops"},
		"in no team":                             {"boss", &trust{Teams: []string{"acme/ops"}}, trust{}, false, "in none of the teams"},
		"by a team of another organization":      {"stranger", &trust{Teams: []string{"other/ops"}}, trust{}, false, "in none"},
		"by a team of that name elsewhere":       {"stranger", &trust{Teams: []string{"ops"}}, trust{}, false, "in none"},
		"neither team nor permission":            {"reader", &trust{Teams: []string{"acme/ops"}, Permission: "write"}, trust{}, false, "not write, and is in none of the teams"},
		"no team but permission":                 {"writer", &trust{Teams: []string{"acme/ops"}, Permission: "write"}, trust{}, true, "write permission"},
		"a bot with a permission":                {"robot[bot]", nil, trust{}, false, "is a bot"},
		"a bot by name":                          {"robot[bot]", &trust{Users: []string{"Robot[bot]"}}, trust{}, true, ""},
		"a login that leads elsewhere":           {"../../orgs/acme", nil, trust{}, false, "no login"},
		"a login with a query":                   {"boss?x=", nil, trust{}, false, "no login"},
		"a team that leads elsewhere":            {"boss", &trust{Teams: []string{"acme/../x"}}, trust{}, false, "no team"},
		"permission beside a team that is wrong": {"boss", &trust{Teams: []string{"acme/../x"}, Permission: "write"}, trust{}, true, "admin"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			people(w)
			e, f := pull()
			ok, detail, err := w.answers(AnswersOptions{Trust: c.config}).Trusted(context.Background(), e, f, c.who, c.trust)
			if ok != c.want || err != nil || !strings.Contains(detail, c.detail) || detail == "" {
				t.Errorf("%v %q %v", ok, detail, err)
			}
		})
	}
}

func TestWhatGitHubDoesNotSayIsNoTrust(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), context.Background()
	people(w)
	e, f := pull()
	a := w.answers(AnswersOptions{})
	ask := func(who string, trust *bridge.Trust) (bool, string, error) { return a.Trusted(ctx, e, f, who, trust) }

	w.Fail("GET /repos/acme/app/collaborators", githubtest.Fault{Status: 502})
	if ok, _, err := ask("boss", nil); ok || err == nil || bridge.IsPermanent(err) {
		t.Error("a failure:", ok, err)
	}
	w.Fail("GET /repos/acme/app/collaborators", githubtest.Fault{Status: 403, Message: "Resource not accessible by integration"})
	if ok, detail, err := ask("boss", nil); ok || err != nil || !strings.Contains(detail, "cannot be found out") {
		t.Error("a refusal:", ok, detail, err)
	}
	if ok, _, err := ask("boss", nil); !ok || err != nil {
		t.Error("neither is remembered:", ok, err)
	}
	without := githubtest.DefaultPermissions()
	delete(without, "members")
	w.Install(githubtest.Installation{ID: 7, Account: "acme", Repositories: []string{"acme/app"}, Permissions: without})
	w.app.Forget(7)
	if ok, detail, err := ask("member", &bridge.Trust{Teams: []string{"acme/ops"}}); ok || err != nil || !strings.Contains(detail, "members=read") {
		t.Error("without the permission to see teams:", ok, detail, err)
	}
	if ok, _, err := ask("boss", &bridge.Trust{Teams: []string{"acme/ops"}, Permission: "write"}); !ok || err != nil {
		t.Error("without it, and by permission:", ok, err)
	}
	nobody := NewAnswers(AnswersOptions{})
	if ok, detail, err := nobody.Trusted(ctx, e, f, "boss", nil); ok || err != nil || !strings.Contains(detail, "github.app.id") {
		t.Error("without an App:", ok, detail, err)
	}
	if ok, _, err := nobody.Trusted(ctx, e, f, "boss", &bridge.Trust{Users: []string{"boss"}}); !ok || err != nil {
		t.Error("by name without an App:", ok, err)
	}
	own := f
	own.ReplyTo = github.Address{Repository: "acme/app"}.String()
	if ok, detail, err := a.Trusted(ctx, e, own, "boss", nil); ok || err != nil || !strings.Contains(detail, "installation") {
		t.Error("a webhook of its own:", ok, detail, err)
	}
}

func TestABurstCostsOneQuestion(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), context.Background()
	people(w)
	e, f := pull()
	a := w.answers(AnswersOptions{})
	ask := func(who string) bool {
		ok, _, err := a.Trusted(ctx, e, f, who, nil)
		if err != nil {
			t.Error(err)
		}
		return ok
	}
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() { ask("writer"); ask("reader") })
	}
	all.Wait()
	if n := w.Count("GET /repos/acme/app/collaborators/"); n != 2 {
		t.Errorf("%d questions about two", n)
	}
	w.SetPermission("acme/app", "writer", "read")
	w.SetPermission("acme/app", "reader", "write")
	if !ask("writer") || ask("reader") {
		t.Error("the answers were not remembered")
	}
	w.clock.move(10 * time.Second)
	if !ask("writer") || !ask("reader") {
		t.Error("after ten seconds who has got a permission has it, and who has lost it has it still")
	}
	w.clock.move(20 * time.Second)
	if ask("writer") {
		t.Error("after half a minute who has lost a permission has it still")
	}
}

func TestWhoWaitsForAnothersQuestionIsNotCutShortWithIt(t *testing.T) {
	t.Parallel()
	m := newMemory(10, newClock().now, func(string) time.Duration { return time.Minute })
	first, cancel := context.WithCancel(context.Background())
	begun, second := make(chan struct{}), make(chan string)
	go func() {
		<-begun
		go func() { // joins the first, or asks after it
			v, err := m.recall(context.Background(), "k", func(context.Context) (string, error) { return "second", nil })
			if err != nil {
				t.Error(err)
			}
			second <- v
		}()
		cancel()
	}()
	_, err := m.recall(first, "k", func(ctx context.Context) (string, error) {
		close(begun)
		<-ctx.Done()
		return "", ctx.Err()
	})
	if err == nil {
		t.Error("the first was not cut short")
	}
	if got := <-second; got != "second" {
		t.Errorf("the second got %q", got)
	}
}
