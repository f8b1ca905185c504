package setup

// A subscription is a bot event, as a manifest names it, and the scope that Slack wants for it; "" for none.
type subscription struct{ event, scope string }

// subscriptions are those that an event of the Events API needs whose name is the key, by Slack's page of each:
// https://docs.slack.dev/reference/events. The messages of each kind of conversation are a subscription of their own.
var subscriptions = map[string][]subscription{
	"message": {
		{"message.channels", "channels:history"}, {"message.groups", "groups:history"}, {"message.im", "im:history"}, {"message.mpim", "mpim:history"},
	},
	"member_joined_channel": {{"member_joined_channel", "channels:read"}, {"member_joined_channel", "groups:read"}},
	"member_left_channel":   {{"member_left_channel", "channels:read"}, {"member_left_channel", "groups:read"}},
}

// scopeOf is the scope of the events that are a subscription of their own name.
var scopeOf = map[string]string{
	"app_home_opened":                "",
	"app_installed":                  "",
	"app_mention":                    "app_mentions:read",
	"app_uninstalled":                "",
	"assistant_thread_started":       "assistant:write",
	"call_rejected":                  "calls:read",
	"channel_archive":                "channels:read",
	"channel_created":                "channels:read",
	"channel_deleted":                "channels:read",
	"channel_history_changed":        "channels:history",
	"channel_id_changed":             "channels:read",
	"channel_left":                   "channels:read",
	"channel_rename":                 "channels:read",
	"channel_shared":                 "channels:read",
	"channel_unarchive":              "channels:read",
	"channel_unshared":               "channels:read",
	"dnd_updated_user":               "dnd:read",
	"email_domain_changed":           "team:read",
	"emoji_changed":                  "emoji:read",
	"file_change":                    "files:read",
	"file_created":                   "files:read",
	"file_deleted":                   "files:read",
	"file_public":                    "files:read",
	"file_shared":                    "files:read",
	"file_unshared":                  "files:read",
	"function_executed":              "",
	"grid_migration_finished":        "",
	"grid_migration_started":         "",
	"group_archive":                  "groups:read",
	"group_close":                    "groups:read",
	"group_deleted":                  "groups:read",
	"group_history_changed":          "groups:history",
	"group_left":                     "groups:read",
	"group_open":                     "groups:read",
	"group_rename":                   "groups:read",
	"group_unarchive":                "groups:read",
	"im_close":                       "im:read",
	"im_created":                     "im:read",
	"im_history_changed":             "im:history",
	"im_open":                        "im:read",
	"link_shared":                    "links:read",
	"message_metadata_deleted":       "metadata.message:read",
	"message_metadata_posted":        "metadata.message:read",
	"message_metadata_updated":       "metadata.message:read",
	"pin_added":                      "pins:read",
	"pin_removed":                    "pins:read",
	"reaction_added":                 "reactions:read",
	"reaction_removed":               "reactions:read",
	"shared_channel_invite_accepted": "conversations.connect:manage",
	"shared_channel_invite_approved": "conversations.connect:manage",
	"shared_channel_invite_declined": "conversations.connect:manage",
	"shared_channel_invite_received": "conversations.connect:write",
	"star_added":                     "stars:read",
	"star_removed":                   "stars:read",
	"subteam_created":                "usergroups:read",
	"subteam_members_changed":        "usergroups:read",
	"subteam_self_added":             "usergroups:read",
	"subteam_self_removed":           "usergroups:read",
	"subteam_updated":                "usergroups:read",
	"team_domain_change":             "team:read",
	"team_join":                      "users:read",
	"team_rename":                    "team:read",
	"tokens_revoked":                 "",
	"user_change":                    "users:read",
	"user_huddle_changed":            "users:read",
	"user_profile_changed":           "users.profile:read",
	"user_status_changed":            "users:read",
}

// subscriptionsOf are the subscriptions that bring an event; ok is false where it is not known which.
func subscriptionsOf(event string) (all []subscription, ok bool) {
	if all, ok = subscriptions[event]; ok {
		return all, true
	}
	scope, ok := scopeOf[event]
	return []subscription{{event, scope}}, ok
}
