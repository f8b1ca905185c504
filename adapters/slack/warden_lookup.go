package slack

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/slack-go/slack"
)

// in says whether the caller is in one of the channels.
func (w *Warden) in(ctx context.Context, who caller, channels []string) (bool, string, error) {
	if slices.Contains(channels, who.channel) {
		return true, "", nil
	}
	byName := slices.ContainsFunc(channels, func(c string) bool { return strings.HasPrefix(c, "#") })
	if !who.named || !byName || who.channel == "" || who.channel[0] == 'D' {
		return false, "", nil
	}
	if who.name != "" {
		return slices.Contains(channels, who.name), "", nil
	}
	name, err := w.names.get(ctx, who.team+" "+who.channel, w.now, func() (string, error) {
		return channelNameOf(ctx, who)
	})
	if err != nil {
		return refusal("the channel's name is not known, name it by its id", err)
	}
	return slices.Contains(channels, "#"+name), "", nil
}

// channelNameOf asks for a name: https://docs.slack.dev/reference/methods/conversations.info
func channelNameOf(ctx context.Context, who caller) (string, error) {
	c, err := who.client.GetConversationInfoContext(ctx, &slack.GetConversationInfoInput{ChannelID: who.channel})
	if err != nil {
		return "", err
	}
	return c.Name, nil
}

// member says whether the caller is in one of the user groups. A group that cannot be read counts only where no other has
// the caller.
func (w *Warden) member(ctx context.Context, who caller, groups []string) (bool, string, error) {
	var details []string
	var errs []error
	for _, group := range groups {
		is, detail, err := w.memberOf(ctx, who, group)
		switch {
		case is:
			return true, "", nil
		case err != nil:
			errs = append(errs, err)
		case detail != "":
			details = append(details, detail)
		}
	}
	return false, strings.Join(details, "; "), errors.Join(errs...)
}

func (w *Warden) memberOf(ctx context.Context, who caller, group string) (bool, string, error) {
	if handle, named := strings.CutPrefix(group, "@"); named {
		if !who.named {
			return false, "", nil
		}
		handles, err := w.handles.get(ctx, who.team, w.now, func() (map[string]string, error) { return groupsOf(ctx, who.client) })
		if err != nil {
			return refusal("the user groups cannot be read", err)
		}
		id, known := handles[strings.ToLower(handle)]
		if !known {
			return false, fmt.Sprintf("the workspace has no user group %s", group), nil
		}
		group = id
	}
	members, err := w.groups.get(ctx, who.team+" "+group, w.now, func() (map[string]bool, error) { return membersOf(ctx, who.client, group) })
	if err != nil {
		return refusal("the user group "+group+" cannot be read", err)
	}
	return members[who.user], "", nil
}

// groupsOf are the ids of the user groups by handle: https://docs.slack.dev/reference/methods/usergroups.list
func groupsOf(ctx context.Context, client *slack.Client) (map[string]string, error) {
	groups, err := client.GetUserGroupsContext(ctx)
	if err != nil {
		return nil, err
	}
	ids := make(map[string]string, len(groups))
	for _, g := range groups {
		if g.DateDelete == 0 {
			ids[strings.ToLower(g.Handle)] = g.ID
		}
	}
	return ids, nil
}

// membersOf are a user group's members: https://docs.slack.dev/reference/methods/usergroups.users.list
func membersOf(ctx context.Context, client *slack.Client, group string) (map[string]bool, error) {
	users, err := client.GetUserGroupMembersContext(ctx, group)
	if err != nil {
		return nil, err
	}
	members := make(map[string]bool, len(users))
	for _, u := range users {
		members[u] = true
	}
	return members, nil
}

// refusal is the answer when Slack does not say what the decision needs: nobody may. What a retry may cure is an error.
func refusal(what string, err error) (bool, string, error) {
	var limited *slack.RateLimitedError
	var refused slack.SlackErrorResponse
	switch {
	case errors.As(err, &limited):
		return false, "", bridge.RetryAfter(fmt.Errorf("%s: %w", what, err), limited.RetryAfter)
	case errors.As(err, &refused):
		remedy, permanent := remedies[refused.Err]
		if refused.Err == "no_such_subteam" || refused.Err == "subteam_not_found" {
			remedy, permanent = "there is no such user group in the workspace", true
		}
		if refused.Err == "missing_scope" && refused.Needed != "" {
			remedy = "add the scope " + refused.Needed + " to the app and install it again"
		}
		if !permanent {
			return false, "", fmt.Errorf("%s: %w", what, err)
		}
		return false, strings.TrimSuffix(what+": "+refused.Err+": "+remedy, ": "), nil
	case bridge.IsPermanent(err):
		return false, what + ": " + err.Error(), nil
	}
	return false, "", fmt.Errorf("%s: %w", what, err)
}
