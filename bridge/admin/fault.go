package admin

import (
	"errors"
	"net/http"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// Reasons of faults, for programs.
const (
	ReasonMalformed       = "malformed"       // the request cannot hold: 400
	ReasonUnauthenticated = "unauthenticated" // no token, or one that nobody knows: 401
	ReasonForbidden       = "forbidden"       // a user without that right: 403
	ReasonUnknownEvent    = "unknown-event"   // 404
	ReasonNoRoute         = "no-route"        // the path, or the method on it, does not exist: 404, 405
	ReasonOff             = "off"             // nobody is let in, since the configuration names nobody: 404
	ReasonTooLarge        = "too-large"       // the body: 413
	ReasonUnavailable     = "unavailable"     // the bus or the API server does not answer: 503
)

var statuses = map[string]int{
	ReasonMalformed: http.StatusBadRequest, ReasonUnauthenticated: http.StatusUnauthorized, ReasonForbidden: http.StatusForbidden,
	ReasonUnknownEvent: http.StatusNotFound, ReasonNoRoute: http.StatusNotFound, ReasonOff: http.StatusNotFound,
	ReasonTooLarge: http.StatusRequestEntityTooLarge, ReasonUnavailable: http.StatusServiceUnavailable,
}

// A Fault is an error as the API answers it.
type Fault struct {
	Reason string `json:"reason"`
	Text   string `json:"error"`
	// Hint says what to do. Optional.
	Hint string `json:"hint,omitempty"`
	// Why is for the bridge's own log: more than an outsider may know.
	Why error `json:"-"`
}

// Error is the text with the hint.
func (f *Fault) Error() string {
	if f.Hint == "" {
		return f.Text
	}
	return f.Text + " (" + f.Hint + ")"
}

// Unwrap lets the client's caller ask for bridge.ErrUnknownEvent, and whether repeating the request
// can help.
func (f *Fault) Unwrap() error {
	switch f.Reason {
	case ReasonUnavailable:
		return nil
	case ReasonUnknownEvent:
		return bridge.Permanent(bridge.ErrUnknownEvent)
	}
	return bridge.Permanent(errors.New(f.Text))
}

// Status is the HTTP status of the fault.
func (f *Fault) Status() int {
	if s := statuses[f.Reason]; s != 0 {
		return s
	}
	return http.StatusInternalServerError
}

// faultOf makes a fault of what History, Replayer or Authenticator returned.
func faultOf(err error) *Fault {
	var f *Fault
	switch {
	case errors.As(err, &f):
		return f
	case errors.Is(err, bridge.ErrUnknownEvent):
		return &Fault{Reason: ReasonUnknownEvent, Text: err.Error()}
	case bridge.IsPermanent(err):
		return &Fault{Reason: ReasonMalformed, Text: err.Error()}
	}
	return &Fault{Reason: ReasonUnavailable, Text: err.Error(), Hint: "the bridge cannot answer now; ask again"}
}
