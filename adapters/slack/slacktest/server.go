// Package slacktest is a Slack to test against: an HTTP server in the process that keeps the rules of
// Slack's Web API which a sender of messages meets. It knows channels and users, checks tokens and
// the limits of Block Kit, keeps each channel's history with its metadata, and fails on demand.
//
//	s := slacktest.NewServer("xoxb-test")
//	defer s.Close()
//	s.AddChannel("data-alerts")
//	n := slack.NewNotifier("xoxb-test", slack.NotifierOptions{APIURL: s.APIURL()})
package slacktest

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// A Message is one that chat.postMessage took.
type Message struct {
	Channel  string          `json:"-"` // the channel's id
	TS       string          `json:"ts"`
	ThreadTS string          `json:"thread_ts,omitempty"`
	Text     string          `json:"text"`
	Blocks   json.RawMessage `json:"blocks,omitempty"`
	Metadata Metadata        `json:"metadata"`
}

// Metadata is what a sender hides in a message.
type Metadata struct {
	EventType string         `json:"event_type"`
	Payload   map[string]any `json:"event_payload"`
}

// A Channel is a place for messages.
type Channel struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Archived bool   `json:"is_archived"`
	Member   bool   `json:"is_member"` // the app is in it
}

// A Fault is how one call is to fail.
type Fault struct {
	// Status is the HTTP status; 0 means 200 with ok:false.
	Status int
	// Error is the word in ok:false.
	Error string
	// RetryAfter is the header, in seconds, where Status is 429.
	RetryAfter int
	// Body replaces the JSON, such as by a proxy's page.
	Body string
	// Lost: the call is carried out, and the connection breaks before the answer.
	Lost bool
}

// A Server is a Slack workspace. All methods may be called at any time.
type Server struct {
	// PageSize bounds what one call lists, below the limit that it asks for. Default: 1000.
	PageSize int

	token     string
	http      *httptest.Server
	mu        sync.Mutex
	channels  []*Channel
	users     map[string]string // name → id
	messages  []Message
	responses []Response
	faults    map[string][]Fault
	calls     map[string]int
	clock     int64
	posted    chan struct{} // closed and replaced at each message
}

// A Response is what was posted to a response_url.
type Response struct {
	Path string // of the address
	Type string `json:"response_type"`
	Text string `json:"text"`
}

// NewServer starts a workspace on a free port of this machine. Its API takes the one token.
func NewServer(token string) *Server { return start(token, nil) }

// NewServerAt starts a workspace at an address such as 127.0.0.1:8090.
func NewServerAt(token, address string) (*Server, error) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listen for the Slack stand-in: %w", err)
	}
	return start(token, l), nil
}

func start(token string, l net.Listener) *Server {
	s := &Server{
		PageSize: 1000, token: token, users: map[string]string{}, faults: map[string][]Fault{}, calls: map[string]int{},
		clock: time.Now().Unix(), posted: make(chan struct{}),
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/{method}", s.call)
	mux.HandleFunc("POST /response/{rest...}", s.respond)
	s.http = httptest.NewUnstartedServer(mux)
	if l != nil {
		_ = s.http.Listener.Close()
		s.http.Listener = l
	}
	s.http.Start()
	return s
}

// Close stops the server.
func (s *Server) Close() { s.http.Close() }

// APIURL is the root of the Web API.
func (s *Server) APIURL() string { return s.http.URL + "/api/" }

// ResponseURL is an address that takes a command's second answer.
func (s *Server) ResponseURL(path string) string { return s.http.URL + "/response/" + path }

// AddChannel makes a channel that the app is in.
func (s *Server) AddChannel(name string) *Channel {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := &Channel{ID: fmt.Sprintf("C%09d", len(s.channels)+1), Name: name, Member: true}
	s.channels = append(s.channels, c)
	return c
}

// Change alters a channel under the server's lock.
func (s *Server) Change(c *Channel, change func(*Channel)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(c)
}

// AddUser makes a user and returns the id.
func (s *Server) AddUser(name string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := fmt.Sprintf("U%09d", len(s.users)+1)
	s.users[name] = id
	return id
}

// Fail makes the next calls of a method, such as chat.postMessage, fail one after the other.
func (s *Server) Fail(method string, faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults[method] = append(s.faults[method], faults...)
}

// Messages returns what was posted, oldest first.
func (s *Server) Messages() []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.messages)
}

// Wait returns once n messages were posted, or false when the time is over.
func (s *Server) Wait(n int, timeout time.Duration) bool {
	end := time.NewTimer(timeout)
	defer end.Stop()
	for {
		s.mu.Lock()
		have, posted := len(s.messages), s.posted
		s.mu.Unlock()
		if have >= n {
			return true
		}
		select {
		case <-posted:
		case <-end.C:
			return false
		}
	}
}

// Responses returns what was posted to response_urls.
func (s *Server) Responses() []Response {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.responses)
}

// Calls counts the calls of a method.
func (s *Server) Calls(method string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls[method]
}

func (s *Server) respond(w http.ResponseWriter, r *http.Request) {
	resp := Response{Path: r.PathValue("rest")}
	if err := json.NewDecoder(r.Body).Decode(&resp); err != nil {
		http.Error(w, "no JSON", http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	s.responses = append(s.responses, resp)
	s.mu.Unlock()
	_, _ = w.Write([]byte("ok"))
}

func (s *Server) call(w http.ResponseWriter, r *http.Request) {
	method := r.PathValue("method")
	_ = r.ParseForm()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls[method]++
	var fault Fault
	if f := s.faults[method]; len(f) > 0 {
		fault, s.faults[method] = f[0], f[1:]
	}
	switch {
	case fault.Lost:
		s.carryOut(method, r)
		panic(http.ErrAbortHandler)
	case fault.Body != "":
		w.WriteHeader(max(fault.Status, http.StatusOK))
		_, _ = w.Write([]byte(fault.Body))
		return
	case fault.Status != 0:
		if fault.RetryAfter > 0 {
			w.Header().Set("Retry-After", strconv.Itoa(fault.RetryAfter))
		}
		w.WriteHeader(fault.Status)
		return
	}
	answer := map[string]any{"ok": false, "error": fault.Error}
	if fault.Error == "" {
		answer = s.carryOut(method, r)
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(answer)
}

func refused(word string, details ...string) map[string]any {
	return map[string]any{"ok": false, "error": word, "response_metadata": map[string]any{"messages": details}}
}

func (s *Server) carryOut(method string, r *http.Request) map[string]any {
	if r.Form.Get("token") != s.token && r.Header.Get("Authorization") != "Bearer "+s.token {
		return refused("invalid_auth")
	}
	switch method {
	case "auth.test":
		return map[string]any{"ok": true, "team_id": "T000000001", "user_id": "U000000000", "bot_id": "B000000001"}
	case "chat.postMessage":
		return s.post(r.Form)
	case "conversations.history":
		return s.history(r.Form, "")
	case "conversations.replies":
		return s.history(r.Form, r.Form.Get("ts"))
	case "conversations.list":
		all := slices.DeleteFunc(slices.Clone(s.channels), func(c *Channel) bool {
			return r.Form.Get("exclude_archived") == "true" && c.Archived || strings.HasPrefix(c.ID, "D")
		})
		list, next := page(all, r.Form, s.PageSize)
		return map[string]any{"ok": true, "channels": list, "response_metadata": map[string]any{"next_cursor": next}}
	case "conversations.open":
		return s.open(r.Form.Get("users"))
	case "users.list":
		var all []map[string]any
		for name, id := range s.users {
			all = append(all, map[string]any{"id": id, "name": name, "profile": map[string]any{"display_name": name}})
		}
		slices.SortFunc(all, func(a, b map[string]any) int { return strings.Compare(a["id"].(string), b["id"].(string)) })
		list, next := page(all, r.Form, s.PageSize)
		return map[string]any{"ok": true, "members": list, "response_metadata": map[string]any{"next_cursor": next}}
	}
	return refused("unknown_method")
}

// open finds or makes the conversation with a user.
func (s *Server) open(user string) map[string]any {
	for name, id := range s.users {
		if id != user {
			continue
		}
		dm := "D" + id[1:]
		if s.find(dm) == nil {
			s.channels = append(s.channels, &Channel{ID: dm, Name: name, Member: true})
		}
		return map[string]any{"ok": true, "channel": map[string]any{"id": dm}}
	}
	return refused("user_not_found")
}

func (s *Server) find(channel string) *Channel {
	for _, c := range s.channels {
		if c.ID == channel || "#"+c.Name == channel {
			return c
		}
	}
	return nil
}

func (s *Server) post(form url.Values) map[string]any {
	c := s.find(form.Get("channel"))
	if u := form.Get("channel"); c == nil && strings.HasPrefix(u, "U") && s.open(u)["ok"] == true {
		c = s.find("D" + u[1:])
	}
	switch {
	case c == nil:
		return refused("channel_not_found")
	case !c.Member:
		return refused("not_in_channel")
	case c.Archived:
		return refused("is_archived")
	}
	m := Message{Channel: c.ID, ThreadTS: form.Get("thread_ts"), Text: form.Get("text")}
	if b := form.Get("blocks"); b != "" {
		m.Blocks = json.RawMessage(b)
	}
	if md := form.Get("metadata"); md != "" && json.Unmarshal([]byte(md), &m.Metadata) != nil {
		return refused("invalid_metadata_format")
	}
	if len([]rune(m.Text)) > 40000 {
		return refused("msg_too_long")
	}
	if m.Text == "" && m.Blocks == nil {
		return refused("no_text")
	}
	if word, detail := CheckBlocks(m.Blocks); word != "" {
		return refused(word, detail)
	}
	s.clock = max(s.clock+1, time.Now().Unix()) // real time, as those who search by time expect
	m.TS = fmt.Sprintf("%d.%06d", s.clock, len(s.messages))
	s.messages = append(s.messages, m)
	close(s.posted)
	s.posted = make(chan struct{})
	return map[string]any{"ok": true, "channel": c.ID, "ts": m.TS, "message": m}
}

// history lists newest first; in a thread, oldest first, and the messages of threads only there.
func (s *Server) history(form url.Values, thread string) map[string]any {
	c := s.find(form.Get("channel"))
	if c == nil || form.Get("channel")[0] == '#' { // reading takes no names
		return refused("channel_not_found")
	}
	var all []Message
	for _, m := range s.messages {
		if m.Channel != c.ID || m.TS <= form.Get("oldest") || m.ThreadTS != thread && m.TS != thread {
			continue
		}
		if form.Get("include_all_metadata") != "1" {
			m.Metadata = Metadata{}
		}
		all = append(all, m)
	}
	if thread == "" {
		slices.Reverse(all)
	}
	list, next := page(all, form, s.PageSize)
	return map[string]any{
		"ok": true, "messages": list, "has_more": next != "", "response_metadata": map[string]any{"next_cursor": next},
	}
}

// page cuts out what a call with limit and cursor gets; a cursor is an offset.
func page[T any](all []T, form url.Values, most int) ([]T, string) {
	limit, _ := strconv.Atoi(form.Get("limit"))
	if limit <= 0 || limit > most {
		limit = most
	}
	from, _ := strconv.Atoi(form.Get("cursor"))
	from = min(max(from, 0), len(all))
	to := min(from+limit, len(all))
	if to == len(all) {
		return all[from:to], ""
	}
	return all[from:to], strconv.Itoa(to)
}
