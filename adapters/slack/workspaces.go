package slack

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

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/slack-go/slack"
)

const (
	// DefaultAPIURL is the root of Slack's Web API.
	DefaultAPIURL = slack.APIURL
	// requestTimeout bounds one call of the API.
	requestTimeout = 15 * time.Second
	// askTimeout bounds the question which workspace the default token is of, and askPause is how long its failure is
	// remembered.
	askTimeout = 10 * time.Second
	askPause   = 5 * time.Second
)

// Workspaces are the Slack workspaces in which the app is installed, each with its own bot token. Safe for concurrent use.
type Workspaces struct {
	secrets  Secrets
	standard *slack.Client            // nil: there is no default token
	clients  map[string]*slack.Client // by team id
	now      func() time.Time

	asking chan struct{} // has room for the one who asks
	home   *home         // of the default token, once it is known
	failed error
	at     time.Time // of failed
}

// A home is what a token belongs to.
type home struct {
	team string
	// organization is the id of the organisation on which the app is installed as a whole; empty: it is not.
	organization string
}

// WorkspaceOptions are what Workspaces can do without.
type WorkspaceOptions struct {
	APIURL string // default: DefaultAPIURL
	// Client makes the requests. Default: one with a timeout of 15 s.
	Client *http.Client
	Now    func() time.Time // default: time.Now
}

// NewWorkspaces has one client for each bot token.
func NewWorkspaces(s Secrets, o WorkspaceOptions) *Workspaces {
	o.APIURL = strings.TrimRight(cmp.Or(o.APIURL, DefaultAPIURL), "/") + "/"
	if o.Client == nil {
		o.Client = &http.Client{Timeout: requestTimeout}
	}
	w := &Workspaces{secrets: s, clients: map[string]*slack.Client{}, now: o.Now, asking: make(chan struct{}, 1)}
	if w.now == nil {
		w.now = time.Now
	}
	client := func(token string) *slack.Client {
		return slack.New(token, slack.OptionAPIURL(o.APIURL), slack.OptionHTTPClient(o.Client))
	}
	if s.Token != "" {
		w.standard = client(s.Token)
	}
	for id, token := range s.Tokens {
		w.clients[id] = client(token)
	}
	return w
}

// Client is the Web API of a workspace, by its team id; empty: the default one, which is the only one where the config names
// no default. The error for a workspace that is not configured is Permanent; others mean that Slack does not say now of
// which workspace the default token is.
func (w *Workspaces) Client(team string) (*slack.Client, error) {
	if c, ok := w.clients[team]; ok {
		return c, nil
	}
	switch {
	case team != "" && w.standard != nil:
		ctx, cancel := context.WithTimeout(context.Background(), askTimeout)
		defer cancel()
		h, err := w.ask(ctx)
		if err != nil {
			return nil, err
		}
		if team == h.team || h.organization != "" {
			return w.standard, nil
		}
	case team == "" && w.standard != nil:
		return w.standard, nil
	case team == "" && len(w.clients) == 1:
		for _, c := range w.clients {
			return c, nil
		}
	case team == "":
		return nil, bridge.Permanent(errors.New("no default workspace is configured: set slack.tokenFile"))
	}
	return nil, bridge.Permanent(fmt.Errorf("the workspace %s is not configured: add it to slack.workspaces", team))
}

// Teams are the ids of all workspaces that are configured, sorted; the default one's is asked for at Slack, once.
func (w *Workspaces) Teams(ctx context.Context) ([]string, error) {
	all := slices.Collect(maps.Keys(w.clients))
	if w.standard != nil {
		h, err := w.ask(ctx)
		if err != nil {
			return nil, err
		}
		all = append(all, h.team)
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}

// Knows says whether one of the ids, of workspaces or organisations, is configured. Where no token is, none can be known, and
// all are taken for it. An error means that Slack does not say now of which workspace the default token is.
func (w *Workspaces) Knows(ctx context.Context, ids ...string) (bool, error) {
	ids = slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return id == "" })
	if w.standard == nil && len(w.clients) == 0 {
		return true, nil
	}
	if slices.ContainsFunc(ids, func(id string) bool { return w.clients[id] != nil }) {
		return true, nil
	}
	if w.standard == nil {
		return false, nil
	}
	h, err := w.ask(ctx)
	if err != nil {
		return false, err
	}
	return slices.Contains(ids, h.team) || h.organization != "" && slices.Contains(ids, h.organization), nil
}

// ask finds out which workspace the default token is of: https://docs.slack.dev/reference/methods/auth.test
func (w *Workspaces) ask(ctx context.Context) (home, error) {
	select {
	case w.asking <- struct{}{}:
		defer func() { <-w.asking }()
	case <-ctx.Done():
		return home{}, fmt.Errorf("ask which workspace the token is of: %w", ctx.Err())
	}
	if w.home != nil {
		return *w.home, nil
	}
	if w.failed != nil && w.now().Sub(w.at) < askPause {
		return home{}, w.failed
	}
	answer, err := w.standard.AuthTestContext(ctx)
	if err == nil && answer.TeamID == "" {
		err = errors.New("slack's answer names no workspace")
	}
	if err != nil {
		err = redacted{w.Redact(fmt.Sprintf("ask which workspace the token is of: %v", err)), nil}
		if ctx.Err() == nil { // the caller's haste is nobody else's failure
			w.failed, w.at = err, w.now()
		}
		return home{}, err
	}
	h := home{team: answer.TeamID}
	if strings.HasPrefix(answer.TeamID, "E") || answer.TeamID == answer.EnterpriseID {
		h.organization = answer.TeamID
	}
	w.home = &h
	return h, nil
}

// Redact takes all tokens out of a text.
func (w *Workspaces) Redact(text string) string {
	tokens := append(slices.Collect(maps.Values(w.secrets.Tokens)), w.secrets.Token, w.secrets.App)
	slices.SortFunc(tokens, func(a, b string) int { return len(b) - len(a) }) // one may begin another
	for _, token := range tokens {
		if token != "" {
			text = strings.ReplaceAll(text, token, "[token]")
		}
	}
	return text
}
