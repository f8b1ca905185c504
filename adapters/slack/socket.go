package slack

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/gorilla/websocket"
	"github.com/slack-go/slack"
	"go.uber.org/zap"
)

const (
	// helloWithin is how long a new connection may take to be greeted.
	helloWithin = 10 * time.Second
	// silentFor is how long a connection may be silent: Slack sends pings every few seconds.
	silentFor = 30 * time.Second
	// settled is how long a connection must last for its end to be no failure.
	settled = 10 * time.Second
	// overlap is how long a connection is read when the next one is there: Slack may have sent something by it.
	overlap = time.Second
	// atOnce bounds the deliveries of one connection that are taken at the same time.
	atOnce = 32
)

// A Socket fetches by Socket Mode what Slack would otherwise deliver to [Webhooks], over a WebSocket that the bridge opens, so
// that Slack needs not reach the bridge: https://docs.slack.dev/apis/events-api/using-socket-mode
//
// An envelope is acknowledged when its event is stored on the bus, or is nothing to store. Otherwise it is not, and Slack
// delivers an event again. When Slack asks the bridge to connect anew, the next connection is there before the last one
// ends; each replica has one, of the ten that Slack allows an app.
type Socket struct {
	api    *slack.Client
	token  string
	inbox  *Inbox
	log    *zap.Logger
	dialer *websocket.Dialer
}

// SocketOptions are what a Socket can do without.
type SocketOptions struct {
	APIURL string // default: DefaultAPIURL
	// Client makes the requests of the Web API. Default: one with a timeout of 15 s.
	Client *http.Client
	Logger *zap.Logger // default: silent
}

// NewSocket brings the inbox what the app of the app-level token (xapp-...) gets.
func NewSocket(appToken string, inbox *Inbox, o SocketOptions) *Socket {
	if o.Client == nil {
		o.Client = &http.Client{Timeout: requestTimeout}
	}
	if o.Logger == nil {
		o.Logger = zap.NewNop()
	}
	return &Socket{
		api: slack.New("", slack.OptionAppLevelToken(appToken), slack.OptionHTTPClient(o.Client),
			slack.OptionAPIURL(strings.TrimRight(cmp.Or(o.APIURL, DefaultAPIURL), "/")+"/")),
		token: appToken, inbox: inbox, log: o.Logger,
		dialer: &websocket.Dialer{Proxy: http.ProxyFromEnvironment, HandshakeTimeout: helloWithin},
	}
}

// Run keeps a connection until ctx ends, whatever fails, and returns when what has come is taken and acknowledged. Its error
// is nil.
func (s *Socket) Run(ctx context.Context) error {
	var all sync.WaitGroup
	defer all.Wait()
	var last *connection
	for attempt := 0; ctx.Err() == nil; {
		began := time.Now()
		c, err := s.open(ctx)
		if err != nil {
			attempt++
			s.complain(ctx, err, attempt)
			pause(ctx, err, attempt)
			continue
		}
		last.retire(overlap)
		all.Go(func() { c.serve(ctx) })
		select {
		case <-c.leaving:
		case <-ctx.Done():
		}
		last = c
		if time.Since(began) >= settled {
			attempt = 0
			continue
		}
		attempt++
		pause(ctx, nil, attempt)
	}
	return nil
}

// pause waits before the next attempt: as long as Slack has said, or longer each time.
func pause(ctx context.Context, err error, attempt int) {
	wait := bridge.Backoff(attempt)
	var limited *slack.RateLimitedError
	if errors.As(err, &limited) {
		wait = max(wait, limited.RetryAfter)
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// socketRemedies are the errors that only somebody can cure.
var socketRemedies = map[string]string{
	"invalid_auth":           "the token is not valid: check slack.appTokenFile",
	"not_authed":             "the token is not valid: check slack.appTokenFile",
	"not_allowed_token_type": "slack.appTokenFile must hold an app-level token (xapp-)",
	"missing_scope":          "give the app-level token the scope connections:write",
	"account_inactive":       "the app is gone: make it anew, and store its app-level token",
	"token_revoked":          "the token was revoked: make a new app-level token",
	"link_disabled":          "Socket Mode is turned off in the app's settings: turn it on",
	"too_many_websockets":    "the app has ten connections already: run fewer replicas",
}

func (s *Socket) complain(ctx context.Context, err error, attempt int) {
	if ctx.Err() != nil {
		return
	}
	text := strings.ReplaceAll(err.Error(), s.token, "[token]")
	var refused slack.SlackErrorResponse
	if errors.As(err, &refused) && socketRemedies[refused.Err] != "" {
		s.log.Error("no connection to Slack: "+socketRemedies[refused.Err], zap.String("error", text), zap.Int("attempt", attempt))
		return
	}
	s.log.Warn("no connection to Slack yet", zap.String("error", text), zap.Int("attempt", attempt))
}

// open returns a connection that Slack has greeted.
func (s *Socket) open(ctx context.Context) (*connection, error) {
	_, address, err := s.api.StartSocketModeContext(ctx)
	if err != nil {
		return nil, err
	}
	if !strings.HasPrefix(address, "ws") {
		return nil, errors.New("slack's answer has no address of a WebSocket")
	}
	ws, answer, err := s.dialer.DialContext(ctx, address, nil)
	if answer != nil {
		_ = answer.Body.Close()
	}
	if err != nil {
		return nil, fmt.Errorf("connect to Slack: %w", err)
	}
	ws.SetReadLimit(MaxBody)
	_ = ws.SetReadDeadline(time.Now().Add(helloWithin))
	_, raw, err := ws.ReadMessage()
	if err == nil {
		err = greeting(raw)
	}
	if err != nil {
		_ = ws.Close()
		return nil, fmt.Errorf("wait for Slack's greeting: %w", err)
	}
	return newConnection(ws, s.inbox, s.log), nil
}

// greeting says why a first message is none.
func greeting(raw []byte) error {
	var m struct{ Type, Reason string }
	switch err := json.Unmarshal(raw, &m); {
	case err != nil:
		return errors.New("it is not JSON")
	case m.Type == "disconnect":
		return slack.SlackErrorResponse{Err: m.Reason}
	case m.Type != "hello":
		return fmt.Errorf("it is of the type %.50q", m.Type)
	}
	return nil
}
