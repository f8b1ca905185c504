package slack

import "github.com/argo-bridge/argo-bridge/bridge"

// Dialect is Slack's part of the annotation language. It is open: an event of the Events API that is
// not listed here may be younger than this list (https://docs.slack.dev/reference/events).
func Dialect() bridge.Dialect {
	scalar := &bridge.Shape{Scalar: true}
	s := &bridge.Shape{Fields: map[string]*bridge.Shape{"args": {Items: scalar}}}
	for _, name := range []string{
		"team", "channel", "channel_name", "user", "user_name", "command", "text", "ts", "thread_ts", "emoji",
		"action_id", "callback_id", "value", "trigger_id", "response_url",
	} {
		s.Fields[name] = scalar
	}
	shape := map[string]*bridge.Shape{source: s, "data": nil}
	d := bridge.Dialect{
		Source:    source,
		Open:      true,
		Variables: func(string) map[string]*bridge.Shape { return shape },
		Untrusted: []string{
			"slack.text", "slack.args", "slack.args[]", "slack.value", "slack.user_name", "slack.channel_name",
			"data.text", "data.user_name", "data.channel_name", "data.event.text", "data.event.blocks", "data.event.attachments",
			"data.event.files", "data.event.message.text", "data.message.text", "data.message.blocks", "data.actions", "data.actions[].value",
			"data.state", "data.view.state", "data.view.private_metadata", "data.user.name", "data.user.username", "data.channel.name",
		},
	}
	for _, e := range eventTypes {
		d.Events = append(d.Events, source+"."+e)
	}
	return d
}

// eventTypes are the bridge's own names and those of the Events API.
var eventTypes = []string{
	"command", "action", "shortcut", "view_submission",
	"app_deleted", "app_home_opened", "app_installed", "app_mention", "app_requested", "app_uninstalled", "app_uninstalled_team",
	"assistant_thread_context_changed", "assistant_thread_started",
	"call_rejected", "channel_archive", "channel_created", "channel_deleted", "channel_history_changed", "channel_id_changed",
	"channel_left", "channel_rename", "channel_shared", "channel_unarchive", "channel_unshared",
	"dnd_updated", "dnd_updated_user", "email_domain_changed", "emoji_changed",
	"file_change", "file_comment_deleted", "file_created", "file_deleted", "file_public", "file_shared", "file_unshared",
	"function_executed", "grid_migration_finished", "grid_migration_started",
	"group_archive", "group_close", "group_deleted", "group_history_changed", "group_left", "group_open", "group_rename", "group_unarchive",
	"im_close", "im_created", "im_history_changed", "im_open", "invite_requested", "link_shared",
	"member_joined_channel", "member_left_channel", "message", "message_metadata_deleted", "message_metadata_posted", "message_metadata_updated",
	"pin_added", "pin_removed", "reaction_added", "reaction_removed",
	"shared_channel_invite_accepted", "shared_channel_invite_approved", "shared_channel_invite_declined", "shared_channel_invite_received", "shared_channel_invite_requested",
	"star_added", "star_removed", "subteam_created", "subteam_members_changed", "subteam_self_added", "subteam_self_removed", "subteam_updated",
	"team_access_granted", "team_access_revoked", "team_domain_change", "team_join", "team_rename", "tokens_revoked",
	"user_change", "user_huddle_changed", "user_profile_changed", "user_status_changed",
	"workflow_deleted", "workflow_published", "workflow_step_deleted", "workflow_step_execute", "workflow_unpublished",
}
