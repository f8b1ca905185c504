package github

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/google/go-github/v60/github"
)

// unnamedLimit is how long to wait at least after a refusal for haste that names no time, and afterReset how long after
// the moment at which a budget is full again, since clocks differ:
// https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#exceeding-the-rate-limit
const (
	unnamedLimit = time.Minute
	afterReset   = 2 * time.Second
)

// Classify says of an error of go-github whether a retry can help, and what else to do. What is limited bears the time to
// wait ([bridge.RetryAfter]); failures of GitHub or of the network are to be tried again; what GitHub refuses is
// [bridge.Permanent], with the permission that the App lacks where GitHub names it. The error itself stays in the chain:
// GitHub's errors hold addresses and GitHub's words, and never a token.
func Classify(err error) error {
	var primary *github.RateLimitError
	var secondary *github.AbuseRateLimitError
	var refused *github.ErrorResponse
	if _, named := bridge.Wait(err); err == nil || named || bridge.IsPermanent(err) {
		return err
	}
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case errors.As(err, &primary):
		return bridge.RetryAfter(err, untilReset(primary.Rate.Reset.Time))
	case errors.As(err, &secondary):
		return bridge.RetryAfter(err, secondaryWait(secondary))
	case errors.As(err, &refused) && refused.Response != nil:
		return classifyResponse(err, refused)
	}
	return err
}

func classifyResponse(err error, e *github.ErrorResponse) error {
	status, header := e.Response.StatusCode, e.Response.Header
	if status == http.StatusTooManyRequests && header.Get("X-RateLimit-Remaining") == "0" {
		return bridge.RetryAfter(err, untilReset(resetOf(header)))
	}
	if wait, ok := retryAfter(header); ok && (status == http.StatusForbidden || status == http.StatusTooManyRequests || status >= 500) {
		return bridge.RetryAfter(err, wait)
	}
	switch {
	case status == http.StatusTooManyRequests:
		return bridge.RetryAfter(err, unnamedLimit)
	case status >= 500, status == http.StatusRequestTimeout, status == http.StatusConflict, status == http.StatusTooEarly:
		return err
	}
	if remedy := remedyFor(e); remedy != "" {
		err = fmt.Errorf("%w: %s", err, remedy)
	}
	return bridge.Permanent(err)
}

// remedyFor says what somebody can do about a refusal.
func remedyFor(e *github.ErrorResponse) string {
	path := ""
	if e.Response.Request != nil && e.Response.Request.URL != nil {
		path = e.Response.Request.URL.Path
	}
	token := strings.HasSuffix(path, "/access_tokens")
	switch status := e.Response.StatusCode; {
	case status == http.StatusUnauthorized:
		return "check github.app.id and its private key, and this machine's clock"
	case strings.Contains(e.Message, "not accessible by integration"):
		return lacking(e.Response.Header.Get("X-Accepted-GitHub-Permissions"))
	case strings.Contains(strings.ToLower(e.Message), "suspended"):
		return "the installation is suspended: its owner can unsuspend it in the settings under GitHub Apps"
	case status == http.StatusNotFound && token:
		return "the App is no longer installed there: install it again"
	case status == http.StatusUnprocessableEntity && token:
		return "the App's installation does not cover the repository: add it in the installation's settings"
	case status == http.StatusNotFound:
		return "it does not exist, or the App's installation does not cover the repository"
	case status == http.StatusUnavailableForLegalReasons:
		return "GitHub has blocked the repository"
	}
	return ""
}

// lacking names the permission; GitHub writes what it takes as contents=read,checks=write; alternatives are parted by ;.
func lacking(accepted string) string {
	if accepted == "" {
		return "the App lacks a permission: see argo-bridge github check"
	}
	return fmt.Sprintf("the App needs the permission %s: grant it in the App's settings, and let the installation's owner accept it",
		strings.ReplaceAll(accepted, ";", " or"))
}

func secondaryWait(e *github.AbuseRateLimitError) time.Duration {
	if e.Response != nil {
		if wait, ok := retryAfter(e.Response.Header); ok {
			return wait
		}
		if e.Response.Header.Get("X-RateLimit-Remaining") != "" {
			return unnamedLimit // go-github takes the time from X-RateLimit-Reset, which is that of another limit
		}
	}
	if e.RetryAfter != nil && *e.RetryAfter > 0 {
		return *e.RetryAfter
	}
	return unnamedLimit
}

// retryAfter reads the header, which GitHub writes in seconds.
func retryAfter(h http.Header) (time.Duration, bool) {
	seconds, err := strconv.Atoi(h.Get("Retry-After"))
	if err != nil || seconds < 0 {
		return 0, false
	}
	return time.Duration(seconds)*time.Second + time.Second, true
}

func resetOf(h http.Header) time.Time {
	seconds, err := strconv.ParseInt(h.Get("X-RateLimit-Reset"), 10, 64)
	if err != nil {
		return time.Time{}
	}
	return time.Unix(seconds, 0)
}

func untilReset(reset time.Time) time.Duration {
	if reset.IsZero() {
		return unnamedLimit
	}
	return max(0, time.Until(reset)) + afterReset
}
