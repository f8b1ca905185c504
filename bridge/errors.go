package bridge

import (
	"errors"
	"math/rand/v2"
	"time"
)

// Permanent marks an error that no retry can cure: a malformed request, a missing channel, an
// object that the API server calls invalid. Every other error is transient. Nil stays nil.
func Permanent(err error) error {
	if err == nil {
		return nil
	}
	return &permanentError{err}
}

// IsPermanent says whether err, or an error that it wraps, was marked by [Permanent].
func IsPermanent(err error) bool {
	var p *permanentError
	return errors.As(err, &p)
}

// RetryAfter marks a transient error whose cause named the time to wait, as Slack and GitHub do in
// the Retry-After header. Nil stays nil.
func RetryAfter(err error, wait time.Duration) error {
	if err == nil {
		return nil
	}
	return &retryAfterError{err, wait}
}

// ErrSpaced says that the bridge itself spaces what it writes somewhere, so that a notification has to wait its turn: nothing
// is wrong.
var ErrSpaced = errors.New("what is written there is spaced")

// Wait returns the time that [RetryAfter] put on err, and false when nobody named one.
func Wait(err error) (time.Duration, bool) {
	var r *retryAfterError
	if !errors.As(err, &r) {
		return 0, false
	}
	return r.wait, true
}

// Times between attempts, see Backoff.
const (
	MinBackoff = 250 * time.Millisecond
	MaxBackoff = time.Minute
)

// Backoff is the time to wait after the attempt of that number, from 1, when nobody has named one: it grows
// from MinBackoff to MaxBackoff by doubling, with jitter between half and all of it.
func Backoff(attempt int) time.Duration {
	wait := MaxBackoff
	if attempt < 10 {
		wait = min(MaxBackoff, MinBackoff<<(attempt-1))
	}
	return wait/2 + rand.N(wait/2)
}

// Refusal marks an error by which the other side says no for now: it may be starting up (an API server
// answers 403 and 404 before its caches are filled) or may lack a right for ever. It is transient
// until it persists; who retries decides when that is. Nil stays nil.
func Refusal(err error) error {
	if err == nil {
		return nil
	}
	return &refusalError{err}
}

// IsRefusal says whether err, or an error that it wraps, was marked by [Refusal].
func IsRefusal(err error) bool {
	var r *refusalError
	return errors.As(err, &r)
}

type refusalError struct{ err error }

func (e *refusalError) Error() string { return e.err.Error() }
func (e *refusalError) Unwrap() error { return e.err }

type permanentError struct{ err error }

func (e *permanentError) Error() string { return e.err.Error() }
func (e *permanentError) Unwrap() error { return e.err }

type retryAfterError struct {
	err  error
	wait time.Duration
}

func (e *retryAfterError) Error() string { return e.err.Error() }
func (e *retryAfterError) Unwrap() error { return e.err }
