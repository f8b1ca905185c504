package slacktest

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

// Rules of Socket Mode: https://docs.slack.dev/apis/events-api/using-socket-mode
const (
	maxSockets  = 10
	ticketLife  = 30 * time.Second
	pingEvery   = 5 * time.Second
	maxResponse = 20 << 10 // a longer one is dropped: https://github.com/slack-go/slack/blob/master/socketmode/socketmode.go
)

// sockets are the app's connections.
type sockets struct {
	mu      sync.Mutex
	closed  bool
	serial  int
	turn    int
	tickets map[string]time.Time
	open    []*conn
	serving sync.WaitGroup
}

// A conn is one connection; its writes are one after the other.
type conn struct {
	ws      *websocket.Conn
	writing sync.Mutex
	mu      sync.Mutex
	acks    map[string]chan json.RawMessage // by envelope_id
	gone    chan struct{}
	leaving bool // has been told to go
}

// openConnection is https://docs.slack.dev/reference/methods/apps.connections.open
func (c *call) openConnection() object {
	return object{"ok": true, "url": "ws" + strings.TrimPrefix(c.http.URL, "http") + "/socket/" + c.socket.ticket(c.next("ticket"), c.now())}
}

func (k *sockets) ticket(id string, at time.Time) string {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.tickets == nil {
		k.tickets = map[string]time.Time{}
	}
	k.tickets[id] = at
	return id
}

// connect opens one connection for a ticket, which is good once.
func (s *Server) connect(w http.ResponseWriter, r *http.Request) {
	k := &s.socket
	k.mu.Lock()
	at, ok := k.tickets[r.PathValue("ticket")]
	delete(k.tickets, r.PathValue("ticket"))
	k.mu.Unlock()
	if !ok || s.now().Sub(at) > ticketLife {
		http.Error(w, "no such ticket", http.StatusNotFound)
		return
	}
	ws, err := (&websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }}).Upgrade(w, r, nil)
	if err != nil {
		return
	}
	c := &conn{ws: ws, acks: map[string]chan json.RawMessage{}, gone: make(chan struct{})}
	n, ok := k.add(c)
	if !ok {
		c.write(object{"type": "disconnect", "reason": "too_many_websockets", "debug_info": object{}})
		_ = ws.Close()
		return
	}
	c.write(object{
		"type": "hello", "num_connections": n, "connection_info": object{"app_id": AppID},
		"debug_info": object{"host": "slacktest", "build_number": 1, "approximate_connection_time": 18060},
	})
	s.woken()
	k.serving.Go(c.ping)
	c.read()
	k.remove(c)
	s.woken()
	k.serving.Done()
}

// woken tells those who wait in Until.
func (s *Server) woken() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.change()
}

// add counts a connection in; whoever ends it tells serving.
func (k *sockets) add(c *conn) (n int, ok bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.closed || len(k.open) >= maxSockets {
		return len(k.open), false
	}
	k.serving.Add(1)
	k.open = append(k.open, c)
	return len(k.open), true
}

func (k *sockets) remove(c *conn) {
	_ = c.ws.Close()
	k.mu.Lock()
	defer k.mu.Unlock()
	k.open = slices.DeleteFunc(k.open, func(o *conn) bool { return o == c })
	close(c.gone)
}

func (k *sockets) close() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.closed = true
	for _, c := range k.open {
		_ = c.ws.Close()
	}
}

// Sockets is how many connections the app has.
func (s *Server) Sockets() int {
	s.socket.mu.Lock()
	defer s.socket.mu.Unlock()
	return len(s.socket.open)
}

// Disconnect tells all connections to go: with the reason warning they stay open for the app to close, with any other, such as
// refresh_requested or link_disabled, Slack closes them.
func (s *Server) Disconnect(reason string) {
	s.socket.mu.Lock()
	open := slices.Clone(s.socket.open)
	s.socket.mu.Unlock()
	for _, c := range open {
		c.mu.Lock()
		c.leaving = true
		c.mu.Unlock()
		c.write(object{"type": "disconnect", "reason": reason, "debug_info": object{"host": "slacktest"}})
		if reason != "warning" {
			_ = c.ws.Close()
		}
	}
}

// Cut breaks all connections without a word.
func (s *Server) Cut() { s.each(func(c *conn) { _ = c.ws.NetConn().Close() }) }

// Garble sends all connections a message as it is, whatever it is.
func (s *Server) Garble(message []byte) {
	s.each(func(c *conn) {
		c.writing.Lock()
		defer c.writing.Unlock()
		_ = c.ws.WriteMessage(websocket.TextMessage, message)
	})
}

func (s *Server) each(do func(*conn)) {
	s.socket.mu.Lock()
	open := slices.Clone(s.socket.open)
	s.socket.mu.Unlock()
	for _, c := range open {
		do(c)
	}
}
