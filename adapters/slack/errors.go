package slack

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/argo-bridge/argo-bridge/adapters/slack/message"
	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/slack-go/slack"
)

// unnamedWait is how long to wait after a refusal for haste that names no time.
const unnamedWait = 30 * time.Second

// remedies are the errors of Slack's API that no retry cures, with what somebody can do:
// https://docs.slack.dev/reference/methods/chat.postMessage#errors
var remedies = map[string]string{
	"account_inactive":                         "the app's token belongs to a deleted user or workspace: install the app again",
	"as_user_not_supported":                    "",
	"cannot_reply_to_message":                  "the message cannot have replies",
	"channel_not_found":                        "the channel does not exist, or is private: /invite the app to it",
	"channel_type_not_supported":               "post to an ordinary channel",
	"ekm_access_denied":                        "the workspace's administrators have suspended posting",
	"enterprise_is_restricted":                 "",
	"invalid_arguments":                        "",
	"invalid_auth":                             "the token is not valid: check slack.tokenFile",
	"invalid_blocks":                           "",
	"invalid_blocks_format":                    "",
	"invalid_metadata_format":                  "",
	"invalid_metadata_schema":                  "",
	"is_archived":                              "the channel is archived: unarchive it or name another one",
	"is_inactive":                              "the conversation is no longer active",
	"message_limit_exceeded":                   "the workspace has reached its limit of messages",
	"messages_tab_disabled":                    "turn on the Messages tab in the app's settings (App Home)",
	"method_not_supported_for_channel_type":    "",
	"metadata_too_large":                       "",
	"missing_scope":                            "add the scope to the app and install it again",
	"msg_blocks_too_long":                      "",
	"msg_too_long":                             "",
	"no_permission":                            "the token's app has no permission: check its scopes",
	"no_text":                                  "",
	"not_allowed_token_type":                   "slack.tokenFile must hold a bot token (xoxb-)",
	"not_authed":                               "no token is configured: set slack.tokenFile",
	"not_in_channel":                           "the app is not in the channel: /invite it there",
	"org_login_required":                       "the workspace is being migrated to an organisation",
	"posting_to_channel_denied":                "the channel's settings do not let the app post",
	"restricted_action":                        "a preference of the workspace keeps the app from posting there",
	"restricted_action_non_threadable_channel": "only threads can be posted to in the channel",
	"restricted_action_read_only_channel":      "the channel is read-only",
	"restricted_action_thread_locked":          "the thread is locked",
	"restricted_action_thread_only_channel":    "only threads can be posted to in the channel",
	"slack_connect_canvas_sharing_blocked":     "",
	"slack_connect_file_link_sharing_blocked":  "",
	"team_access_not_granted":                  "the app has no access to the workspace",
	"team_not_found":                           "",
	"thread_not_found":                         "the message to reply to is gone",
	"token_expired":                            "the token has expired: rotate it",
	"token_revoked":                            "the token was revoked: install the app again and store the new token",
	"too_many_attachments":                     "",
	"two_factor_setup_required":                "",
	"user_disabled":                            "the user is deactivated",
	"user_not_found":                           "no such user",
	"user_not_visible":                         "the app may not see the user",
	"users_not_found":                          "no such user",
}

// fault says of an error whether a retry can help, what to do, and takes the token out of it.
func (s *Notifier) fault(n bridge.Notification, err error) error {
	var limited *slack.RateLimitedError
	var refused slack.SlackErrorResponse
	var status slack.StatusCodeError
	switch {
	case errors.As(err, &limited):
		return bridge.RetryAfter(s.redact(n, err, ""), limited.RetryAfter)
	case errors.As(err, &refused):
		return s.refused(n, err, refused)
	case errors.As(err, &status) && status.Code == http.StatusTooManyRequests:
		return bridge.RetryAfter(s.redact(n, err, ""), unnamedWait)
	case bridge.IsPermanent(err), errors.As(err, &status) && status.Code/100 == 4 && status.Code != http.StatusRequestTimeout:
		return bridge.Permanent(s.redact(n, err, ""))
	default:
		return s.redact(n, err, "")
	}
}

func (s *Notifier) refused(n bridge.Notification, err error, r slack.SlackErrorResponse) error {
	if r.Err == "ratelimited" || r.Err == "rate_limited" {
		return bridge.RetryAfter(s.redact(n, err, ""), unnamedWait)
	}
	remedy, permanent := remedies[r.Err]
	if !permanent {
		return s.redact(n, err, "")
	}
	switch r.Err {
	case "not_in_channel":
		remedy = fmt.Sprintf("invite the app to %s: /invite @argo-bridge", n.To.Target)
	case "missing_scope":
		if r.Needed != "" {
			remedy = fmt.Sprintf("add the scope %s to the app and install it again", r.Needed)
		}
	case "channel_not_found", "is_archived":
		s.places.forget(n.To.Target)
	}
	if detail := strings.Join(r.ResponseMetadata.Messages, "; "); detail != "" {
		err = fmt.Errorf("%w (%s)", err, message.Cut(detail, 300))
	}
	return bridge.Permanent(s.redact(n, err, remedy))
}

// redact makes an error whose text and chain hold no token: of the chain, only the end of a context
// is kept.
func (s *Notifier) redact(n bridge.Notification, err error, remedy string) error {
	text := fmt.Sprintf("notify %s: %v", n.To, err)
	if remedy != "" {
		text += ": " + remedy
	}
	if s.token != "" {
		text = strings.ReplaceAll(text, s.token, "[token]")
	}
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
