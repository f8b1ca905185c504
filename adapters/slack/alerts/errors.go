package alerts

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/slack-go/slack"

	adapter "github.com/argo-bridge/argo-bridge/adapters/slack"
	"github.com/argo-bridge/argo-bridge/bridge"
)

// unnamedWait is how long to wait after a refusal for haste that names no time.
const unnamedWait = 30 * time.Second

// word is Slack's own word for why it refuses; empty for any other error.
func word(err error) string {
	var refused slack.SlackErrorResponse
	if errors.As(err, &refused) {
		return refused.Err
	}
	return ""
}

// fault says of an error whether a retry can help, what to do, and takes tokens out of it. to is the destination.
func (n *Notifier) fault(to string, err error) error {
	var limited *slack.RateLimitedError
	var refused slack.SlackErrorResponse
	var status slack.StatusCodeError
	switch {
	case err == nil, errors.Is(err, bridge.ErrSpaced):
		return err
	case errors.As(err, &limited):
		return bridge.RetryAfter(n.redact(to, err, ""), limited.RetryAfter)
	case errors.As(err, &refused):
		return n.refused(to, err, refused)
	case errors.As(err, &status) && status.Code == http.StatusTooManyRequests:
		return bridge.RetryAfter(n.redact(to, err, ""), unnamedWait)
	case bridge.IsPermanent(err), errors.As(err, &status) && status.Code/100 == 4 && status.Code != http.StatusRequestTimeout:
		return bridge.Permanent(n.redact(to, err, ""))
	}
	return n.redact(to, err, "")
}

func (n *Notifier) refused(to string, err error, r slack.SlackErrorResponse) error {
	if r.Err == "ratelimited" || r.Err == "rate_limited" {
		return bridge.RetryAfter(n.redact(to, err, ""), unnamedWait)
	}
	remedy, permanent := adapter.Remedy(r.Err)
	if !permanent {
		return n.redact(to, err, "")
	}
	switch {
	case r.Err == "not_in_channel":
		remedy = fmt.Sprintf("invite the app to %s: /invite it there", to)
	case r.Err == "missing_scope" && r.Needed != "":
		remedy = fmt.Sprintf("add the scope %s to the app and install it again", r.Needed)
	}
	if detail := strings.Join(r.ResponseMetadata.Messages, "; "); detail != "" {
		err = fmt.Errorf("%w (%s)", err, clip(detail, 300))
	}
	return bridge.Permanent(n.redact(to, err, remedy))
}

// redact makes an error whose text and chain hold no token: of the chain, only the end of a context is kept.
func (n *Notifier) redact(to string, err error, remedy string) error {
	text := fmt.Sprintf("notify %s: %v", to, err)
	if remedy != "" {
		text += ": " + remedy
	}
	text = n.Clients.Redact(text)
	for _, end := range []error{context.DeadlineExceeded, context.Canceled} {
		if errors.Is(err, end) {
			return redacted{text, end}
		}
	}
	return redacted{text, nil}
}

type redacted struct {
	text string
	end  error
}

func (e redacted) Error() string { return e.text }
func (e redacted) Unwrap() error { return e.end }

// gone says that the message to be changed or replied to is not there any more.
func gone(err error) bool {
	text := err.Error()
	return strings.Contains(text, "message_not_found") || strings.Contains(text, "thread_not_found")
}
