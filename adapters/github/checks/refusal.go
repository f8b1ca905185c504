package checks

import (
	"errors"
	"net/http"
	"strings"

	"github.com/google/go-github/v60/github"

	adapter "github.com/argo-bridge/argo-bridge/adapters/github"
	"github.com/argo-bridge/argo-bridge/bridge"
)

// isRefusal says whether GitHub, or the bridge itself, has refused a request, so that it has had no effect.
func isRefusal(err error) bool {
	if status(err) >= http.StatusInternalServerError {
		return false
	}
	err = adapter.Classify(err)
	_, named := bridge.Wait(err)
	return named || bridge.IsPermanent(err)
}

// isForbidden says whether the App lacks the permission that a request needs.
func isForbidden(err error) bool {
	var e *github.ErrorResponse
	return status(err) == http.StatusForbidden && errors.As(err, &e) &&
		strings.Contains(strings.ToLower(e.Message), "not accessible by integration")
}

// isGone says whether what a request is about is not there.
func isGone(err error) bool {
	return status(err) == http.StatusNotFound || status(err) == http.StatusGone
}

// status is that of the answer by which GitHub has refused a request; 0 for none.
func status(err error) int {
	var e *github.ErrorResponse
	if !errors.As(err, &e) || e.Response == nil {
		return 0
	}
	return e.Response.StatusCode
}
