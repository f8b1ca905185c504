package githubtest

import (
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// hourly is what an installation may ask within an hour at least:
// https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#primary-rate-limit-for-github-app-installations
const hourly = 5000

// A budget is what an installation, or the App itself as number 0, may still ask until reset.
type budget struct {
	remaining int
	reset     time.Time
}

// SetRemaining says how much an installation may still ask, and for how long it is to make do with that.
func (s *Server) SetRemaining(installation int64, remaining int, until time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.budgets[installation] = &budget{remaining, s.now().Add(until)}
}

// spend counts a request, and refuses it where nothing is left.
func (s *Server) spend(w http.ResponseWriter, id identity) (status int, message string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.budgets[id.Installation]
	if now := s.now(); b == nil || !now.Before(b.reset) {
		b = &budget{hourly, now.Add(time.Hour)}
		s.budgets[id.Installation] = b
	}
	if b.remaining == 0 {
		budgetHeaders(w.Header(), hourly, 0, b.reset)
		return http.StatusForbidden, fmt.Sprintf("API rate limit exceeded for installation ID %d.", id.Installation)
	}
	b.remaining--
	budgetHeaders(w.Header(), hourly, b.remaining, b.reset)
	return 0, ""
}

func budgetHeaders(h http.Header, limit, remaining int, reset time.Time) {
	h.Set("X-RateLimit-Limit", strconv.Itoa(limit))
	h.Set("X-RateLimit-Remaining", strconv.Itoa(remaining))
	h.Set("X-RateLimit-Used", strconv.Itoa(limit-remaining))
	h.Set("X-RateLimit-Reset", strconv.FormatInt(reset.Unix(), 10))
	h.Set("X-RateLimit-Resource", "core")
}
