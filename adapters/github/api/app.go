package api

import (
	"cmp"
	"context"
	"crypto/rsa"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/bradleyfalzon/ghinstallation/v2"
	gh "github.com/google/go-github/v60/github"
	"go.uber.org/zap"

	"github.com/argo-bridge/argo-bridge/adapters/github"
)

const (
	// timeout bounds one request with its answer.
	timeout = 15 * time.Second
	// maxClients bounds how many repositories' clients, each with its token, are kept.
	maxClients = 2000
	// refusedFor is how long GitHub's no to a token is remembered: an installation that works again, as only another
	// replica may have been told, is out of use no longer than that.
	refusedFor = time.Minute
)

// Options are what an App needs.
type Options struct {
	AppID int64
	// Key is the App's private key in PEM, see [github.ParseKey].
	Key []byte
	// BaseURL is the address of a GitHub Enterprise Server; GitHub's own if empty.
	BaseURL string
	// Transport sends requests; http.DefaultTransport if nil.
	Transport http.RoundTripper
	// Log, Now and Observer may be nil.
	Log      *zap.Logger
	Now      func() time.Time
	Observer Observer
}

// An App makes clients for the bridge's GitHub App. Safe for concurrent use.
type App struct {
	id        int64
	key       *rsa.PrivateKey
	root      *url.URL
	transport http.RoundTripper
	log       *zap.Logger
	limits    *limits
	jwt       *gh.Client
	clients   *cache[place, *client]
	refused   *cache[place, error]
}

// A place is a repository, by its installation; without a repository the whole installation.
type place struct {
	installation int64
	repository   string
}

// A client is one with its token.
type client struct {
	*gh.Client
	token *renewing
}

// New makes an App. Nothing is asked of GitHub yet.
func New(o Options) (*App, error) {
	key, err := github.ParseKey(o.Key)
	if err != nil {
		return nil, err
	}
	if o.AppID <= 0 {
		return nil, fmt.Errorf("%d is no id of a GitHub App", o.AppID)
	}
	root, err := github.Root(o.BaseURL)
	if err != nil {
		return nil, fmt.Errorf("the address of GitHub: %w", err)
	}
	if o.Transport == nil {
		o.Transport = http.DefaultTransport
	}
	if o.Log == nil {
		o.Log = zap.NewNop()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Observer == nil {
		o.Observer = nobody{}
	}
	a := &App{
		id: o.AppID, key: key, root: root, transport: o.Transport, log: o.Log,
		limits:  &limits{now: o.Now, observer: o.Observer, closed: map[int64]time.Time{}},
		clients: newCache[place, *client](maxClients, o.Now),
		refused: newCache[place, error](maxClients, o.Now),
	}
	a.jwt = a.client(a.bearer(0))
	return a, nil
}

// JWT is the client of the App itself, for what stands under /app.
func (a *App) JWT() *gh.Client { return a.jwt }

// Client returns the client of a repository (owner/name): its token is the installation's, and good for nothing but that
// repository. It asks GitHub for a token where there is none that holds for another minute; errors are classified. An
// installation that is suspended or gone is a Permanent error, at once while that is remembered.
func (a *App) Client(ctx context.Context, installation int64, repository string) (*gh.Client, error) {
	at := place{installation, strings.ToLower(repository)}
	switch {
	case installation <= 0:
		return nil, bridge.Permanent(fmt.Errorf("nothing can be asked about %s: the event names no installation of the GitHub App: let the App's webhook deliver it, not the repository's own", repository))
	case !fullName.MatchString(repository):
		return nil, bridge.Permanent(fmt.Errorf("%q is no repository such as acme/app", repository))
	}
	for _, known := range []place{at, {installation: installation}} {
		if err, refused := a.refused.get(known); refused {
			return nil, err
		}
	}
	c := a.clients.getOr(at, func() *client { return a.newClient(installation, repository) })
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	if _, err := c.token.current.Load().Token(ctx); err != nil {
		return nil, a.refuse(at, err)
	}
	return c.Client, nil
}

// fullName is what may stand in an address of the API.
var fullName = regexp.MustCompile(`^[A-Za-z0-9_-]+/[A-Za-z0-9_.-]+$`)

func (a *App) newClient(installation int64, repository string) *client {
	_, name, _ := strings.Cut(repository, "/")
	token := newRenewing(func() *ghinstallation.Transport {
		t := ghinstallation.NewFromAppsTransport(a.bearer(installation), installation)
		t.InstallationTokenOptions = &gh.InstallationTokenOptions{Repositories: []string{name}}
		return t
	})
	return &client{a.client(token), token}
}

// bearer makes a transport that bears the App's JWT. Each installation token has one of its own, since ghinstallation
// writes to it without a lock.
func (a *App) bearer(installation int64) *ghinstallation.AppsTransport {
	t := ghinstallation.NewAppsTransportFromPrivateKey(&meter{installation, a.limits, a.transport}, a.id, a.key)
	t.BaseURL = strings.TrimRight(a.root.String(), "/")
	return t
}

func (a *App) client(transport http.RoundTripper) *gh.Client {
	c := gh.NewClient(&http.Client{Transport: transport, Timeout: timeout})
	c.BaseURL, c.UserAgent = a.root, userAgent
	return c
}

// refuse classifies why there is no token, and remembers a refusal. One for the repository alone is GitHub's 422.
func (a *App) refuse(at place, err error) error {
	err = github.Classify(fmt.Errorf("get a token for %s of the App's installation %d: %w", at.repository, at.installation, err))
	var answer *gh.ErrorResponse
	if !errors.As(err, &answer) || !bridge.IsPermanent(err) {
		return err
	}
	if answer.Response.StatusCode != http.StatusUnprocessableEntity {
		at.repository = ""
	}
	a.refused.put(at, err, refusedFor)
	a.log.Warn("GitHub gives no token", zap.String(bridge.LogSubject, cmp.Or(at.repository, nameOf(at.installation))), zap.Error(err))
	return err
}

// Forget gives up all that is known of an installation: it was made, or works again, or its repositories or permissions
// have changed.
func (a *App) Forget(installation int64) {
	of := func(p place) bool { return p.installation == installation }
	a.clients.drop(of)
	a.refused.drop(of)
	a.limits.forget(installation)
}

// Suspend lets the installation's clients fail for the next minute, as GitHub has said that it is suspended or deleted.
func (a *App) Suspend(installation int64) {
	a.Forget(installation)
	a.refused.put(place{installation: installation}, bridge.Permanent(fmt.Errorf("the App's installation %d is suspended or deleted", installation)), refusedFor)
}
