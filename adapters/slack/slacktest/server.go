package slacktest

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"time"
)

// Ids of the one app that a Server knows.
const (
	AppID  = "A000000001"
	TeamID = "T000000001" // of the first workspace, unless Options name another
)

// Options are what a Server can do without.
type Options struct {
	// Token is the bot token of the first workspace, AppToken the app-level token for Socket Mode, ConfigToken the one that
	// may validate manifests.
	Token, AppToken, ConfigToken string
	// Team is the id of the first workspace. Default: TeamID.
	Team string
	// SigningSecret signs what is sent over HTTP.
	SigningSecret string
	// Address is where to listen, such as 127.0.0.1:8090. Default: a free port of this machine.
	Address string
	// Now is the time. Default: time.Now.
	Now func() time.Time
}

// A Server is Slack, with one app in some workspaces. All methods may be called at any time.
type Server struct {
	// PageSize bounds what one call lists, below the limit that it asks for. Default: 1000.
	PageSize int

	options Options
	http    *httptest.Server
	now     func() time.Time
	client  *http.Client
	socket  sockets

	mu         sync.Mutex
	teams      []*Team
	messages   []*Message
	ephemerals []Ephemeral
	views      []*View
	responses  []Response
	urls       map[string]*responseURL
	triggers   map[string]*trigger
	faults     map[string][]Fault
	calls      map[string]int
	limits     limits
	lates      []late
	waits      time.Duration // for an answer
	base       string        // of the app, for what is sent over HTTP
	serial     int
	last       int64         // microseconds of the last timestamp
	changed    chan struct{} // closed and replaced at each change
}

// New starts a Slack.
func New(o Options) (*Server, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Team == "" {
		o.Team = TeamID
	}
	s := &Server{
		PageSize: 1000, options: o, now: o.Now, urls: map[string]*responseURL{}, triggers: map[string]*trigger{},
		faults: map[string][]Fault{}, calls: map[string]int{}, limits: newLimits(), changed: make(chan struct{}),
		client: &http.Client{}, waits: patience,
	}
	s.teams = []*Team{newTeam(s, o.Team, o.Token)}
	mux := http.NewServeMux()
	mux.HandleFunc("/api/{method}", s.call)
	mux.HandleFunc("POST /response/{rest...}", s.respond)
	mux.HandleFunc("GET /socket/{ticket}", s.connect)
	s.http = httptest.NewUnstartedServer(mux)
	if o.Address != "" {
		l, err := net.Listen("tcp", o.Address)
		if err != nil {
			return nil, fmt.Errorf("listen for the Slack stand-in: %w", err)
		}
		_ = s.http.Listener.Close()
		s.http.Listener = l
	}
	s.http.Start()
	return s, nil
}

// NewServer starts a Slack on a free port of this machine, whose first workspace takes the token. It panics when there is
// no port, as httptest does.
func NewServer(token string) *Server {
	s, err := New(Options{Token: token})
	if err != nil {
		panic(err)
	}
	return s
}

// NewServerAt starts a Slack at an address such as 127.0.0.1:8090.
func NewServerAt(token, address string) (*Server, error) {
	return New(Options{Token: token, Address: address})
}

// Close ends what is being sent and stops the server.
func (s *Server) Close() {
	s.socket.close()
	s.http.Close()
	s.socket.serving.Wait()
	s.client.CloseIdleConnections()
}

// APIURL is the root of the Web API.
func (s *Server) APIURL() string { return s.http.URL + "/api/" }

// Transport carries calls of the Web API here without a network, as tests in a bubble of synctest need it.
func (s *Server) Transport() http.RoundTripper { return direct{s.http.Config.Handler} }

type direct struct{ to http.Handler }

// RoundTrip implements http.RoundTripper.
func (d direct) RoundTrip(r *http.Request) (answer *http.Response, err error) {
	defer func() {
		if broken := recover(); broken != nil {
			if broken != http.ErrAbortHandler { //nolint:errorlint // as net/http compares it
				panic(broken)
			}
			answer, err = nil, io.ErrUnexpectedEOF
		}
	}()
	w := httptest.NewRecorder()
	d.to.ServeHTTP(w, r)
	return w.Result(), nil
}

// Wait returns once n messages were posted, or false when the time is over.
func (s *Server) Wait(n int, timeout time.Duration) bool {
	return s.Until(timeout, func() bool { return len(s.Messages()) >= n })
}

// Until returns once the condition holds, or false when the time is over. It is looked at anew after each change.
func (s *Server) Until(timeout time.Duration, holds func() bool) bool {
	end := time.NewTimer(timeout)
	defer end.Stop()
	for {
		s.mu.Lock()
		changed := s.changed
		s.mu.Unlock()
		if holds() {
			return true
		}
		select {
		case <-changed:
		case <-end.C:
			return holds()
		}
	}
}

// change wakes those who wait; the lock is held.
func (s *Server) change() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// next makes an id; the lock is held.
func (s *Server) next(prefix string) string {
	s.serial++
	return fmt.Sprintf("%s%09d", prefix, s.serial)
}

// stamp makes a timestamp that no other message has; the lock is held.
func (s *Server) stamp() string {
	s.last = max(s.last+1, s.now().UnixMicro())
	return fmt.Sprintf("%d.%06d", s.last/1e6, s.last%1e6)
}
