package slacktest

import (
	"net/http"
	"strconv"
)

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

// Fail makes the next calls of a method, such as chat.postMessage, fail one after the other.
func (s *Server) Fail(method string, faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults[method] = append(s.faults[method], faults...)
}

// Calls counts the calls of a method.
func (s *Server) Calls(method string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls[method]
}

// fault takes the next fault of a method; the lock is held.
func (s *Server) fault(method string) (f Fault) {
	if all := s.faults[method]; len(all) > 0 {
		f, s.faults[method] = all[0], all[1:]
	}
	return f
}

// show answers with the fault, or says that it is none that replaces the answer.
func (f Fault) show(w http.ResponseWriter) bool {
	switch {
	case f.Body != "":
		w.WriteHeader(max(f.Status, http.StatusOK))
		_, _ = w.Write([]byte(f.Body))
	case f.Status != 0:
		if f.RetryAfter > 0 {
			w.Header().Set("Retry-After", strconv.Itoa(f.RetryAfter))
		}
		w.WriteHeader(f.Status)
	default:
		return false
	}
	return true
}
