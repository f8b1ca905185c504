package admin

import (
	"encoding/json"
	"net/http"
	"sync"
	"time"
)

// A stream writes lines to one client. The status 200 is written with the first of them, so that an
// error before that has a status of its own. It is safe for concurrent use.
type stream struct {
	mu      sync.Mutex
	w       http.ResponseWriter
	control *http.ResponseController
	timeout time.Duration
	begun   bool
	err     error // the first failure: the client is gone
}

// newStream makes a stream whose single lines have a time limit, in place of the server's for the whole
// answer, which may last for hours.
func newStream(w http.ResponseWriter, timeout time.Duration) *stream {
	return &stream{w: w, control: http.NewResponseController(w), timeout: timeout}
}

// line sends one line at once.
func (s *stream) line(l Line) error {
	data, err := json.Marshal(l)
	if err != nil {
		return err
	}
	return s.write(append(data, '\n'))
}

// heartbeat sends an empty line, which tells both sides that the other one is there.
func (s *stream) heartbeat() error { return s.write([]byte("\n")) }

func (s *stream) write(data []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return s.err
	}
	if !s.begun {
		s.begun = true
		s.w.Header().Set("Content-Type", "application/x-ndjson")
		s.w.Header().Set("Cache-Control", "no-store")
		s.w.Header().Set("X-Accel-Buffering", "no") // nginx would keep lines back
	}
	// A writer that knows no deadlines, as in a test, has none to move.
	_ = s.control.SetWriteDeadline(time.Now().Add(s.timeout))
	if _, s.err = s.w.Write(data); s.err == nil {
		s.err = s.control.Flush()
	}
	return s.err
}

// finish ends the stream with err, or as whole. Before the first line an error is an answer by itself.
func (s *stream) finish(err error) {
	s.mu.Lock()
	begun := s.begun
	s.mu.Unlock()
	switch {
	case err == nil:
		_ = s.line(Line{End: true})
	case begun:
		_ = s.line(Line{Fault: faultOf(err)})
	default:
		_ = s.control.SetWriteDeadline(time.Now().Add(s.timeout))
		writeFault(s.w, faultOf(err))
	}
}

// writeFault answers a request that has no other answer.
func writeFault(w http.ResponseWriter, f *Fault) {
	if f.Reason == ReasonUnauthenticated {
		w.Header().Set("WWW-Authenticate", `Bearer realm="argo-bridge"`)
	}
	writeJSON(w, f.Status(), f)
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	_ = e.Encode(v)
}
