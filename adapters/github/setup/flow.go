package setup

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	gh "github.com/google/go-github/v60/github"

	"github.com/argo-bridge/argo-bridge/adapters/github"
)

// An App is what GitHub has made of a manifest. Key and WebhookSecret are told only once.
type App struct {
	ID         int64
	Slug, Name string
	// URL is its page; under it stands where it is installed.
	URL           string
	Key           []byte // PEM
	WebhookSecret string
}

// InstallURL is where people install the App.
func (a App) InstallURL() string { return a.URL + "/installations/new" }

// exchangeTimeout bounds the exchange of the code.
const exchangeTimeout = 30 * time.Second

// A Flow makes an App.
type Flow struct {
	Wanted Wanted
	// Port of the loopback for the page, a free one if 0: who works on another machine forwards it.
	Port int
	// Ready is told the address of the page that somebody must open, and returns at once.
	Ready func(page string)
	// Transport sends the request that exchanges the code; nil: http.DefaultTransport.
	Transport http.RoundTripper
}

// A visit is the flow while it waits for somebody.
type visit struct {
	flow                   Flow
	client                 *gh.Client
	address, secret, state string
	done                   chan outcome
}

type outcome struct {
	app App
	err error
}

// Run serves the page and waits until GitHub has sent somebody back with a code, which it exchanges. It ends with ctx.
func (f Flow) Run(ctx context.Context) (App, error) {
	root, err := github.Root(f.Wanted.GitHubURL)
	if err != nil {
		return App{}, fmt.Errorf("the address of GitHub: %w", err)
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(f.Port)))
	if err != nil {
		return App{}, fmt.Errorf("open the page: %w", err)
	}
	client := gh.NewClient(&http.Client{Transport: f.Transport, Timeout: exchangeTimeout})
	client.BaseURL, client.UserAgent = root, "argo-bridge"
	v := &visit{flow: f, client: client, address: listener.Addr().String(), secret: rand.Text(), state: rand.Text(), done: make(chan outcome, 1)}
	server := &http.Server{Handler: v.handler(), ReadHeaderTimeout: 10 * time.Second, MaxHeaderBytes: 1 << 16}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	f.Ready("http://" + v.address + "/" + v.secret)
	o := v.wait(ctx, ended)
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	_ = server.Shutdown(stop) // lets the last page be read
	return o.app, o.err
}

func (v *visit) wait(ctx context.Context, ended <-chan error) outcome {
	select {
	case o := <-v.done:
		return o
	case err := <-ended:
		return outcome{err: fmt.Errorf("serve the page: %w", err)}
	case <-ctx.Done():
		return outcome{err: errors.New("nobody has made the App: GitHub sent no one back")}
	}
}

// handler serves the page under a secret path, so that no other site and no other user of the machine finds it.
func (v *visit) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /"+v.secret, v.begin)
	mux.HandleFunc("GET /"+v.secret+"/made", v.made)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Host != v.address { // a name that somebody has let point here
			http.Error(w, "open the page by its address", http.StatusForbidden)
			return
		}
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("Referrer-Policy", "no-referrer")
		mux.ServeHTTP(w, r)
	})
}

func (v *visit) begin(w http.ResponseWriter, _ *http.Request) {
	m := v.flow.Wanted.Manifest()
	m.RedirectURL = "http://" + v.address + "/" + v.secret + "/made"
	writePage(w, http.StatusOK, beginPage, beginData{Action: v.flow.Wanted.newApp(v.state), Manifest: m})
}

// made is where GitHub sends people back to. A wrong state is not what this flow has begun.
func (v *visit) made(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	code := query.Get("code")
	if subtle.ConstantTimeCompare([]byte(query.Get("state")), []byte(v.state)) != 1 || code == "" {
		writePage(w, http.StatusForbidden, textPage, "This is not an answer to the page that argo-bridge has opened. Begin there.")
		return
	}
	app, err := v.exchange(r.Context(), code)
	if err != nil {
		writePage(w, http.StatusBadGateway, textPage, "The App was made, but its key could not be fetched: go back to the terminal.")
	} else {
		writePage(w, http.StatusOK, madePage, app)
	}
	select {
	case v.done <- outcome{app, err}:
	default: // somebody was here before
	}
}

func (v *visit) exchange(ctx context.Context, code string) (App, error) {
	c, _, err := v.client.Apps.CompleteAppManifest(ctx, url.PathEscape(code))
	if err != nil {
		// The code is a secret while it holds, and stands in the error's address.
		var refused *gh.ErrorResponse
		if errors.As(err, &refused) && refused.Response != nil {
			return App{}, fmt.Errorf("fetch the App's key: GitHub answers %d %s: delete the App in GitHub's settings and begin again", refused.Response.StatusCode, refused.Message)
		}
		return App{}, errors.New("fetch the App's key: GitHub does not answer: delete the App in GitHub's settings and begin again")
	}
	a := App{
		ID: c.GetID(), Slug: c.GetSlug(), Name: c.GetName(), URL: c.GetHTMLURL(), Key: []byte(c.GetPEM()), WebhookSecret: c.GetWebhookSecret(),
	}
	if _, err := github.ParseKey(a.Key); err != nil {
		return App{}, fmt.Errorf("the App's key from GitHub: %w", err)
	}
	if a.WebhookSecret == "" {
		return App{}, errors.New("GitHub has told no webhook secret of the App: delete it in GitHub's settings and begin again")
	}
	return a, nil
}
