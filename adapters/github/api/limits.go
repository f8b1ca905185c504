package api

import (
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// An Observer is told what GitHub lets the bridge do. Safe for concurrent use.
type Observer interface {
	// RateLimit is how many requests an installation has left of its limit until reset; installation 0 is the App itself.
	RateLimit(installation int64, remaining, limit int, reset time.Time)
	// BeyondLimits counts a change of more files than GitHub tells.
	BeyondLimits()
}

// nobody observes nothing.
type nobody struct{}

func (nobody) RateLimit(int64, int, int, time.Time) {}
func (nobody) BeyondLimits()                        {}

// limits know until when installations may ask nothing. An installation's clients share its limit:
// https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
type limits struct {
	now      func() time.Time
	observer Observer

	mu     sync.Mutex
	closed map[int64]time.Time
}

// check fails while the installation may ask nothing.
func (l *limits) check(installation int64) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	until, ok := l.closed[installation]
	if !ok {
		return nil
	}
	wait := until.Sub(l.now())
	if wait <= 0 {
		delete(l.closed, installation)
		return nil
	}
	return bridge.RetryAfter(fmt.Errorf("%s has used up its rate limit until %s", nameOf(installation), until.UTC().Format(time.RFC3339)), wait)
}

func nameOf(installation int64) string {
	if installation == 0 {
		return "the GitHub App"
	}
	return fmt.Sprintf("the App's installation %d", installation)
}

// learn reads what an answer says of the limit. Other resources than core, such as search, have budgets of their own.
func (l *limits) learn(installation int64, r *http.Response) {
	remaining, err := strconv.Atoi(r.Header.Get("X-RateLimit-Remaining"))
	seconds, err2 := strconv.ParseInt(r.Header.Get("X-RateLimit-Reset"), 10, 64)
	if resource := r.Header.Get("X-RateLimit-Resource"); err == nil && err2 == nil && (resource == "" || resource == "core") {
		limit, _ := strconv.Atoi(r.Header.Get("X-RateLimit-Limit"))
		reset := time.Unix(seconds, 0)
		l.observer.RateLimit(installation, remaining, limit, reset)
		if remaining == 0 {
			l.close(installation, reset)
		}
	}
	if r.StatusCode != http.StatusForbidden && r.StatusCode != http.StatusTooManyRequests {
		return
	}
	if wait, err := strconv.Atoi(r.Header.Get("Retry-After")); err == nil && wait > 0 {
		l.close(installation, l.now().Add(time.Duration(wait)*time.Second))
	}
}

func (l *limits) close(installation int64, until time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if until.After(l.closed[installation]) {
		l.closed[installation] = until
	}
}

func (l *limits) forget(installation int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.closed, installation)
}
