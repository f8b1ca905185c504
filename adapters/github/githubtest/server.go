package githubtest

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// Options are what a Server can be told at its start.
type Options struct {
	// AppID is the App's id, 1 if 0. Slug is its name in addresses, "argo-bridge" if empty: its bot is SLUG[bot].
	AppID int64
	Slug  string
	// Now is the clock by which installation tokens and rate limits run; time.Now if nil. A JWT's times are held against
	// the machine's clock, by which ghinstallation signs it.
	Now func() time.Time
	// Address is where to listen, such as 127.0.0.1:8091; a free port of the loopback if empty.
	Address string
}

// A Server is a GitHub with one App. All methods may be called at any time, from any goroutine.
type Server struct {
	// URL is the root of the API as on api.github.com, without a slash at its end; the API of GitHub Enterprise Server is
	// under the same address and /api/v3.
	URL string

	options Options
	http    *httptest.Server
	mux     *http.ServeMux

	mu            sync.Mutex // over all that follows, and the parts' own state
	installations map[int64]*Installation
	tokens        map[string]*token
	budgets       map[int64]*budget
	faults        []*planned
	requests      []Request
	serial        int64

	repositories map[string]*repository
	teams        map[string]string   // organization/team/login → state
	reports      map[string]*reports // by owner/name in lower case
	app          application
}

// A Request is one that the Server got.
type Request struct {
	Method string
	// Path is that of the API, without /api/v3, and Enterprise says whether it was there. Query is what followed it.
	Path       string
	Enterprise bool
	Query      url.Values
	Header     http.Header
	Body       []byte
	// Status is that of the answer, even of one that was lost.
	Status int
}

// Line is METHOD /path.
func (r Request) Line() string { return r.Method + " " + r.Path }

// New starts a Server for as long as the test runs.
func New(t testing.TB, o Options) *Server {
	t.Helper()
	s, err := Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// Start starts a Server until Close; for a demonstration, which has no test around it.
func Start(o Options) (*Server, error) {
	if o.AppID == 0 {
		o.AppID = 1
	}
	if o.Slug == "" {
		o.Slug = "argo-bridge"
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Address == "" {
		o.Address = "127.0.0.1:0"
	}
	listener, err := net.Listen("tcp", o.Address)
	if err != nil {
		return nil, err
	}
	s := &Server{
		options: o, mux: http.NewServeMux(),
		installations: map[int64]*Installation{}, tokens: map[string]*token{}, budgets: map[int64]*budget{},
		repositories: map[string]*repository{}, teams: map[string]string{},
	}
	s.routes()
	s.http = httptest.NewUnstartedServer(http.HandlerFunc(s.serve))
	_ = s.http.Listener.Close()
	s.http.Listener = listener
	s.http.Start()
	s.URL = s.http.URL
	return s, nil
}

// routes registers what the parts of the API answer.
func (s *Server) routes() {
	s.handle("/", anybody, s.unknown)
	s.routeTokens()
	s.routeRepositories()
	s.routeReports()
	s.routeApp()
}

// Close stops the server, when no delivery is under way.
func (s *Server) Close() {
	s.WaitForDeliveries()
	s.http.Close()
}

// AppID is the App's id, and Slug its name in addresses.
func (s *Server) AppID() int64 { return s.options.AppID }

// Slug is the App's name in addresses.
func (s *Server) Slug() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.options.Slug
}

// now is the Server's clock.
func (s *Server) now() time.Time { return s.options.Now() }

// nextID is a number that nothing else has. The caller holds mu.
func (s *Server) nextID() int64 {
	s.serial++
	return 1000 + s.serial
}

// serve records a request, fails it if that is planned, and passes it on to its route.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // its sender is gone
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	path, enterprise := strings.CutPrefix(r.URL.Path, "/api/v3/")
	if enterprise {
		path = "/" + path
		r.URL.Path, r.URL.RawPath = path, strings.TrimPrefix(r.URL.RawPath, "/api/v3")
	}
	got := Request{Method: r.Method, Path: path, Enterprise: enterprise, Query: r.URL.Query(), Header: r.Header.Clone(), Body: body}
	answer := httptest.NewRecorder()
	fault := s.fault(got.Line())
	if fault == nil || fault.Lost {
		s.mux.ServeHTTP(answer, r)
	} else {
		fault.write(answer, s.now())
	}
	got.Status = answer.Code
	s.record(got)
	if fault != nil && fault.Lost {
		panic(http.ErrAbortHandler)
	}
	for name, values := range answer.Header() {
		w.Header()[name] = values
	}
	w.WriteHeader(answer.Code)
	_, _ = w.Write(answer.Body.Bytes())
}

func (s *Server) record(r Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, r)
}

// Requests are all requests so far, in the order of their answers.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

// Count is how many requests' METHOD /path began with the prefix.
func (s *Server) Count(prefix string) int {
	n := 0
	for _, r := range s.Requests() {
		if strings.HasPrefix(r.Line(), prefix) {
			n++
		}
	}
	return n
}
