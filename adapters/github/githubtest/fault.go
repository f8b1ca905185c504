package githubtest

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// A Fault is how requests are to fail.
type Fault struct {
	// Status is the answer's; the request has no effect. A 401, 403, 404, 422, 429 or 5xx.
	Status  int
	Message string
	// Primary: the answer is that of a budget which is used up until then.
	// https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#exceeding-the-rate-limit
	Primary time.Duration
	// Secondary: the answer is that of a secondary limit. RetryAfter is its header in seconds; 0: without.
	Secondary  bool
	RetryAfter int
	// Lost: the request has its effect, and the connection breaks before the answer.
	Lost bool
	// Times is how often; 1 if 0.
	Times int
}

type planned struct {
	prefix string
	Fault
}

// Fail plans faults for the next requests whose METHOD /path begins with the prefix, one after the other.
func (s *Server) Fail(prefix string, faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range faults {
		f.Times = max(1, f.Times)
		s.faults = append(s.faults, &planned{prefix, f})
	}
}

// fault takes the first planned one that fits.
func (s *Server) fault(line string) *Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.faults {
		if p.Times > 0 && strings.HasPrefix(line, p.prefix) {
			p.Times--
			return &p.Fault
		}
	}
	return nil
}

func (f *Fault) write(w http.ResponseWriter, now time.Time) {
	header := w.Header()
	if f.RetryAfter > 0 {
		header.Set("Retry-After", strconv.Itoa(f.RetryAfter))
	}
	status, message := f.Status, f.Message
	switch {
	case f.Primary > 0:
		status = max(status, http.StatusForbidden)
		budgetHeaders(header, 5000, 0, now.Add(f.Primary))
		fail(w, status, "API rate limit exceeded for installation.")
	case f.Secondary:
		status = max(status, http.StatusForbidden)
		reply(w, status, map[string]string{
			"message":           "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.",
			"documentation_url": "https://docs.github.com/rest/overview/rate-limits-for-the-rest-api#about-secondary-rate-limits",
		})
	case status >= http.StatusInternalServerError:
		// GitHub's proxies answer with a page.
		header.Set("Content-Type", "text/html")
		w.WriteHeader(status)
		_, _ = w.Write([]byte("<html><body><h1>" + http.StatusText(status) + "</h1></body></html>"))
	default:
		if message == "" {
			message = http.StatusText(status)
		}
		fail(w, status, message)
	}
}
