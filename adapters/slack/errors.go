package slack

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
	"cant_update_message":                      "the message is not the app's own",
	"invalid_attachments":                      "",
	"invalid_blocks":                           "",
	"invalid_blocks_format":                    "",
	"invalid_metadata_format":                  "",
	"invalid_metadata_schema":                  "",
	"is_archived":                              "the channel is archived: unarchive it or name another one",
	"is_inactive":                              "the conversation is no longer active",
	"message_not_found":                        "the message is gone",
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

// Remedy says of an error of the Web API, by Slack's word, whether no retry cures it, and what somebody can do; empty:
// nothing is known.
func Remedy(word string) (remedy string, permanent bool) {
	remedy, permanent = remedies[word]
	return remedy, permanent
}

type redacted struct {
	text string
	end  error
}

func (e redacted) Error() string { return e.text }
func (e redacted) Unwrap() error { return e.end }
