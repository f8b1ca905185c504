package setup

import (
	"context"
	"encoding/json"
	"html"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/google/go-cmp/cmp"

	"github.com/argo-bridge/argo-bridge/adapters/github/api"
	"github.com/argo-bridge/argo-bridge/adapters/github/githubtest"
)

func rule(events ...string) *bridge.Rule {
	r := &bridge.Rule{Template: bridge.Template{Namespace: "argo", Name: "ci"}, Name: "default"}
	for _, e := range events {
		r.Triggers = append(r.Triggers, bridge.Trigger{Event: e})
	}
	return r
}

func routes(targets ...string) (all []bridge.Route) {
	for _, target := range targets {
		all = append(all, bridge.Route{To: bridge.Destination{Scheme: "github", Target: target}})
	}
	return all
}

func TestWhatRulesNeed(t *testing.T) {
	t.Parallel()
	trusting := rule("github.push")
	trusting.Trust = &bridge.Trust{Teams: []string{"acme/ops"}}
	for name, tt := range map[string]struct {
		rule        *bridge.Rule
		routes      []bridge.Route
		permissions map[string]string
		events      []string
	}{
		"a push": {rule("github.push"), nil, map[string]string{"contents": "read", "metadata": "read"}, []string{"push"}},
		"a push that shows a check": {rule("github.push"), routes("check"), map[string]string{"contents": "read", "metadata": "read", "checks": "write"},
			[]string{"check_run", "check_suite", "push"}},
		"a pull request, which is approved by a comment": {rule("github.pull_request"), nil,
			map[string]string{"contents": "read", "metadata": "read", "pull_requests": "write", "issues": "write"}, []string{"issue_comment", "pull_request"}},
		"a deployment": {rule("github.deployment"), routes("deployment", "status"),
			map[string]string{"deployments": "write", "metadata": "read", "statuses": "write"}, []string{"deployment"}},
		"issues, commented": {rule("github.issues"), routes("comment"),
			map[string]string{"issues": "write", "pull_requests": "write", "metadata": "read"}, []string{"issues"}},
		"a team that is trusted":        {trusting, nil, map[string]string{"contents": "read", "metadata": "read", "members": "read"}, []string{"push"}},
		"an event that every App gets":  {rule("github.installation"), nil, map[string]string{"metadata": "read"}, []string{}},
		"another source with the check": {rule("gcs.finalized"), routes("check"), map[string]string{}, []string{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var n Needs
			n.Add(tt.rule, tt.routes)
			if diff := cmp.Diff(tt.permissions, n.Permissions()); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(tt.events, n.Events()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAnEventThatIsNotKnownIsSubscribedToAndTold(t *testing.T) {
	t.Parallel()
	var n Needs
	n.Add(rule("github.of_tomorrow"), nil)
	if !slices.Equal(n.Unknown, []string{"of_tomorrow"}) || !slices.Equal(n.Events(), []string{"of_tomorrow"}) {
		t.Errorf("got %+v", n)
	}
}

func TestWantedIsChecked(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		wanted Wanted
		says   string
	}{
		"all well":              {Wanted{Organization: "acme", URL: "https://bridge.example.com/webhooks/github"}, ""},
		"a long organization":   {Wanted{Organization: strings.Repeat("a", 39), URL: "https://bridge.example.com"}, ""},
		"no address":            {Wanted{}, "--url"},
		"a long name":           {Wanted{URL: "https://b.example.com", Name: strings.Repeat("a", 35)}, "--name"},
		"an organization's URL": {Wanted{URL: "https://b.example.com", Organization: "https://github.com/acme"}, "--organization"},
		"a GitHub without TLS":  {Wanted{URL: "https://b.example.com", GitHubURL: "http://ghe.example.com"}, "--github-url"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := tt.wanted.Defaults().Validate()
			if tt.says == "" && err != nil || tt.says != "" && (err == nil || !strings.Contains(err.Error(), tt.says)) {
				t.Errorf("got %v, want %q", err, tt.says)
			}
		})
	}
}

func TestWebIsWhereThePagesAre(t *testing.T) {
	t.Parallel()
	for base, want := range map[string]string{
		"": "https://github.com", "https://github.com/": "https://github.com", "https://api.github.com": "https://github.com",
		"https://ghe.example.com": "https://ghe.example.com", "https://ghe.example.com/api/v3/": "https://ghe.example.com",
		"https://api.acme.ghe.com": "https://acme.ghe.com",
	} {
		if got := Web(base); got != want {
			t.Errorf("Web(%q) = %q, want %q", base, got, want)
		}
	}
}

func get(t *testing.T, address string) (int, string) {
	t.Helper()
	r, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	return body(t, r)
}

func body(t *testing.T, r *http.Response) (int, string) {
	t.Helper()
	defer func() { _ = r.Body.Close() }()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return r.StatusCode, string(b)
}

// agree does what a person does in a browser: it sends the page's form to GitHub and follows where that leads.
func agree(t *testing.T, page string) (int, string) {
	t.Helper()
	_, text := get(t, page)
	action := regexp.MustCompile(`action="([^"]*)"`).FindStringSubmatch(text)
	manifest := regexp.MustCompile(`name="manifest" value="([^"]*)"`).FindStringSubmatch(text)
	if action == nil || manifest == nil {
		t.Fatalf("no form in %s", text)
	}
	r, err := http.PostForm(html.UnescapeString(action[1]), url.Values{"manifest": {html.UnescapeString(manifest[1])}})
	if err != nil {
		t.Fatal(err)
	}
	return body(t, r)
}

// begin runs a flow and returns its page and its end.
func begin(t *testing.T, ctx context.Context, w Wanted) (page string, end chan outcome) {
	t.Helper()
	pages := make(chan string, 1)
	end = make(chan outcome, 1)
	go func() {
		a, err := (Flow{Wanted: w, Ready: func(p string) { pages <- p }}).Run(ctx)
		end <- outcome{a, err}
	}()
	select {
	case page = <-pages:
	case o := <-end:
		t.Fatal(o.err)
	}
	return page, end
}

func TestSomebodyMakesTheApp(t *testing.T) {
	t.Parallel()
	s := githubtest.New(t, githubtest.Options{})
	w := Wanted{Organization: "acme", URL: "https://bridge.example.com", GitHubURL: s.URL, Needs: Base()}.Defaults()
	page, end := begin(t, t.Context(), w)

	for _, forged := range []string{page + "/made?code=1&state=x", page + "/made?code=1", page + "/made"} {
		if code, _ := get(t, forged); code != http.StatusForbidden {
			t.Errorf("%s: %d", forged, code)
		}
	}
	u, _ := url.Parse(page)
	if code, _ := get(t, "http://"+u.Host+"/"); code != http.StatusNotFound {
		t.Errorf("the page without its secret: %d", code)
	}
	rebound, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, page, nil)
	rebound.Host = "evil.example.com"
	if r, err := http.DefaultClient.Do(rebound); err != nil {
		t.Fatal(err)
	} else if code, _ := body(t, r); code != http.StatusForbidden {
		t.Errorf("by another name: %d", code)
	}

	code, text := agree(t, page)
	o := <-end
	if o.err != nil || code != http.StatusOK || !strings.Contains(text, s.URL+"/apps/argo-bridge-acme/installations/new") {
		t.Fatalf("%v, %d, %s", o.err, code, text)
	}
	if o.app.Slug != "argo-bridge-acme" || o.app.ID != s.AppID() || o.app.WebhookSecret == "" || string(o.app.Key) != string(githubtest.KeyPEM()) {
		t.Errorf("got %+v", o.app)
	}
	// The App is good as it is, once it is installed.
	s.Install(githubtest.Installation{ID: 1, Account: "acme", Repositories: []string{"acme/app"}, Events: w.Needs.Events()})
	n := Base()
	n.Name("acme/app", "argo/ci")
	if a := check(t, s, n, "https://bridge.example.com"); len(a.Findings) > 0 {
		t.Errorf("got %+v", a.Findings)
	}
}

func TestTheFlowEndsWithoutAnApp(t *testing.T) {
	t.Parallel()
	s := githubtest.New(t, githubtest.Options{})
	w := Wanted{URL: "https://bridge.example.com", GitHubURL: s.URL, Needs: Base()}.Defaults()
	ctx, cancel := context.WithCancel(t.Context())
	_, end := begin(t, ctx, w)
	cancel()
	if o := <-end; o.err == nil || !strings.Contains(o.err.Error(), "nobody has made the App") {
		t.Errorf("got %v", o.err)
	}
	s.Fail("POST /app-manifests/", githubtest.Fault{Status: http.StatusNotFound, Message: "Not Found"})
	page, end := begin(t, t.Context(), w)
	agree(t, page)
	if o := <-end; o.err == nil || !strings.Contains(o.err.Error(), "404") || strings.Contains(o.err.Error(), "conversions") {
		t.Errorf("got %v", o.err)
	}
}

func check(t *testing.T, s *githubtest.Server, n Needs, address string) Answer {
	t.Helper()
	a, err := api.New(api.Options{AppID: s.AppID(), Key: githubtest.KeyPEM(), BaseURL: s.URL})
	if err != nil {
		t.Fatal(err)
	}
	answer, err := Check(t.Context(), Question{Client: a.JWT(), Needs: n, URL: address, GitHubURL: s.URL, Slug: s.Slug(), Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

func TestTheCheckSaysWhatIsMissing(t *testing.T) {
	t.Parallel()
	const hook = "https://bridge.example.com/webhooks/github"
	n := Base()
	n.Name("acme/app", "argo/ci, rule default")
	good := githubtest.App{Permissions: n.Permissions(), Events: n.Events(), HookURL: hook, HookSecret: "s", ContentType: "json"}
	there := githubtest.Installation{ID: 1, Account: "acme", Repositories: []string{"acme/app"}, Events: n.Events()}
	for name, tt := range map[string]struct {
		change func(*githubtest.App, *githubtest.Installation)
		says   []string
	}{
		"nothing": {func(*githubtest.App, *githubtest.Installation) {}, nil},
		"a permission": {func(a *githubtest.App, _ *githubtest.Installation) {
			a.Permissions = map[string]string{"contents": "read"}
		},
			[]string{"it lacks the permission checks: write", "it lacks the permission issues: write", "it lacks the permission metadata: read", "it lacks the permission pull_requests: write"}},
		"a level":  {func(a *githubtest.App, _ *githubtest.Installation) { a.Permissions["checks"] = "read" }, []string{"it lacks the permission checks: write"}},
		"an event": {func(a *githubtest.App, _ *githubtest.Installation) { a.Events = a.Events[1:] }, []string{"it is not subscribed to check_run"}},
		"another address": {func(a *githubtest.App, _ *githubtest.Installation) {
			a.HookURL = "https://old.example.com/webhooks/github"
		}, []string{"it goes to https://old.example.com"}},
		"no address":      {func(a *githubtest.App, _ *githubtest.Installation) { a.HookURL = "" }, []string{"it has no address"}},
		"a form":          {func(a *githubtest.App, _ *githubtest.Installation) { a.ContentType = "form" }, []string{"its content type is form"}},
		"no secret":       {func(a *githubtest.App, _ *githubtest.Installation) { a.HookSecret = "" }, []string{"it has no secret"}},
		"no TLS":          {func(a *githubtest.App, _ *githubtest.Installation) { a.InsecureSSL = "1" }, []string{"does not verify"}},
		"suspended":       {func(_ *githubtest.App, i *githubtest.Installation) { i.Suspended = true }, []string{"it is suspended"}},
		"another account": {func(_ *githubtest.App, i *githubtest.Installation) { i.Repositories = nil }, []string{"no installation covers it, for argo/ci"}},
		"not accepted": {func(_ *githubtest.App, i *githubtest.Installation) {
			i.Permissions = map[string]string{"metadata": "read"}
		}, []string{"it has not granted checks: write, contents: read"}},
		"not accepted, too": {func(_ *githubtest.App, i *githubtest.Installation) { i.Events = []string{"push"} }, []string{"it is not sent check_run, check_suite, issue_comment, pull_request"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := githubtest.New(t, githubtest.Options{})
			a, i := good, there
			a.Permissions = n.Permissions()
			tt.change(&a, &i)
			s.SetApp(a)
			s.Install(i)
			answer := check(t, s, n, "https://bridge.example.com")
			text, _ := json.Marshal(answer.Findings)
			if len(answer.Findings) != len(tt.says) {
				t.Errorf("%d findings: %s", len(answer.Findings), text)
			}
			for _, says := range tt.says {
				if !strings.Contains(string(text), says) {
					t.Errorf("%q is not in %s", says, text)
				}
			}
			for _, f := range answer.Findings {
				if f.Remedy == "" {
					t.Errorf("%s: no remedy", f.Problem)
				}
			}
		})
	}
}

func TestTheCheckTellsOfInstallationsAndDeliveries(t *testing.T) {
	t.Parallel()
	s := githubtest.New(t, githubtest.Options{})
	n := Base()
	s.SetApp(githubtest.App{Permissions: n.Permissions(), Events: n.Events(), HookURL: "http://127.0.0.1:1/webhooks/github", HookSecret: "s", ContentType: "json"})
	s.Deliver("push", []byte("{}"))
	text, _ := json.Marshal(check(t, s, n, "").Findings)
	for _, says := range []string{"it is installed nowhere", "1 of the last 1 did not arrive; the newest of them, push at", "failed to connect"} {
		if !strings.Contains(string(text), says) {
			t.Errorf("%q is not in %s", says, text)
		}
	}
}

func TestAClockThatIsWrongIsNamed(t *testing.T) {
	t.Parallel()
	s := githubtest.New(t, githubtest.Options{})
	a, err := api.New(api.Options{AppID: s.AppID(), Key: githubtest.KeyPEM(), BaseURL: s.URL})
	if err != nil {
		t.Fatal(err)
	}
	now := func() time.Time { return time.Now().Add(10 * time.Minute) }
	answer, err := Check(t.Context(), Question{Client: a.JWT(), GitHubURL: s.URL, Now: now})
	if err != nil || len(answer.Findings) == 0 || answer.Findings[0].Subject != "clock" {
		t.Errorf("%v, %+v", err, answer)
	}
	s.Fail("GET /app", githubtest.Fault{Status: http.StatusUnauthorized})
	if _, err := Check(t.Context(), Question{Client: a.JWT(), GitHubURL: s.URL, Now: now}); err == nil || !strings.Contains(err.Error(), "clock is off by 10m") {
		t.Errorf("got %v", err)
	}
}
