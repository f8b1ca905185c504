package setup

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	gh "github.com/google/go-github/v60/github"

	"github.com/argo-bridge/argo-bridge/adapters/github"
)

// maxSkew is how far this machine's clock may be from GitHub's: a JWT is dated back by a minute.
// https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-json-web-token-jwt-for-a-github-app
const maxSkew = 30 * time.Second

// A Question is what Check looks at.
type Question struct {
	// Client is the App's own, by its JWT.
	Client *gh.Client
	Needs  Needs
	// URL is the bridge's public address, with which the webhook is compared; empty: only its path is.
	URL string
	// Slug is the one of the bridge's config; empty: it names none.
	Slug string
	// GitHubURL is the base URL of the config.
	GitHubURL string
	Now       func() time.Time
}

// A Finding is something that is not as the bridge needs it.
type Finding struct {
	// Subject is the thing: App argo-bridge-acme, installation acme, webhook, repository acme/app.
	Subject string `json:"subject"`
	Problem string `json:"problem"`
	// Remedy is what to do, with the address of GitHub's page for it.
	Remedy string `json:"remedy"`
}

// An Answer is what Check found.
type Answer struct {
	App string `json:"app"`
	// Installations are the accounts on which the App is installed.
	Installations []string `json:"installations"`
	Repositories  []string `json:"repositories"`
	// Findings is empty where all is well.
	Findings []Finding `json:"findings"`
}

// A checker collects what is found.
type checker struct {
	Question
	answer   Answer
	settings string
	page     string
}

// An application is the part of GET /app that counts; go-github's own does not know all permissions.
type application struct {
	ID    int64  `json:"id"`
	Slug  string `json:"slug"`
	Page  string `json:"html_url"`
	Owner struct {
		Login string `json:"login"`
		Type  string `json:"type"`
	} `json:"owner"`
	Permissions map[string]string `json:"permissions"`
	Events      []string          `json:"events"`
}

// Check compares the App with what the rules need. An error means that it could not ask.
func Check(ctx context.Context, q Question) (Answer, error) {
	k := &checker{Question: q, answer: Answer{Installations: []string{}, Repositories: []string{}, Findings: []Finding{}}}
	for _, step := range []func(context.Context) error{k.app, k.webhook, k.installations, k.repositories, k.deliveries} {
		if err := step(ctx); err != nil {
			return k.answer, err
		}
	}
	return k.answer, nil
}

func (k *checker) find(subject, remedy, problem string, arguments ...any) {
	k.answer.Findings = append(k.answer.Findings, Finding{Subject: subject, Problem: fmt.Sprintf(problem, arguments...), Remedy: remedy})
}

// get asks for something of which go-github does not know all.
func (k *checker) get(ctx context.Context, path string, v any) (*gh.Response, error) {
	r, err := k.Client.NewRequest(http.MethodGet, path, nil)
	if err != nil {
		return nil, err
	}
	return k.Client.Do(ctx, r, v)
}

func (k *checker) app(ctx context.Context) error {
	var a application
	answer, err := k.get(ctx, "app", &a)
	skew := k.skew(answer)
	if err != nil {
		if skew != 0 {
			return fmt.Errorf("ask for the App: %w (this machine's clock is off by %v: set it)", github.Classify(err), skew)
		}
		return fmt.Errorf("ask for the App: %w", github.Classify(err))
	}
	k.answer.App, k.page = a.Slug, a.Page
	k.settings = Web(k.GitHubURL) + "/settings/apps/" + a.Slug
	if a.Owner.Type == "Organization" {
		k.settings = Web(k.GitHubURL) + "/organizations/" + a.Owner.Login + "/settings/apps/" + a.Slug
	}
	subject := "App " + a.Slug
	if skew != 0 {
		k.find("clock", "set this machine's clock, by NTP", "it is off by %v from GitHub's: GitHub will refuse the App's tokens", skew)
	}
	if k.Slug != "" && k.Slug != a.Slug {
		k.find(subject, "set github.app.slug: "+a.Slug, "the config names it %s, so that the bridge does not know its own comments", k.Slug)
	}
	for _, name := range lacking(k.Needs.permissions, a.Permissions) {
		n := k.Needs.permissions[name]
		k.find(subject, "grant it: "+k.settings+"/permissions", "it lacks the permission %s: %s, for %s", name, n.level, n.who)
	}
	for _, event := range k.Needs.Events() {
		if !slices.Contains(a.Events, event) {
			k.find(subject, "subscribe to it: "+k.settings+"/permissions", "it is not subscribed to %s, for %s", event, k.Needs.events[event].who)
		}
	}
	return nil
}

// lacking are the permissions whose level is too low, sorted.
func lacking(needs map[string]need, has map[string]string) (names []string) {
	for _, name := range slices.Sorted(maps.Keys(needs)) {
		if rank(has[name]) < rank(needs[name].level) {
			names = append(names, name)
		}
	}
	return names
}

// skew is how far this machine's clock is ahead of GitHub's; 0 when that is little or not known.
func (k *checker) skew(answer *gh.Response) time.Duration {
	if answer == nil || answer.Response == nil {
		return 0
	}
	theirs, err := http.ParseTime(answer.Header.Get("Date"))
	if err != nil {
		return 0
	}
	if skew := k.Now().Sub(theirs).Round(time.Second); skew.Abs() > maxSkew {
		return skew
	}
	return 0
}

func (k *checker) webhook(ctx context.Context) error {
	c, _, err := k.Client.Apps.GetHookConfig(ctx)
	if err != nil {
		return fmt.Errorf("ask for the App's webhook: %w", github.Classify(err))
	}
	const subject = "webhook"
	switch want := strings.TrimRight(k.URL, "/") + HookPath; {
	case c.GetURL() == "":
		k.find(subject, "set it to "+cmp.Or(k.URL, "https://HOST")+HookPath+" and make it active: "+k.settings, "it has no address")
	case k.URL != "" && c.GetURL() != want, !strings.HasSuffix(c.GetURL(), HookPath):
		k.find(subject, "set it to "+cmp.Or(k.URL, "https://HOST")+HookPath+": "+k.settings, "it goes to %s", c.GetURL())
	}
	if c.GetContentType() != "json" {
		k.find(subject, "set it to application/json: "+k.settings, "its content type is %s, which the bridge refuses", c.GetContentType())
	}
	if c.GetSecret() == "" {
		k.find(subject, "set the secret of github.webhookSecretFiles: "+k.settings, "it has no secret, and the bridge refuses what is not signed")
	}
	if c.GetInsecureSSL() == "1" {
		k.find(subject, "enable SSL verification: "+k.settings, "GitHub does not verify the bridge's certificate")
	}
	return nil
}

// isMissing says that GitHub answers 404.
func isMissing(err error) bool {
	var refused *gh.ErrorResponse
	return errors.As(err, &refused) && refused.Response != nil && refused.Response.StatusCode == http.StatusNotFound
}
